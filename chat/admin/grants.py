"""Which tenant may use which model: on the page of the deployment, and on that of the tenant."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import models
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from chat.models import Deployment, DeploymentGrant
from tenants.admin.base import Confined, FixedOnceSaved
from tenants.admin.organisations import TenantAdmin
from tenants.models import Tenant
from tenants.rights import Right


class GrantForm(FixedOnceSaved):
    """Lets a tenant use a deployment. Which two it is about is chosen once."""

    fixed_fields = ("tenant", "deployment")

    class Meta:
        labels = {
            "is_default": "Default",
            "is_offered": "Offered to members",
            "fallback": "While it is paused",
        }
        error_messages = {
            "fallback": {"invalid_choice": "Choose another one of the organisation's models."}
        }

    @property
    def is_new_default(self) -> bool:
        """Whether it has just been made its tenant's default."""
        return self.instance.is_default and "is_default" in self.changed_data

    def _get_validation_exclusions(self) -> set[str]:
        """Not whether it is the only default: the one before gives way when this one is saved."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # not in the stubs
        return excluded | {"is_default"}


class GrantFormSet(PaginationInlineFormSet):  # type: ignore[misc]  # unfold ships no types
    """Grants, one of them a tenant's default: choosing another replaces the one before."""

    # What lost its place as default, on this page or another, for the audit log.
    also_changed: list[tuple[DeploymentGrant, dict[str, list[str]]]]

    def add_fields(self, form: GrantForm, index: int | None) -> None:
        """What may stand in for a model: another one of the tenant's."""
        super().add_fields(form, index)
        field = form.fields.get("fallback")
        if isinstance(field, ModelChoiceField):
            own = form.instance.deployment_id
            granted = Deployment.objects.filter(grants__tenant=self.instance.pk)
            field.queryset = granted.exclude(pk=own) if own else granted
            field.choices = [
                ("", "Nobody answers: messages wait"),
                *((pk, label) for pk, label in self._granted if pk != own),
            ]

    @cached_property
    def _granted(self) -> list[tuple[Any, str]]:
        """The tenant's models, asked for once for all rows."""
        granted = Deployment.objects.filter(grants__tenant=self.instance.pk)
        return list(granted.values_list("pk", "label"))

    def clean(self) -> None:
        """One new default for a tenant at most, and one that its members may choose."""
        super().clean()
        self._refuse_repeated()
        new: dict[Any, GrantForm] = {}
        for form in self._kept():
            if form.is_new_default and new.setdefault(form.instance.tenant_id, form) is not form:
                form.add_error("is_default", "Choose one default.")
        for form in self._kept():
            if form is not new.get(form.instance.tenant_id, form):
                form.instance.is_default = False
            if form.has_changed() and form.instance.is_default and not form.instance.is_offered:
                form.add_error("is_offered", "The default must be offered.")

    def _refuse_repeated(self) -> None:
        """The constraint has the page's own row in it, which Django does not look at here."""
        for form in self._kept():
            pair = {"tenant": form.instance.tenant_id, "deployment": form.instance.deployment_id}
            is_new = form.instance._state.adding and all(pair.values())  # noqa: SLF001  # documented
            if is_new and DeploymentGrant.objects.filter(**pair).exists():
                form.add_error(None, "This is granted already.")

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  # Django's signature
        """Save; new defaults take the place of those before."""
        self.also_changed = []
        for form in self._kept():
            if form.is_new_default:
                self._make_way(form.instance)
        for form in self.deleted_forms if self.can_delete else []:
            self._forget(form.instance)
        return super().save(commit)

    def _kept(self) -> Iterator[GrantForm]:
        deleted = self.deleted_forms if self.can_delete and not any(self.errors) else []
        return (form for form in self.forms if form not in deleted and form.instance.tenant_id)

    def _make_way(self, grant: DeploymentGrant) -> None:
        # The lock lets two who choose at the same time take turns.
        Tenant.objects.select_for_update(no_key=True).get(pk=grant.tenant_id)
        defaults = DeploymentGrant.objects.filter(tenant=grant.tenant_id, is_default=True)
        for other in defaults.exclude(pk=grant.pk).select_related("tenant"):
            other.is_default = False
            other.save(update_fields=["is_default"])
            self.also_changed.append((other, {"is_default": ["True", "False"]}))

    def _forget(self, withdrawn: DeploymentGrant) -> None:
        """What the tenant has no longer stands in for nothing of its."""
        grants = DeploymentGrant.objects.filter(
            tenant=withdrawn.tenant_id, fallback=withdrawn.deployment_id
        )
        for other in grants.select_related("tenant", "fallback"):
            self.also_changed.append((other, {"fallback": [str(other.fallback), ""]}))
            other.fallback = None
            other.save(update_fields=["fallback"])


class GrantInline(Confined, TabularInline):  # type: ignore[misc]  # as above
    """What both pages have in common."""

    model = DeploymentGrant
    form = GrantForm
    formset = GrantFormSet
    extra = 0
    hide_title = True
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[DeploymentGrant]:
        """With both ends, which every row names."""
        rows = super().get_queryset(request).select_related("tenant", "deployment")
        return rows.order_by("deployment__label", "tenant__name")


class TenantsInline(GrantInline):
    """The tenants that may use a deployment. Taking a grant away withdraws the model at once."""

    fk_name = "deployment"
    autocomplete_fields = ("tenant",)
    fields = ("tenant", "is_default", "is_offered")


class ModelsInline(GrantInline):
    """The models that a tenant may use: given by administrators, arranged by its managers.

    Names no endpoint and no price, which are the platform's.
    """

    sees = changes = Right.RUN_MODELS
    verbose_name = "model"
    verbose_name_plural = "models"
    readonly_fields = ("label", "purpose", "model_name")

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """Administrators choose the deployment; for others it is a name."""
        first = "deployment" if self.may(request, None) else "label"
        return (first, "purpose", "model_name", "is_default", "is_offered", "fallback")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The fallback is chosen here; models have a page of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "fallback":
            field.widget = field.widget.widget  # without links to add, change and delete
        return field

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Platform administrators alone."""
        return self.may(request, None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Platform administrators alone."""
        return self.may(request, None)

    @admin.display(description="Model")
    def label(self, grant: DeploymentGrant) -> str:
        """The name that members see."""
        return grant.deployment.label

    @admin.display(description="Purpose")
    def purpose(self, grant: DeploymentGrant) -> str:
        """What it is good for."""
        return grant.deployment.purpose

    @admin.display(description="Name in the call")
    def model_name(self, grant: DeploymentGrant) -> str:
        """What the provider calls it."""
        return grant.deployment.model


TenantAdmin.add_inline(ModelsInline)
