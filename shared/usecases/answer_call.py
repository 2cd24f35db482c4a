"""From a call to its answer. The one place where an exception becomes an envelope."""

from shared.api import Request, SendRow, parse
from shared.envelope import Envelope, HttpAnswer, failure, success
from shared.errors import INTERNAL, TOO_BROAD, UNAVAILABLE, UNKNOWN_PATH, ApiError
from shared.http_call import Body, Call
from shared.ports import TooBroad, Unavailable
from shared.usecases.operations import OPERATIONS, ApiPorts

RETRY_UNAVAILABLE_S = 2.0


def answer(call: Call, ports: ApiPorts) -> HttpAnswer:
    """Never raises: what is unexpected is logged and answered with the reference that the log has."""
    if call.method == "GET" and call.uri == "/openapi.json":
        return _description(ports)
    started = ports.clock.now()
    account, envelope = _answered(call, ports)
    ports.log.answered(
        uri=call.uri if call.uri in OPERATIONS else "unknown",
        code=envelope.code,
        http=envelope.http,
        account=account,
        reference=call.reference,
        seconds=ports.clock.now() - started,
        messages=[row.id for row in envelope.rows if isinstance(row, SendRow) and row.id],
    )
    return envelope.http_answer()


def _answered(call: Call, ports: ApiPorts) -> tuple[str, Envelope]:
    """Whose call it was, empty while nobody is known, and its answer."""
    name = ""
    try:
        body = _body(call)
        who = parse(Request, body)
        account = ports.door.admit(who.username, who.password, call.source)
        name = account.name
        outcome = OPERATIONS[call.uri].carry_out(body, account, ports)
        return name, success(call.uri, outcome, ports.success_code)
    except ApiError as error:
        return name, failure(call.uri, error)
    except TooBroad:
        return name, failure(call.uri, ApiError(TOO_BROAD))
    except Unavailable:
        return name, failure(call.uri, ApiError(UNAVAILABLE, retry_after=RETRY_UNAVAILABLE_S))
    except Exception as fault:  # noqa: BLE001 - the border: whatever it is, the caller gets an envelope
        ports.log.broke(fault, uri=call.uri, reference=call.reference)
        return name, failure(call.uri, ApiError(INTERNAL, reference=call.reference))


def _body(call: Call) -> Body:
    if call.method != "POST" or call.uri not in OPERATIONS:
        raise ApiError(UNKNOWN_PATH)
    body = call.body()
    key = call.headers.get("idempotency-key", "")
    if key and body.get("request_id") in (None, ""):
        body["request_id"] = key
    return body


def _description(ports: ApiPorts) -> HttpAnswer:
    from shared.usecases.describe_api import as_json  # only who asks for it pays for building it

    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "public, max-age=3600"},
        "body": as_json(ports.path_prefix),
        "isBase64Encoded": False,
    }
