"""Every way a call can end other than well, as one catalogue; `docs/errors.md` is generated from it.

Rule: an error reaches a caller only as a `Kind` of this file. `code` and `name` never change once published; the
sentence may, and always says what to do. Facts put into it are field names, port numbers and the caller's own
destination numbers, never other values.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to end. `retryable`: the same call may succeed later without being changed."""

    code: int
    name: str
    http: int
    retryable: bool
    says: str


class ApiError(Exception):
    """A call that ends with a catalogued error. `facts` fill the sentence; `retry_after` is in seconds."""

    def __init__(self, kind: Kind, *, retry_after: float | None = None, **facts: object) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.retry_after = retry_after
        self.facts = facts

    @property
    def sentence(self) -> str:
        """What the caller reads in `msg`."""
        return self.kind.says.format(**self.facts)


# [C] The page gives no codes: the numbers, and the HTTP status beside each, are chosen here and nowhere else.
# Below 100: the call was carried out and `data` holds its rows; the code only keeps it from being taken for success.
STILL_SENDING = Kind(
    10,
    "still_sending",
    200,
    False,
    "Accepted, but the modem has not answered yet. Do not send it again; look its id up in /smsoutbox/get.",
)
NOT_SENT = Kind(
    11,
    "not_sent",
    200,
    False,
    "{failed} of {total} messages failed; each row's error says why. An 'uncertain' one may have arrived.",
)

BAD_BODY = Kind(
    1000,
    "bad_body",
    400,
    False,
    "The body cannot be read: {problem}. Send one JSON object in UTF-8, or a form (application/x-www-form-urlencoded).",
)
MISSING_FIELD = Kind(1001, "missing_field", 400, False, "The field {field} is missing. Add it to the body.")
BAD_FIELD = Kind(1002, "bad_field", 400, False, "The field {field} {problem}. Correct it and call again.")
BAD_DESTINATION = Kind(
    1003,
    "bad_destination",
    400,
    False,
    "dest_num holds {number}, which is no phone number: an optional + and 2 to 20 digits. Nothing was sent to anyone.",
)
TOO_BROAD = Kind(
    1004,
    "too_broad",
    400,
    False,
    "This filter or page would have to read too many messages. Narrow start_datetime_filter and end_datetime_filter.",
)
BAD_CREDENTIALS = Kind(
    1100,
    "bad_credentials",
    401,
    False,
    "The username or the password is wrong. Check both; after several wrong tries you have to wait between them.",
)
SUSPENDED = Kind(1101, "suspended", 401, False, "This account is suspended. Ask the operator to open it again.")
UNKNOWN_PATH = Kind(
    1200, "unknown_path", 404, False, "There is no such call. Use POST with one of the paths in GET /openapi.json."
)
UNKNOWN_PORT = Kind(
    1201,
    "unknown_port",
    404,
    False,
    "Port {port} is not one of this account's. Take port numbers from /sms/get_valid_spans. Nothing was sent.",
)
REQUEST_ID_REUSED = Kind(
    1300,
    "request_id_reused",
    409,
    False,
    "This request_id came before with another request. Use a new one for each request; nothing was sent by this call.",
)
BODY_TOO_LARGE = Kind(
    1400, "body_too_large", 413, False, "The body is larger than {limit} bytes. Split it over several calls."
)
MESSAGE_TOO_LONG = Kind(
    1401,
    "message_too_long",
    413,
    False,
    "msg needs more than {limit} parts. Shorten it, or send it as several messages.",
)
TOO_MANY_DESTINATIONS = Kind(
    1402,
    "too_many_destinations",
    413,
    False,
    "dest_num holds more than {limit} numbers. Split them over several calls. Nothing was sent to anyone.",
)
TOO_MANY_REQUESTS = Kind(
    1500, "too_many_requests", 429, True, "Too many calls a second for this account. Wait as long as Retry-After says."
)
TOO_MANY_FAILURES = Kind(
    1501,
    "too_many_failures",
    429,
    True,
    "Too many wrong passwords for this account from your address. Wait as long as Retry-After says.",
)
CAP_REACHED = Kind(
    1502,
    "cap_reached",
    429,
    True,
    "Of its parts a {period} this account has {left} left, and this needs {needed}. Wait as long as Retry-After says, "
    "or ask the operator for more. Nothing was sent.",
)
INTERNAL = Kind(
    1600,
    "internal",
    500,
    True,
    "Something broke on our side. Try again later, a send with its request_id; if it stays, tell us {reference}.",
)
UNAVAILABLE = Kind(
    1700,
    "unavailable",
    503,
    True,
    "Something we depend on does not answer right now. Try again in a few seconds, a send with its request_id.",
)
NO_SPAN = Kind(
    1701,
    "no_span_available",
    503,
    True,
    "No span can send this now: {problem}. See /sms/get_valid_spans for each one's reason. Nothing was sent.",
)

CATALOGUE: tuple[Kind, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Kind))


def as_markdown() -> str:
    """The table of `docs/errors.md`."""
    rows = [f"| {k.code} | `{k.name}` | {k.http} | {'yes' if k.retryable else 'no'} | {k.says} |" for k in CATALOGUE]
    return "\n".join([_HEAD, *rows, ""])


_HEAD = """# Errors

Generated from `shared/errors.py` by `python docs/generate.py`; do not edit.

Every answer is `{"uri", "code", "msg", "data"}`, whatever the HTTP status. `code` 0 (or the deployment's `SuccessCode`)
is success. Retry only what says so, and give every `/sms/send` a `request_id`, so that a repeat never sends twice.
Only what the gateway answers by itself is no envelope but `{"message"}`: 429 when all accounts together are throttled,
413 for more than 10 MB, 503 when the function did not answer within 30 s.

| code | name | HTTP | retry | msg |
|---|---|---|---|---|"""
