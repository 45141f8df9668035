"""What the audit log is filtered by."""

from datetime import datetime, time, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter
from unfold.utils import parse_date_str

from tenants.access import access_of
from tenants.models import AuditEvent, Tenant
from tenants.rights import Right

Events = QuerySet[AuditEvent]

# What each group is called, and how its actions begin.
GROUPS = {
    "sign-ins": ("Sign-ins and passwords", ("person.", "password.", "user.password-changed")),
    "people": ("People, roles and invitations", ("membership.", "invitation.", "user.")),
    "investigations": ("Investigations", ("investigation.", "conversation.read")),
    "deletions": ("Deletions", ("conversation.deleted", "conversation.expired")),
    "settings": ("Settings and prompts", ("tenant.", "tenantlogo.", "libraryprompt.")),
    "models": ("Models and grants", ("deployment.", "deploymentgrant.")),
    "exports": ("Exports", ("audit.",)),
}


class ActionFilter(DropdownFilter):  # type: ignore[misc]  # unfold ships no types
    """Actions of one kind."""

    title = "kind of action"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[Any]:
        """The groups."""
        return [(key, label) for key, (label, _) in GROUPS.items()]

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:
        """Those whose action begins as the group says."""
        if not self.value():
            return queryset
        if self.value() not in GROUPS:
            raise IncorrectLookupParameters("there is no such kind of action")
        _, beginnings = GROUPS[self.value()]
        return queryset.filter(reduce(or_, (Q(action__startswith=each) for each in beginnings)))


class ActorFilter(TextFilter):  # type: ignore[misc]  # as above
    """What one person did."""

    title = "e-mail of the actor"
    parameter_name = "by"

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:
        """Those of people whose address contains this."""
        words = (self.value() or "").replace("\0", "").strip()
        return queryset.filter(actor__email__icontains=words) if words else queryset


class TenantFilter(DropdownFilter):  # type: ignore[misc]  # as above
    """One tenant's chain, for those who see several; or the platform's."""

    title = "tenant"
    parameter_name = "of"
    PLATFORM = "-"  # no slug

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self._access = access_of(request)
        super().__init__(request, *args)
        # Also where there is nothing to choose: an export notes by what it was filtered.
        if self.value() and not self._is_known(self.value()):
            raise IncorrectLookupParameters("there is no such tenant")

    def _is_known(self, value: str) -> bool:
        if value == self.PLATFORM:
            return self._access.is_administrator
        return value in self._tenants

    @cached_property
    def _tenants(self) -> dict[str, Tenant]:
        tenants = self._access.tenants_with(Right.READ_AUDIT)
        every = Tenant.objects.order_by("name") if self._access.is_administrator else tenants
        return {tenant.slug: tenant for tenant in every}

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[Any]:
        """The tenants whose log the person may read."""
        if not self._access.is_administrator and len(self._tenants) < 2:
            return []
        platform = [(self.PLATFORM, "(platform)")] if self._access.is_administrator else []
        return platform + [(slug, tenant.name) for slug, tenant in self._tenants.items()]

    @property
    def chosen(self) -> Tenant | None:
        """The tenant that is chosen."""
        return self._tenants.get(self.value() or "")

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:
        """Those of the chosen chain."""
        return queryset.filter(tenant=self.chosen) if self.value() else queryset


class DayFilter(RangeDateFilter):  # type: ignore[misc]  # as above
    """From one day to another, both included, in the portal's time zone."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = "day"

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:
        """Those of these days."""
        first, last = (self._start_of(end) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(created_at__gte=first)
        if last:
            queryset = queryset.filter(created_at__lt=last + timedelta(days=1))
        return queryset

    def _start_of(self, end: str) -> datetime | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{end}")
        if not text:
            return None
        day = parse_date_str(text)
        if day is None or not 1970 <= day.year < 9999:
            raise IncorrectLookupParameters(f"{text} is no day")
        return timezone.make_aware(datetime.combine(day, time.min))
