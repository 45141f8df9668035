"""Who may see and change which rows in the admin, and what they are offered to choose from.

Platform administrators see all tenants. Managers and owners see their own: the request runs in the
scope of those (portal/admin.py), and each page here asks for the right that it needs, in the tenant
that the row belongs to.
"""

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.utils import get_model_from_relation
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest

from tenants.access import access_of
from tenants.models import Tenant
from tenants.rights import Right


class Confined:
    """Of an admin or inline: who may see and change its rows, by the tenant they belong to.

    `sees` and `changes` name the right that a manager or owner needs; None: administrators alone.
    Adding needs the right to change in the tenant that is chosen.
    """

    sees: ClassVar[Right | None] = None
    changes: ClassVar[Right | None] = None
    tenant_path: ClassVar[str] = "tenant"  # the way from the row to its tenant; "" is the tenant
    # Fields by which links may narrow the list, besides those that it offers itself.
    linked_by: ClassVar[tuple[str, ...]] = ()

    def tenant_of(self, obj: Any) -> Tenant | None:
        """The tenant of this row, or None. (An inline is asked with the row of its page.)"""
        if isinstance(obj, Tenant):
            return obj
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
        if self.sees is None:
            return rows.none()
        tenants = access.tenants_with(self.sees)
        return rows.filter(**{f"{self.tenant_path or 'pk'}__in": [each.pk for each in tenants]})

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the section is shown."""
        return self.may(request, self.sees)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has the right that `sees` names, in the row's tenant."""
        return self.may(request, self.sees, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has the right that `changes` names, in any tenant; the form offers only those."""
        return self.may(request, self.changes, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has the right that `changes` names, in the row's tenant."""
        return self.may(request, self.changes, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing."""
        return self.may(request, self.changes, obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows that the person may see."""
        return self.confine(request, super().get_queryset(request))  # type: ignore[misc]  # a mixin

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the list may be filtered like this by its address: only as the page offers it.

        By any other field its values could be guessed letter by letter.
        """
        options: Any = self
        offered = [item if isinstance(item, str) else item[0] for item in _paths(options, request)]
        try:
            options.opts.get_field(lookup.split("__", maxsplit=1)[0])
        except FieldDoesNotExist:
            is_offered = True  # a filter's own parameter, or nothing at all
        else:
            is_offered = any(lookup == path or lookup.startswith(f"{path}__") for path in offered)
        return is_offered and bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]  # as above

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """A choice of what the person may see, and of tenants in which they may make such rows."""
        if db_field.related_model is Tenant:
            tenants = tenants_with(request, self.changes)
            if not access_of(request).is_administrator and len(tenants) == 1:
                kwargs.setdefault("initial", tenants[0])
            kwargs.setdefault("queryset", tenants)
        else:
            site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]  # a mixin
            kwargs.setdefault("queryset", rows_to_choose(site, db_field.related_model, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A tenant is chosen here, and seen and changed on its own page."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # as above
        if db_field.related_model is Tenant and isinstance(field.widget, RelatedFieldWidgetWrapper):
            widget = field.widget
            widget.can_add_related = widget.can_change_related = False
            widget.can_delete_related = widget.can_view_related = False
        return field


def _paths(options: Any, request: HttpRequest) -> list[Any]:
    """The fields by which the list's page offers to filter, and the row's id."""
    filters = options.get_list_filter(request)
    fields = [item for item in filters if isinstance(item, str | tuple | list)]
    by_link = [*filter(None, [options.date_hierarchy]), *options.linked_by, options.opts.pk.name]
    return [*fields, *by_link]


def tenants_with(request: HttpRequest, right: Right | None) -> models.QuerySet[Tenant]:
    """The tenants in which the person has this right, by name; all of them for administrators."""
    access, every = access_of(request), Tenant.objects.order_by("name")
    if access.is_administrator:
        return every
    tenants = access.tenants_with(right) if right else []
    return every.filter(pk__in=[tenant.pk for tenant in tenants])


def rows_to_choose(
    site: admin.AdminSite, model: type[models.Model], request: HttpRequest
) -> models.QuerySet[Any]:
    """The rows of this model that the person may see, as the admin of the model says."""
    related = site._registry.get(model)  # noqa: SLF001  # as Django's own
    if related is not None:
        return related.get_queryset(request)
    every = model._default_manager.all()  # noqa: SLF001  # documented
    return every if access_of(request).is_administrator else every.none()


class ConfinedFilter(admin.RelatedFieldListFilter):
    """A filter by a related row, which offers only those that the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Id and name of each."""
        model = get_model_from_relation(field)
        if model is Tenant:
            rows: models.QuerySet[Any] = tenants_with(request, model_admin.sees)
        else:
            rows = rows_to_choose(model_admin.admin_site, model, request)
        return [(str(row.pk), str(row)) for row in rows]


# For every list of the site, so that none can forget it.
admin.FieldListFilter.register(
    lambda field: bool(field.remote_field), ConfinedFilter, take_priority=True
)
