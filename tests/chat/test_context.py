"""What fits into a model's window: what is left out, what is refused, and what corrects it."""

import uuid

import pytest

from chat import prompts, services
from chat.errors import PromptTooLong
from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Message
from tenants.models import Membership
from tests.chat.answers import another, ask, wait_for_end
from tests.chat.test_sending import finish_first
from tests.stack import Stack
from tests.upstream import Reply, Upstream, Usage, refusals


def send(member: Membership, conversation: Conversation, text: str) -> Generation:
    """A further message."""
    return services.send_message(
        actor=member, conversation=conversation, text=text, request_id=uuid.uuid4()
    )


def answered(conversation: Conversation, *, counted: int, estimated: int) -> None:
    """The first answer is there, with the provider's count and ours of its prompt."""
    finish_first(conversation)
    Generation.objects.update(estimated_input_tokens=estimated)
    Message.objects.filter(role="assistant").update(input_tokens=counted)


def test_what_was_left_out_is_written_down_with_the_estimate(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(Reply("long " * 5000))
    first = ask(member)
    wait_for_end(first)

    second = send(member, first.conversation, "Thanks")
    wait_for_end(second)

    assert (first.left_out, second.left_out) == (0, 2)
    assert upstream.requests[1].body["messages"] == [{"role": "user", "content": "Thanks"}]
    assert second.estimated_input_tokens == prompts.estimate_alone("", "Thanks")


@pytest.mark.parametrize(
    ("counted", "estimated", "factor"),
    [(300, 200, 1.5), (90, 100, 0.9), (1, 1000, 0.5), (900, 100, 4.0)],
)
def test_the_providers_figures_correct_the_estimate(
    conversation: Conversation, counted: int, estimated: int, factor: float
) -> None:
    answered(conversation, counted=counted, estimated=estimated)

    assert prompts.correction(conversation) == factor


def test_what_fits_by_our_estimate_alone_is_cut_by_the_providers(
    member: Membership, conversation: Conversation
) -> None:
    answered(conversation, counted=300, estimated=100)
    Message.objects.filter(role="user").update(content="word " * 3000)
    generation = send(member, conversation, "Thanks")

    prompt = prompts.build(generation)

    assert prompt.left_out == 1
    assert [m["content"] for m in prompt.messages] == ["Good morning, Bob.", "Thanks"]


def test_an_estimate_that_is_billed_is_corrected_too(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(Reply("Hello", usage=Usage(14, 1)), Reply("Hello", usage=None))
    first = ask(member, "Good morning")
    wait_for_end(first)

    second = send(member, first.conversation, "Thanks")
    wait_for_end(second)

    assert first.estimated_input_tokens == 7
    assert second.reply is not None
    assert second.reply.input_tokens == 2 * (second.estimated_input_tokens or 0)
    assert prompts.correction(first.conversation) == 2.0


def test_a_message_that_no_window_holds_is_refused_before_anything_is_stored(
    member: Membership, deployment: Deployment
) -> None:
    with pytest.raises(PromptTooLong, match="No model of your organisation could read it"):
        services.start_conversation(actor=member, text="long " * 8000, request_id=uuid.uuid4())

    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_the_refusal_names_the_models_that_could_read_it(
    member: Membership, conversation: Conversation, deployment: Deployment
) -> None:
    finish_first(conversation)
    another(deployment, "large", context_window=32_000)
    another(deployment, "tiny", context_window=1000)
    foreign = another(deployment, "foreign", context_window=32_000)
    DeploymentGrant.objects.filter(deployment=foreign).delete()

    with pytest.raises(PromptTooLong) as refusal:
        send(member, conversation, "long " * 8000)

    assert "In a new conversation, Large could read it." in str(refusal.value)
    assert conversation.messages.count() == 2


def test_an_edited_message_that_is_too_long_is_refused(
    member: Membership, conversation: Conversation
) -> None:
    generation = conversation.generations.get()
    services.stop_generation(generation=generation)

    with pytest.raises(PromptTooLong):
        services.resend_edited(
            actor=member, generation=generation, text="long " * 8000, request_id=uuid.uuid4()
        )


def test_a_message_that_fits_by_itself_is_never_refused_for_what_came_before(
    member: Membership, conversation: Conversation
) -> None:
    finish_first(conversation, text="long " * 8000)

    prompt = prompts.build(send(member, conversation, "word " * 4500))

    assert (len(prompt.messages), prompt.left_out) == (1, 2)


def test_the_window_of_the_deployment_that_answers_counts(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    spare = another(deployment, "spare", context_window=256)
    DeploymentGrant.objects.filter(deployment=deployment).update(fallback=spare)
    upstream.next(Reply("word " * 500))
    first = ask(member)
    wait_for_end(first)
    upstream.next(refusals.rate_limited(3600))

    second = send(member, first.conversation, "Thanks")
    wait_for_end(second)

    assert (second.deployment, second.left_out) == (spare, 2)


def test_the_estimate_counts_by_script() -> None:
    assert prompts.estimate_tokens("grüßen") == 2
    assert prompts.estimate_tokens("Привет") == 3
    assert prompts.estimate_tokens("🙂🙂") == 3
