"""Verify that a push is from us. Python 3.8 or later, standard library only.

`payload` is what came over the wire, unchanged: the raw body of a POST; for a GET the request target, from the path's
first slash on (`self.path` in http.server, `request.raw_path` + "?" + `query_string` in ASGI frameworks).
"""

import base64
import hashlib
import hmac
import time


def verify(secret, headers, payload, now=None, tolerance=300):
    """True if one of the signatures is right and no older than `tolerance` seconds. `headers`: lower-case names."""
    event_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs((time.time() if now is None else now) - int(timestamp)) > tolerance:
        return False
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    signed = f"{event_id}.{timestamp}.".encode() + payload
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While the secret is being changed there are two signatures, separated by a blank.
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)
