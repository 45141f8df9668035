"""Deployments that are not called for a while."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.models.catalogue import Deployment


class PauseQuerySet(models.QuerySet["Pause"]):
    """Pauses, narrowed."""

    def closed(self, now: datetime) -> Self:
        """Those that let nobody through: not over yet, or with a probe under way."""
        return self.filter(Q(until__gt=now) | Q(probe_id__isnull=False))

    def open_to(self, deployment_id: uuid.UUID, now: datetime) -> Self:
        """The pause of this deployment, if it lets a probe through."""
        return self.filter(deployment=deployment_id, until__lte=now, probe_id=None)


class Pause(models.Model):
    """That a deployment is not called for a while: its provider asks for that, or it fails.

    The platform's, one at most per deployment, and in force for all workers. Until `until` nobody
    calls it; then one generation does, the probe. What it meets ends the pause or prolongs it.
    """

    deployment = models.OneToOneField(
        Deployment, primary_key=True, on_delete=models.CASCADE, related_name="pause"
    )
    reason = models.CharField(max_length=30, help_text="The code of the last failure.")
    began_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    is_asked = models.BooleanField(
        default=False, help_text="The provider said when; else it is our own guess."
    )
    failures = models.PositiveIntegerField(default=1, help_text="In a row.")
    probe_id = models.UUIDField(null=True, help_text="The generation that tries it.")
    probed_at = models.DateTimeField(null=True)

    objects = PauseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"pause of {self.deployment_id} until {self.until:%H:%M:%S}"
