"""What a page of /smsoutbox/get costs in read units with 100,000 messages of one account: `python -m benchmarks.lists`.

The calls run against moto with the tables of template.yaml; moto does not meter, so every answer is weighed here by
DynamoDB's own rules: a query is charged for the rows it evaluates, summed and rounded up to 4 KB a call, half a unit
each (eventually consistent); a row read by its id is rounded up by itself and, being strongly consistent, costs a whole
unit for each 4 KB.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import botocore.client
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from shared.aws.clients import Clients
from shared.aws.outbox_rows import row
from shared.aws.outbox_table import OutboxTable
from shared.lifecycle import State
from shared.message import Message
from shared.ports import OutboxFilter
from tests.stack_tables import create_tables

MESSAGES = 100_000
NUMBERS = 1_000
FIRST = 1_750_000_000.0
_REGION = "eu-central-1"
_UNIT_BYTES = 4096


@dataclass
class Meter:
    """Read units and calls since the last reset."""

    units: float = 0.0
    calls: int = 0
    rows: int = 0
    row_bytes: float = field(default=110.0)

    def reset(self) -> None:
        self.units, self.calls, self.rows = 0.0, 0, 0

    def query(self, answer: Mapping[str, Any]) -> None:
        items = answer.get("Items", [])
        if items:
            self.row_bytes = sum(map(size, items)) / len(items)
        evaluated = answer["ScannedCount"]
        self.calls, self.rows = self.calls + 1, self.rows + evaluated
        self.units += math.ceil(max(1.0, evaluated * self.row_bytes) / _UNIT_BYTES) / 2

    def get(self, answer: Mapping[str, Any]) -> None:
        found = [item for items in answer["Responses"].values() for item in items]
        self.calls, self.rows = self.calls + 1, self.rows + len(found)
        self.units += sum(math.ceil(size(item) / _UNIT_BYTES) for item in found)


def size(item: Mapping[str, Any]) -> int:
    """Bytes of a row as DynamoDB counts them (developer guide, "Item sizes and formats")."""
    return sum(len(name) + _value_size(*next(iter(value.items()))) for name, value in item.items())


def _value_size(kind: str, value: Any) -> int:
    match kind:
        case "S":
            return len(str(value).encode())
        case "N":
            return math.ceil(len(str(value).strip("-0.").replace(".", "")) / 2) + 1
    return 1


@contextmanager
def metered() -> Iterator[Meter]:
    meter = Meter()
    ask = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def weighed(client: object, operation: str, parameters: Mapping[str, Any]) -> Any:
        answer = ask(client, operation, parameters)
        if operation == "Query":
            meter.query(answer)
        elif operation == "BatchGetItem":
            meter.get(answer)
        return answer

    botocore.client.BaseClient._make_api_call = weighed  # type: ignore[attr-defined]
    try:
        yield meter
    finally:
        botocore.client.BaseClient._make_api_call = ask  # type: ignore[attr-defined]


def message(number: int) -> Message:
    """One a second; every thousandth goes to the same phone."""
    return Message(
        account="customer",
        id=f"01JXT21Q{number:018d}",
        to=f"+4917{number % NUMBERS:08d}",
        text="Your parcel arrives today between 14 and 16 h. Reply STOP to end these messages.",
        parts=1,
        agent="north",
        pool=(1, 2),
        spans=("imei:490154203237518", "imei:490154203237519"),
        port=1,
        port_name="lte-1.1",
        accepted_at=FIRST + number,
        deadline=FIRST + number + 14400,
        state=State.SENT,
        ended_at=FIRST + number,
    )


def fill(table: str, count: int) -> None:
    """Past the API: a hundred thousand puts through it would take minutes."""
    stored = dynamodb_backends["123456789012"][_REGION].tables[table]
    for number in range(count):
        stored.put_item(row(message(number), ttl=FIRST + 90 * 86400))


CASES: tuple[tuple[str, OutboxFilter, int], ...] = (
    ("page 1", OutboxFilter(), 1),
    ("page 1,000", OutboxFilter(), 1_000),
    ("page 1 of one number (100 messages)", OutboxFilter(phone="+491700000007"), 1),
    ("page 10 of one number", OutboxFilter(phone="+491700000007"), 10),
    ("page 1,000 of one number (past its end)", OutboxFilter(phone="+491700000007"), 1_000),
    ("page 1 of one hour", OutboxFilter(start=FIRST + 50_000, end=FIRST + 53_599), 1),
    ("page 1,000 of one day", OutboxFilter(start=FIRST + 10_000, end=FIRST + 96_399), 1_000),
    ("page 1 of one number in one day", OutboxFilter(phone="+491700000007", start=FIRST, end=FIRST + 86_399), 1),
    ("page 1 of `+49170000000*` (1 in 100)", OutboxFilter(phone="+49170000000*"), 1),
    ("page 1,000 of `+4917*` (every one)", OutboxFilter(phone="+4917*"), 1_000),
    ("page 1 of `*x*` (none: the most that one call may read)", OutboxFilter(phone="*x*"), 1),
)


def main(count: int = MESSAGES) -> None:
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": _REGION}
    with mock_aws():
        client = Clients(region=_REGION).dynamodb()
        create_tables(client)
        fill("Outbox", count)
        outbox = OutboxTable(client, "Outbox", retention_days=90)
        print("| what | read units | floor | calls | rows | seconds here |\n|---|---|---|---|---|---|")
        with metered() as meter:
            for name, where, page in CASES:
                report(outbox, meter, name, where, page)
            report_total(outbox, meter)


def report(outbox: OutboxTable, meter: Meter, name: str, where: OutboxFilter, page: int) -> None:
    meter.reset()
    started = time.perf_counter()
    found = outbox.history("customer", where, skip=(page - 1) * 10, limit=10, include_pending=False)
    least = floor(page, len(found.rows)) if found.rows else math.ceil(meter.rows * _THINNEST / _UNIT_BYTES) / 2
    line(name, meter, started, least)


def report_total(outbox: OutboxTable, meter: Meter) -> None:
    meter.reset()
    started = time.perf_counter()
    listed = outbox.history("customer", OutboxFilter(), skip=0, limit=0, include_pending=False, with_total=True)
    total = listed.total or 0
    line(f"with_total ({total:,})", meter, started, math.ceil(total * _THINNEST / _UNIT_BYTES) / 2)


# A row that holds nothing but the account, the time and the id: no list by time can be thinner, and DynamoDB has no way
# to skip rows without reading them.
_THINNEST = len("account") + len("customer") + len("ended") + len("id") + 26 + 14


def floor(page: int, found: int) -> float:
    return math.ceil(page * 10 * _THINNEST / _UNIT_BYTES) / 2 + found


def line(name: str, meter: Meter, started: float, least: float) -> None:
    seconds = time.perf_counter() - started
    print(f"| {name} | {meter.units:g} | {least:g} | {meter.calls} | {meter.rows:,} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
