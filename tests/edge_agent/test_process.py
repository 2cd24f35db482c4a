"""The agent as a process of its own, on simulated modems, with a cloud on loopback."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen, run

import pytest

from edge_agent.control import ask
from shared.wire import Job
from tests.edge_agent.fake_cloud import CREDENTIAL, FakeCloud, until

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "SPANBRIDGE_CREDENTIAL": CREDENTIAL}


class Site:
    """Two simulated modems and a folder for the agent."""

    def __init__(self, folder: Path, ports: list[str]) -> None:
        self.folder, self.ports = folder, ports
        self.config = folder / "agent.toml"
        self.air = folder / "air.jsonl"

    def write_config(self, url: str = "ws://127.0.0.1:9/live") -> None:
        self.config.write_text(f'[cloud]\nurl = "{url}"\n[modems]\nports = {json.dumps(self.ports)}\n')

    def on_air(self) -> Counter[str]:
        """How often each text went over the air."""
        lines = self.air.read_text().splitlines() if self.air.exists() else []
        records = [json.loads(line) for line in lines]
        return Counter(record["text"] for record in records if record["event"] == "message")

    def command(self, *words: str) -> tuple[int, str]:
        done = run(
            [sys.executable, "-m", "edge_agent", *words, "--config", str(self.config)],
            cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@contextmanager
def site(folder: Path, *options: str) -> Iterator[Site]:
    words = ["--count", "2", "--link-dir", str(folder / "ports"), "--air", str(folder / "air.jsonl"), *options]
    with Popen([sys.executable, "-m", "edge_agent.simulator", *words], cwd=ROOT, stdout=PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        try:
            ports = [line.strip() for line in iter(simulator.stdout.readline, "ready\n")]
            made = Site(folder, ports)
            made.write_config()
            yield made
        finally:
            simulator.terminate()


@asynccontextmanager
async def running(at: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    agent = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge_agent", "run", "--config", str(at.config), cwd=ROOT, env=ENVIRONMENT
    )
    try:
        yield agent
    finally:
        with contextlib.suppress(ProcessLookupError):
            agent.kill()
        await agent.wait()


@asynccontextmanager
async def linked(at: Site) -> AsyncIterator[tuple[FakeCloud, asyncio.subprocess.Process]]:
    """A cloud and an agent whose two modems are ready."""
    async with FakeCloud() as cloud:
        at.write_config(cloud.url)
        async with running(at) as agent:
            await until(lambda: ready(cloud), 30)
            yield cloud, agent


def jobs(cloud: FakeCloud, *texts: str) -> list[Job]:
    spans = tuple(cloud.spans)
    return [
        Job(id=f"j-{text[:20]}", to="+4915112345678", text=text, spans=spans, deadline=time.time() + 600)
        for text in texts
    ]


async def in_flight(at: Site) -> bool:
    """Whether the modem has the only message just now."""
    (status,) = [answer async for answer in ask(at.folder / "journal.sock", {"do": "status"})]
    return (status["held"], status["waiting"]) == (1, 0)


def ready(cloud: FakeCloud) -> bool:
    return sum(info.available for info in cloud.spans.values()) == 2


def test_messages_go_out_and_their_reports_come_back(tmp_path: Path) -> None:
    async def main(at: Site) -> None:
        async with linked(at) as (cloud, agent):
            sent = jobs(cloud, "Hello", "Привет", "👋" * 40)
            await cloud.send(*sent)
            await until(lambda: all(f"{job.id}.report" in cloud.events for job in sent), 30)
            assert at.on_air() == {job.text: 1 for job in sent}
            agent.terminate()
            begun = time.monotonic()
            assert await agent.wait() == 0
            assert time.monotonic() - begun < 3

    with site(tmp_path) as at:
        asyncio.run(main(at))


def test_an_agent_that_is_killed_sends_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    async def main(at: Site) -> None:
        async with FakeCloud() as cloud:
            at.write_config(cloud.url)
            sent: list[Job] = []
            for life in range(3):
                async with running(at) as agent:
                    await until(lambda: ready(cloud), 30)
                    more = jobs(cloud, *(f"message {life} {number}" for number in range(20)))
                    sent += more
                    await cloud.send(*more)
                    await until(lambda begun=life: sum(at.on_air().values()) > 20 * begun + 4, 30)
                    agent.send_signal(signal.SIGKILL)
                    await agent.wait()
                cloud.spans.clear()
            async with running(at):
                await until(lambda: all(cloud.outcome(job.id) for job in sent), 30)
            air = at.on_air()
            for job in sent:
                outcome = cloud.outcome(job.id)
                assert air[job.text] <= 1
                assert (outcome, air[job.text]) in {("sent", 1), ("uncertain", 0), ("uncertain", 1)}

    with site(tmp_path, "--answer-delay-ms", "100") as at:
        asyncio.run(main(at))


def test_the_end_waits_for_a_submission_in_flight_but_not_longer_than_its_budget(tmp_path: Path) -> None:
    async def main(at: Site, patience_s: float) -> str:
        async with linked(at) as (cloud, agent):
            (job,) = jobs(cloud, "slow")
            await cloud.send(job)
            async with asyncio.timeout(10):
                while not await in_flight(at):
                    pass
            agent.terminate()
            begun = time.monotonic()
            assert await agent.wait() == 0
            assert time.monotonic() - begun < patience_s
            return cloud.outcome(job.id)

    for delay_ms, outcome in (("800", "sent"), ("20000", "uncertain")):
        folder = tmp_path / delay_ms
        folder.mkdir()
        with site(folder, "--answer-delay-ms", delay_ms) as at:
            assert asyncio.run(main(at, 3.0)) == outcome


def test_the_command_line_answers_beside_a_running_agent_and_without_one(tmp_path: Path) -> None:
    async def main(at: Site) -> None:
        async with linked(at) as (cloud, _):
            for words, said in (
                (("status",), '"cloud": "connected"'),
                (("send", "+4915112345678", "from here"), "delivered by imei:"),
                (("ussd", "*100#"), "EUR"),
                (("doctor", "--seconds", "10"), "ready"),
            ):
                code, output = await asyncio.to_thread(at.command, *words)
                assert (code, said in output) == (0, True), output
            code, output = await asyncio.to_thread(at.command, "run")
            assert (code, "another agent is running" in output) == (1, True)
            code, output = await asyncio.to_thread(at.command, "probe")
            assert (code, "the agent is running" in output) == (1, True)
            assert cloud.events == {}

    with site(tmp_path) as at:
        asyncio.run(main(at))
        code, output = at.command("send", "+4915112345678", "alone")
        assert (code, "delivered by imei:" in output) == (0, True), output
        code, output = at.command("probe")
        assert (code, output.count("ok   port:")) == (0, 2), output
        code, output = at.command("status")
        assert (code, "no agent is running" in output) == (1, True)
        code, output = at.command("doctor", "--seconds", "10")
        assert (code, "Connection refused" in output) == (1, True), output


def test_the_benchmark_prints_one_line_and_ends(tmp_path: Path) -> None:
    with site(tmp_path):
        words = ["--ports", str(tmp_path / "ports"), "--count", "2", "--messages", "33", "--journal", str(tmp_path)]
        done = run(
            [sys.executable, "-m", "benchmarks.edge", *words],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert (result["modems"], result["messages"], result["accepted"], result["reported"]) == (2, 33, 33, 33)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--help",), 0, "doctor"),
        (("run", "--help"), 0, "--config"),
        ((), 2, "COMMAND"),
        (("run", "--config", "/nowhere/agent.toml"), 78, "no such file"),
        (("send", "+4915112345678", b"caf\xe9"), 2, "text: is not UTF-8"),
        (("ussd", b"*1\xe900#"), 2, "code: is not UTF-8"),
    ],
)
def test_the_command_line_says_what_it_wants(words: tuple[str | bytes, ...], code: int, said: str) -> None:
    done = run(
        [sys.executable, "-m", "edge_agent", *words], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_all_its_threads_stay_on_one_of_the_cpus_that_it_was_given(tmp_path: Path) -> None:
    async def main(at: Site) -> None:
        async with linked(at) as (_, agent):
            threads = [int(task) for task in os.listdir(f"/proc/{agent.pid}/task")]
            (cpus,) = {frozenset(os.sched_getaffinity(thread)) for thread in threads}
            assert len(threads) > 1
            assert len(cpus & os.sched_getaffinity(0)) == len(cpus) == 1

    with site(tmp_path) as at:
        asyncio.run(main(at))
