"""What requests may look like, and how a fault in one is told."""

from datetime import datetime
from typing import Any

import pytest

from shared.api import ConfigRow, OutboxRequest, SendRequest, SetConfigRequest, parse
from shared.api_fields import MAX_DESTINATIONS
from shared.errors import BAD_DESTINATION, BAD_FIELD, MISSING_FIELD, TOO_MANY_DESTINATIONS, ApiError
from shared.push_settings import KEYS

WHO = {"username": "acme", "password": "x"}
SEND = {**WHO, "dest_num": "+4917012345", "msg": "hello"}


def sending(**body: Any) -> SendRequest:
    return parse(SendRequest, {**SEND, **body})


def fault(**body: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        sending(**body)
    return caught.value


@pytest.mark.parametrize(
    ("given", "ports"),
    [
        ([1, 2], (1, 2)),
        (["1", " 2 "], (1, 2)),
        (3, (3,)),
        ("3", (3,)),
        ("1,2", (1, 2)),
        ([1, 1.0, "1"], (1,)),
        ([], ()),
        ("", ()),
        (None, ()),
    ],
)
def test_spans_are_read_however_callers_write_them(given: Any, ports: tuple[int, ...]) -> None:
    assert sending(spans=given).spans == ports


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ("111", ("111",)),
        ("+4917012345,222;333|444 555\n666", ("+4917012345", "222", "333", "444", "555", "666")),
        (" 111 ,, 222 ", ("111", "222")),
        (10086, ("10086",)),
        ("12", ("12",)),
        ("1" * 20, ("1" * 20,)),
        ("111,111", ("111",)),
    ],
)
def test_destinations_stand_between_commas_semicolons_bars_spaces_and_newlines(
    given: Any, numbers: tuple[str, ...]
) -> None:
    assert sending(dest_num=given).dest_num == numbers


@pytest.mark.parametrize("bad", ["1", "1" * 21, "++49", "49+", "12a", "(030)12", "١٢٣", "+", "4-5", "12\u200b3"])
def test_one_bad_number_refuses_all_of_them_and_is_named(bad: str) -> None:
    error = fault(dest_num=f"111,{bad},222")
    assert error.kind is BAD_DESTINATION
    assert repr(bad)[:20] in error.sentence


def test_more_destinations_than_one_transaction_takes_are_refused() -> None:
    assert len(sending(dest_num=",".join(f"1{n:04}" for n in range(MAX_DESTINATIONS))).dest_num) == MAX_DESTINATIONS
    assert fault(dest_num=",".join(f"1{n:04}" for n in range(MAX_DESTINATIONS + 1))).kind is TOO_MANY_DESTINATIONS


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("mode", 2, "0 or 1"),
        ("mode", "yes", "whole number; text of 3"),
        ("mode", [1], "whole number; a list of 1"),
        ("mode", 0.5, "whole number; a number"),
        ("msg", "", "not be empty"),
        ("msg", ["x"], "text; a list"),
        ("msg", {"a": 1}, "text; an object"),
        ("msg", True, "text; true or false"),
        ("dest_num", " ,; ", "at least one"),
        ("dest_num", "", "at least one"),
        ("dest_num", [111], "text; a list"),
        ("valid_for", 0, "1 at least"),
        ("valid_for", 10**9, "604800 at most"),
        ("valid_for", 10**30, "whole number"),
        ("spans", ["x"], "whole number"),
        ("spans", [True], "whole number"),
        ("spans", {"a": 1}, "whole number; an object"),
        ("report", "maybe", "whole number"),
        ("dry_run", -1, "0 or 1"),
        ("request_id", "k" * 129, "128 characters"),
        ("password", "p" * 257, "256 characters"),
    ],
)
def test_a_bad_field_is_named_with_what_it_must_be_and_what_kind_of_value_came(
    field: str, value: Any, words: str
) -> None:
    error = fault(**{field: value})
    assert error.kind is BAD_FIELD
    assert f"The field {field} " in error.sentence
    assert words in error.sentence


@pytest.mark.parametrize("field", ["username", "password", "dest_num", "msg"])
def test_a_missing_field_is_named(field: str) -> None:
    error = fault(**{field: None})
    assert error.kind is MISSING_FIELD
    assert field in error.sentence


@pytest.mark.parametrize("given", [1, "1", " 1 ", 1.0, True])
def test_flags_are_numbers_numeric_text_or_truth_values(given: Any) -> None:
    assert sending(mode=given).mode == 1


def test_a_number_written_as_a_number_is_taken_for_its_digits() -> None:
    assert sending(msg=123456).msg == "123456"


def test_blank_optionals_are_left_out() -> None:
    request = parse(
        OutboxRequest,
        {
            **WHO,
            "current_page": "",
            "phone_number_filter": "",
            "start_datetime_filter": "",
            "end_datetime_filter": None,
        },
    )
    assert (request.current_page, request.phone_number_filter, request.start_datetime_filter) == (1, "", None)
    assert request.end_datetime_filter is None


def test_unknown_keys_are_ignored() -> None:
    assert sending(colour="blue").msg == "hello"


def test_filters_are_read() -> None:
    request = parse(OutboxRequest, {**WHO, "current_page": "2", "phone_number_filter": " +49** ", "page_size": "100"})
    assert (request.current_page, request.phone_number_filter, request.page_size) == (2, "+49*", 100)
    dated = parse(OutboxRequest, {**WHO, "start_datetime_filter": "26/1/3", "end_datetime_filter": "2026-1-3 10:00:00"})
    assert dated.start_datetime_filter == datetime(2026, 1, 3)
    assert dated.end_datetime_filter == datetime(2026, 1, 3, 10, 0, 0, 999999)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("current_page", 0),
        ("current_page", -1),
        ("page_size", 0),
        ("page_size", 101),
        ("start_datetime_filter", "soon"),
    ],
)
def test_a_page_or_a_time_that_cannot_be_is_named(field: str, value: Any) -> None:
    with pytest.raises(ApiError) as caught:
        parse(OutboxRequest, {**WHO, field: value})
    assert caught.value.kind is BAD_FIELD
    assert field in caught.value.sentence


def test_a_filter_that_is_too_long_is_told_how_many_characters_it_may_have() -> None:
    with pytest.raises(ApiError) as caught:
        parse(OutboxRequest, {**WHO, "phone_number_filter": "4" * 65})
    assert "phone_number_filter must have at most 64 characters" in caught.value.sentence


def test_in_settings_a_blank_is_a_value_and_a_null_is_not() -> None:
    request = parse(SetConfigRequest, {**WHO, "url_imsi": "", "url_host": None, "enable": "1"})
    assert request.model_dump(exclude_unset=True, exclude={"username", "password"}) == {"url_imsi": "", "enable": 1}


def test_the_models_know_every_setting_there_is() -> None:
    assert tuple(ConfigRow.model_fields) == (*KEYS, "signing_secret_set")
    assert set(SetConfigRequest.model_fields) - {"username", "password"} == {*KEYS, "signing_secret"}


def test_neither_password_nor_text_nor_number_shows_when_a_request_is_printed() -> None:
    shown = repr(sending(msg="secret text", password="secret word"))
    assert "secret" not in shown
    assert "4917012345" not in shown
