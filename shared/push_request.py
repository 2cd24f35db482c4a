"""Settings + event → the HTTP request to make, signed. Pure.

The request is that of the API's page: the configured names in its order, then `type`, `id` and `cause`, then the
user-defined text as it is. Signed after Standard Webhooks 1.0, with every live secret.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from shared.push_event import PushEvent
from shared.push_settings import PushSettings, secret_bytes
from shared.timestamps import render

_USER_AGENT = "Spanbridge/1"
# Characters of RFC 3986's pchar and "/", and "%" as what is escaped already stays so.
_IN_A_PATH = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class PushRequest:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


def wanted(settings: PushSettings, event: PushEvent) -> bool:
    """Whether the account wants to be told of this, as its settings are now."""
    switch = {
        "SMS-Status-Result": settings.results_enable,
        "SMS-Status-Report": settings.reports_enable,
        "SMS-Received": settings.inbox_enable,
    }[event.type]
    return bool(settings.enable and settings.url_host and switch)


def build(settings: PushSettings, event: PushEvent, zone: str, now: float) -> PushRequest:
    """The request for one attempt at `now`; another attempt differs in timestamp and signature only."""
    values = _values(settings, event, zone)
    post = settings.url_method == "POST"
    path = quote(settings.url_path, safe=_IN_A_PATH)
    pairs = "" if post else "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in values)
    query = "&".join(filter(None, (pairs, settings.url_user_defined)))
    target = f"{path}?{query}" if query else path
    body = json.dumps(dict(values), ensure_ascii=False, separators=(",", ":")).encode() if post else b""
    headers = {"User-Agent": _USER_AGENT, "Accept": "*/*"}
    if post:
        headers["Content-Type"] = "application/json"
    headers |= signature_headers(settings.secrets(now), event.id, int(now), body if post else target.encode())
    return PushRequest(settings.url_method, settings.endpoint + target, headers, body)


def _values(settings: PushSettings, event: PushEvent, zone: str) -> list[tuple[str, str | int]]:
    """In the order of the page; what has no name is left out."""
    named: list[tuple[str, str | int]] = [
        (settings.url_from_num, event.phone),
        (settings.url_to_num, event.port),
        (settings.url_portname, event.port_name),
        (settings.url_message, event.text),
        (settings.url_time, render(event.at, zone)),
        (settings.url_imsi, event.imsi),
        (settings.url_status, event.status),
        ("type", event.type),
        ("id", event.message_id),
        ("cause", event.cause),
    ]
    return [(name, value) for name, value in named if name]


def signature_headers(secrets: tuple[str, ...], event_id: str, timestamp: int, payload: bytes) -> dict[str, str]:
    """Standard Webhooks headers; without a secret there is no signature, but still the id to tell repeats by."""
    headers = {"webhook-id": event_id, "webhook-timestamp": str(timestamp)}
    signed = f"{event_id}.{timestamp}.".encode() + payload
    digests = (hmac.digest(secret_bytes(secret), signed, hashlib.sha256) for secret in secrets)
    signatures = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
    return headers | ({"webhook-signature": signatures} if signatures else {})
