"""The command line's way into a running agent: a Unix socket beside the journal, JSON lines, for the agent's own user.

One request a connection: `{"do": "status"}`, `{"do": "ussd", "span", "code"}`, `{"do": "send", "to", "text",
"span"}`; the answer is one JSON object a line, `{"error": …}` when it did not work.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from edge_agent.core import Core
from edge_agent.held import LOCAL_PREFIX, EventRow, HeldJob
from edge_agent.logs import mask
from edge_agent.modem.fleet import Fleet, NoSuchSpan, NotReady
from edge_agent.modem.ussd import UssdFailed
from edge_agent.ownership import kept_out
from shared.wire import Job, SpanInfo

log = logging.getLogger(__name__)

Answer = Mapping[str, object]
SEND_VALID_S = 600.0
LISTED = 50  # so many jobs and events are shown by `status`
REPORT_WAIT_S = 60.0


class Refused(Exception):
    """It did not work; the text says why."""


class Desk:
    """What the command line can ask of an agent, running or started just for that."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core, self._fleet = core, fleet

    async def answer(self, request: Mapping[str, object]) -> AsyncIterator[Answer]:
        """Raises Refused."""
        asked = {key: str(value) for key, value in request.items()}
        if not all(map(is_text, asked.values())):
            raise Refused("what was asked holds half a surrogate pair, which no journal and no modem takes")
        match asked.get("do"):
            case "status":
                yield self.status()
            case "ussd":
                yield {"answer": await self.ussd(asked.get("span", ""), asked.get("code", ""))}
            case "send":
                async for event in self.send(asked.get("to", ""), asked.get("text", ""), asked.get("span", "")):
                    yield event
            case other:
                raise Refused(f"there is no request {other!r}")

    def status(self) -> Answer:
        core = self._core
        return {
            "cloud": core.uplink.state if core.uplink else "not asked",
            "journal": core.journal.refuses() or "ok",
            "held": core.book.held,
            "waiting": len(core.dispatch),
            "unacknowledged_events": len(core.outgoing),
            "jobs": [_of_job(job) for job in islice(core.book.open_jobs(), LISTED)],
            "events": [event.id for event in islice(core.outgoing, LISTED)],
            "spans": [info.model_dump() for info in core.board.peek()],
            "unusable_ports": self._fleet.unusable(),
        }

    def ready(self, wanted: str) -> bool:
        """Whether this modem can send; any, when none is named."""
        return any(info.available for info in self._called(wanted))

    def all_ready(self) -> bool:
        """Whether every port leads to a modem that can send."""
        infos = self._core.board.peek()
        return bool(infos) and all(info.available for info in infos) and not self._fleet.unusable()

    def troubles(self, wanted: str) -> str:
        """Why this modem, or any when none is named, is not ready, in one line."""
        reasons = [f"{info.name or info.span}: {info.reason}" for info in self._called(wanted) if info.reason]
        return "; ".join(reasons if wanted and reasons else [*reasons, *self._fleet.unusable().values()])

    async def ussd(self, span: str, code: str) -> str:
        try:
            return await self._fleet.ussd(self._one_span(span), code)
        except (NoSuchSpan, NotReady, UssdFailed) as error:
            raise Refused(str(error)) from error

    async def send(self, to: str, text: str, span: str = "") -> AsyncIterator[Answer]:
        """A message of this site's own, of which the cloud learns nothing. Yields its result, then its report."""
        pool = (self._one_span(span),)
        job = Job(id=LOCAL_PREFIX + secrets.token_hex(8), to=to, text=text, spans=pool, deadline=self._deadline())
        events: asyncio.Queue[EventRow] = asyncio.Queue()
        self._core.book.watch(job.id, events.put_nowait)
        try:
            acceptance = await self._core.take_jobs([job])
            if acceptance.refused:
                raise Refused(acceptance.refused)
            result = json.loads((await events.get()).body)
            yield result
            if result["outcome"] in {"sent", "uncertain"}:
                with contextlib.suppress(TimeoutError):
                    yield json.loads((await asyncio.wait_for(events.get(), REPORT_WAIT_S)).body)
        finally:
            self._core.book.unwatch(job.id)

    def _deadline(self) -> float:
        return self._core.now() + SEND_VALID_S

    def _called(self, wanted: str) -> list[SpanInfo]:
        """Those of this name, identity or IMEI; all, when none is named."""
        infos = self._core.board.peek()
        return [info for info in infos if not wanted or wanted in {info.span, info.name, info.imei}]

    def _one_span(self, wanted: str) -> str:
        """Without a name, the first that is available."""
        found = self._called(wanted)
        if found:
            return next((info.span for info in found if info.available), found[0].span)
        known = ", ".join(info.name or info.span for info in self._called("")) or "none"
        what = f"there is no such modem here (known: {known})" if wanted else "no modem was found here"
        raise Refused(f"{what}; `probe` and `doctor` show what is behind each port")


def is_text(text: str) -> bool:
    """Whether it is whole Unicode; JSON and argv can bring lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_job(job: HeldJob) -> Answer:
    """Without what it says and whom it is for."""
    return {
        "id": job.id,
        "to": mask(job.to),
        "spans": job.spans,
        "at": job.home,
        "parts_sent": job.taken,
        "deadline": datetime.fromtimestamp(job.deadline, UTC).isoformat(timespec="seconds"),
    }


async def serve(path: Path, desk: Desk) -> None:
    """Answers on the socket until cancelled. Only the agent's own user may connect.

    An agent that cannot have its socket (a path over 107 bytes, a full disk) goes on sending without it.
    """
    try:
        _remove(path)  # left by a crash; the journal's lock says that nobody else uses it
        server = await asyncio.start_unix_server(lambda reader, writer: _answer(desk, reader, writer), path)
        _for_owner_only(path)
    except OSError as error:
        log.warning("status, send and ussd cannot reach this agent: no socket at %s: %s", path, error)
        return
    try:
        async with server:
            await server.serve_forever()
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _for_owner_only(path: Path) -> None:
    path.chmod(0o600)


async def _answer(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        request = json.loads(await reader.readline())
        async for answer in desk.answer(request if isinstance(request, dict) else {}):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
    except (Refused, ValueError) as error:
        writer.write(json.dumps({"error": str(error)}).encode() + b"\n")
    except OSError:
        log.debug("the command line went away")
    finally:
        writer.close()


async def ask(path: Path, request: Answer) -> AsyncIterator[Answer]:
    """The client's side. Raises OSError when no agent is running, Refused when it would not."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except PermissionError:
        raise Refused(kept_out(path)) from None
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        while line := await reader.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise Refused(str(answer["error"]))
            yield answer
    finally:
        writer.close()
