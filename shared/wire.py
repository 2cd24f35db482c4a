"""The one definition of the frames between cloud and agent, version 1: JSON text, `{"v": 1, "kind": …}`.

Rules: unknown fields are ignored and unknown kinds are answered, never fatal, so that either side may be upgraded
first. Golden samples of each kind in tests/golden/ are never edited, only added to. A frame stays under
`MAX_FRAME_BYTES` (API Gateway WebSocket quota: 32 KB a frame, and some of it is left for the envelope).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

VERSION = 1
MAX_FRAME_BYTES = 28 * 1024

_F = TypeVar("_F")
_M = TypeVar("_M", bound=BaseModel)


class WireModel(BaseModel):
    """Base of everything on the wire: frozen, tolerant of fields that a newer peer adds."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class SpanInfo(WireModel):
    """One span (a modem with its SIM) as the agent sees it. `span` is its identity, never a device name."""

    span: str  # stable: "imei:<15 digits>", or "cfg:<name>" where the modem tells no IMEI
    available: bool
    reason: str = ""  # why not available, in words; empty when it is
    name: str = ""  # port_name from the agent's configuration, may be empty
    technology: str = ""  # "gsm", "umts", "lte", "nr" or empty while unknown
    device: str = ""  # where it is plugged in now, for people only
    imei: str = ""
    imsi: str = ""
    iccid: str = ""
    operator: str = ""
    signal_dbm: int | None = None
    next_at: float | None = None  # epoch s: earliest next submission under the pacing limits, if later than now
    queue: int = 0  # jobs waiting for this span
    balance: str = ""  # last answer of the scheduled USSD balance check
    sim_full: bool = False  # the SIM takes no more messages: what comes in waits with the network; it still sends


NOT_THERE = "no port leads to it"
"""`SpanInfo.reason` of a span whose modem is not to be found."""

PACED = "sending limit reached"
"""`SpanInfo.reason` of a span that is in order and waits for its own pacing, as configured."""


class Job(WireModel):
    """One message to send. Everything the agent needs, so that it can work while the link is down."""

    id: str
    to: str
    text: str
    spans: tuple[str, ...]  # span identities in order of preference, all of this agent
    deadline: float  # epoch s: not submitted after it
    report: bool = True  # ask the network for a delivery report


class Cause(WireModel):
    """Why an attempt ended as it did. `kind` is stable; `code` is the modem's or network's own, e.g. "CMS 38"."""

    kind: Literal["refused", "undelivered", "uncertain", "expired", "cancelled", "unavailable"]
    text: str
    code: str = ""


class ResultEvent(WireModel):
    """How the attempt to hand a message to a modem ended. A later one, with another id, settles `uncertain`."""

    kind: Literal["result"] = "result"
    event_id: str = Field(min_length=1)
    job_id: str = Field(min_length=1)
    outcome: Literal["sent", "refused", "unavailable", "uncertain", "expired", "cancelled"]
    at: float  # epoch s
    span: str = ""  # empty when no span had it
    imsi: str = ""
    parts: int = 1
    parts_sent: int = 0
    cause: Cause | None = None


class ReportEvent(WireModel):
    """The network's final word on a message: delivered when all its parts are. Implies that the modem took it."""

    kind: Literal["report"] = "report"
    event_id: str = Field(min_length=1)
    job_id: str = Field(min_length=1)
    outcome: Literal["delivered", "undelivered"]
    at: float  # epoch s: the network's discharge time of the last part
    sent_at: float  # epoch s: when the modem took it, in case the result was not stored yet
    span: str
    imsi: str = ""
    cause: Cause | None = None


class ReceivedEvent(WireModel):
    """A message that a modem received, whole."""

    kind: Literal["received"] = "received"
    event_id: str = Field(min_length=1)
    span: str
    imsi: str = ""
    sender: str
    text: str
    at: float  # epoch s: the SMSC's timestamp
    parts: int = 1
    missing: tuple[int, ...] = ()  # part numbers that never came, when given up waiting


class UnknownEvent(WireModel):
    """An event of a kind or form that only a newer agent knows. It keeps none of the others from being taken; it is
    not acknowledged, so the agent says it again to a cloud that may have been upgraded."""

    kind: str
    event_id: str = ""


Event = Annotated[ResultEvent | ReportEvent | ReceivedEvent, Field(discriminator="kind")]


class Hello(WireModel):
    kind: Literal["hello"] = "hello"
    agent_version: str
    boot_id: str  # of this process
    journal_id: str  # of the journal on disk; a new one means that what was held is gone
    spans: tuple[SpanInfo, ...]
    held: int = Field(ge=0)  # jobs journaled without an acknowledged result


class Spans(WireModel):
    kind: Literal["spans"] = "spans"
    at: float = 0.0  # epoch s by the agent's clock: frames may overtake each other, the later word on a span stays
    changed: tuple[SpanInfo, ...]
    gone: tuple[str, ...] = ()  # identities that are no longer there at all


class Signal(WireModel):
    """What wanders without changing what a person would do: rides on the heartbeat, is not stored at once."""

    span: str
    signal_dbm: int | None = None
    queue: int = 0


class Heartbeat(WireModel):
    kind: Literal["heartbeat"] = "heartbeat"
    held: int = Field(ge=0)
    signals: tuple[Signal, ...] = ()


class Accepted(WireModel):
    kind: Literal["accepted"] = "accepted"
    job_ids: tuple[str, ...]  # journaled now or before
    cursor: str = ""  # of the batch, to go on with draining; empty when there is nothing more
    refused: str = ""  # why the agent takes no new work (disk full…); then job_ids names only what it has


class Events(WireModel):
    kind: Literal["events"] = "events"
    events: tuple[Annotated[Event | UnknownEvent, Field(union_mode="left_to_right")], ...]


class Welcome(WireModel):
    kind: Literal["welcome"] = "welcome"
    server_time: float  # epoch s
    heartbeat_s: float
    ports: Mapping[str, int]  # span identity → port number of this account


class Jobs(WireModel):
    kind: Literal["jobs"] = "jobs"
    jobs: tuple[Job, ...]
    cursor: str = ""  # given back in `accepted` to get the next batch; empty: this is all


class Ack(WireModel):
    kind: Literal["ack"] = "ack"
    event_ids: tuple[str, ...]  # stored, and their pushes enqueued


class Cancel(WireModel):
    kind: Literal["cancel"] = "cancel"
    job_ids: tuple[str, ...]


class Reconnect(WireModel):
    kind: Literal["reconnect"] = "reconnect"
    after_s: float = Field(ge=0)


class Refused(WireModel):
    """The cloud will not go on with this agent, or could not read a frame. Codes: see `REFUSALS`."""

    kind: Literal["refused"] = "refused"
    code: str
    text: str


# What the agent does on each refusal: "retry" with backoff, "reenrol" (a person must act), "stop", "ignore" (log it).
REFUSALS: dict[str, Literal["retry", "reenrol", "stop", "ignore"]] = {
    "unavailable": "retry",
    "revoked": "reenrol",
    "duplicate_identity": "stop",
    "unsupported_version": "stop",
    "unknown_kind": "ignore",
    "bad_frame": "ignore",
}

FromAgent = Hello | Spans | Heartbeat | Accepted | Events
FromCloud = Welcome | Jobs | Ack | Cancel | Reconnect | Refused

_FROM_AGENT: TypeAdapter[FromAgent] = TypeAdapter(
    Annotated[FromAgent, Field(discriminator="kind")], config=ConfigDict(defer_build=True)
)
_FROM_CLOUD: TypeAdapter[FromCloud] = TypeAdapter(
    Annotated[FromCloud, Field(discriminator="kind")], config=ConfigDict(defer_build=True)
)


class BadFrame(ValueError):
    """A frame that cannot be read. `code` is a key of `REFUSALS`; the text names the field, never its content."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def encode(frame: FromAgent | FromCloud) -> str:
    """One frame as JSON text; the caller keeps it under `MAX_FRAME_BYTES` with `batches`."""
    return '{"v":1,' + frame.model_dump_json()[1:]


def decode_from_agent(text: str) -> FromAgent:
    """Raises BadFrame when the text is no frame that an agent sends."""
    return _decode(text, _FROM_AGENT)


def decode_from_cloud(text: str) -> FromCloud:
    """Raises BadFrame when the text is no frame that the cloud sends."""
    return _decode(text, _FROM_CLOUD)


class _Complaint(WireModel):
    """API Gateway's own words on a connection: its function failed on a frame, or did not end in 29 s."""

    message: str
    connectionId: str  # noqa: N815 (AWS's spelling)


def complaint(text: str) -> str:
    """What the gateway itself complains of; empty when the text is none of its own."""
    try:
        return _Complaint.model_validate_json(text).message
    except ValidationError:
        return ""


def _decode(text: str, adapter: TypeAdapter[_F]) -> _F:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] in {"union_tag_invalid", "union_tag_not_found"} and not first["loc"]:
            raise BadFrame("unknown_kind", "no such kind of frame") from None
        where = ".".join(str(step) for step in first["loc"]) or "the frame"
        raise BadFrame("bad_frame", f"{where}: {first['msg']}") from None


def batches(items: Iterable[_M], overhead: int = 512) -> Iterator[tuple[_M, ...]]:
    """Cuts wire models into runs whose frame stays under `MAX_FRAME_BYTES`; one too large stands alone."""
    run: list[_M] = []
    size = overhead
    for item in items:
        item_size = len(item.model_dump_json().encode()) + 1
        if run and size + item_size > MAX_FRAME_BYTES:
            yield tuple(run)
            run, size = [], overhead
        run.append(item)
        size += item_size
    if run:
        yield tuple(run)
