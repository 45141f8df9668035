"""Deployments that are not called for a while."""

from django.db import models

from chat.models.catalogue import Deployment


class Pause(models.Model):
    """That a deployment is not called for a while: its provider asks for that, or it fails.

    The platform's, one at most per deployment, and in force for all workers. Until `until` nobody
    calls it; then one generation does, the probe. What it meets ends the pause or prolongs it.
    """

    deployment = models.OneToOneField(
        Deployment, primary_key=True, on_delete=models.CASCADE, related_name="pause"
    )
    reason = models.CharField(max_length=30, help_text="The code of the last failure.")
    until = models.DateTimeField()
    failures = models.PositiveIntegerField(default=1, help_text="In a row.")
    probe_id = models.UUIDField(null=True, help_text="The generation that tries it.")
    probed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"pause of {self.deployment_id} until {self.until:%H:%M:%S}"
