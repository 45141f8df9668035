"""A tenant's prompt library."""

import uuid

from django.db import models

from tenants.models import Membership, Tenant


class LibraryPromptQuerySet(models.QuerySet["LibraryPrompt"]):
    """Prompts of the library, narrowed."""

    def visible_to(self, member: Membership) -> "LibraryPromptQuerySet":
        """The library of this member's tenant, in its order."""
        return self.filter(tenant=member.tenant_id).order_by("position", "title")


class LibraryPrompt(models.Model):
    """A text that a tenant offers its members to begin with. Kept by its managers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="library_prompts")
    title = models.CharField(max_length=100)
    text = models.TextField(max_length=20_000)
    position = models.PositiveIntegerField(
        default=0, help_text="Lower ones come first; equal ones by title."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LibraryPromptQuerySet.as_manager()

    class Meta:
        verbose_name = "prompt"
        verbose_name_plural = "prompts"
        ordering = ["position", "title"]
        constraints = [
            # Two of the same name cannot be told apart; also finds a tenant's library.
            models.UniqueConstraint(fields=["tenant", "title"], name="one_prompt_per_title"),
        ]

    def __str__(self) -> str:
        return self.title
