"""Dialogues of real kinds of modems, found by glob in tests/transcripts; the format is in its README.md."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_agent.modem import commands, network, quirks, setup, sim
from edge_agent.modem.channel import Channel
from edge_agent.modem.inbox import Inbox
from edge_agent.modem.pin_ledger import PinLedger
from edge_agent.modem.quirks import PLAIN, Quirks
from edge_agent.modem.report_watch import ReportWatch
from edge_agent.modem.setup import Receiving
from edge_agent.modem.submission import judge
from edge_agent.modem.ussd import Ussd, UssdFailed
from tests.edge_agent.modem.agent_double import AgentDouble, mark
from tests.edge_agent.modem.scripted import Ear, ScriptedModem, scripted
from tests.edge_agent.modem.virtual_time import run_virtually

FOLDER = Path(__file__).parents[2] / "transcripts"
FILES = sorted(FOLDER.glob("*/*.txt"))


@dataclass
class Act:
    """One `=` line with what follows it."""

    name: str
    words: list[str]
    script: str = ""
    wanted: dict[str, str] | None = None


def acts(text: str) -> list[Act]:
    found: list[Act] = []
    for line in text.splitlines():
        if line.startswith("="):
            name, *words = line[1:].split()
            found.append(Act(name, words, wanted={}))
        elif line.startswith("!"):
            key, _, value = line[1:].strip().partition(" ")
            assert found[-1].wanted is not None
            found[-1].wanted[key] = value
        elif line[:1] in {"<", ">"}:
            found[-1].script += line + "\n"
    return found


class Player(Ear):
    """Acts one after the other on one modem, remembering what became known."""

    channel: Channel
    modem: ScriptedModem
    receiving: Receiving

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.row: Quirks = PLAIN
        self.known: dict[str, str] = {}
        self.agent = AgentDouble()
        self._ledger = PinLedger(folder / "pins.json")

    async def play(self, text: str) -> None:
        self.channel, self.modem = await scripted("", self)
        for act in acts(text):
            self.urcs.clear()
            self.modem.extend(act.script)
            await getattr(self, f"_{act.name}")(*act.words)
            assert self.modem.done, f"{act.name}: not all was said"
            told = {key: self.known.get(key) for key in act.wanted or {}}
            assert told == act.wanted

    async def _identify(self) -> None:
        who = await setup.identify(self.channel)
        self.row = who.quirks
        self.known |= {"maker": who.maker, "model": who.model, "imei": who.imei, "row": self.row.name}

    async def _unlock(self, pin: str = "") -> None:
        try:
            await sim.unlock(self.channel, self.row, self.known.get("imei", ""), pin, self._ledger)
            self.known |= {"sim": "ready", "imsi": await sim.read_imsi(self.channel)}
        except sim.SimNotReady as reason:
            self.known["sim"] = str(reason)
        if "iccid" not in self.known and self.known["sim"] == "ready":
            self.known["iccid"] = await sim.read_iccid(self.channel, self.row)

    async def _configure(self, usb: str = "") -> None:
        self.receiving = await setup.configure(self.channel, self.row, usb=usb == "usb")
        chosen = self.receiving.indications
        self.known |= {"stores": " ".join(self.receiving.stores), "mt": str(chosen.messages), "ds": str(chosen.reports)}
        self.known["acknowledge"] = "yes" if chosen.acknowledge else "no"

    async def _network(self) -> None:
        seen = await network.look(self.channel)
        name, technology = await network.operator(self.channel) if seen.registered else ("", "")
        self.known |= {"registered": "yes" if seen.registered else "no", "signal": str(seen.signal_dbm)}
        self.known |= {"operator": name, "technology": technology, "reason": seen.reason}
        self.known["roaming"] = "yes" if seen.roaming else "no"

    async def _submit(self, length: str, pdu: str) -> None:
        command = commands.submit(pdu, int(length), self.row.submit_s)
        self.known["outcome"] = repr(judge(await self.channel.submit(command, mark).future))

    async def _receive(self) -> None:
        inbox = Inbox(self.channel, self.agent, "imei:1", "2", self.receiving, ReportWatch(1.0))
        running = asyncio.create_task(inbox.run())
        await asyncio.sleep(0)
        for urc in self.urcs:
            inbox.on_urc(urc)
        self.on_urc = inbox.on_urc  # type: ignore[method-assign]
        await asyncio.sleep(200.0)
        running.cancel()
        self.known |= {"received": " ".join(self.agent.received), "reports": " ".join(self.agent.reports)}

    async def _ussd(self, code: str) -> None:
        ussd = Ussd(self.channel, self.row)
        self.on_urc = ussd.on_urc  # type: ignore[method-assign]
        try:
            self.known["text"] = (await ussd.ask(code)).replace("\n", "|")
        except UssdFailed as reason:
            self.known["text"] = f"failed: {reason}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_dialogue_goes_as_written(path: Path, tmp_path: Path) -> None:
    run_virtually(Player(tmp_path).play(path.read_text()))


def test_every_make_of_the_quirks_has_a_dialogue() -> None:
    named = {row.name for row in quirks.ROWS} | {PLAIN.name}
    shown = {
        line.removeprefix("! row ").strip()
        for path in FILES
        for line in path.read_text().splitlines()
        if "! row " in line
    }
    assert shown == named
