"""Following an answer over HTTP: the stream's headers, resumption, end, and who may."""

import http.client
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from chat import services, tasks
from chat.models import Conversation, Deployment, Generation
from chat.streams.connection import client as redis_client
from portal.embedded import ports
from portal.embedded.processes import Child, Program
from tenants.models import Membership
from tests.chat.answers import ask, text_of, wait_for_end, wait_for_text
from tests.chat.held import SENTENCE, THREE_WORDS, gate, half
from tests.chat.listener import Heard, Listener, cookie_of, events_path, follow, text_after
from tests.client import PortalClient
from tests.conftest import Queue
from tests.stack import Stack, address_of_test_database, wait_until
from tests.upstream import Gate, Reply, Upstream, refusals

__all__ = ["gate", "half"]  # fixtures


def test_a_stream_goes_from_the_first_event_to_its_end(
    stack: Stack, member: Membership, half: Generation, gate: Gate
) -> None:
    with follow(stack.url, member, half) as listener:
        listener.wait_for_text(THREE_WORDS)
        gate.open()
        end = listener.wait_for_end()

    assert listener.text == SENTENCE
    assert (listener.events[-1].id, end) == ("end", {"status": "completed", "error_code": ""})


def test_no_proxy_may_store_or_compress_a_stream(
    stack: Stack, member: Membership, half: Generation, gate: Gate
) -> None:
    with follow(stack.url, member, half, Accept_Encoding="gzip, br, deflate") as listener:
        gate.open()
        listener.wait_for_end()

    assert listener.status == 200
    assert listener.headers["Content-Type"] == "text/event-stream"
    assert listener.headers["Cache-Control"] == "no-cache, no-transform"
    assert listener.headers["Content-Encoding"] is None
    assert listener.headers["X-Accel-Buffering"] == "no"


def test_two_listeners_hear_the_same(
    stack: Stack, member: Membership, half: Generation, gate: Gate
) -> None:
    with follow(stack.url, member, half) as first, follow(stack.url, member, half) as second:
        first.wait_for_text(THREE_WORDS)
        second.wait_for_text(THREE_WORDS)
        gate.open()

        assert first.wait_for_end() == second.wait_for_end()

    assert first.text == second.text == SENTENCE


def test_a_stream_resumes_after_the_last_event_that_was_seen(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.always(Reply(SENTENCE, tokens_per_second=20, gate=gate, gate_at=6))
    generation = ask(member)
    with follow(stack.url, member, generation) as before:
        wait_until(lambda: bool(before.text), what="the first words")
    wait_for_text(generation, "One two three four five six")

    with follow(stack.url, member, generation, Last_Event_ID=before.events[-1].id) as after:
        gate.open()
        after.wait_for_end()

    *following, end = after.events
    assert end.name == "end"
    assert place_of(following[0]) > place_of(before.events[-1]), "an event came again"
    assert text_after(after.events, before.text) == SENTENCE


def place_of(event: Heard) -> list[int]:
    """Where in its stream an event is."""
    return [int(part) for part in event.id.split("-")]


@pytest.mark.parametrize("unknown", ["1-1", "9999999999999-0", "end", "nonsense", "-", "0-0"])
def test_an_unknown_last_event_id_replays_from_the_beginning(
    stack: Stack, member: Membership, half: Generation, gate: Gate, unknown: str
) -> None:
    with follow(stack.url, member, half, Last_Event_ID=unknown) as listener:
        listener.wait_for_text(THREE_WORDS)
        gate.open()
        listener.wait_for_end()

    assert listener.text == SENTENCE


def test_after_the_end_event_there_is_nothing_more(
    stack: Stack, member: Membership, conversation: Conversation
) -> None:
    generation = conversation.generations.get()
    wait_for_end(generation)

    with follow(stack.url, member, generation, Last_Event_ID="end") as listener:
        wait_until(lambda: listener.is_closed or listener.status == 204)

    assert (listener.status, listener.events) == (204, [])


def test_a_finished_answer_comes_from_the_database_when_redis_has_forgotten_it(
    stack: Stack, member: Membership, conversation: Conversation
) -> None:
    generation = conversation.generations.get()
    wait_for_end(generation)
    redis_client().flushall()

    with follow(stack.url, member, generation) as listener:
        end = listener.wait_for_end()

    assert listener.text == text_of(generation) == "Hello from the model."
    assert end["status"] == "completed"


def test_the_end_of_a_run_that_is_stopped_or_deleted_is_heard(
    stack: Stack, member: Membership, half: Generation
) -> None:
    other = ask(member)
    wait_for_text(other, THREE_WORDS)
    with follow(stack.url, member, half) as stopped, follow(stack.url, member, other) as deleted:
        stopped.wait_for_text(THREE_WORDS)
        deleted.wait_for_text(THREE_WORDS)
        services.stop_generation(generation=half)
        services.delete_conversation(actor=member, conversation=other.conversation)

        assert stopped.wait_for_end()["status"] == "stopped"
        assert deleted.wait_for_end()["status"] == "stopped"

    assert stopped.text == THREE_WORDS


def status_of(stack: Stack, path: str, **headers: str) -> int:
    """The status of a stream that is asked for and left at once."""
    with Listener(stack.url, path, **headers) as listener:
        return listener.status


def test_only_the_person_who_asked_may_listen(
    stack: Stack,
    member: Membership,
    owner: Membership,
    colleague: Membership,
    outsider: Membership,
    half: Generation,
) -> None:
    path = events_path(half)

    for stranger in (owner, colleague, outsider):
        assert status_of(stack, path, Cookie=cookie_of(stranger)) == 404
    assert status_of(stack, path.replace("acme", "globex"), Cookie=cookie_of(outsider)) == 404
    assert status_of(stack, path, X_Requested_With="fetch") == 401
    assert status_of(stack, path) == 302
    assert status_of(stack, path, Cookie=cookie_of(member)) == 200


def test_a_stream_is_refused_after_sign_out(
    stack: Stack, member: Membership, half: Generation
) -> None:
    browser = PortalClient()
    browser.force_login(member.user)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    path = events_path(half)
    assert status_of(stack, path, Cookie=cookie) == 200

    browser.post("/accounts/logout/")

    assert status_of(stack, path, Cookie=cookie, X_Requested_With="fetch") == 401


@pytest.fixture
def small_web(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """The address of a web process with two database connections, named "small" in PostgreSQL."""
    port = ports.free_port(19_000)
    command = [sys.executable, "-m", "uvicorn", "portal.asgi:application"]
    environment = {
        **os.environ,
        "DATABASE_URL": address_of_test_database() + "?application_name=small",
        "DATABASE_POOL_SIZE": "2",
    }
    program = Program(
        "small-web",
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        log=tmp_path / "small-web.log",
        environment=environment,
    )
    child = Child(program)
    child.start()
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: page_status(address, "/healthz") == 200, what="a second web process")
    yield address
    child.stop()


def page_status(address: str, path: str, **headers: str) -> int:
    """The status of a page; 0 when nobody answers."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def small_connections() -> list[str]:
    """What each database connection of the small web process is doing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM pg_stat_activity WHERE application_name = 'small'")
        return [state for (state,) in cursor.fetchall()]


def test_open_streams_hold_no_database_connection(
    stack: Stack, small_web: str, member: Membership, half: Generation
) -> None:
    cookie = cookie_of(member)
    path = f"/{half.tenant.slug}/c/{half.conversation_id}/"

    with ExitStack() as opened:
        for _ in range(6):
            listener = Listener(small_web, events_path(half), Cookie=cookie)
            opened.enter_context(listener).wait_for_text(THREE_WORDS)
        wait_until(lambda: set(small_connections()) <= {"idle"}, what="idle connections")
        with ThreadPoolExecutor(4) as people:
            pages = people.map(lambda _: page_status(small_web, path, Cookie=cookie), range(8))

            assert list(pages) == [200] * 8
        assert len(small_connections()) <= 2


def waits_of(listener: Listener) -> list[str]:
    """What the listener was told to wait for, in order."""
    return [event.data["reason"] for event in listener.events if event.name == "waiting"]


def test_a_follower_is_told_what_the_generation_waits_for_and_that_it_begins(
    stack: Stack, member: Membership, deployment: Deployment, gate: Gate, queue: Queue
) -> None:
    held = timezone.now() + timedelta(hours=1)
    generation = queue(member, not_before=held)

    with follow(stack.url, member, generation) as listener:
        wait_until(lambda: waits_of(listener) != [], what="the reason")
        Generation.objects.filter(pk=generation.pk).update(not_before=None)
        tasks.generate.delay()
        listener.wait_for_text(THREE_WORDS)

    assert set(waits_of(listener)) == {"provider"}
    assert [event.name for event in listener.events].index("started") > 0


def test_a_run_that_is_put_back_waits_again(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(refusals.rate_limited(60))
    generation = ask(member)

    with follow(stack.url, member, generation) as listener:
        wait_until(lambda: "provider" in waits_of(listener), what="the provider's wait")
        services.stop_generation(generation=generation)
        listener.wait_for_end()
