"""Request and response models of each endpoint, from which `docs/openapi.json` is generated too.

Rule: a request forgives (unknown keys, numbers as text, blank optionals); an answer has every key, always, of one type.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.api_fields import Destinations, First, Flag, Last, Pattern, Ports, Text, Whole, described
from shared.errors import BAD_FIELD, MISSING_FIELD, ApiError
from shared.http_call import Value

DEFAULT_VALID_FOR = 4 * 3600
MAX_VALID_FOR = 7 * 24 * 3600
PAGE_SIZE = 10  # [C]
MAX_PAGE_SIZE = 100

_Request = TypeVar("_Request", bound="Request")


class Request(BaseModel):
    """What every call carries. [C] Unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)
    blank_is_left_out: ClassVar[bool] = True

    username: Text = Field(min_length=1, max_length=64)
    password: Text = Field(min_length=1, max_length=256, repr=False)


class SpansRequest(Request):
    """POST /sms/get_valid_spans"""


class GetConfigRequest(Request):
    """POST /smsoutbox/get_config"""


class SendRequest(Request):
    """POST /sms/send"""

    spans: Ports = Field((), description="Ports of the pool; none means any available one. `spans[]` is the same key.")
    dest_num: Destinations = Field(
        repr=False, description="One number or several, with comma, semicolon, space, newline or | between."
    )
    msg: Text = Field(min_length=1, repr=False)
    mode: Flag = Field(
        0, description="0 answers once the message is durably accepted, 1 once the modem took or refused it."
    )
    request_id: Text = Field("", max_length=128, description="Idempotency key, also as the header Idempotency-Key.")
    valid_for: Whole = Field(DEFAULT_VALID_FOR, ge=1, le=MAX_VALID_FOR, description="Seconds; not sent after that.")
    report: Flag = Field(1, description="1 asks the network for a delivery report.")
    dry_run: Flag = Field(0, description="1 checks and counts parts, and sends nothing.")


class ListRequest(Request):
    """POST /smsinbox/get"""

    current_page: Whole = Field(1, ge=1, le=10**9)
    page_size: Whole = Field(PAGE_SIZE, ge=1, le=MAX_PAGE_SIZE)
    phone_number_filter: Pattern = Field("", description="Matches exactly; * stands for any run of characters.")
    start_datetime_filter: First = Field(None, description="Inclusive.")
    end_datetime_filter: Last = Field(None, description="Inclusive.")
    with_total: Flag = Field(0, description="1 adds the key `total` to the envelope.")


class OutboxRequest(ListRequest):
    """POST /smsoutbox/get"""

    include_pending: Flag = Field(0, description="1 adds the messages that are still SENDING.")


class SetConfigRequest(Request):
    """POST /smsoutbox/set_config: keys left out keep their value, so a blank one is a value here."""

    blank_is_left_out: ClassVar[bool] = False

    enable: Flag | None = Field(None, description="0 switches off everything.")
    reports_enable: Flag | None = Field(None, description="Push delivery reports.")
    results_enable: Flag | None = Field(None, description="Push what the modem answered.")
    inbox_enable: Flag | None = Field(None, description="Push received messages.")
    url_http: Text | None = Field(None, description="http or https")
    url_host: Text | None = None
    url_port: Text | None = Field(None, description="Empty for the scheme's own.")
    url_path: Text | None = None
    url_from_num: Text | None = Field(None, description="Name of the parameter for the remote phone number.")
    url_to_num: Text | None = Field(None, description="Name of the parameter for the port number.")
    url_portname: Text | None = Field(None, description="Name of the parameter for the port's name.")
    url_message: Text | None = Field(None, description="Name of the parameter for the text.")
    url_time: Text | None = Field(None, description="Name of the parameter for the time.")
    url_imsi: Text | None = Field(None, description="Name of the parameter for the IMSI.")
    url_status: Text | None = Field(None, description="Name of the parameter for the status.")
    url_user_defined: Text | None = Field(None, description="key=value&… appended to the query as it is.")
    url_method: Text | None = Field(None, description="GET or POST")
    signing_secret: Text | None = Field(None, repr=False, description="Never read back; empty ends signing.")


class Row(BaseModel):
    """Base of what `data` holds."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class SpanRow(Row):
    """One span of the account."""

    port: int
    port_name: str
    status: Literal[0, 1]
    site: str
    reason: str
    operator: str
    signal_dbm: int | None
    imsi: str
    queue: int
    last_seen: str


StatusWord = Literal["SENDING", "SENT", "DELIVERD", "FAILED"]


class SendRow(Row):
    """One destination. A dry run has neither id nor status."""

    id: str | None = Field(None, exclude_if=lambda value: value is None)
    phonenumber: str
    port: int
    port_name: str
    status: StatusWord | None = Field(None, exclude_if=lambda value: value is None)
    parts: int
    error: str | None = Field(None, exclude_if=lambda value: value is None)


class OutboxRow(Row):
    """One message whose attempt has ended, or with `include_pending` has not."""

    port_name: str
    phonenumber: str
    time: str
    message: str
    status: StatusWord
    id: str
    port: int
    parts: int
    delivered_time: str
    error: str | None = Field(None, exclude_if=lambda value: value is None)


class InboxRow(Row):
    """One received message."""

    port_name: str
    phonenumber: str
    time: str
    message: str
    id: str
    port: int


class ConfigRow(Row):
    """The push settings. The secret itself is never told."""

    enable: Literal[0, 1]
    reports_enable: Literal[0, 1]
    results_enable: Literal[0, 1]
    inbox_enable: Literal[0, 1]
    url_http: Literal["http", "https"]
    url_host: str
    url_port: str
    url_path: str
    url_from_num: str
    url_to_num: str
    url_portname: str
    url_message: str
    url_time: str
    url_imsi: str
    url_status: str
    url_user_defined: str
    url_method: Literal["GET", "POST"]
    signing_secret_set: Literal[0, 1]


def parse(model: type[_Request], body: Mapping[str, Value]) -> _Request:
    """The request in a body. Raises ApiError naming the first field that is wrong."""
    given = {name: value for name, value in body.items() if not _is_blank(model, name, value)}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _first_fault(error) from None


def _is_blank(model: type[Request], name: str, value: Value) -> bool:
    """[C] Null, or a blank where the key may be left out, is a key left out: forms send their empty inputs too."""
    field = model.model_fields.get(name)
    optional = model.blank_is_left_out and field is not None and not field.is_required()
    return value is None or (value == "" and optional)


_WORDS = {
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} entries",
    "greater_than_equal": "must be {ge} at least",
    "less_than_equal": "must be {le} at most",
}


def _first_fault(error: ValidationError) -> ApiError:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else "body"
    if first["type"] == "missing":
        return ApiError(MISSING_FIELD, field=field)
    context = first.get("ctx", {})
    words = _WORDS.get(first["type"])
    problem = words.format(**context) if words else str(context.get("error", f"cannot be {described(first['input'])}"))
    return ApiError(BAD_FIELD, field=field, problem=problem)
