"""Behind a gateway: sign-in, cookies, redirects, addresses and streams, through a real nginx."""

import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx2
import pytest

from chat.models import Deployment
from tenants.models import AuditEvent, Membership
from tests.chat.answers import ask, wait_for_text
from tests.chat.listener import text_after
from tests.cloud.certificates import Certificate
from tests.conftest import PASSWORD
from tests.gateway.browser import HOST, PUBLIC_URL, Browser, listen
from tests.gateway.conftest import GATEWAY_ADDRESS, OWN_HOST, PLATFORM_ADDRESS, Web
from tests.gateway.nginx import Behaviour, Gateway
from tests.stack import wait_until
from tests.upstream import Gate, Reply, Upstream

SENTENCE = "One two three four five six seven eight"
THREE_WORDS = "One two three"
VISITOR = "127.0.0.2"
# What a client may send of itself.
FORGED = {
    "X-Forwarded-For": f"203.0.113.7, {GATEWAY_ADDRESS}:443, {PLATFORM_ADDRESS}",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "80",
    "X-Original-Host": "evil.example",
    "X-Original-URL": "/admin/",
    "X-Real-Ip": "203.0.113.7",
    "Forwarded": "for=203.0.113.7;host=evil.example;proto=http",
    "X-Ms-Client-Principal-Name": "alice@example.org",
    "X_Forwarded_For": "203.0.113.7",
    "X_Original_Host": "evil.example",
}
Start = Callable[..., Gateway]


@pytest.fixture
def start(web: Web, certificate: Certificate) -> Iterator[Start]:
    """Starts a further nginx; it goes after the test."""
    with ExitStack() as exits:

        def start(backend: str, *, is_tls: bool = True, **behaviour: object) -> Gateway:
            files = certificate._asdict() if is_tls else {}
            gateway = Gateway(backend, **files, behaviour=Behaviour(**behaviour))  # type: ignore[arg-type]  # a test's shorthand
            return exits.enter_context(gateway)

        yield start


def address_of(email: str) -> str | None:
    """Where the failed sign-in with this address came from, by the audit log."""
    return AuditEvent.objects.get(detail={"address": email}).client_address


def test_a_member_signs_in(browser: Browser, member: Membership) -> None:
    answer = browser.sign_in(member.user.email, PASSWORD)

    page = browser.get(answer.headers["Location"], follow_redirects=True)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert page.status_code == 200
    assert member.user.email in page.text


def test_cookies_are_for_https_alone_and_so_is_the_host(
    browser: Browser, member: Membership
) -> None:
    form = browser.get("/accounts/login/")
    signed_in = browser.sign_in(member.user.email, PASSWORD)

    cookies = form.headers.get_list("Set-Cookie") + signed_in.headers.get_list("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"csrftoken", "sessionid"}
    assert all("Secure" in cookie for cookie in cookies)
    assert "max-age=31536000" in form.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("origin", ["https://evil.example", f"http://{HOST}", "null"])
def test_a_form_of_another_origin_is_refused(browser: Browser, origin: str) -> None:
    answer = browser.sign_in("a@example.org", "wrong", Origin=origin)

    assert answer.status_code == 403


def test_http_is_sent_to_the_public_address(start: Start, web: Web, trust: ssl.SSLContext) -> None:
    plain = start(web.url, is_tls=False, source=GATEWAY_ADDRESS, host=OWN_HOST)

    with Browser(plain.url, trust) as browser:
        answer = browser.get("/accounts/login/?next=/acme/")

    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{PUBLIC_URL}/accounts/login/?next=/acme/"


def test_a_gateway_that_names_the_site_by_its_own_host_changes_nothing(
    start: Start, web: Web, member: Membership, trust: ssl.SSLContext
) -> None:
    renaming = start(web.url, source=GATEWAY_ADDRESS, host=OWN_HOST)

    with Browser(renaming.url, trust) as browser:
        answer = browser.sign_in(member.user.email, PASSWORD)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_the_address_of_the_browser_reaches_the_audit_log(
    gateway: Gateway, trust: ssl.SSLContext
) -> None:
    with Browser(gateway.url, trust, source=VISITOR) as browser:
        browser.sign_in("a@example.org", "wrong")

    assert address_of("a@example.org") == VISITOR


def test_what_a_browser_forges_changes_nothing(gateway: Gateway, trust: ssl.SSLContext) -> None:
    with Browser(gateway.url, trust, source=VISITOR) as browser:
        answer = browser.sign_in("a@example.org", "wrong", **FORGED)
        unsafe = browser.get("/admin/login/", headers=FORGED)

    assert answer.status_code == 200
    assert "evil.example" not in answer.text + str(answer.headers) + str(unsafe.headers)
    assert address_of("a@example.org") == VISITOR


def test_who_reaches_web_directly_is_nobody_s_gateway(web: Web) -> None:
    forged = FORGED | {"X-Forwarded-Proto": "https", "X-Original-Host": HOST}

    with httpx2.Client(base_url=web.url) as client:
        named = client.get("/accounts/login/", headers={**forged, "Host": HOST})
        unnamed = client.get("/accounts/login/", headers=forged)

    assert (named.status_code, named.headers["Location"]) == (301, f"{PUBLIC_URL}/accounts/login/")
    assert unnamed.status_code == 400


def test_health_is_told_to_whoever_asks_by_whatever_name(web: Web, gateway: Gateway) -> None:
    with httpx2.Client(base_url=web.url, headers={"Host": "10.52.1.4"}) as platform:
        direct = [platform.get(path) for path in ("/healthz", "/readyz")]
    unverified = httpx2.Client(base_url=gateway.url, verify=False)
    with unverified as probe:
        proxied = [probe.get(path) for path in ("/healthz", "/readyz")]

    assert [answer.status_code for answer in direct + proxied] == [200] * 4


def test_through_app_service_s_front_end_it_is_the_same(
    start: Start, web: Web, trust: ssl.SSLContext
) -> None:
    platform = start(web.url, is_tls=False, source=PLATFORM_ADDRESS, platform_scheme="https")
    gateway = start(platform.url, source=GATEWAY_ADDRESS, host=OWN_HOST)

    with Browser(gateway.url, trust, source=VISITOR) as browser:
        answer = browser.sign_in("a@example.org", "wrong", **FORGED)

    assert answer.status_code == 200
    assert address_of("a@example.org") == VISITOR


def test_who_reaches_app_service_past_the_gateway_is_believed_nothing(
    start: Start, web: Web, trust: ssl.SSLContext
) -> None:
    platform = start(web.url, source=PLATFORM_ADDRESS, platform_scheme="https")

    with Browser(platform.url, trust, source=VISITOR) as browser:
        answer = browser.sign_in("a@example.org", "wrong", **FORGED)
        renamed = browser.get("/accounts/login/", headers={**FORGED, "Host": "evil.example"})

    assert (answer.status_code, renamed.status_code) == (200, 400)
    assert "evil.example" not in answer.text
    assert address_of("a@example.org") == VISITOR


@pytest.fixture
def gate(upstream: Upstream) -> Iterator[Gate]:
    """Holds the model after three words."""
    gate = Gate()
    upstream.next(Reply(SENTENCE, tokens_per_second=20, gate=gate, gate_at=3))
    yield gate
    gate.open()


def test_words_arrive_while_the_model_pauses(
    gateway: Gateway, member: Membership, deployment: Deployment, gate: Gate, trust: ssl.SSLContext
) -> None:
    generation = ask(member)

    with listen(gateway, trust, member, generation) as listener:
        listener.wait_for_text(THREE_WORDS)
        came_before = len(listener.events)
        gate.open()
        listener.wait_for_end()

    assert listener.text == SENTENCE
    assert 0 < came_before < len(listener.events) - 1


def test_a_gateway_that_buffers_answers_holds_them_back(
    start: Start,
    web: Web,
    gateway: Gateway,
    member: Membership,
    deployment: Deployment,
    gate: Gate,
    trust: ssl.SSLContext,
) -> None:
    buffering = start(web.url, source=GATEWAY_ADDRESS, is_buffering=True)
    generation = ask(member)
    late = listen(buffering, trust, member, generation)

    with (
        ThreadPoolExecutor() as threads,
        ExitStack() as exits,
        listen(gateway, trust, member, generation) as good,
    ):
        opened = threads.submit(exits.enter_context, late)
        good.wait_for_text(THREE_WORDS)
        has_begun = opened.done()  # not even the headers have come
        gate.open()
        opened.result()
        late.wait_for_end()

    assert not has_begun
    assert late.text == SENTENCE


def test_a_stream_is_taken_up_again_where_it_was_lost(
    gateway: Gateway, member: Membership, deployment: Deployment, gate: Gate, trust: ssl.SSLContext
) -> None:
    generation = ask(member)
    with listen(gateway, trust, member, generation) as before:
        wait_until(lambda: bool(before.text), what="the first words")
    wait_for_text(generation, THREE_WORDS)

    seen = before.events[-1].id
    with listen(gateway, trust, member, generation, Last_Event_ID=seen) as after:
        gate.open()
        after.wait_for_end()

    assert {event.name for event in after.events} == {"delta", "end"}
    assert text_after(after.events, before.text) == SENTENCE
