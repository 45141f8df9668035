"""What a run makes of what arrives, and of what it is told."""

from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event

from chat import streams
from chat.errors import ProviderError
from chat.generation.reply import Run, Signal
from chat.models import Conversation, Generation
from chat.provider import Piece, Usage

Status = Generation.Status


@pytest.fixture
def generation(conversation: Conversation) -> Generation:
    """bob's generation."""
    return conversation.generations.get()


def run_of(generation: Generation, *, beginning: str = "") -> Run:
    """A run that nobody listens to yet."""
    key = streams.stream_key(generation.tenant_id, generation.pk)
    return Run(generation, streams.Writer(key, 1), beginning=beginning)


def test_a_run_that_is_told_to_leave_is_interrupted_with_its_text(generation: Generation) -> None:
    run = run_of(generation)
    run.listen(iter([Piece("One"), Piece(usage=Usage(3, 1))]))
    run.ended_by = Signal.LEAVE
    run.leave()

    outcome = run.outcome()

    assert (outcome.status, outcome.error_code) == (Status.INTERRUPTED, "worker_stopped")
    assert (outcome.text, outcome.usage) == ("One", Usage(3, 1))


def test_a_run_that_is_told_to_leave_listens_no_longer(generation: Generation) -> None:
    run = run_of(generation)
    run.leave()

    run.listen(iter([Piece("Late")]))

    assert (run.ended_by, run.has_shown, run.text) == (Signal.LEAVE, False, "")


def test_what_is_continued_counts_as_nothing_shown(generation: Generation) -> None:
    run = run_of(generation, beginning="One two")

    run.listen(iter([]))

    assert (run.text, run.has_shown) == ("One two", False)
    assert run.outcome().status == Status.FAILED


def test_the_first_text_is_told_once(generation: Generation) -> None:
    told: list[str] = []
    key = streams.stream_key(generation.tenant_id, generation.pk)
    run = Run(generation, streams.Writer(key, 1), on_answer=lambda: told.append("answer"))

    run.listen(iter([Piece(), Piece("One"), Piece(" two", finish_reason="stop")]))
    gevent.idle()

    assert told == ["answer"]
    assert run.outcome().status == Status.COMPLETED


def test_whoever_is_told_of_the_first_text_holds_nothing_up(generation: Generation) -> None:
    key = streams.stream_key(generation.tenant_id, generation.pk)
    is_told, may_end = Event(), Event()

    def hang() -> None:
        is_told.set()
        may_end.wait()

    run = Run(generation, streams.Writer(key, 1), on_answer=hang)

    def pieces() -> Iterator[Piece]:
        yield Piece("One")
        is_told.wait()
        yield Piece(" two", finish_reason="stop")

    run.listen(pieces())

    assert (run.text, run.outcome().status) == ("One two", Status.COMPLETED)
    may_end.set()


def test_any_other_failure_is_our_own(generation: Generation) -> None:
    run = run_of(generation)

    run.listen(Piece(str(1 // left)) for left in (1, 0))

    assert isinstance(run.ended_by, ProviderError)
    assert (run.ended_by.code, run.outcome().text) == ("internal", "1")
