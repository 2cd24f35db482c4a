"""The link to the cloud, over real sockets on loopback."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent import uplink as uplink_module
from edge_agent.book import Acceptance
from edge_agent.clock import Clock
from edge_agent.config import Cloud
from edge_agent.held import EventRow
from edge_agent.link_policy import Backoff, Disconnect, of_close, of_status, renewals
from edge_agent.uplink import Uplink
from shared.wire import (
    Cancel,
    Heartbeat,
    Hello,
    Job,
    Jobs,
    ReceivedEvent,
    Reconnect,
    Refused,
    ResultEvent,
    Signal,
    SpanInfo,
)
from tests.certificates import Authority
from tests.edge_agent.fake_cloud import CREDENTIAL, FakeCloud, until


class Agent:
    """As much of an agent as a connection needs: keeps jobs and events in memory."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.cancelled: list[str] = []
        self.rows: dict[str, EventRow] = {}
        self.times: list[float] = []
        self.refuses = ""

    def tell(self, name: str, size: int = 0) -> None:
        event = ReceivedEvent(event_id=name, span="imei:1", sender="+1", text="ж" * size, at=1.0)
        self.rows[name] = EventRow(name, event.model_dump_json())

    def hello(self) -> Hello:
        spans = (SpanInfo(span="imei:1", available=True),)
        return Hello(agent_version="1", boot_id="b", journal_id="j", spans=spans, held=len(self.jobs))

    def held(self) -> int:
        return len(self.jobs)

    def signals(self) -> tuple[Signal, ...]:
        return ()

    def events(self) -> Iterable[EventRow]:
        return list(self.rows.values())

    async def take_jobs(self, jobs: Sequence[Job]) -> Acceptance:
        if self.refuses:
            return Acceptance((), self.refuses)
        self.jobs.update((job.id, job) for job in jobs)
        return Acceptance(tuple(job.id for job in jobs))

    async def cancel_jobs(self, job_ids: Sequence[str]) -> None:
        self.cancelled.extend(job_ids)

    def acknowledged(self, event_ids: Sequence[str]) -> None:
        for event_id in event_ids:
            self.rows.pop(event_id, None)

    def welcomed(self, server_time: float, ports: dict[str, int]) -> None:
        self.times.append(server_time)


def job(job_id: str) -> Job:
    return Job(id=job_id, to="+1", text="t", spans=("imei:1",), deadline=time.time() + 60)


@asynccontextmanager
async def linked(cloud: FakeCloud, agent: Agent, **more: object) -> AsyncIterator[Uplink]:
    """An uplink that is running; `more` are values of config.Cloud."""
    values = {"url": cloud.url, "credential": CREDENTIAL, **more}
    uplink = Uplink(Cloud(**values), agent, Clock())  # type: ignore[arg-type]
    uplink._backoff = Backoff(lambda low, high: min(high, 0.05))
    task = asyncio.ensure_future(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


def test_a_backlog_is_drained_batch_by_batch() -> None:
    async def main() -> None:
        async with FakeCloud(batch=10) as cloud:
            cloud.pending.update((f"{number:03}", job(f"{number:03}")) for number in range(95))
            agent = Agent()
            async with linked(cloud, agent):
                await until(lambda: len(agent.jobs) == 95)
                assert [len(frame.job_ids) for frame in cloud.accepted] == [10] * 9 + [5]

    run(main())


def test_events_are_told_until_they_are_acknowledged() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            agent.tell("before")
            async with linked(cloud, agent) as uplink:
                await until(lambda: not agent.rows)
                agent.tell("after")
                uplink.poke()
                await until(lambda: not agent.rows)
            assert cloud.told == {"before": 1, "after": 1}

    run(main())


def test_what_was_not_acknowledged_is_told_again_on_the_next_connection() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            cloud.acknowledges = False
            agent = Agent()
            agent.tell("a")
            async with linked(cloud, agent):
                await until(lambda: cloud.told["a"] == 1)
                cloud.acknowledges = True
                cloud.newest.transport.abort()
                await until(lambda: not agent.rows)
                assert cloud.told["a"] == 2

    run(main())


def test_an_event_larger_than_a_frame_goes_through() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            agent.tell("large", size=17_000)
            async with linked(cloud, agent):
                await until(lambda: not agent.rows)
            assert isinstance(cloud.events["large"], ReceivedEvent)

    run(main())


def test_a_refusal_of_work_says_why_and_ends_the_draining() -> None:
    async def main() -> None:
        async with FakeCloud(batch=1) as cloud:
            cloud.pending.update({"1": job("1"), "2": job("2")})
            agent = Agent()
            agent.refuses = "the disk is full"
            async with linked(cloud, agent):
                await until(lambda: cloud.accepted)
                assert (cloud.accepted[0].refused, cloud.accepted[0].cursor) == ("the disk is full", "")

    run(main())


def test_a_heartbeat_may_be_hurried() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            async with linked(cloud, agent) as uplink:
                await until(lambda: agent.times)
                uplink.beat()
                await until(lambda: cloud.heartbeats)
                assert isinstance(cloud.heartbeats[0], Heartbeat)

    run(main())


def test_cancelled_jobs_and_changed_spans_pass() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            async with linked(cloud, agent) as uplink:
                await until(lambda: agent.times)
                await cloud.post(Cancel(job_ids=("1",)))
                uplink.spans_changed([SpanInfo(span="imei:1", available=False, reason="SIM PIN required")])
                await until(lambda: agent.cancelled and not cloud.spans["imei:1"].available)
                uplink.spans_gone(["imei:1"])
                await until(lambda: not cloud.spans)

    run(main())


def test_a_span_that_changes_between_hello_and_welcome_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.session.WELCOME_S", 0.2)

    async def main() -> None:
        async with FakeCloud() as cloud:
            cloud.silent = True
            async with linked(cloud, Agent()) as uplink:
                await until(lambda: uplink._opening)
                uplink.spans_changed([SpanInfo(span="imei:1", available=False, reason="SIM PIN required")])
                cloud.silent = False
                await until(lambda: cloud.spans and not cloud.spans["imei:1"].available)

    run(main())


def test_a_connection_is_replaced_before_it_ends_and_nothing_is_missed_meanwhile() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            async with linked(cloud, agent, renew_s=0.3) as uplink:
                sent = 0
                while len(cloud.hellos) < 4:
                    await cloud.send(job(f"{sent:04}"))
                    agent.tell(f"event {sent}")
                    uplink.poke()
                    sent += 1
                    await asyncio.sleep(0.01)
                    assert cloud.open_connections >= 1
                await until(lambda: len(agent.jobs) == sent and not agent.rows)
            assert len(cloud.events) == sent

    run(main())


def test_the_cloud_may_ask_for_another_connection() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            async with linked(cloud, agent):
                await until(lambda: agent.times)
                first = cloud.newest
                await cloud.post(Reconnect(after_s=0.05))
                await until(lambda: len(agent.times) == 2)
                assert first.state.name == "OPEN"  # it still listens for a while
                await first.send(Jobs(jobs=(job("late"),)).model_dump_json())
                await until(lambda: "late" in agent.jobs)

    run(main())


def test_a_connection_that_dies_before_its_replacement_is_due_is_replaced_at_once() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            async with linked(cloud, agent):
                await until(lambda: agent.times)
                await cloud.post(Reconnect(after_s=3600))
                await cloud.newest.close()
                await until(lambda: len(agent.times) == 2)

    run(main())


def test_a_cloud_that_is_away_is_tried_again_until_it_is_back() -> None:
    async def main() -> None:
        cloud = FakeCloud()
        async with cloud:
            pass
        agent = Agent()
        async with linked(cloud, agent) as uplink:
            await until(lambda: "cannot be reached" in uplink.state)
            async with cloud:
                await until(lambda: agent.times and uplink.state == "connected")

    run(main())


def test_a_credential_that_is_refused_is_told_apart_from_a_network_that_is_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            cloud.status = 403
            async with linked(cloud, Agent()) as uplink:
                await until(lambda: "credential was not accepted" in uplink.state)
                await asyncio.sleep(0.2)

    with caplog.at_level(logging.WARNING):
        run(main())
    assert sum("credential was not accepted" in record.message for record in caplog.records) == 1
    assert CREDENTIAL not in caplog.text


@pytest.mark.parametrize("refusal", ["a handshake that is refused", "a frame that says so"])
def test_an_agent_that_was_enrolled_anew_while_it_runs_takes_its_new_credential(
    refusal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink_module, "LOOK_S", 0.01)
    file = tmp_path / "credential"
    old = CREDENTIAL if refusal == "a frame that says so" else "acme.site-1.an-older-one-that-was-good-once"

    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            uplink = Uplink(Cloud(url=cloud.url, credential=old, credential_file=file), agent, Clock())
            uplink._backoff = Backoff(lambda low, high: high)  # ten minutes
            task = asyncio.ensure_future(uplink.run())
            if old == CREDENTIAL:
                await until(lambda: agent.times)
                cloud.credential = "acme.site-1.the-new-one-of-twenty-or-more"
                await cloud.post(Refused(code="revoked", text="enrol it again"))
            await until(lambda: "accepted" in uplink.state or "revoked" in uplink.state)
            agent.times.clear()
            file.write_text(f"{cloud.credential}\n")
            await until(lambda: agent.times and uplink.state == "connected")
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    run(main())


def test_the_uplink_ends_when_the_cloud_says_stop() -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            agent = Agent()
            uplink = Uplink(Cloud(url=cloud.url, credential=CREDENTIAL), agent, Clock())
            task = asyncio.ensure_future(uplink.run())
            await until(lambda: agent.times)
            await cloud.post(Refused(code="duplicate_identity", text="another agent has this identity"))
            ended = await asyncio.wait_for(task, 5)
            assert ended == Disconnect("stop", "duplicate_identity: another agent has this identity")

    run(main())


def test_a_link_that_died_without_a_word_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert uplink_module.PING_EVERY_S + uplink_module.PONG_WITHIN_S < 30
    monkeypatch.setattr(uplink_module, "PING_EVERY_S", 0.1)
    monkeypatch.setattr(uplink_module, "PONG_WITHIN_S", 0.2)

    async def main() -> None:
        async with FakeCloud() as cloud, stalling(cloud) as proxy:
            agent = Agent()
            async with linked(cloud, agent, url=f"ws://127.0.0.1:{proxy.port}/live") as uplink:
                await until(lambda: agent.times)
                proxy.stalled.set()
                await until(lambda: "silent" in uplink.state)

    run(main())


class stalling:  # noqa: N801 (reads as a state)
    """A middlebox before the cloud that can stop forwarding without closing anything; or a proxy that is asked to."""

    def __init__(self, cloud: FakeCloud, *, proxy: bool = False) -> None:
        self._cloud, self._proxy = cloud, proxy
        self.asked = ""
        self.stalled = asyncio.Event()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "stalling":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stalled.is_set():
            return
        if self._proxy:
            self.asked = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0]
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._cloud.port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.ensure_future(self._forward(source, sink))
            self._tasks.add(task)

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(4096):
            if self.stalled.is_set():
                await asyncio.get_running_loop().create_future()
            sink.write(data)


def test_a_certificate_is_checked_and_a_custom_authority_can_be_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.issue("127.0.0.1"))
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(ssl.DER_cert_to_PEM_cert(authority.context().get_ca_certs(binary_form=True)[0]))

    async def main() -> None:
        async with FakeCloud(tls=tls) as cloud:
            async with linked(cloud, Agent()) as uplink:
                await until(lambda: "not trusted" in uplink.state)
                assert "cloud.ca_file" in uplink.state
            agent = Agent()
            async with linked(cloud, agent, ca_file=ca_file):
                await until(lambda: agent.times)

    run(main())


def test_the_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with FakeCloud() as cloud, stalling(cloud, proxy=True) as proxy:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv("no_proxy", "")
            agent = Agent()
            async with linked(cloud, agent, url="ws://cloud.example:80/live"):
                await until(lambda: agent.times)
            assert proxy.asked == "CONNECT cloud.example:80 HTTP/1.1"

    run(main())


def test_a_socks_proxy_is_told_not_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with FakeCloud() as cloud:
            monkeypatch.setenv("https_proxy", "socks5h://127.0.0.1:9")
            monkeypatch.setenv("no_proxy", "")
            async with linked(cloud, Agent(), url="ws://cloud.example:80/live") as uplink:
                await until(lambda: "HTTP proxy" in uplink.state)

    run(main())


def test_a_hello_that_nobody_answers_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.session.WELCOME_S", 0.05)

    async def main() -> None:
        async with FakeCloud() as cloud:
            cloud.silent = True
            agent = Agent()
            async with linked(cloud, agent) as uplink:
                await until(lambda: "no welcome" in uplink.state)
                cloud.silent = False
                await until(lambda: agent.times)

    run(main())


def test_waiting_grows_with_full_jitter_and_starts_again_after_a_proven_connection() -> None:
    bounds: list[float] = []

    def note(low: float, high: float) -> float:
        assert low == 0.0
        bounds.append(high)
        return high

    backoff = Backoff(note)
    for _ in range(12):
        backoff.delay("retry")
    assert bounds[:4] == [1, 2, 4, 8]
    assert bounds[-1] == 120
    backoff.proven()
    backoff.delay("retry")
    assert bounds[-1] == 1


def test_a_refused_credential_is_shown_again_only_after_minutes() -> None:
    assert Backoff(lambda low, high: low).delay("reenrol") >= 300


def test_what_follows_from_a_status_or_close_code() -> None:
    assert {status: of_status(status).then for status in (401, 403, 404, 429, 500, 503)} == {
        401: "reenrol", 403: "reenrol", 404: "reenrol", 429: "retry", 500: "retry", 503: "retry",
    }  # fmt: skip
    assert {code: of_close(code, "").then for code in (None, 1000, 1001, 1006, 4401, 4409, 4426, 4999)} == {
        None: "retry", 1000: "retry", 1001: "retry", 1006: "retry", 4401: "reenrol", 4409: "stop", 4426: "stop",
        4999: "retry",
    }  # fmt: skip


def test_connections_are_replaced_well_before_two_hours_and_not_in_step() -> None:
    times = [next(renewals(105 * 60)) for _ in range(200)]
    assert max(times) < 115 * 60
    assert max(times) - min(times) > 60


def test_a_result_is_json_that_the_cloud_reads() -> None:
    event = ResultEvent(event_id="e", job_id="j", outcome="sent", at=1.0)
    assert ResultEvent.model_validate_json(event.model_dump_json()) == event
