"""The AT dialogue with one modem, sans-IO: one command in flight, time is an argument, bytes in and out are values.

Rules: AT+CMGS and its PDU are one critical section. Deadlines are fixed when a command starts. After a deadline that
passed, after garbage where an answer should be, nothing is believed until `resync.py` has had its way; so a late answer
is never taken for the next command's. What is no answer is an URC, wherever it stands.
"""

from enum import Enum, auto

from edge_agent.modem.commands import AFTER_CMGS, BOOT_LINES, HELD, PROMPT, REFERENCE, Command
from edge_agent.modem.errors import AtError, parse_error
from edge_agent.modem.lexer import PROMPT as PROMPT_TOKEN
from edge_agent.modem.lexer import Lexer
from edge_agent.modem.notices import MARKS, WORDS, Notices
from edge_agent.modem.reply import Answered, Event, Lost, Outcome, Prompted, Rebooted, Reply, Synced, Urc
from edge_agent.modem.resync import Resync, Step


class Phase(Enum):
    """Where the dialogue is."""

    IDLE = auto()
    ANSWER = auto()  # the final result is awaited
    PROMPT = auto()  # `>` is awaited
    HELD = auto()  # `>` came, the PDU is held back
    RESYNC = auto()
    DEAD = auto()  # past resynchronising


class Engine:
    """Starts in DEAD: call `resynchronise` first. Write `data_to_send()` after each call; call `tick` at `deadline`."""

    def __init__(self, waits: tuple[float, ...]) -> None:
        self._waits = waits
        self.phase = Phase.DEAD
        self.deadline: float | None = None
        self.echo: bool | None = None  # what was seen with the last command that was answered
        self._lexer = Lexer()
        self._out = b""
        self._command: Command | None = None
        self._lines: list[str] = []
        self._echoed = False
        self._payload_sent = False
        self._unreferenced = False  # OK came in answer to a PDU, but no `+CMGS: <mr>`
        self._swallow_final = False  # an answer that is not ours was seen, and its final result is still to come
        self._notices = Notices()
        self._resync: Resync | None = None

    # What the owner asks for

    def start(self, command: Command, now: float) -> None:
        """Begins a command; only when IDLE."""
        if self.phase is not Phase.IDLE:
            raise RuntimeError(f"{command.name} started while {self.phase.name}")
        self._command = command
        self._lines = []
        self._echoed = self._payload_sent = self._unreferenced = False
        self._out += command.text.encode("latin-1") + b"\r"
        if command.payload:
            self.phase, self.deadline = Phase.PROMPT, now + min(PROMPT, command.deadline_s)
            self._lexer.awaiting_prompt, self._lexer.in_text = True, self._notices.in_text
        else:
            self.phase, self.deadline = Phase.ANSWER, now + command.deadline_s

    def release(self, now: float) -> None:
        """Lets the PDU go to the modem that prompted for it."""
        if self.phase is not Phase.HELD or self._command is None:
            raise RuntimeError(f"PDU released while {self.phase.name}")
        self._out += self._command.payload
        self._payload_sent = True
        self.phase, self.deadline = Phase.ANSWER, now + self._command.deadline_s

    def abandon(self, now: float, reason: str = "") -> list[Event]:
        """Leaves the prompt with ESC instead of the PDU."""
        return self._leave_prompt(Outcome.ABANDONED, now, reason)

    def give_up(self, outcome: Outcome, reason: str = "") -> Reply:
        """Ends what is in flight because its port is gone; what may have been handed over stays told."""
        return self._end(outcome, reason=reason)

    def resynchronise(self, now: float) -> None:
        """Starts from anything, also from DEAD. What is in flight must have been ended before."""
        self._lexer.awaiting_prompt = False
        self._command = None
        self._notices.forget()
        self._resync = Resync(now, self._waits)
        self._out += self._resync.output
        self.phase, self.deadline = Phase.RESYNC, self._resync.deadline

    def data_to_send(self) -> bytes:
        """Takes what is to be written now."""
        data, self._out = self._out, b""
        return data

    # What happens to it

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Tells what the modem wrote."""
        events: list[Event] = []
        for token in self._lexer.feed(data):
            if token == PROMPT_TOKEN:
                self._on_prompt(now, events)
            else:
                self._on_line(token, now, events)
        return events

    def tick(self, now: float) -> list[Event]:
        """Tells that time has passed; cheap when nothing is due."""
        if self.deadline is None or now < self.deadline:
            return []
        if self._resync is not None:
            return self._step(self._resync.tick(now), now)
        if self.phase is Phase.HELD:
            return self._leave_prompt(Outcome.ABANDONED, now, "the journal took too long")
        if self.phase is Phase.PROMPT:
            return self._leave_prompt(Outcome.NO_PROMPT, now)
        return self._overdue(now)

    # Prompts

    def _on_prompt(self, now: float, events: list[Event]) -> None:
        if self.phase is not Phase.PROMPT:
            return
        if self._echoed and self.echo is False:
            # Echo was off and is back: the modem restarted without a word, and in text mode (its default) the
            # PDU would go out as a text to the number that is its length.
            self.echo = None
            events += self._leave_prompt(Outcome.REBOOTED, now)
            events.append(Rebooted("echo is on again"))
            return
        self.phase, self.deadline = Phase.HELD, now + HELD
        events.append(Prompted())

    def _leave_prompt(self, outcome: Outcome, now: float, reason: str = "") -> list[Event]:
        answered = Answered(Reply(outcome, tuple(self._lines), reason=reason))
        self.resynchronise(now)
        return [answered]

    # Lines

    def _on_line(self, line: str, now: float, events: list[Event]) -> None:
        if self._notices.open:
            urc, taken = self._notices.go_on(line, self._command)
            if urc is not None:
                events.append(urc)
            if taken:
                return
        if line[0] in MARKS and not self._is_answer(line):
            self._on_marked(line, now, events)
        else:
            self._on_plain(line, now, events)

    def _on_plain(self, line: str, now: float, events: list[Event]) -> None:
        """An answer line, a final result, an echo, a word that is an URC, or noise."""
        if line.startswith(BOOT_LINES):
            self._reboot(line, events, now)
        elif self._resync is not None:
            if line == "AT" and self.echo is False:
                self._reboot("echo is on again", events, now)
            events += self._step(self._resync.line(line, now), now)
        elif self._command is None:
            self._swallow_final = False
            if line.startswith(WORDS):
                events.append(Urc(line))
        elif line == "OK":
            self._finish(Outcome.OK, None, now, events)
        elif (error := parse_error(line)) is not None:
            self._finish(Outcome.ERROR, error, now, events)
        else:
            self._collect(self._command, line, now, events)

    def _is_answer(self, line: str) -> bool:
        """Whether a line with a mark answers what is in flight, with a value or with an error."""
        if line.startswith(("+CMS ERROR", "+CME ERROR")):
            return True
        command = self._command
        if command is None:
            return self._resync is not None and self._resync.awaits(line)
        return command.prefix != "" and line.startswith(command.prefix)

    def _collect(self, command: Command, line: str, now: float, events: list[Event]) -> None:
        if line == command.text:
            self._echoed = True
            return
        if command.payload:
            self._collect_reference(line, now)
            return
        if line[0] in MARKS or (command.bare and not line.startswith(WORDS)):
            self._lines.append(line)
            if command.settle_s is not None:
                self.deadline = min(self.deadline or now, now + command.settle_s)
            return
        events.append(Urc(line))

    def _collect_reference(self, line: str, now: float) -> None:
        """`+CMGS: <mr>`: ours only after the PDU went out, else of a submission that was given up."""
        if not line.startswith("+CMGS:"):
            return
        if self._payload_sent:
            self._lines.append(line)
            self.deadline = min(self.deadline or now, now + AFTER_CMGS)
        else:
            self._swallow_final = True

    def _on_marked(self, line: str, now: float, events: list[Event]) -> None:
        """A line with a mark that answers nothing."""
        if line.startswith(BOOT_LINES):
            self._reboot(line, events, now)
        elif line.startswith("+CMGS:"):
            self._swallow_final = True  # never a notice: a late answer, whose OK follows
        elif (urc := self._notices.begin(line)) is not None:
            events.append(urc)

    # Ends

    def _finish(self, outcome: Outcome, error: AtError | None, now: float, events: list[Event]) -> None:
        if self._swallow_final:
            self._swallow_final = False
            return
        if self.phase is Phase.PROMPT and error is None:
            return  # an OK where only `>` or an error can be is a late one
        if self.phase is Phase.HELD and error is None:
            events += self._leave_prompt(Outcome.NO_PROMPT, now, "the modem left its prompt")
            return
        if self._payload_sent and error is None and not self._lines and not self._unreferenced:
            self._unreferenced = True
            self.deadline = now + REFERENCE
            return
        rebooted = self._echoed and self.echo is False
        self._note_echo(outcome)
        events.append(Answered(self._end(outcome, error)))
        if rebooted:
            events.append(Rebooted("echo is on again"))

    def _note_echo(self, outcome: Outcome) -> None:
        if self._command is not None and (self._echoed or outcome is Outcome.OK):
            self.echo = self._echoed

    def _end(self, outcome: Outcome, error: AtError | None = None, reason: str = "") -> Reply:
        self._lexer.awaiting_prompt = False
        self._command, self.deadline, self.phase = None, None, Phase.IDLE
        return Reply(outcome, tuple(self._lines), error, self._payload_sent, reason)

    def _overdue(self, now: float) -> list[Event]:
        command = self._command
        if self._unreferenced or (command is not None and command.settle_s is not None and self._lines):
            return [Answered(self._end(Outcome.OK))]
        reply = self._end(Outcome.TIMEOUT)
        self.resynchronise(now)
        return [Answered(reply)]

    def _reboot(self, line: str, events: list[Event], now: float) -> None:
        self.echo = None
        if self._command is not None:
            events.append(Answered(self._end(Outcome.REBOOTED)))
            self.resynchronise(now)
        events.append(Rebooted(line))

    def _step(self, step: Step, now: float) -> list[Event]:
        resync = self._resync
        if resync is None or step is Step.WAIT:
            self.deadline = resync.deadline if resync else None
            return []
        if step is Step.WRITE:
            self._out += resync.output
            self.deadline = resync.deadline
            return []
        self._resync, self.deadline = None, None
        self._swallow_final = False
        if step is Step.DONE:
            self.phase = Phase.IDLE
            return [Synced()]
        self.phase = Phase.DEAD
        return [Lost("the modem does not answer AT")]
