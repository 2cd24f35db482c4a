"""Passwords: a salted, memory-hard hash that carries its own parameters, and what else the door compares.

Rule: a password is hashed and forgotten; whatever is compared is compared in constant time.
"""

import base64
import hashlib
import hmac
import ipaddress
import secrets

# One of the settings that OWASP's Password Storage Cheat Sheet holds equal; this one asks least of a small function:
# 16 MiB and about 0.2 s of one processor.
_N, _R, _P = 2**14, 8, 5
_SALT_BYTES, _KEY_BYTES = 16, 32
_MAX_MEMORY = 256 * 1024 * 1024


def encode(password: str, *, n: int = _N, r: int = _R, p: int = _P) -> str:
    """`scrypt$n$r$p$salt$key`, with a new salt."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"scrypt${n}${r}${p}${_text(salt)}${_text(_key(password, salt, n, r, p))}"


def verify(password: str, encoded: str) -> bool:
    """Whether it is this password. ValueError when `encoded` is not of `encode`'s making."""
    kind, n, r, p, salt, key = encoded.split("$")
    if kind != "scrypt":
        raise ValueError(f"a credential of kind {kind}")
    made = _key(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(made, base64.b64decode(key))


# No password fits it. An unknown user is checked against it, so that the answer takes as long as for a known one.
NOBODY = f"scrypt${_N}${_R}${_P}${base64.b64encode(bytes(_SALT_BYTES)).decode()}${base64.b64encode(bytes(31)).decode()}"


def proof(process_key: bytes, *parts: str) -> bytes:
    """What is remembered instead of a password: worthless without a key that lives and dies with this process."""
    return hashlib.blake2b("\0".join(parts).encode(), key=process_key, digest_size=32).digest()


def source(address: str) -> str:
    """Who a caller is as far as failures count: the address, or of IPv6 the /64 that one customer line has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=_KEY_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
