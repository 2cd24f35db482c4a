"""The agent's whole configuration: one TOML file and the environment become one frozen `Config`.

Rule: every error names the key, and says what would be right. Relative paths are relative to the file's folder.
"""

import contextlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from edge_agent.config_table import ConfigError, Table
from edge_agent.modem.config import ModemsConfig, SpanOptions
from edge_agent.ownership import kept_out
from edge_agent.pacing import Limits

LOCK_SUFFIX = ".lock"
CREDENTIAL_VARIABLE = "SPANBRIDGE_CREDENTIAL"
_CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{20,128}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """How the cloud is reached. The credential is `<account>.<agent>.<secret>`."""

    url: str
    credential: str = field(repr=False)
    credential_file: Path | None = None  # where it came from; None: from the environment
    ca_file: Path | None = None
    renew_s: float = 105 * 60.0  # API Gateway ends a connection after 2 h (quota); its successor is opened before


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalConfig:
    path: Path
    max_mb: int = 256
    max_jobs: int = 10_000  # held at once; more stay in the cloud until there is room

    @property
    def control(self) -> Path:
        """The socket on which a running agent answers the command line."""
        return self.path.with_suffix(".sock")

    @property
    def files(self) -> tuple[Path, ...]:
        """The file itself with those that SQLite puts beside it, and the lock of who has it open."""
        beside = (self.path.with_name(self.path.name + suffix) for suffix in ("-wal", "-shm"))
        return (self.path, *beside, self.path.with_suffix(LOCK_SUFFIX))


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    format: str = "text"  # "text" or "json"
    level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the agent was told. `cloud` is None only where the cloud is not needed (benchmarks, local test)."""

    journal: JournalConfig
    modems: ModemsConfig
    cloud: Cloud | None = None
    log: Log = Log()
    limits: Mapping[str, Limits] = field(default_factory=dict)  # by IMEI, or by port as written

    def limits_of(self, device: str, imei: str) -> Limits:
        """The pacing of the modem with this IMEI, else of the one on this port, else none."""
        return self.limits.get(imei) or self.limits.get(device) or Limits()


def load(path: Path, environment: Mapping[str, str], *, cloud: bool = True) -> Config:
    """Reads and checks the whole file; without `cloud`, all but how to reach it. Raises ConfigError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(str(path), "there is no such file; copy edge_agent/site/agent.toml to start with") from None
    except PermissionError:
        raise ConfigError(str(path), f"cannot be read: {kept_out(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from None
    return parse(content, path.resolve().parent, environment, cloud=cloud)


def parse(content: Mapping[str, object], folder: Path, environment: Mapping[str, str], *, cloud: bool = True) -> Config:
    """Checks a parsed file. Raises ConfigError."""
    root = Table("", content)
    cloud_table = root.table("cloud")
    spans = [_span(table) for table in root.tables("span")]
    limits = {key: limit for key, _, limit in spans}
    if len(limits) != len(spans):
        raise ConfigError("span", "two [[span]] tables name the same modem; keep one")
    config = Config(
        cloud=_cloud(cloud_table, folder, environment) if cloud else None,
        journal=_journal(root.table("journal"), folder),
        modems=_modems(root.table("modems"), {key: options for key, options, _ in spans}, folder),
        log=_log(root.table("log")),
        limits=limits,
    )
    root.end()
    return config


def _cloud(table: Table, folder: Path, environment: Mapping[str, str]) -> Cloud:
    url = table.text("url")
    check_url(url)
    ca_file = table.path("ca_file", folder)
    if ca_file is not None and not ca_file.is_file():
        raise ConfigError("cloud.ca_file", f"{ca_file} is no file; give a PEM file with the certificates to trust")
    file = table.path("credential_file", folder, "credential")
    told = environment.get(CREDENTIAL_VARIABLE, "").strip()
    cloud = Cloud(
        url=url,
        credential=_credential(file, told),
        credential_file=None if told else file,
        ca_file=ca_file,
        renew_s=table.number("renew_minutes", 105, least=1, most=118) * 60.0,
    )
    table.end()
    return cloud


def with_credential_of_now(cloud: Cloud) -> Cloud:
    """As its file says by now; the same while there is none to be read in it."""
    if cloud.credential_file is None:
        return cloud
    with contextlib.suppress(ConfigError):
        return replace(cloud, credential=_credential(cloud.credential_file, ""))
    return cloud


def check_url(url: str, key: str = "cloud.url") -> None:
    """Plain ws:// would show the credential to the whole network, so it is for loopback only."""
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigError(key, 'must look like "wss://host/stage" (the WebSocket URL that the deployment printed)')
    if parts.scheme == "ws" and parts.hostname not in _LOOPBACK:
        raise ConfigError(key, "must be wss://; plain ws:// is for 127.0.0.1 only")
    if parts.username or parts.password:
        raise ConfigError(key, "must hold no credential; put it into credential_file")


def _credential(path: Path | None, told: str) -> str:
    where = f"${CREDENTIAL_VARIABLE}" if told else "cloud.credential_file"
    if not told:
        assert path is not None
        try:
            told = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise ConfigError(
                where,
                f"{path} does not exist; run `python -m edge_agent enroll` first, with the code that the operator gave",
            ) from None
        except PermissionError:
            raise ConfigError(where, f"cannot be read: {kept_out(path)}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(where, f"{path} cannot be read: {error}") from None
    if not _CREDENTIAL.fullmatch(told):
        raise ConfigError(where, "must hold <account>.<agent>.<secret>; `python -m edge_agent enroll` writes it")
    return told


def _journal(table: Table, folder: Path) -> JournalConfig:
    path = table.path("path", folder, "journal.db")
    assert path is not None
    if not path.parent.is_dir():
        raise ConfigError("journal.path", f"the folder {path.parent} does not exist; create it for the agent's user")
    journal = JournalConfig(
        path=path,
        max_mb=int(table.number("max_mb", 256, least=32, most=1_000_000)),
        max_jobs=int(table.number("max_jobs", 10_000, least=1, most=1_000_000)),
    )
    table.end()
    return journal


def _modems(table: Table, spans: Mapping[str, SpanOptions], folder: Path) -> ModemsConfig:
    modems = ModemsConfig(
        ports=table.texts("ports"),
        ignore=table.texts("ignore"),
        spans=spans,
        pin_ledger=table.path("pin_ledger", folder, "pins.json"),
        trace=table.flag("trace", False),
    )
    table.end()
    return modems


def _log(table: Table) -> Log:
    log = Log(
        format=table.choice("format", "text", ("text", "json")),
        level=table.choice("level", "info", ("debug", "info", "warning", "error")),
    )
    table.end()
    return log


def _span(table: Table) -> tuple[str, SpanOptions, Limits]:
    imei, port = table.text("imei", ""), table.text("port", "")
    if bool(imei) == bool(port):
        raise ConfigError(table.name, "needs imei (better, since it stays with the modem) or port, and not both")
    if imei and not re.fullmatch(r"\d{15}", imei):
        raise ConfigError(f"{table.name}.imei", "must be 15 digits (`python -m edge_agent probe` shows it)")
    limits = Limits(**{name: int(table.number(name, 0, least=0, most=10_000_000)) for name in Limits.PERIODS},
                    min_gap_s=table.number("min_gap_s", 0, least=0, most=86_400))  # fmt: skip
    result = imei or port, _options(table), limits
    table.end()
    return result


def _options(table: Table) -> SpanOptions:
    pin = table.text("pin", "")
    if pin and not re.fullmatch(r"\d{4,8}", pin):
        raise ConfigError(f"{table.name}.pin", "must be 4 to 8 digits, in quotes")
    timeout = table.number("submit_timeout_s", 0, least=0, most=900)
    return SpanOptions(
        name=table.text("name", ""),
        pin=pin,
        baud=int(table.number("baud", 115_200, least=300, most=4_000_000)),
        rtscts=table.flag("rtscts", False),
        usb_reset=table.flag("usb_reset", False),
        balance_ussd=table.text("balance_ussd", ""),
        balance_every_s=table.number("balance_every_hours", 6, least=0.01, most=10_000) * 3600.0,
        submit_timeout_s=timeout or None,
    )
