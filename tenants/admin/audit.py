"""The admin of the audit log: looked at, filtered, and taken away as a file."""

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import path
from django.urls.resolvers import URLPattern
from django.utils.timezone import localtime, now

from tenants.access import access_of
from tenants.admin import audit_export
from tenants.admin.audit_filters import ActionFilter, ActorFilter, DayFilter, TenantFilter
from tenants.admin.base import ReadOnlyAdmin
from tenants.models import AuditEvent, Tenant, User
from tenants.rights import Right
from tenants.services import record


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit log, newest first: of the tenants whose log the person may read."""

    sees = Right.READ_AUDIT
    list_display = (
        "time",
        "action",
        "short_subject",
        "actor",
        "tenant",
        "client_address",
        "sequence",
    )
    list_display_links = ("time", "action")
    fields = (
        ("created_at", "action"),
        ("actor", "tenant"),
        ("subject", "client_address"),
        ("request_id", "id"),
        "detail",
        "sequence",
        "hash",
        "previous_hash",
    )
    list_select_related = ("actor", "tenant")
    list_filter = (ActionFilter, ActorFilter, TenantFilter, ("created_at", DayFilter))
    list_filter_submit = True
    show_facets = admin.ShowFacets.NEVER  # counting a log of millions for each choice takes long
    list_before_template = "admin/tenants/auditevent/export.html"
    search_fields = ("action", "subject", "actor__email", "=request_id", "=client_address")
    search_help_text = (
        "An id, an action, a subject, a request id, a client address, or the actor's e-mail"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        """Without what is kept from the person for now: that somebody investigates them.

        Such an event names them as `member` in its detail, and when they are told as `told_from`.
        The list, the pages and the export start here.
        """
        events: QuerySet[AuditEvent] = super().get_queryset(request)
        access = access_of(request)
        if access.is_administrator:
            return events
        about_them = When(
            detail__member=str(access.user.pk),
            detail__told_from__gt=now().isoformat(),  # both in UTC, in the same spelling
            then=Value(True),  # noqa: FBT003  # Django's signature
        )
        # Not exclude(): it would drop every event whose detail has no such keys.
        is_kept = Case(about_them, default=Value(False))  # noqa: FBT003  # as above
        return events.alias(is_kept=is_kept).filter(is_kept=False)

    @admin.display(description="Time", ordering="created_at")
    def time(self, event: AuditEvent) -> str:
        """To the second, in the portal's time zone."""
        return f"{localtime(event.created_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Subject", ordering="subject")
    def short_subject(self, event: AuditEvent) -> str:
        """What it was done to, to tell rows apart; the event's page has the whole id."""
        model, _, pk = event.subject.partition(":")
        return f"{model.rpartition('.')[2]} {pk[:8]}"

    def get_urls(self) -> list[URLPattern]:
        """With the export."""
        site: admin.AdminSite = self.admin_site
        export = site.admin_view(self.export_view)
        address = path("export/<str:kind>/", export, name="tenants_auditevent_export")
        return [address, *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> StreamingHttpResponse:
        """The filtered list as a file, `csv` or `jsonl`; that is an audit event itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        renderer = audit_export.RENDERERS.get(kind)
        if renderer is None:
            raise Http404
        try:
            changelist: ChangeList = self.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise BadRequest(str(error)) from None
        access = access_of(request)
        chains = audit_export.find_chains(access, changelist.queryset)
        self._record_export(request, kind, changelist)
        return audit_export.respond(access.user, changelist.queryset, chains, renderer)

    def _record_export(self, request: HttpRequest, kind: str, changelist: ChangeList) -> None:
        """In the log of the tenants that it is about; the platform's, where it is about all."""
        assert isinstance(request.user, User)  # noqa: S101  # the admin lets nobody else in
        for tenant in self._tenants_of(request, changelist):
            events = changelist.queryset.filter(tenant=tenant) if tenant else changelist.queryset
            record(
                "audit.exported",
                subject=tenant,
                actor=request.user,
                tenant=tenant,
                format=kind,
                filter=request.GET.urlencode()[:1000],
                events=events.count(),
            )

    def _tenants_of(self, request: HttpRequest, changelist: ChangeList) -> list[Tenant | None]:
        access = access_of(request)
        chosen = [spec.chosen for spec in changelist.filter_specs if hasattr(spec, "chosen")]
        if any(chosen):
            return chosen
        if access.is_administrator:
            return [None]
        return [*sorted(access.tenants_with(Right.READ_AUDIT), key=lambda tenant: tenant.pk)]
