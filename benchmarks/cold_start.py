"""How long each built function takes to start, beside a handler that only makes one botocore client.

    make test-built        builds, and runs this too
    python -m benchmarks.cold_start [rounds]

From the start of the process until AWS's runtime client asks for the first event: what Lambda calls the init phase.
What is compared is the time on the processor, because a start does nothing but compute, and others may be using this
machine: round by round, in which all start one after the other, so that what slows one down slows the others too; of
these ratios the median. Ends with 1 when a function takes more than 1.25 times what the handler takes whose botocore is
as it comes from its package, with bytecode.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

from tests.built_functions import RUNTIME, Build, Environment, environment
from tests.sample_events import FUNCTIONS

LIMIT = 1.25
STOCK = "one client, botocore as it comes"
TRIMMED = "one client, botocore of the layer"
_ROUNDS = 11
_PATIENCE = 4
_CLIENT = "import botocore.session\nclient = botocore.session.Session().create_client('dynamodb')\n"
_HANDLER = "def handler(event, context):\n    return None\n"
# Nothing is called while a function starts; a name that is not there would fail.
_VARIABLES = {
    **dict.fromkeys(("OUTBOX_TABLE", "INBOX_TABLE", "CONFIG_TABLE", "PUSHES_TABLE"), "none"),
    **dict.fromkeys(("PUSH_QUEUE_URL", "PUSH_DEAD_QUEUE_URL", "CONNECTIONS_URL"), "https://localhost/none"),
    "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:none",
    "POWERTOOLS_SERVICE_NAME": "none",
    "POWERTOOLS_METRICS_NAMESPACE": "none",
}


@dataclass(frozen=True)
class Candidate:
    name: str
    task: Path
    layer: Path
    handler: str


def candidates(build: Build, scratch: Path) -> list[Candidate]:
    for name, text in {"bare": _HANDLER, "client": _CLIENT + _HANDLER}.items():
        (scratch / f"{name}.py").write_text(text)
    handlers = [
        Candidate("bare handler", scratch, scratch, "bare.handler"),
        Candidate(STOCK, scratch, _untrimmed(build, scratch / "untrimmed"), "client.handler"),
        Candidate(TRIMMED, scratch, build.layer, "client.handler"),
    ]
    ours = [
        Candidate(function, build.task(function), build.layer, f"functions.{folder}.app.handler")
        for folder, function in FUNCTIONS.items()
    ]
    return handlers + ours


def _untrimmed(build: Build, folder: Path) -> Path:
    """The layer with the botocore of its package, all of it, and with bytecode."""
    found = find_spec("botocore")
    assert found and found.origin
    package = Path(found.origin).parent
    (folder / "botocore").mkdir(parents=True)
    for entry in build.layer.iterdir():
        if entry.name != "botocore":
            (folder / entry.name).symlink_to(entry)
    for entry in package.iterdir():
        if entry.name == "data":
            (folder / "botocore" / "data").symlink_to(entry)
        elif entry.is_dir() and entry.name != "__pycache__":
            copytree(entry, folder / "botocore" / entry.name, ignore=ignore_patterns("__pycache__"))
        elif entry.is_file():
            copy(entry, folder / "botocore")
    command = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([RUNTIME, *command, folder / "botocore"], check=True)
    return folder


@dataclass(frozen=True)
class Start:
    """In ms."""

    cpu: float
    wall: float


Taken = dict[str, list[Start]]


async def measure(every: list[Candidate], rounds: int, log: Path, taken: Taken) -> None:
    """One round more is run first, for the file cache."""
    for turn in range(rounds + 1):
        for each in every:
            variables = environment(each.name, _VARIABLES)
            async with Environment(each.task, each.layer, each.handler, variables, log) as started:
                if turn:
                    taken[each.name].append(Start(started.init_cpu_s * 1000, started.init_s * 1000))


def report(taken: Taken) -> float:
    """Prints the table; the worst ratio of a function of ours."""
    print(f"{'medians, ms':36}{'cpu':>10}{'wall':>10}{'of stock':>10}{'of layer':>10}")
    for name, starts in taken.items():
        cpu = statistics.median(start.cpu for start in starts)
        wall = statistics.median(start.wall for start in starts)
        print(f"{name:36}{cpu:10.0f}{wall:10.0f}{_ratio(taken, name, STOCK):10.2f}{_ratio(taken, name, TRIMMED):10.2f}")
    return max(_ratio(taken, function, STOCK) for function in FUNCTIONS.values())


def _ratio(taken: Taken, name: str, to: str) -> float:
    return statistics.median(one.cpu / other.cpu for one, other in zip(taken[name], taken[to], strict=True))


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    taken: Taken = defaultdict(list)
    worst = LIMIT + 1
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        every = candidates(Build(), scratch)
        for _ in range(_PATIENCE):  # a busy machine needs more rounds
            asyncio.run(measure(every, rounds, scratch / "log", taken))
            worst = report(taken)
            if worst <= LIMIT:
                break
    print(f"the slowest takes {worst:.2f} times what one client takes, {LIMIT} are allowed")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
