"""10,000 agents with 32 spans each, 500 messages a second: writes docs/scale.md. Run: python -m benchmarks.scale

Formulas and inputs: fleet.py. The reconnect storm: reconnect_storm.py. Nothing here is measured; what is stands in
docs/performance.md and docs/api-costs.md.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from benchmarks.fleet import (
    CONNECTION_S,
    PAGE_BYTES,
    PENDING_BYTES,
    PRICES,
    WATCH_BYTES,
    Fleet,
    Heat,
    dollars,
    heat,
    lines,
    message_row,
    misses,
    month,
    send_workers,
    size,
    snapshot_units,
    storm_heat,
)
from benchmarks.reconnect_storm import GATEWAY_PER_S, storm
from shared.aws.outbox_backlog import MOST, PAGES

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
FLEET = Fleet()
SHAPES = (Fleet(accounts=10_000), Fleet(accounts=1000), FLEET, Fleet(explicit=1.0), Fleet(accounts=10))
HOT_ACCOUNT_S = 100.0  # a fifth of all messages from one account
OUTAGES_S = (0.0, 10.0, 60.0, 600.0)

_HEAD = """# Scale, on paper and by simulation

Made by `python -m benchmarks.scale` from `benchmarks/fleet.py` (inputs and formulas) and
`benchmarks/reconnect_storm.py`; do not edit. Measured figures stand elsewhere: docs/api-costs.md, docs/performance.md.
"""


def as_markdown() -> str:
    parts = [_HEAD, *_inputs(), *_storms(), *_units(), *_money(), *_shapes(), *_heats(), *_limits()]
    return "\n".join(parts) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)
    yield ""


def _inputs() -> Iterator[str]:
    yield "## Inputs\n"
    yield f"A stored message has {size(message_row())} bytes when it is accepted (120 characters of text).\n"
    yield from _table(("input", "value"), ((f"`{one.name}`", getattr(FLEET, one.name)) for one in fields(Fleet)))


def _storms() -> Iterator[str]:
    yield "## Every agent cut off at once\n"
    yield (
        f"The gateway takes {GATEWAY_PER_S} new connections a second and answers the others 429. Agents wait as "
        "`edge_agent/link_policy.py` has it:\na share, by chance, of a bound that doubles from 1 s to 120 s. "
        "No agent could be back before "
        f"{FLEET.agents / GATEWAY_PER_S:.0f} s for all of them. Times count from when the gateway answers again.\n"
    )
    rows = []
    for agents, away in [*((FLEET.agents, away) for away in OUTAGES_S), (3 * FLEET.agents, 0.0)]:
        one = storm(agents, away_s=away)
        times = (f"{one.half_s:.0f}", f"{one.most_s:.0f}", f"{one.all_s:.0f}")
        rows.append((f"{agents:,}", f"{away:.0f}", *times, f"{one.attempts:,}", f"{one.refused:,}", one.busiest_s))
    yield from _table(
        ("agents", "gateway away, s", "half back, s", "99 %, s", "all, s", "attempts", "refused", "busiest second"),
        rows,
    )
    yield (
        "A refused attempt costs a handshake and no invocation. Meanwhile messages wait in the Outbox: "
        f"{FLEET.messages_s:.0f} a second, of which the\nfirst hello of each agent drains its own.\n"
    )


def _units() -> Iterator[str]:
    yield "## What each kind of work takes of DynamoDB\n"
    rows = (
        (one.what, f"{one.per_s:,.2f}", f"{one.writes:.1f}", f"{one.reads:.1f}",
         f"{one.per_s * one.writes:,.1f}", f"{one.per_s * one.reads:,.1f}")
        for one in lines(FLEET)
    )  # fmt: skip
    yield from _table(("work", "a second", "write units", "read units", "writes/s", "reads/s"), rows)


def _money() -> Iterator[str]:
    yield "## A month\n"
    amounts, costs = month(FLEET), dollars(FLEET)
    rows: list[tuple[str, ...]] = [
        (name, f"{amounts[name] / 1e6:,.1f} M" if amounts[name] > 1e6 else f"{amounts[name]:,.0f}",
         f"{price:.4g}" if price >= 0.01 else f"{price * 1e6:.4g} a million", f"{costs[name]:,.0f}")
        for name, price in PRICES.items()
    ]  # fmt: skip
    total = sum(costs.values())
    yield from _table(("what", "amount", "price, $", "$"), [*rows, ("**all**", "", "", f"**{total:,.0f}**")])
    sent = FLEET.messages_s * 30 * 86_400
    idle = Fleet(messages_s=1e-9, received_s=0.0)
    alone = sum(dollars(idle).values())
    yield (
        f"That is {total / sent * 1e6:.2f} $ for a million messages, each with its result, its report and two pushes. "
        f"An agent that sends nothing costs\n{alone / FLEET.agents:.3f} $ a month. List prices of US East "
        "(N. Virginia), first tier, no free tier; alarms, the dashboard, a site's own metric\n(0.30 $ in a month in "
        "which it changes every hour, nothing while it does not change), backups and traffic come on top.\n"
    )


def _shapes() -> Iterator[str]:
    yield "## The same fleet, otherwise shared\n"
    yield (
        "What a send must know of its account is remembered for 3 s in each worker; how often that misses, and how "
        "much is read then, depends on how\nmany sites the account has. Callers of large accounts name their spans: "
        "then only those are read.\n"
    )
    rows = []
    for one in SHAPES:
        missed = misses(one.messages_s / one.accounts, send_workers(one), 3.0)
        named = "named" if one.explicit else "any"
        reads, total = dollars(one)["DynamoDB read units"], sum(dollars(one).values())
        units = f"{snapshot_units(one.sites, one.spans):,.1f}"
        rows.append(
            (f"{one.accounts:,}", f"{one.sites:,.0f}", named, units, f"{missed:.0%}", f"{reads:,.0f}", f"{total:,.0f}")
        )
    yield from _table(("accounts", "sites each", "spans", "units a snapshot", "missed", "reads, $", "all, $"), rows)


def _heats() -> Iterator[str]:
    yield "## The hottest partitions\n"
    yield (
        f"One account that sends {HOT_ACCOUNT_S:.0f} messages a second by itself. DynamoDB gives a partition key "
        "1,000 write and 3,000 read units a\nsecond before it splits it by sort key; ids are ordered by time, so a "
        "split does not help new messages, and the share is counted\nagainst one partition. No key is shared between "
        "accounts but the watch shards.\n"
    )
    yield from _table(("partition", "units/s", "of", "share"), map(_shown, heat(FLEET, HOT_ACCOUNT_S)))
    yield "While a storm comes back at the gateway's rate:\n"
    yield from _table(("partition", "units/s", "of", "share"), map(_shown, storm_heat(FLEET, GATEWAY_PER_S)))


def _shown(one: Heat) -> tuple[str, ...]:
    return one.where, f"{one.units:,.0f}", f"{one.most:,.0f}", f"{one.share:.0%}"


def most_of_one_account() -> float:
    """Messages a second at which the first partition of an account with 100 sites is full, to 10."""
    rate = 10.0
    while max(one.share for one in heat(FLEET, rate + 10)) <= 1:
        rate += 10
    return rate


def _limits() -> Iterator[str]:
    yield "## Where it ends\n"
    rate = most_of_one_account()
    hottest = max(heat(FLEET, rate + 10), key=lambda one: one.share)
    yield (
        f"- One account: {rate:.0f} messages a second; then {hottest.where} is full. More accounts are more partitions."
    )
    renewed = FLEET.agents / CONNECTION_S
    yield f"- New connections: {GATEWAY_PER_S} a second (quota, raised on request); renewals take {renewed:.1f}."
    indexed = 2 * FLEET.messages_s * 3600 * PRICES["DynamoDB write units"]
    scanned, looked_at = PAGES * PAGE_BYTES / 4096 / 2, PAGES * PAGE_BYTES / PENDING_BYTES
    yield (
        f"- Backlog: each run of the sweeper looks at {looked_at:,.0f} of the messages that wait and the next one goes "
        f"on behind them, so a million take {math.ceil(1e6 / looked_at)} minutes.\n"
        f"  That is {scanned:,.0f} units a minute, {scanned * 60 * PRICES['DynamoDB read units']:.2f} $ an hour. "
        f"An index by deadline would cost {indexed:.2f} $ an hour, always."
    )
    yield (
        "- Rerouting: what never left the cloud and waits for a site that is away is read whole each minute, a unit a "
        f"message, up to {MOST:,}."
    )
    counted = FLEET.agents * WATCH_BYTES / 4096 / 2
    yield (
        "- The sweeper: all else that it costs follows what is due, except the count of agents, which grows with them: "
        f"{counted:,.0f} units every five\n  minutes."
    )
    yield (
        "- A storm in one account: its rows are read at what one partition gives, so some hellos are put off and said "
        "again until DynamoDB\n  has split it."
    )
    calls = FLEET.messages_s * FLEET.send_s
    yield f"- Lambda: {calls:.0f} sends at a time, of an account's 1,000 invocations (quota, raised on request)."
    yield "- The API's own throttle: RequestsPerSecond in template.yaml, 500 by default."


if __name__ == "__main__":
    PAGE.write_text(as_markdown())
