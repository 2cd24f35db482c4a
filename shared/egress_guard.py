"""Where a push may go: rules on URLs, host names, ports and addresses. Pure; shared/egress.py applies them.

Rule: what is not known to be public is refused. The IPv4 table is IANA's special-purpose registry (RFC 6890 and its
updates) written out, because `ipaddress.is_global` has changed its mind between Python versions; of IPv6 only global
unicast (2000::/3) is allowed, less the parts that tunnel to IPv4 or are set aside.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address

_NOT_PUBLIC = tuple(
    (ip_network(net), what)
    for net, what in {
        "0.0.0.0/8": "unspecified",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "carrier-grade NAT",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local",  # instance metadata and container credentials live here
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved for protocols",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "AS112 sink",
        "192.52.193.0/24": "multicast tunnel",
        "192.88.99.0/24": "6to4 relay",
        "192.168.0.0/16": "private",
        "192.175.48.0/24": "AS112 sink",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved or broadcast",
        "::/128": "unspecified",
        "::1/128": "loopback",
        "::ffff:0:0/96": "IPv4-mapped",
        "::/96": "IPv4-compatible",
        "64:ff9b::/96": "NAT64",
        "64:ff9b:1::/48": "NAT64",
        "fc00::/7": "unique local",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
        "2001::/32": "Teredo",
        "2001::/23": "reserved for protocols",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "2620:4f:8000::/48": "AS112 sink",
        "3fff::/20": "documentation",
    }.items()
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# Services to which an HTTP request is an attack, or that are never a web server: mail, shells, name service, files,
# databases, container and cluster control. 9001 is the Lambda runtime's own endpoint. After the Fetch standard's list.
DENIED_PORTS = frozenset(
    {1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 67, 68, 69, 77, 79, 87, 88, 95}
    | {101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 138, 139, 143, 161, 162, 179, 389, 427}
    | {445, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995}
    | {1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432}
    | {5900, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9001, 10080, 10250, 11211, 27017}
)
DEFAULT_PORTS = {"http": 80, "https": 443}

# What IDNA 2003, which Python speaks, maps to something else, and today's browsers do not (UTS #46 §7, deviations).
_DEVIATING = re.compile("[\u00df\u1e9e\u03c2\u200c\u200d]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRINTABLE = re.compile(r"[\x21-\x7e]*")


class Refused(ValueError):
    """A push may not go there. The text says why, for the person who configured it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be tried: its host as DNS or an address literal spells it, and the exact request target."""

    scheme: str
    host: str
    port: int
    request: str

    @property
    def authority(self) -> str:
        """What the Host header says; the default port is left out (RFC 9110 §7.2, §4.2.3)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_address(address: Address, *, allow_loopback: bool = False) -> None:
    """Raises Refused unless the address is globally routable; loopback too where a local deployment says so."""
    if allow_loopback and address in (ip_network("127.0.0.0/8") if address.version == 4 else ip_network("::1/128")):
        return
    for network, what in _NOT_PUBLIC:
        if address.version == network.version and address in network:
            raise Refused(f"{address} is not a public address ({what})")
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        raise Refused(f"{address} is not a public address (not global unicast)")


def check_port(port: int) -> int:
    if not 1 <= port <= 65535:
        raise Refused(f"port {port} is not between 1 and 65535")
    if port in DENIED_PORTS:
        raise Refused(f"port {port} belongs to another service and is never pushed to")
    return port


def host_of(text: str) -> str:
    """A host name or address literal in the one spelling that is used from here on. Raises Refused, in words that go on
    after "the host" or the key's name.

    Numbers that only some resolvers take for addresses (2130706433, 0x7f.1, 0177.0.0.1) are refused, so that there is
    nothing to disagree about.
    """
    if text.startswith("[") and text.endswith("]"):
        return _literal(text[1:-1], IPv6Address)
    if text.count(":") > 1 and "/" not in text:
        return _literal(text, IPv6Address)
    host = _ascii(text).lower().removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _literal(host, IPv4Address)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("is no host name: give only the name or address, without scheme, port, path or user")
    return host


def _ascii(text: str) -> str:
    if _DEVIATING.search(text):
        raise Refused("has letters that name different hosts to different programs; write it in its xn-- form")
    try:
        return text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        raise Refused("is no host name: it cannot be written as an international domain name") from None


def _literal(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> str:
    try:
        address = kind(text)
    except ValueError:
        raise Refused("is no address: write it as 203.0.113.7 or 2001:db8::7") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise Refused("is an address with a zone, which is local to one machine")
    return str(address)


def literal_address(host: str) -> Address | None:
    """The address that a host from `host_of` is, if it is no name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def target_of(url: str) -> Target:
    """Takes a URL apart and refuses everything two parsers could read differently. Raises Refused."""
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise Refused("the URL has characters that must be percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("the URL cannot be read") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise Refused("the scheme must be http or https")
    if "@" in parts.netloc:
        raise Refused("the URL must not hold a user name or password")
    if "#" in url:
        raise Refused("the URL must not have a fragment")
    if parts.netloc.endswith(":"):
        raise Refused("the port is missing after the colon")
    try:
        host = host_of(parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc)
    except Refused as error:
        raise Refused(f"the host {error}") from None
    query = f"?{parts.query}" if "?" in url else ""
    checked = check_port(DEFAULT_PORTS[parts.scheme] if port is None else port)
    return Target(parts.scheme, host, checked, (parts.path or "/") + query)
