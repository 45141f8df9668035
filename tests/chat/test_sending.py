"""Sending, retrying and stopping: what is stored, and what is refused."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import services
from chat.errors import (
    AlreadyAnswering,
    ConversationGone,
    DeploymentNotGranted,
    EmptyMessage,
)
from chat.generation.claiming import claim_next
from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Message
from tenants.models import Membership

Status = Generation.Status


def finish_first(conversation: Conversation, text: str = "Good morning, Bob.") -> Generation:
    """End the conversation's first generation, as a worker would have."""
    generation = conversation.generations.get()
    reply = Message.objects.create(
        tenant=conversation.tenant,
        conversation=conversation,
        parent=generation.prompt,
        role=Message.Role.ASSISTANT,
        content=text,
    )
    Generation.objects.filter(pk=generation.pk).update(status=Status.COMPLETED, reply=reply)
    Conversation.objects.filter(pk=conversation.pk).update(head=reply)
    generation.refresh_from_db()
    return generation


def test_start_conversation_stores_the_message_and_queues_one_generation(
    member: Membership, deployment: Deployment
) -> None:
    text = "What is  a landing zone?\r\nIn two lines."

    conversation = services.start_conversation(actor=member, text=text, request_id=uuid.uuid4())

    message = conversation.messages.get()
    assert message.content == "What is  a landing zone?\nIn two lines."
    assert conversation.title == "What is a landing zone? In two lines."
    assert conversation.generations.get().prompt == message
    assert conversation.deployment == deployment


def test_starting_twice_with_one_request_id_is_one_conversation(
    member: Membership, deployment: Deployment
) -> None:
    request_id = uuid.uuid4()

    first = services.start_conversation(actor=member, text="Hello", request_id=request_id)
    second = services.start_conversation(actor=member, text="Hello", request_id=request_id)

    assert first == second
    assert Generation.objects.count() == Message.objects.count() == 1


def test_sending_twice_with_one_request_id_is_one_send(
    member: Membership, conversation: Conversation
) -> None:
    finish_first(conversation)
    request_id = uuid.uuid4()

    def send() -> Generation:
        return services.send_message(
            actor=member, conversation=conversation, text="And now?", request_id=request_id
        )

    first, second = send(), send()

    assert first == second
    assert conversation.messages.count() == 3


@pytest.mark.django_db(transaction=True)
def test_simultaneous_sends_make_one_run(member: Membership, conversation: Conversation) -> None:
    finish_first(conversation)
    outcomes: list[str] = []
    barrier = threading.Barrier(6)

    def send(request_id: uuid.UUID) -> None:
        barrier.wait(10)
        try:
            services.send_message(
                actor=member, conversation=conversation, text="Race", request_id=request_id
            )
            outcomes.append("sent")
        except AlreadyAnswering:
            outcomes.append("busy")
        finally:
            connection.close()

    same = uuid.uuid4()
    ids = [same, same, same, uuid.uuid4(), uuid.uuid4(), uuid.uuid4()]
    threads = [threading.Thread(target=send, args=[request_id]) for request_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(outcomes) == 6
    assert conversation.generations.live().count() == 1
    assert conversation.messages.filter(content="Race").count() == 1


def test_a_second_message_is_refused_while_an_answer_is_written(
    member: Membership, conversation: Conversation
) -> None:
    with pytest.raises(AlreadyAnswering):
        services.send_message(
            actor=member, conversation=conversation, text="Hurry", request_id=uuid.uuid4()
        )

    assert conversation.messages.count() == 1


def test_a_message_follows_the_answer_before_it(
    member: Membership, conversation: Conversation
) -> None:
    first = finish_first(conversation)

    second = services.send_message(
        actor=member, conversation=conversation, text="Thanks", request_id=uuid.uuid4()
    )

    assert second.prompt.parent == first.reply
    turns = services.read_turns(Conversation.objects.get())
    assert [turn.text for turn in turns] == ["Good morning", "Good morning, Bob.", "Thanks", ""]


def test_a_model_that_is_not_granted_is_refused_on_every_path(
    member: Membership, conversation: Conversation, deployment: Deployment
) -> None:
    answered = finish_first(conversation)
    DeploymentGrant.objects.all().delete()
    new = uuid.uuid4()

    with pytest.raises(DeploymentNotGranted):
        services.start_conversation(
            actor=member, text="Hi", request_id=new, deployment_id=deployment.pk
        )
    with pytest.raises(DeploymentNotGranted):
        services.start_conversation(actor=member, text="Hi", request_id=new)
    with pytest.raises(DeploymentNotGranted):
        services.send_message(actor=member, conversation=conversation, text="Hi", request_id=new)
    with pytest.raises(DeploymentNotGranted):
        services.retry_generation(actor=member, generation=answered, request_id=new)
    assert Message.objects.count() == 2


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_an_empty_message_stores_nothing(
    member: Membership, deployment: Deployment, text: str
) -> None:
    with pytest.raises(EmptyMessage):
        services.start_conversation(actor=member, text=text, request_id=uuid.uuid4())

    assert not Conversation.objects.exists()


def test_stop_ends_a_waiting_generation_at_once(conversation: Conversation) -> None:
    generation = conversation.generations.get()

    services.stop_generation(generation=generation)
    services.stop_generation(generation=generation)

    generation.refresh_from_db()
    assert generation.status == Status.STOPPED
    assert generation.ended_at is not None


def post(client: Client, conversation: Conversation, body: object, **extra: str) -> int:
    """The status of sending this body as JSON."""
    url = reverse("chat:send_message", args=["acme", conversation.pk])
    return client.post(url, body, content_type="application/json", headers=extra).status_code


@pytest.mark.parametrize(
    "body",
    [
        "[]", "{", "null", '{"message": 1}', '{"message": ["a"], "request_id": "x"}', "[" * 100_000,
        '{"message": "a"}', '{"message": "a", "request_id": "not-an-id"}',
        '{"message": "a\\u0000b", "request_id": "7b1f1f7e-0000-4000-8000-000000000000"}',
        '{"message": "half \\ud83d", "request_id": "7b1f1f7e-0000-4000-8000-000000000000"}',
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_body_of_the_wrong_shape_is_a_clear_refusal(
    as_member: Client, conversation: Conversation, body: str | bytes
) -> None:
    finish_first(conversation)

    assert post(as_member, conversation, body, **{"X-Requested-With": "fetch"}) == 400
    assert conversation.messages.count() == 2


def test_a_message_is_taken_as_json_and_as_a_form(
    as_member: Client, conversation: Conversation
) -> None:
    first = finish_first(conversation)
    body = {"message": "As JSON", "request_id": str(uuid.uuid4())}

    assert post(as_member, conversation, body, **{"X-Requested-With": "fetch"}) == 201
    services.stop_generation(generation=conversation.generations.exclude(pk=first.pk).get())
    url = reverse("chat:send_message", args=["acme", conversation.pk])
    assert as_member.post(url, {**body, "request_id": str(uuid.uuid4())}).status_code == 303

    assert conversation.messages.filter(content="As JSON").count() == 2


def test_a_message_that_is_too_long_is_refused_and_comes_back(
    as_member: Client, conversation: Conversation
) -> None:
    finish_first(conversation)
    url = reverse("chat:send_message", args=["acme", conversation.pk])
    text = "ä" * 100_001

    answer = as_member.post(url, {"message": text, "request_id": str(uuid.uuid4())})

    assert answer.status_code == 413
    assert text in answer.content.decode()
    assert "100,001 characters" in answer.content.decode()


def test_what_comes_beside_a_delete_is_a_clear_refusal(
    member: Membership, conversation: Conversation
) -> None:
    finish_first(conversation)
    answered = Generation.objects.select_related("conversation", "prompt").get()
    services.delete_conversation(actor=member, conversation=conversation)
    again = uuid.uuid4()

    services.delete_conversation(actor=member, conversation=conversation)
    with pytest.raises(ConversationGone):
        services.rename_conversation(conversation=conversation, title="Late")
    with pytest.raises(ConversationGone):
        services.send_message(
            actor=member, conversation=conversation, text="Late", request_id=again
        )
    with pytest.raises(ConversationGone):
        services.retry_generation(actor=member, generation=answered, request_id=again)


def test_a_refused_send_keeps_what_it_settled(
    member: Membership, conversation: Conversation
) -> None:
    claim_next()
    Generation.objects.update(
        heartbeat_at=timezone.now() - timedelta(hours=1), partial_text="Good mor"
    )
    DeploymentGrant.objects.all().delete()

    with pytest.raises(DeploymentNotGranted):
        services.send_message(
            actor=member, conversation=conversation, text="Now", request_id=uuid.uuid4()
        )

    assert conversation.generations.get().status == Status.INTERRUPTED
