"""Which hops are believed, read from one request's peer and headers."""

import asyncio
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest

from portal.gateway import MOST_HOPS, ForwardedHeaders, Scope, Trust

GATEWAY, PLATFORM, PERSON = "10.52.0.4", "169.254.130.1", "203.0.113.7"
AZURE = Trust(
    gateway=[ip_network("10.52.0.0/24"), ip_network("fd00:52::/64")],
    platform=[ip_network("169.254.0.0/16")],
)
NOBODY = Trust()


async def receive() -> Mapping[str, Any]:
    """Nothing comes from the browser."""
    return {}


async def send(message: Mapping[str, Any]) -> None:
    """Nothing goes to the browser."""


def passed_on(
    headers: list[tuple[str, str]], *, peer: str = PLATFORM, trust: Trust = AZURE
) -> Scope:
    """The scope that the portal gets, for a request over http from this peer."""
    got: list[Scope] = []

    async def portal(scope: Scope, receive: object, send: object) -> None:
        got.append(scope)

    sent = [(name.lower().encode(), value.encode("latin1")) for name, value in headers]
    scope = {"type": "http", "scheme": "http", "client": (peer, 4711), "headers": sent}
    asyncio.run(ForwardedHeaders(portal, trust)(scope, receive, send))
    return got[0]


def client_of(forwarded_for: str, **options: Any) -> str:
    """The client's address, for this X-Forwarded-For."""
    return str(passed_on([("X-Forwarded-For", forwarded_for)], **options)["client"][0])


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (f"{PERSON}:50123, {GATEWAY}:33000", (PERSON, 50123)),
        (f"{PERSON}, {GATEWAY}", (PERSON, 0)),
        (f"[2001:db8::5]:443,{GATEWAY}:1", ("2001:db8::5", 443)),
        (f"2001:db8::5, {GATEWAY}:1", ("2001:db8::5", 0)),
        ("[2001:db8::5], [fd00:52::9]:1", ("2001:db8::5", 0)),
        (f"::ffff:{PERSON}, ::ffff:{GATEWAY}", (PERSON, 0)),
        (f"1.1.1.1, {PERSON}:1, 10.52.0.5:1, {GATEWAY}:1", (PERSON, 1)),
        (f"{PERSON}:1", (PERSON, 1)),
    ],
)
def test_the_client_is_the_first_hop_before_platform_and_gateway(
    forwarded_for: str, client: tuple[str, int]
) -> None:
    assert passed_on([("X-Forwarded-For", forwarded_for)])["client"] == client


def test_what_a_client_puts_in_front_is_not_looked_at() -> None:
    forged = f"{GATEWAY}, 8.8.8.8, {PLATFORM}"

    assert client_of(f"{forged}, {PERSON}:1, {GATEWAY}:1") == PERSON
    assert client_of(f"{forged}, {PERSON}:1") == PERSON
    assert client_of(forged, peer=PERSON) == PERSON


@pytest.mark.parametrize(
    "broken",
    ["", " ", "unknown", "_hidden", "1.2.3", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:999999", "[::1",
     "[::1]x", "::1%eth0", "1.2.3.4;DROP", "\x00", "é", "1.2.3.4 5.6.7.8", "[1.2.3.4]:1:2"],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_ends_the_list(broken: str) -> None:
    assert client_of(f"{PERSON}, {broken}, {GATEWAY}:1") == GATEWAY
    assert client_of(f"{PERSON}, {GATEWAY}, {broken}") == PLATFORM


def test_a_list_of_any_length_is_read_from_its_end_only() -> None:
    endless = ", ".join([GATEWAY] * 100_000)

    assert client_of(f"{PERSON}, {endless}") == GATEWAY
    assert client_of(", ".join([PERSON, *[GATEWAY] * (MOST_HOPS - 1)])) == PERSON


def test_several_lines_are_one_list() -> None:
    lines = [("X-Forwarded-For", PERSON), ("X-Forwarded-For", f"{GATEWAY}:1")]

    assert passed_on(lines)["client"] == (PERSON, 0)


@pytest.mark.parametrize("peer", [PERSON, "", "testclient", "::1"])
def test_without_networks_nothing_is_believed(peer: str) -> None:
    headers = [
        ("Host", "portal.example"),
        ("X-Forwarded-For", "8.8.8.8"),
        ("X-Forwarded-Proto", "https"),
        ("X-Original-Host", "evil.example"),
    ]

    scope = passed_on(headers, peer=peer, trust=NOBODY)

    assert (scope["scheme"], scope["client"]) == ("http", (peer, 4711))
    assert scope["headers"] == [(b"host", b"portal.example")]


@pytest.mark.parametrize(
    ("said", "scheme"),
    [
        (["https"], "https"),
        (["HTTPS "], "https"),
        (["http"], "http"),
        (["http, https"], "https"),
        (["https", "http"], "http"),
        (["ftp"], "http"),
        (["javascript:"], "http"),
        ([], "http"),
    ],
)
def test_the_scheme_is_what_the_nearest_hop_says(said: list[str], scheme: str) -> None:
    headers = [("X-Forwarded-Proto", value) for value in said]

    assert passed_on(headers)["scheme"] == scheme
    assert passed_on(headers, peer=GATEWAY)["scheme"] == scheme
    assert passed_on(headers, peer=PERSON)["scheme"] == "http"


def host_of(sender: str, *, peer: str = PLATFORM) -> list[bytes]:
    """Every Host that is passed on, where this sender names an original one."""
    headers = [
        ("Host", "site.azurewebsites.net"),
        ("X-Original-Host", "first.example"),
        ("X-Original-Host", "atrium.example.org"),
        ("X-Forwarded-For", f"{PERSON}, {sender}"),
    ]
    scope = passed_on(headers, peer=peer)
    return [value for name, value in scope["headers"] if name == b"host"]


def test_the_host_is_the_one_that_the_gateway_was_asked_for() -> None:
    assert host_of(GATEWAY) == [b"atrium.example.org"]
    assert host_of("8.8.8.8") == [b"site.azurewebsites.net"]
    assert host_of(GATEWAY, peer=PERSON) == [b"site.azurewebsites.net"]


@pytest.mark.parametrize("peer", [PLATFORM, GATEWAY, PERSON])
def test_nobody_behind_sees_headers_that_tell_of_hops_or_people(peer: str) -> None:
    names = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-User",
             "X-Original-Host", "X-Original-URL", "Forwarded", "X-Real-Ip", "X-Client-Ip",
             "X-Ms-Client-Principal", "X-Ms-Client-Principal-Name", "X_Forwarded_For",
             "X_Ms_Client_Principal", "X-Forwarded_Proto"]  # fmt: skip
    kept = [("Cookie", "a=b"), ("X-Requested-With", "fetch"), ("X-Request-Id", "12345678")]

    scope = passed_on([*[(name, "evil") for name in names], *kept], peer=peer)

    seen = [header for header in scope["headers"] if header[0] != b"host"]
    assert seen == [(name.lower().encode(), value.encode()) for name, value in kept]


def test_a_peer_in_a_local_network_card_s_name_is_still_an_address() -> None:
    assert client_of(PERSON, peer="fe80::1%eth0") == "fe80::1"


def test_what_is_no_request_is_passed_on_as_it_is() -> None:
    got: list[Scope] = []

    async def portal(scope: Scope, receive: object, send: object) -> None:
        got.append(scope)

    asyncio.run(ForwardedHeaders(portal, AZURE)({"type": "lifespan"}, receive, send))

    assert got == [{"type": "lifespan"}]
