"""The manners that every admin page of the portal has.

Platform administrators see all tenants. Managers and owners see their own: the request runs in the
scope of those (portal/admin.py), and each page here asks for the right that it needs, in the tenant
that the row belongs to. What is changed is written to the audit log.
"""

import uuid
from functools import reduce
from operator import or_
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from tenants.access import access_of
from tenants.models import Tenant, User
from tenants.rights import Right
from tenants.services import record


class Confined:
    """Of an admin or inline: who may see and change its rows, by the tenant they belong to.

    `sees` and `changes` name the right that a manager or owner needs; None: administrators alone.
    Adding needs the right to change in the tenant that is chosen.
    """

    sees: ClassVar[Right | None] = None
    changes: ClassVar[Right | None] = None
    tenant_path: ClassVar[str] = "tenant"  # the way from the row to its tenant; "" is the tenant

    def tenant_of(self, obj: Any) -> Tenant | None:
        """The tenant that this row belongs to; None for one that has none."""
        for name in self.tenant_path.split("__") if self.tenant_path else ():
            obj = getattr(obj, name, None)
        return cast(Tenant | None, obj)

    def may(self, request: HttpRequest, right: Right | None, obj: Any = None) -> bool:
        """Whether the person has this right in the row's tenant; without a row, in any."""
        access = access_of(request)
        if access.is_administrator or right is None:
            return access.is_administrator
        if obj is None:
            return access.may(right)
        tenant = self.tenant_of(obj)
        return tenant is not None and access.may(right, tenant)

    def confine(self, request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Those of these rows that the person may see."""
        access = access_of(request)
        if access.is_administrator:
            return rows
        tenants = access.tenants_with(self.sees) if self.sees else []
        return rows.filter(**{f"{self.tenant_path or 'pk'}__in": [each.pk for each in tenants]})

    def tenants_to_choose(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        """The tenants in which the person may make or change such rows."""
        access, every = access_of(request), Tenant.objects.order_by("name")
        if access.is_administrator:
            return every
        tenants = access.tenants_with(self.changes) if self.changes else []
        return every.filter(pk__in=[tenant.pk for tenant in tenants])

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the section is shown."""
        return self.may(request, self.sees)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has the right that `sees` names, in the row's tenant."""
        return self.may(request, self.sees, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has the right that `changes` names, in any tenant; the form offers only those."""
        return self.may(request, self.changes)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has the right that `changes` names, in the row's tenant."""
        return self.may(request, self.changes, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing."""
        return self.may(request, self.changes, obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows that the person may see."""
        return self.confine(request, super().get_queryset(request))  # type: ignore[misc]  # a mixin

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """A choice of what the person may see, and of tenants in which they may make such rows."""
        if db_field.related_model is Tenant:
            kwargs.setdefault("queryset", self.tenants_to_choose(request))
        else:
            site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]  # a mixin
            related = site._registry.get(db_field.related_model)  # noqa: SLF001  # as Django's own
            if related is not None:
                kwargs.setdefault("queryset", related.get_queryset(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class SearchById(Confined, ModelAdmin):  # type: ignore[misc]  # unfold ships no types
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

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
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
            record_change(request, "created", obj)
        elif form.changed_data:
            record_change(request, "changed", obj, changes=changes_of(form))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Save the inline's rows, and write what changed to the audit log."""
        super().save_formset(request, form, formset, change)
        for obj in formset.new_objects:
            record_change(request, "created", obj, name=str(obj))
        for obj in formset.deleted_objects:
            record_change(request, "deleted", obj, name=str(obj))
        changed = {obj.pk for obj, _ in formset.changed_objects}
        for row in formset.initial_forms:
            if row.instance.pk in changed:
                record_change(request, "changed", row.instance, changes=changes_of(row))


def record_change(request: HttpRequest, verb: str, obj: models.Model, **detail: Any) -> None:
    """Write to the audit log that the person did this to the row."""
    assert isinstance(request.user, User)  # noqa: S101  # the admin lets nobody else in
    tenant = obj if isinstance(obj, Tenant) else getattr(obj, "tenant", None)
    action = f"{obj._meta.model_name}.{verb}"
    record(action, subject=obj, actor=request.user, tenant=tenant, **detail)


def changes_of(form: Any) -> dict[str, list[str]]:
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
