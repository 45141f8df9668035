"""What calls of models are billed with: one usage entry each, by the provider's own figures."""

import uuid

from chat import prompts
from chat.models import Deployment, Generation, UsageEntry
from chat.provider import Usage


def bill(generation: Generation, usage: Usage | None, *, new_text: str) -> Usage | None:
    """Write the usage entry of a run; none for a call that brought nothing and has no figures.

    Without the provider's figures, all that had arrived is billed by our estimate.
    """
    figures = usage or (_estimate(generation, new_text) if new_text else None)
    if figures:
        write(
            tenant_id=generation.tenant_id,
            user_id=generation.user_id,
            deployment=generation.deployment,
            subject_id=generation.pk,
            usage=figures,
            is_estimate=usage is None,
        )
    return figures


def _estimate(generation: Generation, new_text: str) -> Usage:
    asked = generation.estimated_input_tokens or prompts.build(generation).estimated_tokens
    corrected = round(asked * prompts.correction(generation.conversation))
    return Usage(corrected, prompts.estimate_tokens(new_text))


def write(
    *,
    tenant_id: uuid.UUID,
    user_id: uuid.UUID,
    deployment: Deployment,
    subject_id: uuid.UUID,
    usage: Usage,
    is_estimate: bool,
    purpose: UsageEntry.Purpose = UsageEntry.Purpose.ANSWER,
) -> None:
    """Write an entry at today's prices. A second one for the same subject is an IntegrityError."""
    UsageEntry.objects.create(
        tenant_id=tenant_id,
        user_id=user_id,
        deployment=deployment,
        purpose=purpose,
        generation_id=subject_id,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        is_estimate=is_estimate,
        input_price=deployment.input_price,
        output_price=deployment.output_price,
        cost=deployment.cost(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens),
    )
