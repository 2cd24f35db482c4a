"""Customers' programs: they send at a steady pace, and ask again with the same key until they are answered."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from local_cloud.intrinsics import JsonObject
from local_cloud.stack import LocalStack
from local_cloud.topology import as_list, as_object
from shared.errors import NO_SPAN

_WORKERS = 24
_PAUSE_S = 0.4


@dataclass(slots=True)
class Sent:
    """One message as its caller knows it. `id` is empty while no call was answered with one."""

    number: str
    text: str
    parts: int
    mode: int
    key: str
    id: str = ""
    told: str = ""  # status in the answer
    why: str = ""  # its error there
    refused: str = ""  # why it was not accepted
    answers: set[str] = field(default_factory=set)  # ids told for one key: one, or the promise is broken


class Callers:
    def __init__(self, stack: LocalStack, rate: float, seed: int) -> None:
        self._stack, self._rate = stack, rate
        self._chance = random.Random(f"{seed}/callers")  # noqa: S311 - a schedule, not a secret
        self._stopping, self._given_up = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(_WORKERS)
        self.sent: list[Sent] = []

    def start(self) -> None:
        self._pool.submit(self._go)

    def stop(self) -> None:
        """Returns once every call was answered."""
        self._stopping.set()
        self._pool.shutdown(wait=True)

    def give_up(self) -> None:
        """Asks no more for what was not answered."""
        self._given_up.set()
        self.stop()

    def _go(self) -> None:
        for due in self._ticks():
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            message = self._make(len(self.sent))
            self.sent.append(message)
            self._pool.submit(self._send, message)

    def _ticks(self) -> Iterator[float]:
        begin = time.monotonic()
        number = 0
        while True:
            yield begin + number / self._rate
            number += 1

    def _make(self, number: int) -> Sent:
        kind = self._chance.random()
        text, parts = f"torture {number:06d} {{€}}", 1
        if kind < 0.1:
            text, parts = f"{text} " + "long " * 60, 3
        elif kind < 0.3:
            text = f"{text} Привет 🎉"
        mode = int(self._chance.random() < 0.02)  # each holds a function worker until its modem has answered
        return Sent(f"+1999{number:07d}", text, parts, mode, f"torture-{number}")

    def _send(self, message: Sent) -> None:
        while not (message.id or message.refused or self._given_up.is_set()):
            try:
                status, answer = self._stack.call(
                    "/sms/send", dest_num=message.number, msg=message.text, mode=message.mode, request_id=message.key
                )
            except (OSError, ValueError):  # no answer, or half of one
                self._given_up.wait(_PAUSE_S)
                continue
            self._answered(message, status, answer)
            if not (message.id or message.refused):
                self._given_up.wait(_PAUSE_S)

    def _answered(self, message: Sent, status: int, answer: JsonObject) -> None:
        rows = [as_object(row) for row in as_list(answer.get("data") or [])]
        if status == 200 and rows:
            message.id, message.told = str(rows[0]["id"]), str(rows[0]["status"])
            message.why = str(rows[0].get("error") or "")
            message.answers.add(message.id)
        elif 400 <= status < 500 and status != 429:
            message.refused = f"HTTP {status}: {answer.get('msg')}"
        elif answer.get("code") == NO_SPAN.code:  # with mode 1, or with no span at all: refused, and nothing was sent
            message.refused = str(answer.get("msg"))
