"""The configuration file: what it gives, and a good word for every mistake."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.config import Cloud, Config, load, with_credential_of_now
from edge_agent.config_table import ConfigError
from edge_agent.pacing import Limits

CREDENTIAL = "acme.north.0123456789abcdefghijklmnop"
URL = 'url = "wss://host/live"\n'
SITE = Path(__file__).parents[2] / "edge_agent" / "site"


def read(folder: Path, text: str, environment: dict[str, str] | None = None) -> Config:
    path = folder / "agent.toml"
    path.write_text(text)
    return load(path, {"SPANBRIDGE_CREDENTIAL": CREDENTIAL} if environment is None else environment)


def test_the_least_is_an_address_and_a_credential(tmp_path: Path) -> None:
    config = read(tmp_path, f"[cloud]\n{URL}")
    assert config.cloud is not None
    assert (config.cloud.url, config.cloud.credential) == ("wss://host/live", CREDENTIAL)
    assert config.journal.path == tmp_path / "journal.db"
    assert config.modems.ports == ()
    assert config.modems.pin_ledger == tmp_path / "pins.json"


def test_the_credential_comes_from_its_file_unless_the_environment_has_one(tmp_path: Path) -> None:
    (tmp_path / "credential").write_text("acme.south.0123456789abcdefghijklmnop\n")
    config = read(tmp_path, f"[cloud]\n{URL}", {})
    assert config.cloud is not None
    assert config.cloud.credential.startswith("acme.south.")
    config = read(tmp_path, f"[cloud]\n{URL}")
    assert config.cloud is not None
    assert config.cloud.credential == CREDENTIAL


def test_the_example_holds_every_key_there_is_and_its_defaults(tmp_path: Path) -> None:
    text = (SITE / "agent.toml").read_text()
    text = re.sub(r"^# (?=\[\[span|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    text = text.replace("/var/lib/spanbridge-agent", str(tmp_path)).replace("/etc/spanbridge/proxy-ca.pem", "ca.pem")
    (tmp_path / "ca.pem").write_text("")
    config = read(tmp_path, text)
    plain = read(tmp_path, f"[cloud]\n{URL}")
    assert config.journal == plain.journal
    assert config.modems.default == plain.modems.default
    assert config.log == plain.log
    source = (SITE.parent / "config.py").read_text()
    keys = set(re.findall(r'table\.\w+\(\s*"(\w+)"', source)) | set(Limits.PERIODS)
    assert keys > {"url", "max_mb", "imei", "per_day"}
    assert keys - set(re.findall(r"^(\w+) = ", text, flags=re.MULTILINE)) == {"port"}


def test_a_modem_s_table_gives_its_options_and_its_pace(tmp_path: Path) -> None:
    span = '[[span]]\nimei = "490154203237518"\nname = "lte-1"\npin = "1234"\nper_day = 100\nmin_gap_s = 2.5\n'
    config = read(tmp_path, f"[cloud]\n{URL}{span}[[span]]\nport = '/dev/ttyS1'\nbaud = 9600\n")
    assert config.modems.options("/dev/ttyUSB0", "490154203237518").name == "lte-1"
    assert config.limits_of("", "490154203237518") == Limits(per_day=100, min_gap_s=2.5)
    assert config.modems.options("/dev/ttyS1").baud == 9600
    assert config.limits_of("/dev/ttyS1", "1") == Limits()


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    span = '[[span]]\nimei = "490154203237518"\npin = "1234"\n'
    shown = repr(read(tmp_path, f"[cloud]\n{URL}{span}"))
    assert CREDENTIAL not in shown
    assert "1234'" not in shown


@pytest.mark.parametrize(
    ("text", "key", "advice"),
    [
        ("", "cloud.url", "is missing"),
        ("[cloud]\nurl = 5", "cloud.url", "text in quotes"),
        ('[cloud]\nurl = "https://host"', "cloud.url", "wss://"),
        ('[cloud]\nurl = "ws://host/live"', "cloud.url", "127.0.0.1 only"),
        ('[cloud]\nurl = "wss://me:secret@host"', "cloud.url", "no credential"),
        (f"[cloud]\n{URL}ca_file = 'none.pem'", "cloud.ca_file", "PEM"),
        (f"[cloud]\n{URL}renew_minutes = 130", "cloud.renew_minutes", "from 1 to 118"),
        (f"[cloud]\n{URL}uri = 'x'", "cloud.uri", "did you mean url?"),
        (f"cluod = 1\n[cloud]\n{URL}", "cluod", "did you mean cloud?"),
        (f"[cloud]\n{URL}[journal]\nmax_mb = 'much'", "journal.max_mb", "a number from"),
        (f"[cloud]\n{URL}[journal]\npath = 'no/such/journal.db'", "journal.path", "does not exist"),
        (f"[cloud]\n{URL}[modems]\nports = '/dev/ttyUSB0'", "modems.ports", "a list"),
        (f"[cloud]\n{URL}[modems]\ntrace = 1", "modems.trace", "true or false"),
        (f"[cloud]\n{URL}[log]\nformat = 'xml'", "log.format", "text, json"),
        (f"journal = 3\n[cloud]\n{URL}", "journal", "[journal]"),
        (f"[cloud]\n{URL}[span]\nname = 'x'", "span", "[[span]]"),
        (f"[cloud]\n{URL}[[span]]\nname = 'x'", "span 1", "needs imei"),
        (f"[cloud]\n{URL}[[span]]\nimei = '1'", "span 1.imei", "15 digits"),
        (f"[cloud]\n{URL}[[span]]\nport = 'a'\n[[span]]\nport = 'a'", "span", "the same modem"),
        (f"[cloud]\n{URL}[[span]]\nport = 'a'\npin = '12'", "span 1.pin", "4 to 8 digits"),
        (f"[cloud]\n{URL}[[span]]\nport = 'a'\nper_day = -1", "span 1.per_day", "from 0"),
        (f"[cloud]\n{URL}[[span]]\nport = 'a'\nper_week = 1", "span 1.per_week", "known here: "),
        ("[cloud", "agent.toml", "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(tmp_path: Path, text: str, key: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert caught.value.key.endswith(key)
    assert advice in caught.value.advice


def test_a_missing_file_and_a_missing_or_wrong_credential_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(ConfigError, match=r"cloud\.credential_file: .* does not exist"):
        read(tmp_path, f"[cloud]\n{URL}", {})
    with pytest.raises(ConfigError, match="SPANBRIDGE_CREDENTIAL: must hold"):
        read(tmp_path, f"[cloud]\n{URL}", {"SPANBRIDGE_CREDENTIAL": "half"})


def test_plain_ws_is_good_enough_on_loopback(tmp_path: Path) -> None:
    for host in ("127.0.0.1:8080", "localhost", "[::1]:1"):
        assert read(tmp_path, f'[cloud]\nurl = "ws://{host}/live"').cloud


def test_a_credential_is_read_again_only_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "credential"
    cloud = Cloud(url="wss://x/live", credential="acme.site-1.0123456789abcdefghij", credential_file=file)
    assert with_credential_of_now(cloud) == cloud  # there is none
    file.write_text("acme.site-1.01234")
    assert with_credential_of_now(cloud) == cloud
    file.write_text("acme.site-1.abcdefghij0123456789\n")
    assert with_credential_of_now(cloud) == replace(cloud, credential="acme.site-1.abcdefghij0123456789")
    told = replace(cloud, credential_file=None)  # by the environment
    assert with_credential_of_now(told) == told
