"""Customers: who gives a `request_id` repeats the call until it is answered, as the API asks of one; who gives none
cannot know whether an unanswered call was taken, and lets it be.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.api import SendRequest
from shared.errors import ApiError
from shared.ports import Unavailable

if TYPE_CHECKING:
    from tests.model.world import World


@dataclass(slots=True)
class Call:
    request: SendRequest
    refused: str = ""
    ids: tuple[str, ...] = ()  # as told; empty until it is answered


@dataclass(slots=True)
class Caller:
    world: World
    calls: list[Call] = field(default_factory=list)
    _numbers: int = 0

    @property
    def waiting(self) -> bool:
        return any(not call.ids and not call.refused for call in self.calls)

    def send(
        self,
        *,
        count: int = 1,
        parts: int = 1,
        valid_for: int = 3600,
        report: bool = True,
        keyed: bool = True,
        spans: Sequence[int] = (),
    ) -> Call:
        """Spans may be named to have it go by one site only."""
        name = f"r{len(self.calls)}"
        request = SendRequest(
            username="u",
            password="p",
            spans=list(spans),
            dest_num=",".join(self._number() for _ in range(count)),
            msg=f"{name} " + "x" * (150 if parts == 2 else 320 if parts == 3 else 5),
            request_id=name if keyed else "",
            valid_for=valid_for,
            report=int(report),
        )
        call = Call(request)
        self.calls.append(call)
        self._try(call)
        if keyed and self.world.chance("repeated"):
            self.world.frame(self._rng.uniform(0.0, 2.0), lambda: self._try(call))
        return call

    @property
    def _rng(self) -> random.Random:
        return self.world.rng

    def _number(self) -> str:
        self._numbers += 1
        return f"+49151{self._numbers:08d}"

    def _try(self, call: Call) -> None:
        try:
            outcome = self.world.cloud.call(call.request)
        except ApiError as error:
            call.refused = call.refused or str(error)
            return
        except Unavailable:
            outcome = None
        if outcome is None:
            if not call.request.request_id:
                call.refused = call.refused or "no answer"
            elif not call.ids:
                self.world.later(self._rng.uniform(0.3, 5.0), lambda: self._try(call))
            return
        ids = tuple(str(row.id) for row in outcome.rows)  # type: ignore[attr-defined]
        if call.ids not in {(), ids}:
            self.world.broken.append(f"{call.request.msg}: answered with other ids")
        call.ids = ids
