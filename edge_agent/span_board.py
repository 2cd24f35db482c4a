"""What is known of every span now, as the cloud is told it: the modem side's status with pacing, queue and journal."""

from collections.abc import Callable, Iterable, Mapping

from edge_agent.span import SpanState, SpanStatus
from shared.wire import PACED, Signal, SpanInfo

SOON_S = 60.0
"""A span that pacing holds back for longer than this is told as not available."""


class SpanBoard:
    """`trouble` is why the agent takes no new work, `next_at` when pacing lets a span send, `queues` what waits for
    each. While it is `searching`, nothing is said of spans whose modem was not found so far."""

    def __init__(
        self,
        trouble: Callable[[], str],
        next_at: Callable[[str], float | None],
        queues: Callable[[], Mapping[str, int]],
        now: Callable[[], float],
        searching: Callable[[], bool] = lambda: False,
    ) -> None:
        self._trouble, self._next_at, self._queues, self._now = trouble, next_at, queues, now
        self._searching = searching
        self._found: set[str] = set()
        self._statuses: dict[str, SpanStatus] = {}
        self._told: dict[str, SpanInfo] = {}

    def put(self, status: SpanStatus) -> None:
        self._statuses[status.span] = status
        if status.state is not SpanState.ABSENT:
            self._found.add(status.span)

    def status(self, span: str) -> SpanStatus | None:
        return self._statuses.get(span)

    @property
    def known(self) -> Iterable[str]:
        return self._statuses.keys()

    def infos(self) -> tuple[SpanInfo, ...]:
        """All spans as of now; they count as told."""
        infos = self.peek()
        self._told = {info.span: info for info in infos}
        return infos

    def peek(self) -> tuple[SpanInfo, ...]:
        """All spans as of now."""
        queues, trouble, searching = self._queues(), self._trouble(), self._searching()
        statuses = (status for status in self._statuses.values() if not searching or status.span in self._found)
        return tuple(self._info(status, queues, trouble) for status in statuses)

    def differences(self) -> list[SpanInfo]:
        """Spans that a person would see otherwise than they were told last; they count as told now."""
        before = self._told
        return [info for info in self.infos() if _essence(info) != _essence(before.get(info.span))]

    def signals(self) -> tuple[Signal, ...]:
        queues = self._queues()
        return tuple(
            Signal(span=status.span, signal_dbm=status.signal_dbm, queue=queues.get(status.span, 0))
            for status in self._statuses.values()
        )

    def _info(self, status: SpanStatus, queues: Mapping[str, int], trouble: str) -> SpanInfo:
        next_at = self._next_at(status.span)
        reason = status.reason or ("" if status.available else status.state.value) or trouble
        if not reason and next_at is not None and next_at > self._now() + SOON_S:
            reason = PACED
        return SpanInfo(
            span=status.span,
            available=not reason,
            reason=reason,
            name=status.name,
            technology=status.technology,
            device=status.device,
            imei=status.imei,
            imsi=status.imsi,
            iccid=status.iccid,
            operator=status.operator,
            signal_dbm=status.signal_dbm,
            next_at=next_at,
            queue=queues.get(status.span, 0),
            balance=status.balance,
            sim_full=status.sim_full,
        )


def _essence(info: SpanInfo | None) -> object:
    """Without what wanders, or follows from the clock alone."""
    return info and info.model_copy(update={"signal_dbm": None, "queue": 0, "next_at": None})
