"""What tests of answers share: asking through the services, and waiting for what comes of it."""

import uuid
from datetime import timedelta

from django.utils import timezone

from chat import services, streams
from chat.generation.claiming import claim_next
from chat.models import Deployment, DeploymentGrant, Generation, UsageEntry
from tenants.models import Membership
from tests.stack import wait_until


def ask(
    actor: Membership, text: str = "Good morning", deployment: Deployment | None = None
) -> Generation:
    """The generation of a new conversation's first message, to the default model or this one."""
    conversation = services.start_conversation(
        actor=actor,
        text=text,
        request_id=uuid.uuid4(),
        deployment_id=deployment.pk if deployment else None,
    )
    return conversation.generations.select_related("deployment", "conversation").get()


def another(deployment: Deployment, name: str, **fields: object) -> Deployment:
    """A further model like this one, granted to the same tenants, with pauses of its own."""
    further = Deployment.objects.get(pk=deployment.pk)
    further.pk, further.name, further.label = uuid.uuid4(), name, name.title()
    further._state.adding = True
    for field, value in fields.items():
        setattr(further, field, value)
    further.save()
    for grant in deployment.grants.all():
        DeploymentGrant.objects.create(tenant=grant.tenant, deployment=further)
    return further


def has_ended(generation: Generation) -> bool:
    """Whether the generation has ended, asked of the database."""
    generation.refresh_from_db()
    return not generation.is_live


def wait_for_end(*generations: Generation, seconds: float = 40.0) -> None:
    """Return once all of these have ended."""
    wait_until(
        lambda: all(has_ended(each) for each in generations),
        seconds=seconds,
        what=f"the end of {[str(each) for each in generations if each.is_live]}",
    )


def relayed_text(generation: Generation) -> str:
    """What the worker has relayed of the attempt that runs."""
    generation.refresh_from_db()
    key = streams.stream_key(generation.tenant_id, generation.pk)
    return streams.read_text(key, generation.attempt)


def wait_for_text(generation: Generation, text: str) -> None:
    """Return once followers are shown exactly this text."""
    wait_until(lambda: relayed_text(generation) == text, what=f"the text {text!r}")


def wait_for_partial_text(generation: Generation, text: str) -> None:
    """Return once a heartbeat has stored exactly this text."""

    def is_stored() -> bool:
        generation.refresh_from_db()
        return generation.partial_text == text

    wait_until(is_stored, what=f"a heartbeat with {text!r}")


def text_of(generation: Generation) -> str:
    """The stored reply; "" where there is none."""
    return generation.reply.content if generation.reply else ""


def bills(generation: Generation) -> list[str]:
    """The ledger's entries of this run: "counted" by the provider, or an "estimate"."""
    entries = UsageEntry.objects.filter(generation_id=generation.pk)
    return ["estimate" if entry.is_estimate else "counted" for entry in entries]


def claimed_and_silent() -> Generation:
    """The next generation, claimed by a worker that has fallen silent since."""
    claimed = claim_next()
    assert claimed is not None
    long_ago = timezone.now() - timedelta(hours=1)
    Generation.objects.filter(pk=claimed.pk).update(heartbeat_at=long_ago)
    claimed.refresh_from_db()
    return claimed
