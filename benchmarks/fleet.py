"""What a fleet asks of AWS in a month: requests, units and dollars, each a formula over named inputs.

Sizes are those of the rows that the code really writes. The formulas follow the code paths named beside them.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.aws import keys
from shared.aws.account_rows import account_row, agent_row, key, port_row
from shared.aws.items import number
from shared.aws.outbox_rows import row
from shared.message import Account, Agent, Message, Port
from shared.presence import NOTE_EVERY_S
from shared.wire import SpanInfo

MONTH_S = 30 * 86_400.0
CONNECTION_S = 105 * 60.0  # an agent renews its connection after so long (edge_agent/config.py renew_s)
REMEMBER_S = 3.0  # what a warm function knows of an account (shared/aws/account_table.py)
REMEMBER_PORT_S = 30.0
WATCH_BYTES = 110  # an entry of the index `watch`
PAGE_BYTES = 2**20  # of a scan (DynamoDB quota)
PENDING_BYTES = 250  # an entry of the index `pending`, with the 100 bytes that DynamoDB adds

# US East (N. Virginia), list prices in dollars, no free tier, first tier throughout.
PRICES: Mapping[str, float] = {
    "HTTP API calls": 1.00e-6,
    "WebSocket messages": 1.00e-6,  # either way, 32 KB each; pings are answered by the gateway and are no messages
    "WebSocket connection minutes": 0.25e-6,
    "Lambda invocations": 0.20e-6,
    "Lambda GB-seconds (arm64)": 13.3334e-6,
    "DynamoDB write units": 0.625e-6,
    "DynamoDB read units": 0.125e-6,
    "DynamoDB GB-months": 0.25,
    "SQS requests": 0.40e-6,
    "Log GB": 0.50,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The inputs. Rates are of all accounts together."""

    agents: int = 10_000
    spans: int = 32  # an agent
    accounts: int = 100
    messages_s: float = 500.0
    explicit: float = 0.0  # share of sends that name their spans
    reports: float = 1.0  # share of messages for which the network reports
    received_s: float = 5.0
    changes_day: float = 2.0  # of an agent's spans that a person would act on
    heartbeat_s: float = 240.0  # template.yaml HeartbeatSeconds
    retention_days: float = 90.0
    memory_gb: float = 0.5
    send_s: float = 0.030  # duration of an invocation: put and post, 15 ms each
    frame_s: float = 0.025
    connect_s: float = 0.010
    push_s: float = 0.300  # a batch: its slowest receiver
    push_batch: float = 5.0  # records; all tried at the same time
    turns: float = 2.0  # endpoints in a batch
    wait_s: float = 10.0  # of a message in its agent's queue
    log_bytes: float = 400.0  # a line; one or two an invocation

    @property
    def events_s(self) -> float:
        """Results, reports and received messages, each a frame: agents send too rarely to gather them."""
        return self.messages_s * (1 + self.reports) + self.received_s

    @property
    def sites(self) -> float:
        """Of one account."""
        return self.agents / self.accounts


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of work: what it is, how often a second, and what one of them takes."""

    what: str
    per_s: float
    writes: float = 0.0
    reads: float = 0.0


def size(item: Mapping[str, Any]) -> int:
    """Bytes of an item: names and values; a number takes about a byte for two digits."""
    total = 0
    for name, value in item.items():
        (kind, content), *_ = value.items()
        total += len(name) + (len(content.encode()) if kind == "S" else len(content) // 2 + 1 if kind == "N" else 1)
    return total


def write_units(item: Mapping[str, Any]) -> int:
    return math.ceil(size(item) / 1024)


def message_row() -> Mapping[str, Any]:
    message = Message(
        account="customer-0001", id="0197753c-2c1d-7e2a-9b1e-000000000000", to="+4917012345678", text="x" * 120,
        parts=1, agent="site-0001", pool=(1201, 1202), spans=("imei:351234567890123", "imei:351234567890124"),
        port=1201, port_name="lte-12.1", accepted_at=1_750_000_000.123, deadline=1_750_014_400.123,
    )  # fmt: skip
    return row(message, ttl=1_757_776_000)


_SPAN = "imei:351234567890123"


def told_size() -> int:
    """Bytes of one span in its agent's row SPANS#."""
    told = SpanInfo(
        span=_SPAN, available=True, technology="lte", operator="Example Mobile", signal_dbm=-71,
        imsi="262011234567890", iccid="8949000000000000000", imei="351234567890123",
    )  # fmt: skip
    return len(told.model_dump_json(exclude_defaults=True)) + 45


def port_size() -> int:
    port = Port(account="customer-0001", number=1, agent="site-0001", span=_SPAN, name="lte-12.1", iccid="8" * 19)
    return size(port_row(port)) + len("iccid") + len(port.iccid)


def slot_size() -> int:
    slot = keys.slot("site-0001", _SPAN)
    return size({**key(keys.slots("customer-0001"), slot), "number": number(1)})


def strong(bytes_: float) -> int:
    """Units of a strongly consistent read."""
    return math.ceil(bytes_ / 4096)


def snapshot_units(sites: float, spans: int) -> float:
    """One eventually consistent Query of all that an account has (AccountTable.snapshot)."""
    agent = size(agent_row(Agent(account="customer-0001", id="site-0001", site="Berlin", credential="0" * 64))) + 250
    account = size(account_row(Account(name="customer-0001", credential="x" * 120)))
    whole = account + sites * (agent + spans * (told_size() + port_size()) + 60)
    return math.ceil(whole / 4096) / 2


def hello_reads(spans: int) -> Mapping[str, float]:
    """Units that a hello on a renewed connection reads, by partition.

    Of the agent, of its ports (PortRows.of_agent) and of its spans; and its queue is counted.
    """
    return {
        "account": 1 + strong(spans * port_size()) + strong(spans * told_size()),
        "account#slots": strong(spans * slot_size()),
        "pending": 0.5,
    }


def pool_units(spans: int = 2) -> float:
    """The ports that a caller named, strongly consistent, then ACCOUNT, AGENT# and SPANS# of one site."""
    return spans + 0.5 + 0.5 + snapshot_units(1, 32) / 2


def misses(rate_s: float, workers: float, kept_s: float) -> float:
    """Share of reads that a memory of `kept_s` in each of so many workers does not save; arrivals by chance."""
    each = rate_s / workers
    return 1 / (1 + each * kept_s)


def send_workers(fleet: Fleet) -> float:
    return max(1.0, fleet.messages_s * fleet.send_s)


def lines(fleet: Fleet) -> Iterator[Line]:
    put = write_units(message_row())
    account_s = fleet.messages_s / fleet.accounts
    missed = misses(account_s, send_workers(fleet), REMEMBER_S)
    read = fleet.explicit * pool_units() + (1 - fleet.explicit) * snapshot_units(fleet.sites, fleet.spans)
    # ACCOUNT is read for the password, then the sites.
    yield Line("send: put, and its entry in `pending`", fleet.messages_s, put + 1, missed * (0.5 + read))
    port = 2 * misses(fleet.events_s / fleet.agents / fleet.spans, 20, REMEMBER_PORT_S)
    # Each frame reads its agent's row. The entry leaves `pending` and enters `history` and `phone_history`.
    yield Line("accepted", fleet.messages_s, 0, 1)
    yield Line("result: row and three indexes", fleet.messages_s, put + 3, 1 + port)
    yield Line("report: row", fleet.messages_s * fleet.reports, put, 1 + port)
    yield Line("received: row", fleet.received_s, 1, 1 + port)
    turns = 2 * fleet.turns / fleet.push_batch  # taken and given back
    # Of its settings, the push log with what came before it, and the account.
    yield Line("push: log and turns", fleet.events_s, 1 + turns, 3.5)
    # The note moves the agent's entry in the watch index: it goes and comes.
    noted = fleet.heartbeat_s * math.ceil(NOTE_EVERY_S / fleet.heartbeat_s)
    yield Line("heartbeat: count of what waits", fleet.agents / fleet.heartbeat_s, 0, 1.5)
    yield Line("heartbeat: note", fleet.agents / noted, 3)
    # The authorizer reads the agent's row too.
    yield Line(
        "hello, connect and disconnect", fleet.agents / CONNECTION_S, 3, 1 + sum(hello_reads(fleet.spans).values())
    )
    yield Line("spans changed", fleet.agents * fleet.changes_day / 86_400, *_change(fleet.spans))
    yield Line(
        "sweeper: scan of `pending`", 1 / 60, 0, math.ceil(fleet.messages_s * fleet.wait_s * PENDING_BYTES / 4096) / 2
    )
    yield Line("sweeper: who is due, by shards", 1 / 60, 0, keys.WATCH_SHARDS)
    yield Line("sweeper: count of agents", 1 / 300, 0, math.ceil(fleet.agents * WATCH_BYTES / 4096) / 2)


def _change(spans: int) -> tuple[float, float]:
    """Write and read units of a change of a span that the operator is told of too.

    The row SPANS# is written with it, when telling begins and when it is done, and comes and goes in the watch index.
    """
    row, written = strong(spans * told_size()), math.ceil(spans * told_size() / 1024)
    ports = strong(spans * slot_size()) + strong(spans * port_size())
    return 3 * written + 2, (ports + 2 * row) + (1 + ports + 3 * row)


def month(fleet: Fleet) -> Mapping[str, float]:
    """Amounts by the names of `PRICES`."""
    work = list(lines(fleet))
    renewals, heartbeats = fleet.agents / CONNECTION_S, fleet.agents / fleet.heartbeat_s
    changes = fleet.agents * fleet.changes_day / 86_400
    inward = fleet.messages_s + fleet.events_s + heartbeats + renewals + changes
    outward = fleet.messages_s + fleet.events_s + renewals  # jobs, acks, welcomes
    batches = fleet.events_s / fleet.push_batch
    invocations = fleet.messages_s + inward + 3 * renewals + batches + 1 / 60
    seconds = (
        fleet.messages_s * fleet.send_s
        + inward * fleet.frame_s
        + 3 * renewals * fleet.connect_s  # authorizer, $connect, $disconnect
        + batches * fleet.push_s
    )
    rows = (fleet.messages_s + fleet.received_s) * fleet.retention_days * 86_400
    kept = size(message_row()) + 3 * 100 + 250  # bytes: result's facts, two index entries; 100 of overhead each
    a_second = {
        "HTTP API calls": fleet.messages_s,
        "WebSocket messages": inward + outward,
        "WebSocket connection minutes": fleet.agents / 60,
        "Lambda invocations": invocations,
        "Lambda GB-seconds (arm64)": seconds * fleet.memory_gb,
        "DynamoDB write units": sum(line.per_s * line.writes for line in work),
        "DynamoDB read units": sum(line.per_s * line.reads for line in work),
        "SQS requests": fleet.events_s + 2 * batches,
        "Log GB": invocations * 1.5 * fleet.log_bytes / 1e9,
    }
    amounts = {name: value * MONTH_S for name, value in a_second.items()}
    return {**amounts, "DynamoDB GB-months": rows * kept / 1e9}


def dollars(fleet: Fleet) -> Mapping[str, float]:
    amounts = month(fleet)
    return {name: amounts[name] * price for name, price in PRICES.items()}


@dataclass(frozen=True, slots=True)
class Heat:
    """One partition key and what it gets a second; `most` is what a partition gives (DynamoDB quota)."""

    where: str
    units: float
    most: float

    @property
    def share(self) -> float:
        return self.units / self.most


WRITES_S, READS_S = 1000.0, 3000.0


def heat(fleet: Fleet, messages_s: float) -> Iterator[Heat]:
    """Of one account that sends `messages_s` itself."""
    put, workers = write_units(message_row()), send_workers(fleet)
    yield Heat("Outbox `account`: put, result, report", messages_s * put * (2 + fleet.reports), WRITES_S)
    yield Heat("`pending` `account`: comes and goes", 2 * messages_s, WRITES_S)
    yield Heat("`history` `account`", messages_s, WRITES_S)
    reads = messages_s * misses(messages_s, workers, REMEMBER_S) * snapshot_units(fleet.sites, fleet.spans)
    yield Heat("Config `account`: snapshots for sending", reads, READS_S)
    frames = messages_s * (2 + fleet.reports)
    yield Heat("Config `account`: agent and port rows for frames", 2 * frames, READS_S)
    yield Heat("Config `account#slots`: one for an event", frames, READS_S)
    yield Heat("Pushes `account`: log and turns", messages_s * (1 + fleet.reports) * 1.8, WRITES_S)


def storm_heat(fleet: Fleet, connections_s: float) -> Iterator[Heat]:
    """While agents come back at this rate; at worst all are of one account."""
    shard, reads = connections_s * 2 / keys.WATCH_SHARDS, hello_reads(fleet.spans)
    account, slots = connections_s * (1 + reads["account"]), connections_s * reads["account#slots"]  # 1: the authorizer
    yield Heat(f"`watch`: one of {keys.WATCH_SHARDS} shards", shard, WRITES_S)
    yield Heat("Config `account`, as many accounts as there are: writes", connections_s / fleet.accounts, WRITES_S)
    yield Heat("Config `account`, as many accounts as there are: reads", account / fleet.accounts, READS_S)
    yield Heat("Config `account`, all agents in one account: writes", connections_s, WRITES_S)
    yield Heat("Config `account`, all agents in one account: reads", account, READS_S)
    yield Heat("Config `account#slots`, all agents in one account: reads", slots, READS_S)
