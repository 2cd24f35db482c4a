"""get_config and set_config: an account's push settings, read and changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.egress_guard import Refused, literal_address
from shared.ports import AccountStore, Clock, Egress
from shared.push_settings import BadSetting, PushSettings, changed, from_stored, shown, stored


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
    before = from_stored(accounts.push_settings(account))
    settings = changed(before, changes, clock.now(), loopback=loopback)
    warning = _host_warning(settings, egress)
    accounts.save_push_settings(account, stored(settings))
    return PushConfig(values=shown(settings), warning=warning)


def _host_warning(settings: PushSettings, egress: Egress) -> str:
    """A name that points to a private address now is refused; one that does not resolve yet is only warned of."""
    if not settings.url_host or literal_address(settings.url_host):
        return ""
    try:
        return egress.check_host(settings.url_host)
    except Refused as error:
        raise BadSetting("url_host", str(error)) from None
