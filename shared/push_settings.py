"""An account's push settings: keys, defaults and what each may hold.

Rule: a value is checked when it is saved, all or nothing, and the bad key is named; what is stored is taken as it is.
Keys as the API's page names them [D], with `inbox_enable`, `url_method` and `signing_secret` added [+].
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace

from shared.egress_guard import Refused, check_address, check_port, host_of, literal_address

ROTATION_S = 72 * 3600  # how long the secret before the present one still signs too: over a weekend
FIXED_NAMES = ("type", "id", "cause")
NAME_KEYS = ("url_from_num", "url_to_num", "url_portname", "url_message", "url_time", "url_imsi", "url_status")
_SWITCHES = ("enable", "reports_enable", "results_enable", "inbox_enable")
_HIDDEN = ("signing_secret", "signing_secret_before", "signing_secret_before_until")

_VISIBLE = re.compile(r"[\x21-\x7e]*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class BadSetting(ValueError):
    """One value cannot be saved: which key, and why."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key, self.why = key, why


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSettings:
    """The defaults are the names that the vendor's devices use [C]; nothing is pushed until `enable` is set."""

    enable: int = 0
    reports_enable: int = 1
    results_enable: int = 1
    inbox_enable: int = 1
    url_http: str = "http"
    url_host: str = ""
    url_port: str = ""  # empty: the scheme's own
    url_path: str = "/"
    url_from_num: str = "phonenumber"  # carries the remote phone number
    url_to_num: str = "port"  # carries the port NUMBER [C]
    url_portname: str = "portname"
    url_message: str = "message"
    url_time: str = "time"
    url_imsi: str = "imsi"
    url_status: str = "status"
    url_user_defined: str = ""
    url_method: str = "GET"
    signing_secret: str = ""
    signing_secret_before: str = ""
    signing_secret_before_until: int = 0  # epoch s

    @property
    def endpoint(self) -> str:
        """What fails or works as one: scheme, host and port."""
        host = f"[{self.url_host}]" if ":" in self.url_host else self.url_host
        return f"{self.url_http}://{host}" + (f":{self.url_port}" if self.url_port else "")

    def secrets(self, now: float) -> tuple[str, ...]:
        """Those that sign now, the present one first."""
        before = self.signing_secret_before if now < self.signing_secret_before_until else ""
        return tuple(filter(None, (self.signing_secret, before)))


KEYS = tuple(field.name for field in fields(PushSettings) if field.name not in _HIDDEN)


def stored(settings: PushSettings) -> dict[str, str | int]:
    """The form in which settings are kept."""
    return asdict(settings)


def from_stored(values: Mapping[str, str | int]) -> PushSettings:
    """Settings as kept; keys of an older or newer version are no obstacle."""
    defaults = asdict(PushSettings())
    return PushSettings(**{key: type(default)(values.get(key, default)) for key, default in defaults.items()})


def shown(settings: PushSettings) -> dict[str, str | int]:
    """What get_config answers: everything but the secret, of which only is said whether there is one."""
    values = asdict(settings)
    return {key: values[key] for key in KEYS} | {"signing_secret_set": int(bool(settings.signing_secret))}


def changed(
    settings: PushSettings, changes: Mapping[str, object], now: float, *, loopback: bool = False
) -> PushSettings:
    """The settings with some keys changed; unknown keys are ignored. Raises BadSetting."""
    checked = {key: _CHECKS[key](key, value) for key, value in changes.items() if key in KEYS}
    new = replace(settings, **checked)  # type: ignore[arg-type]
    if "signing_secret" in changes:
        new = _rotated(new, _secret("signing_secret", changes["signing_secret"]), now)
    _check_host(new, changes, loopback)
    _check_names(new, changes)
    return new


def _rotated(settings: PushSettings, secret: str, now: float) -> PushSettings:
    """The secret in force becomes the one before. An empty one ends signing at once; the same again changes nothing."""
    if secret == settings.signing_secret:
        return settings
    before, until = (settings.signing_secret, int(now) + ROTATION_S) if secret else ("", 0)
    return replace(settings, signing_secret=secret, signing_secret_before=before, signing_secret_before_until=until)


def _check_host(settings: PushSettings, changes: Mapping[str, object], loopback: bool) -> None:
    if settings.enable and not settings.url_host:
        raise BadSetting("url_host", "is needed while enable is 1")
    address = literal_address(settings.url_host)
    if address and (settings.enable or "url_host" in changes):
        try:
            check_address(address, allow_loopback=loopback)
        except Refused as error:
            raise BadSetting("url_host", f"cannot be pushed to: {error}") from None


def _check_names(settings: PushSettings, changes: Mapping[str, object]) -> None:
    """No two parameters may have one name. Of two that clash, the one that was changed is the bad one."""
    taken = dict.fromkeys(FIXED_NAMES, "")
    for key in NAME_KEYS:
        name = getattr(settings, key)
        if name in taken:
            raise BadSetting(key if key in changes else taken[name], f"the name {name} is used already")
        if name:
            taken[name] = key


def _switch(key: str, value: object) -> int:
    if str(value).strip() not in {"0", "1"} or isinstance(value, bool):
        raise BadSetting(key, "must be 0 or 1")
    return int(str(value))


def _text(key: str, value: object, longest: int) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadSetting(key, "must be a string")
    text = str(value)
    if len(text) > longest:
        raise BadSetting(key, f"is longer than {longest} characters")
    return text


def _one_of(*words: str) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        for word in words:
            if _text(key, value, 64).strip().lower() == word.lower():
                return word
        raise BadSetting(key, f"must be {' or '.join(words)}")

    return check


def _host(key: str, value: object) -> str:
    text = _text(key, value, 253).strip()
    try:
        return host_of(text) if text else ""
    except Refused as error:
        raise BadSetting(key, str(error)) from None


def _port(key: str, value: object) -> str:
    text = _text(key, value, 5).strip()
    if text and not (text.isascii() and text.isdigit()):
        raise BadSetting(key, "must be a number from 1 to 65535, or empty for the scheme's own")
    try:
        return str(check_port(int(text))) if text else ""
    except Refused as error:
        raise BadSetting(key, f"cannot be used: {error}") from None


def _path(key: str, value: object) -> str:
    text = _text(key, value, 1024).strip()
    if any(mark in text for mark in "?#\\"):
        raise BadSetting(key, "must not hold ?, # or \\; a fixed query belongs into url_user_defined")
    if not text.isprintable() or _LONE_PERCENT.search(text):
        raise BadSetting(key, "holds a control character or a % that begins no escape")
    return "/" + text.removeprefix("/")


def _name(key: str, value: object) -> str:
    text = _text(key, value, 64).strip()
    if not text.isprintable():
        raise BadSetting(key, "holds a control character")
    return text


def _raw(key: str, value: object) -> str:
    text = _text(key, value, 1024).strip()
    if not _VISIBLE.fullmatch(text) or "#" in text or "\\" in text:
        raise BadSetting(key, "is sent as it is, so blanks, #, \\ and other than ASCII must be percent-encoded in it")
    return text


def _secret(key: str, value: object) -> str:
    """`whsec_` and base64 of 24 to 64 bytes, as Standard Webhooks has it, or any text of 16 to 128 characters."""
    text = _text(key, value, 128).strip()
    if not text:
        return ""
    if len(text) < 16 or not _VISIBLE.fullmatch(text):
        raise BadSetting(key, "must be 16 to 128 visible ASCII characters")
    if text.startswith("whsec_") and not 24 <= len(secret_bytes(text)) <= 64:
        raise BadSetting(key, "whsec_ must be followed by base64 of 24 to 64 bytes")
    return text


def secret_bytes(secret: str) -> bytes:
    """The HMAC key that a secret stands for; empty for `whsec_` with bad base64."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return b""


_CHECKS: dict[str, Callable[[str, object], str | int]] = {
    **dict.fromkeys(_SWITCHES, _switch),
    **dict.fromkeys(NAME_KEYS, _name),
    "url_http": _one_of("http", "https"),
    "url_host": _host,
    "url_port": _port,
    "url_path": _path,
    "url_user_defined": _raw,
    "url_method": _one_of("GET", "POST"),
}
