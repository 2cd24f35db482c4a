"""get_config and set_config: an account's push settings, read and changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.egress_guard import Refused, literal_address
from shared.ports import AccountStore, Clock, Egress, Unavailable
from shared.push_settings import BadSetting, PushSettings, changed, from_stored, shown, stored

_TRIES = 5  # what somebody else saves at the same time is not undone, but read again


@dataclass(frozen=True, slots=True, kw_only=True)
class PushConfig:
    """Settings as callers see them. `warning` is empty, or says what will keep pushes from getting through."""

    values: Mapping[str, str | int]
    warning: str = ""


def get_config(account: str, *, accounts: AccountStore) -> PushConfig:
    return PushConfig(values=shown(from_stored(accounts.push_settings(account))))


def set_config(
    account: str,
    changes: Mapping[str, object],
    *,
    accounts: AccountStore,
    egress: Egress,
    clock: Clock,
    loopback: bool = False,
) -> PushConfig:
    """Saves all the changes or none; keys left out keep their value, unknown ones are ignored. Raises BadSetting.

    `loopback`: whether this deployment may push to its own machine.
    """
    for _ in range(_TRIES):
        held = accounts.push_settings(account)
        before = from_stored(held)
        settings = changed(before, changes, clock.now(), loopback=loopback)
        begins = "url_host" in changes or settings.enable > before.enable
        warning = _host_warning(settings, egress, refuse=begins) if begins or settings.enable else ""
        if accounts.save_push_settings(account, stored(settings), before=held):
            return PushConfig(values=shown(settings), warning=warning)
    raise Unavailable("the settings of this account are being changed by others")


def _host_warning(settings: PushSettings, egress: Egress, *, refuse: bool) -> str:
    """A name that points to a private address now is refused when pushes are to begin to go there. One that moved there
    meanwhile keeps nothing else from being changed, and one that does not resolve yet is only warned of.
    """
    if not settings.url_host or literal_address(settings.url_host):
        return ""
    try:
        return egress.check_host(settings.url_host)
    except Refused as error:
        if refuse:
            raise BadSetting("url_host", f"cannot be pushed to: {error}") from None
        return f"{settings.url_host} cannot be pushed to: {error}"
