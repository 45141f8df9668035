"""The admin of people and tenants, and the manners that every admin page of the portal has.

Only superusers enter (portal/admin.py). What is changed here is written to the audit log.
"""

import uuid
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants.models import AuditEvent, Membership, Tenant, User
from tenants.services import record


class SearchById(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A search for a whole id looks it up by index; other words go through `search_fields`."""

    id_fields: ClassVar[tuple[str, ...]] = ("pk",)
    # Counting a table of millions for "42 results of …" is not worth its time.
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Rows with this id in one of `id_fields`, or else as Django searches."""
        try:
            wanted = uuid.UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]  # as above
        has_id = reduce(or_, (Q(**{field: wanted}) for field in self.id_fields))
        return queryset.filter(has_id), False


class ReadOnlyAdmin(SearchById):
    """Looking is all that can be done: nothing is added, changed or deleted here.

    What is in `hidden_fields` is not shown, and cannot be guessed by filtering either.
    """

    hidden_fields: ClassVar[tuple[str, ...]] = ()

    @admin.display(description="Id", ordering="pk")
    def short_id(self, obj: Any) -> str:
        """The first part of the id, to tell rows apart; the row's page has all of it."""
        return str(obj.pk)[:8]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Rows without their hidden fields, which stay in the database."""
        return super().get_queryset(request).defer(*self.hidden_fields)  # type: ignore[no-any-return]  # as above

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the list may be filtered like this by its address."""
        is_hidden = lookup.split("__", maxsplit=1)[0] in self.hidden_fields
        return not is_hidden and bool(super().lookup_allowed(lookup, value, request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class AuditedAdmin(SearchById):
    """Every change goes to the audit log, and rows are switched off rather than deleted.

    Inlines with the attribute `can_delete` may still lose rows; that is written down too.
    """

    kept_because = "It is kept."
    warn_unsaved_form = True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody; `delete_view` says why."""
        return False

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what to do instead of deleting."""
        messages.error(request, self.kept_because)
        meta = self.model._meta
        return redirect(f"admin:{meta.app_label}_{meta.model_name}_change", object_id)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Save, and write what changed to the audit log."""
        super().save_model(request, obj, form, change)
        if not change:
            _record(request, "created", obj)
        elif form.changed_data:
            _record(request, "changed", obj, changes=_changes(form))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Save the inline's rows, and write what changed to the audit log."""
        super().save_formset(request, form, formset, change)
        for obj in formset.new_objects:
            _record(request, "created", obj, name=str(obj))
        for obj in formset.deleted_objects:
            _record(request, "deleted", obj, name=str(obj))
        changed = {obj.pk for obj, _ in formset.changed_objects}
        for row in formset.initial_forms:
            if row.instance.pk in changed:
                _record(request, "changed", row.instance, changes=_changes(row))


def _record(request: HttpRequest, verb: str, obj: models.Model, **detail: Any) -> None:
    assert isinstance(request.user, User)  # noqa: S101  # the admin lets nobody else in
    tenant = obj if isinstance(obj, Tenant) else getattr(obj, "tenant", None)
    action = f"{obj._meta.model_name}.{verb}"
    record(action, subject=obj, actor=request.user, tenant=tenant, **detail)


def _changes(form: Any) -> dict[str, list[str]]:
    """Old and new value of every field that was changed."""
    return {
        name: [str(form.initial.get(name, "")), str(form.cleaned_data.get(name, ""))]
        for name in form.changed_data
    }


class FixedOnceSaved(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """An inline's row whose related object is chosen once: later only the other fields change."""

    fixed_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fixed_fields:
            if name in self.fields and not self.instance._state.adding:  # noqa: SLF001  # documented
                self.fields[name].disabled = True


class MembershipForm(FixedOnceSaved):
    """A membership stays between the same person and tenant."""

    fixed_fields = ("user", "tenant")


class MembershipInline(TabularInline):  # type: ignore[misc]  # as above
    """The memberships of a tenant, or of a person: deactivated, never deleted."""

    model = Membership
    form = MembershipForm
    extra = 0
    can_delete = False
    autocomplete_fields = ("user", "tenant")
    fields = ("user", "tenant", "role", "is_active", "created_at")
    readonly_fields = ("created_at",)
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Membership]:
        """With both ends, which every row names."""
        return super().get_queryset(request).select_related("user", "tenant")  # type: ignore[no-any-return]  # as above


@admin.register(Tenant)
class TenantAdmin(AuditedAdmin):
    """Tenants and who belongs to them."""

    kept_because = "Tenants are never deleted here. Set the status to suspended instead."
    list_display = ("name", "slug", "shown_status", "members", "max_running", "created_at")
    list_filter = ("status",)
    search_fields = ("slug", "name")
    fields = (
        ("name", "slug"),
        ("status", "max_running"),
        "notice",
        "accent_colour",
        ("id", "created_at"),
    )
    readonly_fields = ("id", "created_at")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        """With the number of active members."""
        active = Q(memberships__is_active=True)
        query = super().get_queryset(request)
        return query.annotate(members=Count("memberships", filter=active))  # type: ignore[no-any-return]  # as above

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """The slug is chosen once: it is part of every address that people have kept."""
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    @display(
        description="Status", ordering="status", label={"active": "success", "suspended": "danger"}
    )  # type: ignore[untyped-decorator]  # as above
    def shown_status(self, tenant: Tenant) -> str:
        """The status as a coloured label."""
        return tenant.status

    @admin.display(description="Members", ordering="members")
    def members(self, tenant: Any) -> int:
        """How many active members it has."""
        return int(tenant.members)


class OneSpelling:
    """A form whose e-mail is kept in lower case, as people are looked up."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """The e-mail in lower case."""
        return str(self.cleaned_data["email"]).lower()


class PersonForm(OneSpelling, UserChangeForm):  # type: ignore[misc]  # as above
    """A person as an administrator changes them."""


class NewPersonForm(OneSpelling, UserCreationForm):  # type: ignore[misc]  # as above
    """A new account, with a password or without one until the person sets it by e-mail."""

    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AuditedAdmin):  # type: ignore[type-arg]  # not generic at run time
    """People. Platform administrators are made by `manage.py createsuperuser`, not here."""

    kept_because = (
        "People are never deleted here. Take “Active” away instead: it ends their access."
    )
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_superuser", "last_login", "created_at")
    list_filter = ("is_active", "is_superuser", "memberships__tenant")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "is_active")}),
        ("Facts", {"fields": ("is_superuser", "last_login", "created_at", "id")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )
    readonly_fields = ("is_superuser", "last_login", "created_at", "id")
    inlines = (MembershipInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody locks themselves out."""
        is_self = obj is not None and obj.pk == request.user.pk
        return (*self.readonly_fields, "is_active") if is_self else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Save; after a new address, the old one signs nobody in any more."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).delete()

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  # Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Set a password; the audit log tells who did it."""
        response = super().user_change_password(request, id, form_url)
        if response.status_code == 302 and response["Location"] != request.get_full_path():
            _record(request, "password-changed", User.objects.get(pk=id))
        return response


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit log, newest first."""

    list_display = ("created_at", "action", "subject", "actor", "tenant", "request_id")
    list_display_links = ("created_at", "action")
    fields = (("created_at", "action"), ("actor", "tenant"), ("subject", "request_id"), "detail")
    list_select_related = ("actor", "tenant")
    list_filter = ("tenant",)
    search_fields = ("action", "subject", "actor__email", "=request_id")
    search_help_text = "An id, an action, a subject, a request id, or the actor's e-mail"
    date_hierarchy = "created_at"
