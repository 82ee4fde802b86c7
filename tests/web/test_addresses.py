"""Addresses that follow the request, and nobody's header but a trusted proxy's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.web.addresses import Addresses, Host
from exstream.web.deps import is_near


def scope(client: str = "192.168.1.9", **headers: str) -> dict[str, Any]:
    """Make a request's scope; underscores in header names stand for hyphens."""
    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "scheme": "http",
        "headers": raw,
        "client": (client, 40_000),
        "server": ("::ffff:192.168.1.5", 8411),
    }


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("tv.lan:8411", "http://tv.lan:8411"),
        ("192.168.1.5:8411", "http://192.168.1.5:8411"),
        ("[fd00::5]:8411", "http://[fd00::5]:8411"),
        ("TV", "http://tv"),
        ("my_box.local:80", "http://my_box.local:80"),
        ("evil.example/path", "http://192.168.1.5:8411"),
        ("user@evil.example", "http://192.168.1.5:8411"),
        ('a"><script>', "http://192.168.1.5:8411"),
        ("a:99999", "http://192.168.1.5:8411"),
        ("[fd00::zz]", "http://192.168.1.5:8411"),
        ("", "http://192.168.1.5:8411"),
    ],
)
def test_the_base_address_is_the_one_that_was_asked_for(host: str, base: str) -> None:
    """A well-formed Host header is what the client can reach; anything else gives way to the socket's address."""
    assert Addresses().base(scope(host=host)) == base


def test_a_stranger_cannot_forward() -> None:
    """Forwarding headers of a client that is no trusted proxy are ignored."""
    request = scope(host="tv.lan", X_Forwarded_Host="evil.example", X_Forwarded_Proto="https")
    assert Addresses().base(request) == "http://tv.lan"
    assert Addresses(trusted_proxies=["10.0.0.0/8"]).base(request) == "http://tv.lan"


def test_a_trusted_proxy_says_what_the_client_asked_for() -> None:
    """Scheme, host and prefix come from a proxy in the settings, also over IPv4-mapped sockets."""
    request = scope(
        "::ffff:10.0.0.2",
        host="127.0.0.1:8411",
        X_Forwarded_Host="tv.example.org, inner",
        X_Forwarded_Proto="https",
        X_Forwarded_Prefix="/tv/",
    )
    assert Addresses(trusted_proxies=["10.0.0.2"]).base(request) == "https://tv.example.org/tv"


def test_a_trusted_proxy_cannot_break_out_of_an_address() -> None:
    """Malformed forwarding headers fall back instead of going into a playlist."""
    request = scope(
        "10.0.0.2",
        host="tv.lan",
        X_Forwarded_Host="a b",
        X_Forwarded_Proto="javascript",
        X_Forwarded_Prefix='/"x',
    )
    assert Addresses(trusted_proxies=["10.0.0.2"]).base(request) == "http://192.168.1.5:8411"


def test_a_fixed_address_wins() -> None:
    """The address of the settings is used whatever the request says."""
    assert Addresses(fixed="https://tv.example.org/x/").base(scope(host="a")) == "https://tv.example.org/x"


@given(st.text(max_size=60))
def test_no_host_header_puts_more_than_a_host_into_an_address(text: str) -> None:
    """Whatever stands in a Host header, an address has no quote, space, slash, query or user in it."""
    host = Host.parse(text)
    if host is not None:
        assert not set(str(host)) & set("/?#@\"'<> \\%\r\n")
        assert Host.parse(str(host)) == host


@pytest.mark.parametrize(
    "name", ["localhost", "tv", "tv.local", "a.tv.lan", "nas.home.arpa", "10.1.2.3", "[fe80::1]"]
)
def test_names_of_a_home_network_are_homely(name: str) -> None:
    """Addresses, single labels and a home network's suffixes cannot be rebound by a stranger."""
    host = Host.parse(name)
    assert host is not None
    assert host.is_homely


@pytest.mark.parametrize(
    "name", ["evil.example", "lan.evil.example", "localhost.evil.example", "xlocal.org", "10.1.2.3.nip.io"]
)
def test_names_of_the_internet_are_not_homely(name: str) -> None:
    """A public name may point anywhere tomorrow."""
    host = Host.parse(name)
    assert host is not None
    assert not host.is_homely


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.1.1",
        "::1",
        "fd12::1",
        "fe80::1%eth0",
        "::ffff:192.168.0.1",
    ],
)
def test_near_addresses_may_enter(address: str) -> None:
    """Loopback, private and link-local addresses are near, also in their IPv6 mapping."""
    assert is_near(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "192.169.0.1",
        "100.64.0.1",
        "2001:db8::1",
        "::ffff:8.8.8.8",
        "0.0.0.0",
        "",
        "unix",
        "::",
    ],
)
def test_far_addresses_may_not(address: str) -> None:
    """Public and unreadable addresses are not near."""
    assert not is_near(address)
