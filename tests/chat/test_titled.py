"""Titles by a model, with a real worker and a real provider."""

from chat import services
from chat.models import Deployment
from tenants.models import Membership
from tests.chat.answers import ask, wait_for_end
from tests.chat.titling import title_bills, title_of, titling
from tests.stack import Stack, wait_until
from tests.upstream import Reply, Upstream, Usage, refusals

__all__ = ["titling"]  # a fixture


def test_the_first_completed_answer_brings_a_title_that_is_billed_once(
    stack: Stack, member: Membership, titling: Deployment, upstream: Upstream
) -> None:
    upstream.when("Title:", Reply('"Greetings in the morning"', usage=Usage(40, 6)))
    generation = ask(member, "Good morning to you all")

    wait_until(lambda: title_of(generation.conversation_id)[1] == "model")

    assert title_of(generation.conversation_id)[0] == "Greetings in the morning"
    assert title_bills(generation.conversation_id) == [(40, 6, False)]
    asked = upstream.requests[-1].body["messages"][-1]["content"]
    assert "Good morning to you all" in asked
    assert "Hello from the model." in asked


def test_a_title_by_a_person_is_never_replaced(
    stack: Stack, member: Membership, titling: Deployment, upstream: Upstream
) -> None:
    upstream.when("Title:", Reply("By the model", first_token_seconds=0.5))
    generation = ask(member)
    upstream.wait_for_requests(2)

    services.rename_conversation(conversation=generation.conversation, title="Mine")

    wait_until(lambda: bool(title_bills(generation.conversation_id)))
    assert title_of(generation.conversation_id) == ("Mine", "person")


def test_a_title_that_fails_or_is_filtered_leaves_the_first_words_and_is_billed(
    stack: Stack, member: Membership, titling: Deployment, upstream: Upstream
) -> None:
    upstream.when(
        lambda prompt: "Title:" in prompt and "filtered" in prompt,
        Reply("Bad", finish_reason="content_filter", usage=Usage(40, 1)),
    )
    upstream.when(
        lambda prompt: "Title:" in prompt and "refused" in prompt, refusals.rate_limited()
    )
    filtered, refused = ask(member, "Be filtered"), ask(member, "Be refused")
    wait_for_end(filtered, refused)
    upstream.wait_for_requests(4)

    wait_until(lambda: bool(title_bills(filtered.conversation_id)))

    assert title_of(filtered.conversation_id) == ("Be filtered", "words")
    assert title_of(refused.conversation_id) == ("Be refused", "words")
    assert title_bills(filtered.conversation_id) == [(40, 1, False)]
    assert title_bills(refused.conversation_id) == []


def test_a_model_that_does_not_stop_is_cut_and_billed_by_estimate(
    stack: Stack, member: Membership, titling: Deployment, upstream: Upstream
) -> None:
    upstream.when("Title:", Reply("On and " * 2000, tokens_per_second=2000))
    generation = ask(member)

    wait_until(lambda: title_of(generation.conversation_id)[1] == "model")

    title, _ = title_of(generation.conversation_id)
    assert title.startswith("On and On and")
    assert len(title) <= 60
    ((_, tokens, is_estimate),) = title_bills(generation.conversation_id)
    assert is_estimate
    assert tokens < 1000
    assert upstream.wait_until(lambda: upstream.requests[-1].closed_early, 5)
