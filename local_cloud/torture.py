"""`python -m local_cloud torture`: hurts a real stack for a time, heals it, and compares every account of it.

Real processes are killed, the agent's line is cut and stalled, modems are struck, the receiver fails, as callers send
and others write to the site. Exit status 0 only if nothing was lost, nothing doubled, nothing told untruthfully.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import JsonValue

from local_cloud import seed as seeding
from local_cloud.cloud import CloudOptions
from local_cloud.intrinsics import JsonObject
from local_cloud.site import SiteOptions
from local_cloud.stack import LocalStack
from local_cloud.topology import as_list, as_object
from local_cloud.torture_callers import Callers
from local_cloud.torture_harm import Harm
from local_cloud.torture_inbox import judge_received, unheard, unreceived
from local_cloud.torture_proxy import Line
from local_cloud.torture_truth import Verdict, judge, pushed, unsettled
from local_cloud.torture_windows import ANSWER_S
from local_cloud.torture_writers import Writers

_MODEMS = 8
_RATE = 8.0  # messages a second
_WRITTEN_RATE = 1.0  # a second, to the site
# SQS shows what a killed function had taken again after the queue's visibility timeout of 6 minutes, and a push that
# found its endpoint crowded may wait for 5 more.
_SETTLE_S = 1200.0
_QUIET_S, _SETTLED_S = 60.0, 5.0  # without a push, while some are awaited, and when there was one of each message
_SAY_EVERY_S = 15.0
_PAGE = 100


@dataclass(frozen=True)
class TortureOptions:
    seconds: float = 300.0
    seed: int = 7


class TortureStack(LocalStack):
    """A stack whose agent reaches the cloud over a bad line only."""

    def __init__(self, state_dir: Path, control: Path) -> None:
        options = ["--answer-delay-ms", str(1000 * ANSWER_S), "--control", str(control)]
        site = SiteOptions(simulate=_MODEMS, simulator_options=options)
        super().__init__(state_dir, CloudOptions(throttled=False), site)
        self.line: Line | None = None

    def _settle(self) -> None:
        super()._settle()
        url = urlsplit(self.deployment.outputs["AgentUrl"])
        assert url.port
        self.line = Line(url.port)
        credential = (self.layout.agent / "credential").read_text()
        self.site.write_config(url._replace(netloc=f"127.0.0.1:{self.line.port}").geturl(), credential)


class Torture:
    def __init__(self, stack: TortureStack, control: Path, options: TortureOptions) -> None:
        assert stack.line
        self._stack, self._options = stack, options
        self._began = time.monotonic()
        self._callers = Callers(stack, _RATE, options.seed)
        self._writers = Writers(control, _MODEMS, _WRITTEN_RATE, options.seed)
        self._harm = Harm(stack, stack.line, control, _MODEMS, options.seed)

    def carry_out(self) -> Verdict:
        self._callers.start()
        self._writers.start()
        self._harm.run(self._options.seconds, self._progress)
        self._writers.stop()
        self._harm.heal()
        self._say("healed; waiting until every call is answered and every message settled")
        self._callers.stop()
        rows, inbox = self._settled()
        pushes = self._stack.pushes()
        verdict = judge(self._callers.sent, rows, self._stack.air(), pushes, self._harm.blows)
        judge_received(self._writers.written, inbox, pushed(pushes), verdict)
        self._keep(rows, inbox, verdict)
        return verdict

    def end(self) -> None:
        """Nobody sends or writes any more, whatever became of the run."""
        self._writers.stop()
        self._callers.give_up()

    def conclude(self, verdict: Verdict) -> int:
        kills = self._harm.kills
        print(
            f"\n{len(self._callers.sent)} messages called for, {verdict.accepted} accepted, {verdict.refused} refused"
        )
        print(f"{len(self._writers.written)} messages written to the site, {verdict.received} received")
        print(f"{kills.total()} kills ({', '.join(f'{name} {count}' for name, count in kills.items())})")
        print(f"{len(self._harm.blows) - kills.total()} other blows")
        for name in ("lost", "doubled", "untruthful"):
            found: list[str] = getattr(verdict, name)
            print(f"{name:<11} {len(found)}")
            for line in found[:20]:
                print(f"   {line}")
        print(f"uncertain   {verdict.uncertain}, and {verdict.settled} more until a report came")
        print(
            f"   each by one of its own: {', '.join(f'{what} {count}' for what, count in verdict.by.items()) or 'none'}"
        )
        print(f"   {verdict.windows} fell between a PDU and its answer, a kill counted at each modem")
        if not verdict.clean:
            print(f"all of it: {self._stack.layout.root}")
        return 0 if verdict.clean else 1

    def _settled(self) -> tuple[dict[str, JsonObject], list[JsonObject]]:
        """The outbox by id and the inbox, once everything in them is settled or the patience is at its end."""
        deadline = time.monotonic() + _SETTLE_S
        while True:
            if self._harm.revive_gateway():  # the emulated services may fail under it, and it ends with them
                self._say("the gateway had ended by itself")
            self._await_pushes(deadline)
            rows = {str(row["id"]): row for row in self._listed("/smsoutbox/get", include_pending=1)}
            inbox, pushes = self._listed("/smsinbox/get"), self._stack.pushes()
            left = unsettled(self._callers.sent, rows, pushes) + unreceived(
                self._writers.written, inbox, pushed(pushes)
            )
            if not left or time.monotonic() > deadline:
                return rows, inbox
            self._say(f"{len(left)} not settled yet, for instance {left[0]}")
            time.sleep(5.0)

    def _await_pushes(self, deadline: float) -> None:
        """Until something was pushed of every message, and nothing more is for a while. To list the outbox costs a busy
        stack as much as all its other work; what the receiver got lies in a file."""
        accepted = {message.id for message in self._callers.sent if message.id}
        seen, quiet_since, said = -1, time.monotonic(), time.monotonic()
        while (now := time.monotonic()) < deadline:
            pushes = self._stack.pushes()
            silent = (accepted - pushed(pushes).keys()) | unheard(self._writers.written, pushes)
            if len(pushes) != seen:
                seen, quiet_since = len(pushes), now
            if now - quiet_since > (_QUIET_S if silent else _SETTLED_S):
                return
            if now - said > _SAY_EVERY_S:
                self._say(f"{len(silent)} of which nothing was pushed yet, {seen} pushes")
                said = now
            time.sleep(1.0)

    def _listed(self, path: str, **fields: JsonValue) -> list[JsonObject]:
        """All rows; not all of them where a call fails, which is then asked again."""
        rows: list[JsonObject] = []
        for page in itertools.count(1):
            try:
                status, answer = self._stack.call(path, current_page=page, page_size=_PAGE, **fields)
            except OSError:
                break
            found = [as_object(row) for row in as_list(answer.get("data") or [])]
            rows += found
            if status != 200 or len(found) < _PAGE:
                break
        return rows

    def _progress(self) -> None:
        sent = self._callers.sent
        answered = sum(1 for message in sent if message.id or message.refused)
        self._say(
            f"{len(sent)} called, {answered} answered, {self._harm.kills.total()} kills, {len(self._harm.blows)} blows"
        )

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:6.0f} s  {text}", flush=True)

    def _keep(self, rows: dict[str, JsonObject], inbox: list[JsonObject], verdict: Verdict) -> None:
        """Everything that the verdict was made of, beside the logs."""
        record = {
            "verdict": asdict(verdict),
            "blows": [asdict(blow) for blow in self._harm.blows],
            "sent": [asdict(message) | {"answers": sorted(message.answers)} for message in self._callers.sent],
            "outbox": rows,
            "written": [asdict(one) for one in self._writers.written],
            "inbox": inbox,
        }
        (self._stack.layout.root / "torture.json").write_text(json.dumps(record, indent=1))


def torture(state_dir: Path, options: TortureOptions) -> int:
    """Runs it; the exit status."""
    seeding.prepare()
    with tempfile.TemporaryDirectory(prefix="sb-") as short:  # the path of a unix socket is 107 bytes at most
        control = Path(short) / "modems"
        with TortureStack(state_dir, control) as stack:
            print(
                f"seed {options.seed}, {options.seconds:.0f} s, {_MODEMS} modems, {_RATE:.0f} messages a second",
                flush=True,
            )
            run = Torture(stack, control, options)
            try:
                return run.conclude(run.carry_out())
            except KeyboardInterrupt:
                print("stopped before there was a verdict", file=sys.stderr)
                return 130
            finally:
                run.end()
