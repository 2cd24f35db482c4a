"""The API's function as the gateway calls it, on real stores in moto."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.client
import pytest

from functions.sms_api import app
from shared.aws import wiring
from shared.lifecycle import State
from shared.message import Account, Agent, Change, Limits, Received
from shared.wire import SpanInfo
from tests.api_rig import CHEAP, PASSWORD, Answer, event
from tests.samples import message
from tests.stack_tables import stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator["DynamoDBClient"]:
    with stack(monkeypatch) as client:
        accounts = wiring.accounts()
        for name in ("acme", "rival"):
            accounts.put_account(Account(name=name, credential=CHEAP, limits=Limits(requests_per_second=20)))
            accounts.put_agent(Agent(account=name, id="north", site="North", credential=""))
            accounts.connected(name, "north", connection=f"{name}1", since=1.0, at=1.0)
            infos = [SpanInfo(span=f"imei:{n}", available=True, technology="lte") for n in (1, 2)]
            accounts.save_spans(name, "north", infos, at=1.0, whole=True)
            accounts.allot_ports(name, "north", infos)
        yield client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every operation that is asked of AWS from now on."""
    operations: list[str] = []
    ask = botocore.client.BaseClient._make_api_call

    def counted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        operations.append(operation)
        return {} if operation == "PostToConnection" else ask(client, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", counted)
    return operations


def call(path: str, account: str = "acme", **body: Any) -> Answer:
    answered = app.handler(event(path, json.dumps({"username": account, "password": PASSWORD, **body})), None)
    json.dumps(answered)  # Lambda does
    return Answer(answered["statusCode"], answered["headers"], answered["body"])


def send(account: str = "acme", **body: Any) -> Answer:
    return call("/sms/send", account, **{"dest_num": "+4917012345", "msg": "hello", **body})


def keep(at: float, account: str = "acme") -> None:
    """One message that was sent then, and one that came."""
    api, phone = wiring.api(), "+4917012345"
    api.outbox.add([message(f"m{at}", account=account, to=phone, state=State.SENT, ended_at=at)])
    api.inbox.add(
        Received(account=account, id=f"e{at}", port=1, port_name="x", imsi="", sender=phone, text="hi", at=at)
    )


@pytest.mark.usefixtures("table")
def test_a_message_can_be_sent_listed_and_found_by_its_number(asked: list[str]) -> None:
    number = send(msg="привет 👋", dest_num="+4917012345,112").data[0]["id"]
    assert "PostToConnection" in asked
    waiting = call("/smsoutbox/get", include_pending=1, with_total=1)
    assert (len(waiting.data), waiting.json["total"]) == (2, 2)
    outbox = wiring.api().outbox
    outbox.record("acme", number, Change(state=State.SENT, at=1_750_000_000.0, port=2, port_name="lte-1.2"))
    for phone in ("+4917012345", "*12345", ""):
        (row,) = call("/smsoutbox/get", phone_number_filter=phone).data
        assert (row["id"], row["message"], row["status"], row["port"]) == (number, "привет 👋", "SENT", 2)
    assert call("/smsoutbox/get", phone_number_filter="112").data == []


@pytest.mark.usefixtures("table")
def test_spans_and_settings_are_answered(asked: list[str]) -> None:
    assert [row["port_name"] for row in call("/sms/get_valid_spans").data] == ["lte-1.1", "lte-1.2"]
    send(spans=[2], dest_num="111,222")
    send("rival", spans=[1])
    assert [row["queue"] for row in call("/sms/get_valid_spans").data] == [0, 2]
    assert call("/smsoutbox/set_config", url_host="192.0.43.8", enable=1).code == 0
    assert call("/smsoutbox/get_config").data[0]["url_host"] == "192.0.43.8"
    assert call("/smsinbox/get").data == []


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("spans", [[], [1, 2], [2]])
def test_a_warm_send_asks_aws_for_one_put_and_one_post_and_for_nothing_else(asked: list[str], spans: list[int]) -> None:
    send(spans=spans)
    asked.clear()
    assert send(spans=spans).code == 0
    assert asked == ["PutItem", "PostToConnection"]


@pytest.mark.usefixtures("table")
def test_a_warm_send_with_a_request_id_asks_for_no_more(asked: list[str]) -> None:
    send()
    asked.clear()
    send(request_id="key")
    assert asked == ["PutItem", "PostToConnection"]


@pytest.mark.usefixtures("table")
def test_a_warm_send_to_many_asks_for_one_transaction_and_one_post_an_agent(asked: list[str]) -> None:
    send()
    asked.clear()
    assert len(send(dest_num=",".join(f"1{n:03}" for n in range(100))).data) == 100
    assert asked == ["TransactWriteItems", "PostToConnection"]


@pytest.mark.usefixtures("table")
def test_a_cold_send_reads_the_account_its_failures_and_its_sites_and_takes_a_place(asked: list[str]) -> None:
    send()
    password = ["BatchGetItem", "UpdateItem", "UpdateItem"]  # failures; a place while it is hashed
    assert asked == ["GetItem", *password, "Query", "PutItem", "PostToConnection"]


@pytest.mark.usefixtures("table", "asked")
@pytest.mark.parametrize("numbers", ["111", "111,222,333"])
def test_a_repeat_is_answered_byte_for_byte_from_the_table(numbers: str) -> None:
    first = send(request_id="key", dest_num=numbers)
    assert send(request_id="key", dest_num=numbers).text == first.text
    assert send(request_id="key", dest_num=numbers, msg="other").http == 409
    assert send(request_id="key", dest_num="111,222").http == 409
    assert call("/smsoutbox/get", include_pending=1, with_total=1).json["total"] == len(first.data)


@pytest.mark.usefixtures("table", "asked")
@pytest.mark.parametrize("more", [{}, {"request_id": "key"}])
@pytest.mark.parametrize(("mode", "status"), [(0, "SENDING"), (1, "SENT")])
def test_a_put_whose_answer_was_lost_is_a_success_whatever_became_of_the_message_meanwhile(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], mode: int, status: str
) -> None:
    """botocore repeats the put; in between the site drained the message and sent it."""
    ask = botocore.client.BaseClient._make_api_call

    def losing(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        answered = ask(client, operation, parameters)
        if operation != "PutItem":
            return answered
        sent = Change(state=State.SENT, at=1_750_000_000.0)
        wiring.api().outbox.record("acme", parameters["Item"]["id"]["S"], sent)
        return ask(client, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", losing)
    answer = send(mode=mode, **more)
    assert (answer.http, answer.code, [row["status"] for row in answer.data]) == (200, 0, [status])


@pytest.mark.usefixtures("table", "asked")
def test_an_account_sees_nothing_of_another_in_the_same_tables() -> None:
    number = send("rival", msg="secret").data[0]["id"]
    wiring.api().outbox.record("rival", number, Change(state=State.SENT, at=1_750_000_000.0))
    for phone in ("", "*", "+4917012345", "rival#+4917012345"):
        found = call("/smsoutbox/get", phone_number_filter=phone, include_pending=1, with_total=1)
        assert (found.data, found.json["total"]) == ([], 0)
    assert wiring.api().outbox.get("acme", [number]) == ()


@pytest.mark.usefixtures("table", "asked")
@pytest.mark.parametrize("path", ["/smsoutbox/get", "/smsinbox/get"])
@pytest.mark.parametrize("phone", ["", "*", "+49*", "+4917012345"])
def test_a_page_its_total_and_the_times_shown_agree_on_what_a_date_includes(path: str, phone: str) -> None:
    """2026-01-01 00:00:00 and half a millisecond around the two ends of its second second."""
    for at in (1767225600.0, 1767225600.9997, 1767225601.0, 1767225601.9997, 1767225602.0):
        keep(at)
    dates = {"start_datetime_filter": "2026-01-01 00:00:01", "end_datetime_filter": "2026-01-01 00:00:01"}
    found = call(path, phone_number_filter=phone, with_total=1, **dates)
    assert [row["time"] for row in found.data] == ["2026-01-01 00:00:01"] * 2
    assert found.json["total"] == 2


@pytest.mark.usefixtures("table", "asked")
@pytest.mark.parametrize("path", ["/smsoutbox/get", "/smsinbox/get"])
@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-03-29 02:15:00", "2026-03-29 02:45:00", 0),  # Berlin goes from 01:59:59 to 03:00:00
        ("2026-03-29 02:30:00", "2026-03-29 02:30:00", 0),
        ("2026-03-29 02:30:00", "2026-03-29 03:10:00", 1),
        ("2026-03-29 01:00:00", "2026-03-29 02:30:00", 0),
        ("2026-01-01", "2300-01-01", 1),
        ("2300-01-01", "2300-01-02", 0),
        ("1960-01-01", "9999-12-31", 1),
        ("0001-01-01", "0001-01-01", 0),
    ],
)
def test_every_pair_of_dates_that_can_be_written_is_answered(path: str, start: str, end: str, found: int) -> None:
    wiring.accounts().put_account(Account(name="berlin", credential=CHEAP, timezone="Europe/Berlin"))
    keep(1774746300.0, "berlin")  # 03:05:00
    answer = call(path, "berlin", start_datetime_filter=start, end_datetime_filter=end, with_total=1)
    assert (answer.http, len(answer.data), answer.json["total"]) == (200, found, found)


@pytest.mark.usefixtures("asked")
def test_failures_are_counted_where_all_workers_see_them(table: "DynamoDBClient") -> None:
    for _ in range(5):
        call("/sms/get_valid_spans", password="wrong")
    wiring.api.cache_clear()  # another worker
    assert call("/sms/get_valid_spans", password="wrong").http == 429
    rows = table.scan(TableName="Config", FilterExpression="sk = :s", ExpressionAttributeValues={":s": {"S": "TALLY"}})
    assert "acme" not in str(rows["Items"])
    (row,) = (row for row in rows["Items"] if "failures" in row["account"]["S"])
    assert row["count"] == {"N": "5"}
    assert int(row["ttl"]["N"]) > 1_750_000_000


def test_the_handler_is_short() -> None:
    tree = ast.parse(Path(app.__file__).read_text())
    (handler,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    assert handler.end_lineno is not None
    assert handler.end_lineno - handler.lineno < 15
