"""One attempt to answer a message: its states, and what may be done with it when."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, ExpressionWrapper, F, Min, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from chat.models.catalogue import Deployment, DeploymentGrant, DeploymentGrantQuerySet
from chat.models.conversations import Conversation, Message
from chat.models.pauses import Pause, PauseQuerySet
from tenants.models import Membership, Tenant, User


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Generations by state. Changes of state are conditional updates: look at the row count."""

    def visible_to(self, member: Membership) -> Self:
        """Generations that this member asked for in this tenant."""
        return self.filter(tenant=member.tenant_id, user=member.user_id)

    def live(self) -> Self:
        """Those that have not ended."""
        return self.filter(status__in=Generation.LIVE)

    def running(self) -> Self:
        """Those that a worker holds."""
        return self.filter(status=Generation.Status.RUNNING)

    def queued(self) -> Self:
        """Those that wait for a worker."""
        return self.filter(status=Generation.Status.QUEUED)

    def due(self, now: datetime) -> Self:
        """Those that wait for a worker and may start now."""
        return self.queued().filter(_may_start(now), _is_wanted())

    def with_holds(self, now: datetime) -> Self:
        """Each with `may_start`, and with `held_until` where its provider or a pause holds it.

        `is_asked`: the provider said so.
        """
        pause = Pause.objects.filter(deployment=_asked())
        return self.annotate(
            may_start=ExpressionWrapper(_may_start(now), output_field=models.BooleanField()),
            held_until=Greatest("not_before", Subquery(pause.values("until"))),
            is_asked=Coalesce(Subquery(pause.values("is_asked")), Value(value=True)),
        )

    def lines_of(self, pks: Collection[uuid.UUID], now: datetime) -> Self:
        """All that wait in the tenants of these generations, if these do, in the order of starts.

        With their holds, and their tenant's limits: `most_of_tenant`, `most_of_member`.
        """
        asked = self.queued().filter(pk__in=pks)
        lines = self.queued().filter(_is_wanted(), tenant__in=asked.values("tenant"))
        return (
            lines.with_holds(now)
            .annotate(
                most_of_tenant=F("tenant__max_running"),
                most_of_member=F("tenant__max_running_per_member"),
            )
            .order_by("queued_at", "pk")
        )

    def in_vain(self, now: datetime, *, longest: timedelta) -> Self:
        """Those whose deployment is paused for longer than they should wait, with no fallback.

        For longer from now on, or already with them in the queue; a fallback that is paused so long
        is none. Each with the pause's `pause_reason` and `pause_until`.
        """
        pause = Pause.objects.filter(deployment=_asked(), until__gt=now)
        hopeless = Pause.objects.filter(
            Q(until__gt=now + longest) | Q(until__gt=now, began_at__lt=now - longest)
        )
        is_long = Q(pause_until__gt=now + longest) | Q(
            pause_began_at__lt=now - longest, queued_at__lt=now - longest
        )
        return (
            self.queued()
            .annotate(
                pause_reason=Subquery(pause.values("reason")),
                pause_until=Subquery(pause.values("until")),
                pause_began_at=Subquery(pause.values("began_at")),
            )
            .filter(is_long, ~Q(Exists(_fallbacks(hopeless))))
        )

    def unwanted(self) -> Self:
        """Those whose person may no longer use the tenant: nothing more is done for them."""
        return self.filter(~_is_wanted())

    def to_be_stopped(self) -> Self:
        """Those that their person asked to stop, or may no longer have."""
        return self.filter(Q(stop_requested_at__isnull=False) | ~_is_wanted())

    def held(self, pk: uuid.UUID, attempt: int) -> Self:
        """The one generation, as long as this attempt still holds it."""
        return self.running().filter(pk=pk, attempt=attempt)

    def stale(self, now: datetime) -> Self:
        """Running ones whose worker has been silent for longer than the heartbeat limit."""
        limit = timedelta(seconds=settings.CHAT_HEARTBEAT_LIMIT_SECONDS)
        return self.running().filter(heartbeat_at__lt=now - limit)

    def queue_figures(self, now: datetime, *, since: datetime) -> dict[str, Any]:
        """`oldest_at` and `waiting` of those that may start, `running`, and `failed` since then."""
        queued, running = Q(status=Generation.Status.QUEUED), Q(status=Generation.Status.RUNNING)
        waiting = queued & _may_start(now)
        failed = Q(status=Generation.Status.FAILED, ended_at__gte=since)
        # Each part has an index of its own, of few rows.
        return self.filter(queued | running | failed).aggregate(
            oldest_at=Min("queued_at", filter=waiting),
            waiting=Count("pk", filter=waiting),
            running=Count("pk", filter=running),
            failed=Count("pk", filter=failed),
        )


def _may_start(now: datetime) -> Q:
    """What neither its provider nor a pause holds back. (Limits do; the claim sees to them.)"""
    return (Q(not_before=None) | Q(not_before__lte=now)) & _can_be_called(now)


def _can_be_called(now: datetime) -> Q:
    """Whether the deployment that was asked for, or its fallback, may be called."""
    closed = Pause.objects.closed(now)
    return ~Q(Exists(closed.filter(deployment=_asked()))) | Q(Exists(_fallbacks(closed)))


def _fallbacks(closed: PauseQuerySet) -> DeploymentGrantQuerySet:
    """The grant of a generation's deployment if it has a fallback that is not among the closed."""
    given = DeploymentGrant.objects.filter(tenant=OuterRef("tenant"), deployment=_asked())
    return given.with_fallback().exclude(fallback__in=closed.values("deployment"))


def _asked() -> Coalesce:
    """The deployment that was asked for, in a subquery about a generation."""
    return Coalesce(OuterRef("stands_in_for"), OuterRef("deployment"))


def _is_wanted() -> Exists:
    """Whether the person who asked may use the tenant (still)."""
    usable = Membership.objects.usable()
    return Exists(usable.filter(user=OuterRef("user_id"), tenant=OuterRef("tenant_id")))


class Generation(models.Model):
    """One attempt to answer a message, asked for by a member.

    queued → running → completed, stopped, filtered, truncated, interrupted or failed. `attempt` is
    the fencing token: it grows with every claim, and who holds an older one can change nothing.
    A run that died before its first delta goes back to queued. Goes with its conversation.
    """

    class Status(models.TextChoices):
        """Where it is in its life."""

        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        STOPPED = "stopped"
        FILTERED = "filtered"
        TRUNCATED = "truncated"
        INTERRUPTED = "interrupted"
        FAILED = "failed"

    LIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="generations")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="generations", db_constraint=False
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="generations")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="generations")
    prompt = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="generations", db_constraint=False
    )
    reply = models.OneToOneField(
        Message,
        null=True,
        on_delete=models.SET_NULL,
        related_name="generation",
        db_constraint=False,
    )
    continues = models.ForeignKey(
        Message,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=False,
        help_text="The unfinished reply that its own begins with.",
    )
    stands_in_for = models.ForeignKey(
        Deployment,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The deployment that was asked for, where a fallback answers.",
    )
    request_id = models.UUIDField(help_text="The client's id of the send that asked for it.")

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    error_code = models.CharField(max_length=30, blank=True)
    filter_side = models.CharField(max_length=10, blank=True, help_text="prompt or reply")
    filter_category = models.CharField(
        max_length=60, blank=True, help_text="As the provider names it."
    )
    attempt = models.PositiveIntegerField(default=0)
    partial_text = models.TextField(blank=True, help_text="What had arrived at the last heartbeat.")

    estimated_input_tokens = models.PositiveIntegerField(
        null=True, help_text="Our estimate of the prompt as it was sent."
    )
    left_out = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Messages of the branch that did not fit into the model's window.",
    )

    not_before = models.DateTimeField(null=True, help_text="Others are to start first.")
    try_again_at = models.DateTimeField(
        null=True, help_text="When a failed one may be tried again, as the provider says."
    )
    stop_requested_at = models.DateTimeField(null=True)
    seen_chars = models.PositiveIntegerField(
        null=True, help_text="How much of the text the person had seen when they asked to stop."
    )
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    first_token_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    # Of the object alone, set by the claim: this run is the probe of its deployment's pause.
    is_probe = False

    objects = GenerationQuerySet.as_manager()

    class Meta:
        constraints = [
            # Never two answers at once in a conversation.
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=["queued", "running"]),
                name="one_live_generation",
            ),
            # A repeated send is the same send.
            models.UniqueConstraint(
                fields=["conversation", "request_id"], name="one_generation_per_request"
            ),
            models.CheckConstraint(
                condition=~Q(status="running", heartbeat_at=None),
                name="running_has_heartbeat",
            ),
        ]
        indexes = [
            # The claim: a tenant's waiting generations, oldest first.
            models.Index(
                fields=["tenant", "queued_at"],
                condition=Q(status="queued"),
                name="generation_waiting",
            ),
            # The claim counts, and settle looks through, what runs. The heartbeat is not in it, so
            # that writing it stays cheap.
            models.Index(
                fields=["tenant"], condition=Q(status="running"), name="generation_running"
            ),
            # Reports: a tenant's generations of a period. Neither column changes, so that writing
            # the heartbeat stays cheap.
            models.Index(fields=["tenant", "queued_at"], name="generation_by_time"),
            # The queue's line in the log counts what has just failed.
            models.Index(
                fields=["ended_at"], condition=Q(status="failed"), name="generation_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} generation {self.pk}"

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.status in self.LIVE

    @property
    def is_stale(self) -> bool:
        """Whether its worker has been silent for longer than the heartbeat limit."""
        limit = timedelta(seconds=settings.CHAT_HEARTBEAT_LIMIT_SECONDS)
        return (
            self.status == self.Status.RUNNING
            and self.heartbeat_at is not None
            and self.heartbeat_at < timezone.now() - limit
        )
