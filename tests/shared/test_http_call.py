"""From a gateway's event to named values."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BAD_BODY, BODY_TOO_LARGE, ApiError, Kind
from shared.http_call import MAX_BODY_BYTES, read
from tests.api_rig import event

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
NOTHING: dict[str, str] = {}


def body_of(body: str | bytes, **more: Any) -> object:
    return read(event("/sms/send", body, **more)).body()


def kind_of(body: str | bytes, **more: Any) -> Kind:
    with pytest.raises(ApiError) as caught:
        body_of(body, **more)
    return caught.value.kind


def test_a_json_object_is_read_as_it_is() -> None:
    assert body_of('{"a": 1, "b": ["x", null], "c": "ü"}') == {"a": 1, "b": ["x", None], "c": "ü"}


def test_base64_bodies_are_decoded() -> None:
    assert body_of("ключ=%D1%8F".encode(), headers=FORM) == {"ключ": "я"}
    assert body_of(json.dumps({"a": "я"}).encode()) == {"a": "я"}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("a=1&b=two+words&c=%2B49", {"a": "1", "b": "two words", "c": "+49"}),
        ("spans%5B%5D=1&spans%5B%5D=2", {"spans": ["1", "2"]}),
        ("spans[]=1", {"spans": ["1"]}),
        ("spans[0]=1&spans[1]=2", {"spans": ["1", "2"]}),
        ("spans=1&spans=2", {"spans": ["1", "2"]}),
        ("a=&b=1", {"a": "", "b": "1"}),
    ],
)
def test_forms_are_read_as_php_python_and_browsers_write_them(form: str, expected: object) -> None:
    assert body_of(form, headers=FORM) == expected
    assert body_of(form, headers=NOTHING) == expected


def test_a_bare_plus_in_a_form_is_the_blank_that_forms_make_of_it() -> None:
    """It is not taken for a plus: a well-written ` 0171 0172`, whose blanks are separators, looks just the same."""
    assert body_of("dest_num=+4917012345", headers=FORM) == {"dest_num": " 4917012345"}
    assert body_of("dest_num=%2B4917012345+0171", headers=FORM) == {"dest_num": "+4917012345 0171"}


def test_json_is_recognised_under_the_label_that_curl_puts_on_it() -> None:
    assert body_of('{"a": 1}', headers=FORM) == {"a": 1}
    assert body_of('{"a": "b=c"}', headers=NOTHING) == {"a": "b=c"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"spans[]": [1]}, [1]),
        ({"spans[]": 1}, [1]),
        ({"spans[0]": 1, "spans[1]": 2}, [1, 2]),
        ({"spans[]": [1, 2], "spans": [3]}, [1, 2, 3]),
        ({"spans": 3, "spans[]": ["1"]}, [3, "1"]),
        ({"spans[]": [1], "spans": None}, [1]),
        ({"spans": None, "spans[]": [1]}, [1]),
        ({"spans[0]": None}, None),
        ({"spans": [[1]]}, [[1]]),
    ],
)
def test_spans_with_brackets_is_spans_in_json_too(body: dict[str, Any], expected: object) -> None:
    assert body_of(json.dumps(body)) == {"spans": expected}


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert body_of(b"\xef\xbb\xbf" + b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "hello",
        "[1]",
        "null",
        '"text"',
        "{",
        '{"a": NaN}',
        '{"a": Infinity}',
        b"\xff\xfe{}",
        '{"a": "\\ud800"}',
        '{"\\udc00": 1}',
        "[" * 100_000,
        '{"a":' * 20_000,
        '{"a": ' + "9" * 5000 + "}",
        b'{"a": "\x00"}',
    ],
)
def test_what_cannot_be_read_is_told_apart_from_a_bad_field(body: str | bytes) -> None:
    assert kind_of(body) is BAD_BODY


_PART = '--x\r\nContent-Disposition: form-data; name="username"\r\n\r\nacme\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("body", "label", "name"),
    [
        (_PART, "multipart/form-data; boundary=x", "multipart/form-data"),
        (_PART, "", "multipart/form-data"),
        ("<send a='b'/>", "application/xml", "XML"),
        ("<?xml version='1.0'?><send/>", "text/xml", "XML"),
        ("<send/>", "application/json", "XML"),
    ],
)
def test_a_body_of_another_format_is_named(body: str, label: str, name: str) -> None:
    with pytest.raises(ApiError) as caught:
        body_of(body, headers={"content-type": label})
    assert caught.value.kind is BAD_BODY
    assert f"it is {name}. Send one JSON object" in caught.value.sentence


def test_what_is_labelled_a_form_is_one_however_it_begins() -> None:
    assert body_of("--a=1&<b=2", headers=FORM) == {"--a": "1", "<b": "2"}


def test_a_form_that_is_not_utf8_is_refused() -> None:
    assert kind_of("msg=%ff", headers=FORM) is BAD_BODY


def test_a_form_of_too_many_fields_is_refused() -> None:
    assert kind_of("&".join(f"a{n}=1" for n in range(2000)), headers=FORM) is BAD_BODY


def test_a_lying_base64_flag_is_refused() -> None:
    happening = event("/sms/send", "not base64!")
    happening["isBase64Encoded"] = True
    with pytest.raises(ApiError) as caught:
        read(happening).body()
    assert caught.value.kind is BAD_BODY


def test_a_large_body_is_refused_before_it_is_parsed() -> None:
    assert kind_of("{" + " " * MAX_BODY_BYTES + "}") is BODY_TOO_LARGE


@pytest.mark.parametrize(
    ("path", "prefix", "uri"),
    [
        ("/sms/send", "", "/sms/send"),
        ("/sms/send/", "", "/sms/send"),
        ("/api/v1/sms/send", "/api/v1", "/sms/send"),
        ("/sms/send", "/api/v1", "/sms/send"),
        ("/api/v1x/sms/send", "/api/v1", "/api/v1x/sms/send"),
        ("/", "", "/"),
        ("/api/v1", "/api/v1", "/api/v1"),
    ],
)
def test_paths_are_the_same_at_the_root_and_under_the_prefix(path: str, prefix: str, uri: str) -> None:
    assert read(event(path, ""), prefix).uri == uri


def test_a_missing_body_is_an_empty_one() -> None:
    happening = event("/sms/send", "")
    del happening["body"]
    assert read(happening).raw == b""


@given(
    st.binary(max_size=300), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain"])
)
def test_any_bytes_become_values_or_an_error_of_ours(raw: bytes, label: str) -> None:
    happening = event("/x", base64.b64encode(raw).decode(), headers={"content-type": label})
    happening["isBase64Encoded"] = True
    try:
        values = read(happening).body()
    except ApiError as error:
        assert error.kind is BAD_BODY
    else:
        json.dumps(values, ensure_ascii=False).encode()
