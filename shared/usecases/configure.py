"""POST /smsoutbox/get_config and set_config as callers see them; the settings are shared/push_settings.py's."""

from shared.api import ConfigRow, SetConfigRequest
from shared.envelope import Outcome
from shared.errors import BAD_FIELD, ApiError
from shared.message import Account
from shared.ports import AccountStore, Clock, Egress
from shared.push_settings import BadSetting
from shared.usecases.push_settings import PushConfig, get_config, set_config


def show_config(account: Account, accounts: AccountStore) -> Outcome:
    """[C] One object with all keys."""
    return Outcome(rows=_rows(get_config(account.name, accounts=accounts)), msg="These settings are in force.")


def change_config(
    request: SetConfigRequest, account: Account, *, accounts: AccountStore, egress: Egress, clock: Clock, loopback: bool
) -> Outcome:
    """Answers what is saved. Raises ApiError, and then nothing was."""
    changes = request.model_dump(exclude_unset=True, exclude={"username", "password"})
    try:
        saved = set_config(account.name, changes, accounts=accounts, egress=egress, clock=clock, loopback=loopback)
    except BadSetting as error:
        raise ApiError(BAD_FIELD, field=error.key, problem=f"{error.why}; nothing was saved") from None
    return Outcome(rows=_rows(saved), msg=f"Saved, but {saved.warning}" if saved.warning else "Saved.")


def _rows(config: PushConfig) -> list[ConfigRow]:
    return [ConfigRow.model_validate(config.values)]
