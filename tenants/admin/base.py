"""The manners that every admin page of the portal has: how it is searched, and what it writes down.

Whom it lets see and change what is in confined.py.
"""

import uuid
from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from tenants.access import access_of
from tenants.admin.confined import Confined, tenants_with
from tenants.admin.history import AuditHistory
from tenants.admin.lookups import CheckedLookups
from tenants.models import Tenant, User
from tenants.services import record

__all__ = [
    "AuditedAdmin",
    "Confined",
    "FixedOnceSaved",
    "ReadOnlyAdmin",
    "SearchById",
    "changes_of",
    "record_change",
    "tenants_with",
]

# Texts are cut in the audit log: a prompt may have 20,000 characters.
_LONGEST_VALUE = 1000


class SearchById(Confined, CheckedLookups, AuditHistory, ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """What every page builds on.

    A search for a whole id looks it up by index; other words go through `search_fields`.
    """

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
            return super().get_search_results(request, queryset, search_term)
        has_id = reduce(or_, (Q(**{field: wanted}) for field in self.id_fields))
        return queryset.filter(has_id), False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns; not the tenant's for somebody who runs only one."""
        access = access_of(request)
        runs_one = not access.is_administrator and len(access.tenants) == 1
        columns = super().get_list_display(request)
        return [column for column in columns if not (runs_one and column == "tenant")]


class ReadOnlyAdmin(SearchById):
    """Looking is all that can be done: nothing is added, changed or deleted here.

    What is in `hidden_fields` is not even read.
    """

    hidden_fields: ClassVar[tuple[str, ...]] = ()

    @admin.display(description="Id", ordering="pk")
    def short_id(self, obj: Any) -> str:
        """The first part of the id, to tell rows apart; the row's page has all of it."""
        return str(obj.pk)[:8]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Rows without their hidden fields, which stay in the database."""
        return super().get_queryset(request).defer(*self.hidden_fields)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the names of related rows as links only where their pages open for the person."""
        return [
            (
                title,
                {**options, "fields": [self._line(request, line) for line in options["fields"]]},
            )
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _line(self, request: HttpRequest, line: Any) -> Any:
        if isinstance(line, list | tuple):
            return tuple(self._line(request, name) for name in line)
        related = {field.name: field for field in self.opts.fields if field.remote_field}.get(line)
        target = related and self.admin_site._registry.get(related.related_model)  # noqa: SLF001  # as Django's own
        if related is None or (target and target.has_view_permission(request)):
            return line
        return _name_of(related)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


def _name_of(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    """A column of the related rows' names."""

    @admin.display(description=field.verbose_name)
    def name(obj: Any) -> Any:
        return getattr(obj, field.name)

    name.__name__ = field.name
    return name


class RowForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A form that checks all constraints, also those with the tenant, which a saved row's lacks.

    Without that the database itself would refuse what the form let pass.
    """

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # not in the stubs
        return excluded if "tenant" in self.fields else excluded - {"tenant"}


class AuditedAdmin(SearchById):
    """Every change goes to the audit log. A row stays in its tenant.

    Rows are switched off rather than deleted, for the reason in `kept_because`; where that is empty
    they can be deleted. Inlines with the attribute `can_delete` may lose rows in any case.
    """

    form: type[forms.ModelForm] = RowForm  # type: ignore[type-arg]  # as above
    kept_because = "It is kept."
    warn_unsaved_form = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the tenant, once it is chosen."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "tenant") if obj and self._has_tenant() else fields

    def _has_tenant(self) -> bool:
        try:
            self.opts.get_field("tenant")
        except FieldDoesNotExist:
            return False
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody where rows are kept; `delete_view` says why."""
        return not self.kept_because and bool(super().has_delete_permission(request, obj))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what to do instead, where rows are kept."""
        if not self.kept_because:
            return super().delete_view(request, object_id, extra_context)  # type: ignore[no-any-return]  # as above
        messages.error(request, self.kept_because)
        meta = self.model._meta
        return redirect(f"admin:{meta.app_label}_{meta.model_name}_change", object_id)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Save, and write what changed to the audit log.

        Asks once more for the right in the row's own tenant, whatever form or list it comes from.
        """
        if not self.may(request, self.changes, obj):
            raise PermissionDenied
        if not change:
            super().save_model(request, obj, form, change)
            record_change(request, "created", obj)
        elif changes := changes_of(form):
            # No other field: somebody else may have changed it since this page was read.
            obj.save(update_fields=[*changes])
            record_change(request, "changed", obj, changes=changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, and write it to the audit log."""
        record_change(request, "deleted", obj, name=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Delete one by one, each written down."""
        for obj in queryset:
            self.delete_model(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Save the inline's rows, and write what changed to the audit log.

        A formset names rows that it changed beyond its own forms in `also_changed`, with what.
        """
        goes = [row.instance for row in formset.deleted_forms if not row.instance._state.adding]  # noqa: SLF001  # documented
        for obj in goes:
            record_change(request, "deleted", obj, name=str(obj))
        super().save_formset(request, form, formset, change)
        for obj in formset.new_objects:
            record_change(request, "created", obj, name=str(obj))
        for obj, changes in getattr(formset, "also_changed", ()):
            record_change(request, "changed", obj, changes=changes)
        changed = {obj.pk for obj, _ in formset.changed_objects}
        for row in formset.initial_forms:
            if row.instance.pk in changed and (changes := changes_of(row)):
                record_change(request, "changed", row.instance, changes=changes)


def record_change(request: HttpRequest, verb: str, obj: models.Model, **detail: Any) -> None:
    """Write to the audit log that the person did this to the row."""
    assert isinstance(request.user, User)  # noqa: S101  # the admin lets nobody else in
    tenant = obj if isinstance(obj, Tenant) else getattr(obj, "tenant", None)
    action = f"{obj._meta.model_name}.{verb}"
    record(action, subject=obj, actor=request.user, tenant=tenant, **detail)


def changes_of(form: Any) -> dict[str, list[str]]:
    """Old and new value of every field of the row that was changed; long ones are cut."""
    fields = {field.name for field in form.instance._meta.fields}
    return {
        name: [_cut(form.initial.get(name, "")), _cut(form.cleaned_data.get(name, ""))]
        for name in form.changed_data
        if name in fields
    }


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


class FixedOnceSaved(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """An inline's row whose related object is chosen once: later only the other fields change."""

    fixed_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fixed_fields:
            if name in self.fields and not self.instance._state.adding:  # noqa: SLF001  # documented
                self.fields[name].disabled = True
