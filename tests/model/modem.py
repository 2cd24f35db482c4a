"""A modem with its SIM and the network behind it, as little of them as "at most once" hangs on.

Stands in for edge_agent/modem: implements `span.ReadyModem`, and lends itself to an agent's worker as the supervisor
does. What was handed over goes on the air whatever becomes of the agent.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.modem.pdu import SubmitPdu
from edge_agent.simulator import air_encode
from edge_agent.simulator.air_codec import Submit
from edge_agent.span import Cut, NotSubmitted, Refusal, SpanState, SpanStatus, Submission, Taken, Unknown
from tests.model.air import Report, report
from tests.model.world_facts import epoch

if TYPE_CHECKING:
    from tests.model.site import Process
    from tests.model.world import World

ANSWER_WITHIN_S = 60.0
TROUBLES = (
    "no prompt", "refused here", "refused", "taken, no answer", "not taken, no answer",
    "slow answer", "reboot before", "reboot after", "lost at the prompt", "lost as it answers",
)  # fmt: skip
_LOST = "the modem was lost or the agent stopped"
_NOT_YET = NotSubmitted(_LOST)


@dataclass(slots=True, eq=False)
class Attempt:
    """One part with the modem, from its mark until its answer. `known`: what it is, should that be cut off now."""

    to: str
    known: Submission = _NOT_YET
    answered_at: float | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    digest: str
    pdu: str


class Modem:
    def __init__(self, world: World, number: int) -> None:
        self.world, self.rng = world, random.Random(world.rng.random())
        self.span, self.imsi = f"imei:49015420323751{number}", f"26201123456789{number}"
        self.up = asyncio.Event()
        self.up.set()
        self.down = asyncio.Event()
        self.next_troubles: deque[str] = deque()
        self.tells_reference = self.rng.random() < 0.7  # modem-notes 15
        self._reference = self.rng.randrange(256)
        self._reports: deque[Report] = deque()  # wait in the SIM or with the network
        self._coming = 0  # reports that the network has not sent yet
        self._inbound: deque[Inbound] = deque()
        self._arrived = asyncio.Event()

    @property
    def quiet(self) -> bool:
        """Nothing is on its way to the agent."""
        return not self._reports and not self._inbound and not self._coming

    # ------------------------------------------------------------------------------------------- its life

    def lose(self, seconds: float) -> None:
        """Unplugged, or starting again."""
        if self.up.is_set():
            self.up.clear()
            self.down.set()
            self.world.later(seconds, self._back)

    def _back(self) -> None:
        self.down.clear()
        self.up.set()

    async def lend(self, process: Process) -> None:
        """Lets the agent's worker run while the modem is ready."""
        while True:
            await self.up.wait()
            self._say(process, SpanState.READY)
            work = asyncio.ensure_future(process.core.work(Lent(self, process)))
            lost = asyncio.ensure_future(self.down.wait())
            try:
                await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                work.cancel()
                lost.cancel()
                ended, _ = await asyncio.gather(work, lost, return_exceptions=True)
            if isinstance(ended, Exception):
                raise ended
            if self.down.is_set():
                self._say(process, SpanState.RECOVERING)
            else:
                await asyncio.sleep(1.0)  # it wants the span looked at

    def _say(self, process: Process, state: SpanState) -> None:
        reason = "" if state is SpanState.READY else "looks for its modem"
        process.core.status_changed(SpanStatus(span=self.span, state=state, imsi=self.imsi, reason=reason))

    async def hand_in(self, process: Process) -> None:
        """Brings reports and messages to the agent, each until it is taken."""
        while True:
            await self.up.wait()
            if self._reports:
                await self._hand_report(process, self._reports[0])
            elif self._inbound:
                await self._hand_inbound(process, self._inbound[0])
            else:
                self._arrived.clear()
                await self._arrived.wait()

    async def _hand_report(self, process: Process, one: Report) -> None:
        await process.core.status_report(self.span, self.imsi, one.pdu)
        process.reach("report taken")
        await process.while_alive()
        if not self.world.chance("again"):
            self._reports.remove(one)
            self.world.air.taken(one)
            process.reach("report acknowledged")
            await process.while_alive()

    async def _hand_inbound(self, process: Process, one: Inbound) -> None:
        await process.core.delivered(self.span, self.imsi, one.pdu)
        process.reach("message taken")
        await process.while_alive()
        if not self.world.chance("again"):
            self._inbound.remove(one)
            process.reach("message acknowledged")
            await process.while_alive()

    # ------------------------------------------------------------------------------------------- the network

    def hand_over(self, submit: Submit) -> None:
        """The PDU is out: nothing that happens to the agent changes what follows."""
        self.world.air.accept(submit, self.world.now)

    def count(self) -> int:
        self._reference = (self._reference + 1) % 256
        return self._reference

    def report_of(self, submit: Submit, reference: int) -> None:
        if submit.wants_report and not self.world.chance("report_lost"):
            word = "failed" if self.rng.random() < 0.1 else "delivered"
            taken_at = epoch(self.world.now)
            self._coming += 1
            self.world.later(
                self.rng.choice((0.0, 0.05, 2.0, 20.0, 90.0)),
                lambda: self._reported(
                    report(submit, reference, word=word, taken_at=taken_at, now=epoch(self.world.now))
                ),
            )

    def _reported(self, one: Report) -> None:
        self._coming -= 1
        self._reports.append(one)
        self._arrived.set()

    def receive(self, text: str) -> None:
        """A message from the network for this SIM."""
        stamp = air_encode.timestamp(epoch(self.world.now), 8)
        for tpdu in air_encode.delivers("+4915112340000", text, stamp, self.rng.randrange(256)):
            self._inbound.append(Inbound(text, "00" + tpdu.hex().upper()))
        self._arrived.set()

    def trouble(self) -> str:
        if self.next_troubles:
            return self.next_troubles.popleft()
        return self.rng.choice(TROUBLES) if self.world.chance("trouble") else ""


class Lent:
    """The modem as one agent process has it: `span.ReadyModem`."""

    def __init__(self, modem: Modem, process: Process) -> None:
        self._modem, self._process = modem, process
        self.span, self.imsi = modem.span, modem.imsi

    async def submit(self, pdu: SubmitPdu, mark: Callable[[], Awaitable[None]], *, more: bool = False) -> Submission:
        modem, process = self._modem, self._process
        submit = modem.world.air.read(pdu)
        attempt = Attempt(submit.to)
        process.attempts.append(attempt)
        trouble = modem.trouble()
        try:
            outcome = attempt.known = await self._submit(submit, mark, attempt, trouble)
            if isinstance(outcome, Unknown):
                modem.world.air.excuse(submit.to, "no answer")
            process.reach("answered")
            await process.while_alive()
            if trouble == "lost as it answers":
                await self._lose()
        except asyncio.CancelledError as cancelled:
            told = modem.rng.random() < 0.7  # else nobody can know it
            if not told or isinstance(attempt.known, Unknown):
                modem.world.air.excuse(submit.to, _LOST)
            if told:
                raise Cut(attempt.known) from cancelled
            raise
        finally:
            attempt.answered_at = modem.world.now
        return outcome

    async def _lose(self) -> None:
        """The supervisor takes the modem away in the middle of the submission."""
        self._modem.world.later(0.0, lambda: self._modem.lose(10.0))
        await asyncio.sleep(0.01)

    async def _submit(
        self, submit: Submit, mark: Callable[[], Awaitable[None]], attempt: Attempt, trouble: str
    ) -> Submission:
        modem, process = self._modem, self._process
        marking = asyncio.ensure_future(mark())
        process.reach("mark asked")
        await asyncio.sleep(modem.rng.choice((0.001, 0.005, 0.02, 0.5)))
        try:
            await marking
        except Exception as error:  # noqa: BLE001 - the contract: whatever it raises, nothing is written
            return NotSubmitted(str(error))
        process.reach("mark on disk")
        await process.while_alive()
        if trouble == "lost at the prompt":
            await self._lose()
        if trouble == "no prompt":
            return NotSubmitted("no prompt")
        attempt.known = Unknown(_LOST)
        return await self._answer(submit, trouble)

    async def _answer(self, submit: Submit, trouble: str) -> Submission:
        """From the first byte of the PDU on."""
        modem, process = self._modem, self._process
        process.reach("before the PDU")
        await process.while_alive()
        if trouble in {"refused", "refused here"}:
            await asyncio.sleep(0.05)
            return Refusal("CMS 21", "short message transfer rejected", elsewhere=trouble == "refused here")
        if trouble == "reboot before":
            return await self._reboot()
        if trouble == "not taken, no answer":
            await asyncio.sleep(ANSWER_WITHIN_S)
            return Unknown("timeout")
        modem.hand_over(submit)
        reference = modem.count()
        modem.report_of(submit, reference)
        process.reach("on the air")
        await process.while_alive()
        return await self._taken(reference, trouble)

    async def _taken(self, reference: int, trouble: str) -> Submission:
        if trouble == "reboot after":
            return await self._reboot()
        if trouble == "taken, no answer":
            await asyncio.sleep(ANSWER_WITHIN_S)
            return Unknown("timeout")
        await asyncio.sleep(15.0 if trouble == "slow answer" else self._modem.rng.choice((0.02, 0.1, 2.0)))
        return Taken(reference if self._modem.tells_reference else None)

    async def _reboot(self) -> Submission:
        """The supervisor ends the submission and takes the modem away."""
        await asyncio.sleep(0.3)
        self._modem.world.later(0.0, lambda: self._modem.lose(10.0))
        return Unknown("the modem started again")
