from shared.wire import Spans
from tests.agent_bench import Bench, greeting
from tests.samples import span


def sim_alerts(bench: Bench) -> list[str]:
    return [text for subject, text in bench.alerts.told if subject == "SIM changed"]


def test_a_sim_changed_in_a_slot_is_told_and_shown_though_the_slot_was_empty_between() -> None:
    bench = Bench()
    connection = bench.greeted("c1", spans=(span(iccid="8949010000001"),))
    for iccid in ("", "8949010000001", "", "8949010000777"):
        bench.clock.sleep(10)
        bench.say(connection, Spans(at=bench.clock.now(), changed=(span(iccid=iccid, available=bool(iccid)),)))
    (text,) = sim_alerts(bench)
    assert text == "acme/site-1 port 1 (lte-1.1): the SIM …0001 was changed for …0777"
    port = bench.accounts.ports[("acme", 1)]
    assert (port.iccid, port.iccid_before, port.sim_changed_at) == (
        "8949010000777",
        "8949010000001",
        bench.clock.now(),
    )


def test_a_sim_changed_while_the_site_was_switched_off_is_told_at_its_hello() -> None:
    bench = Bench()
    bench.greeted("c1", spans=(span(iccid="8949010000001"),))
    bench.greeted("c2", boot_id="boot-2", spans=(span(iccid="8949010000002"),))
    assert len(sim_alerts(bench)) == 1
    bench.say(bench.open("c3"), greeting(boot_id="boot-2", spans=(span(iccid="8949010000002"),)))
    assert len(sim_alerts(bench)) == 1
