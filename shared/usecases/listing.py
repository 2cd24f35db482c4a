"""What the two lists, /smsoutbox/get and /smsinbox/get, have in common: filter, page, where a page starts."""

from shared import timestamps
from shared.api import ListRequest
from shared.errors import BAD_FIELD, ApiError
from shared.ports import OutboxFilter


def where(request: ListRequest, zone: str) -> OutboxFilter:
    """[C] Both dates are inclusive; so of an hour that a clock change makes twice, the end is in the second."""
    start, end = request.start_datetime_filter, request.end_datetime_filter
    if start and end and end < start:
        raise ApiError(BAD_FIELD, field="end_datetime_filter", problem="is before start_datetime_filter")
    return OutboxFilter(
        phone=request.phone_number_filter,
        start=None if start is None else timestamps.to_epoch(start, zone),
        end=None if end is None else timestamps.to_epoch(end, zone, last=True),
    )


def skip(request: ListRequest) -> int:
    return (request.current_page - 1) * request.page_size
