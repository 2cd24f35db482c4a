"""The rules on where a push may go: addresses, hosts, ports, URLs."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.egress_guard import Refused, check_address, check_port, host_of, target_of

# From IANA's special-purpose registries, both ends of each range, and the neighbours that are public.
PRIVATE = [
    "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
    "127.255.255.255", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
    "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::a00:1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1",
    "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "febf::1",
    "fec0::1", "ff02::1", "ffff::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:4860:4860::8888", "2600::1", "2a00:1450::1", "2001:200::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_globally_routable_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="not a public address"):
        check_address(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    check_address(ip_address(address))


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_refused_too(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        with pytest.raises(Refused):
            check_address(address)


@given(st.ip_addresses(v=6))
def test_of_ipv6_nothing_outside_global_unicast_passes(address: IPv6Address) -> None:
    if address.is_private or int(address) >> 125 != 1:
        with pytest.raises(Refused):
            check_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_allowed_only_where_the_deployment_says_so(address: str) -> None:
    check_address(ip_address(address), allow_loopback=True)


@pytest.mark.parametrize("address", sorted(set(PRIVATE) - {"127.0.0.1", "127.255.255.255", "::1"}))
def test_allowing_loopback_allows_nothing_else(address: str) -> None:
    with pytest.raises(Refused):
        check_address(ip_address(address), allow_loopback=True)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("sms_in.example.com", "sms_in.example.com"),
        ("8.8.8.8", "8.8.8.8"),
        ("2001:4860:4860:0::8888", "2001:4860:4860::8888"),
        ("[2600::1]", "2600::1"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1und1.example", "1und1.example"),
        ("3com", "3com"),
        ("１２７.０.０.１", "127.0.0.1"),  # full-width digits are digits, and are checked as such afterwards
        ("8。8。8。8", "8.8.8.8"),
    ],
)
def test_a_host_has_one_spelling(written: str, host: str) -> None:
    assert host_of(written) == host


@pytest.mark.parametrize(
    "written",
    [
        "", ".", "..", "a..b", "-a.example", "a-.example", "a b", "a/b", "a?b", "a#b", "a@b", "a\\b", "a%2eb", "a:80",
        "http://a", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "1.2.3.4.5",
        "256.1.1.1", "1.2.3.04", "a.0x", "example.1", "[127.0.0.1]", "[::1", "::1]", "fe80::1%eth0", "[fe80::1%25eth0]",
        ":::", "a" * 64 + ".example", ".".join(["a" * 60] * 5), "\u202e.example", "a\x00b", "a\r\nb",
    ],
)  # fmt: skip
def test_what_is_no_host_or_could_be_read_in_two_ways_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        host_of(written)


@pytest.mark.parametrize("port", [0, -1, 65536, 22, 25, 53, 465, 587, 2375, 5432, 6379, 9001, 10250, 11211])
def test_ports_of_other_services_are_denied(port: int) -> None:
    with pytest.raises(Refused):
        check_port(port)


@pytest.mark.parametrize("port", [80, 81, 443, 1024, 3000, 5000, 8000, 8080, 8443, 9000, 49152, 65535])
def test_ports_that_web_servers_use_are_allowed(port: int) -> None:
    assert check_port(port) == port


def test_a_url_is_taken_apart_without_changing_its_request_target() -> None:
    target = target_of("HTTPS://Example.com:8443/a%2Fb;c/?x=%2B1&y=a+b&&z")
    assert (target.scheme, target.host, target.port) == ("https", "example.com", 8443)
    assert target.request == "/a%2Fb;c/?x=%2B1&y=a+b&&z"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://a.example/", "a.example"),
        ("http://a.example:80/", "a.example"),
        ("https://a.example:80/", "a.example:80"),
        ("https://a.example:443/", "a.example"),
        ("http://[2600::1]:8080/", "[2600::1]:8080"),
    ],
)
def test_the_host_header_names_the_port_unless_it_is_the_schemes_own(url: str, authority: str) -> None:
    assert target_of(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "", "a.example", "//a.example/", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/", "http:///x",
        "http://:80/", "http://a.example:/", "http://a.example:0/", "http://a.example:080x/", "http://a.example:99999/",
        "http://a.example:8080:80/", "http://u@a.example/", "http://u:p@a.example/", "http://@a.example/",
        "http://a.example@127.0.0.1/", "http://127.0.0.1#@a.example/", "http://a.example#/", "http://a.example\\@b/",
        "http://a.example/ b", "http://a.example/\r\nX: y", "http://a.example/\tb", "http://ä.example/", "http://[::1/",
        "javascript:alert(1)", "http://a%2eexample/", "http://a.example:80 80/", "http:\\\\a.example/",
    ],
)  # fmt: skip
def test_a_url_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        target_of(url)


@given(st.text())
def test_any_text_is_either_a_target_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://a.example{text}"):
        try:
            target = target_of(url)
        except Refused:
            continue
        assert target.request.startswith("/") and host_of(target.host) == target.host
