"""The admin of people: who can sign in."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants import services
from tenants.admin.acting import acting
from tenants.admin.base import AuditedAdmin, record_change
from tenants.admin.memberships import MembershipInline
from tenants.errors import LastOwner
from tenants.models import User


class OneSpelling:
    """A form whose e-mail is kept in lower case, as people are looked up."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        """The e-mail in lower case."""
        return str(self.cleaned_data["email"]).lower()


class PersonForm(OneSpelling, UserChangeForm):  # type: ignore[misc]  # as above
    """A person as an administrator changes them."""

    def clean_is_active(self) -> bool:
        """Refused for the last owner of a tenant."""
        is_active = bool(self.cleaned_data["is_active"])
        if self.instance.is_active and not is_active:
            try:
                services.ensure_may_switch_off(self.instance)
            except LastOwner as refusal:
                raise ValidationError(str(refusal)) from None
        return is_active


class NewPersonForm(OneSpelling, UserCreationForm):  # type: ignore[misc]  # as above
    """A new account, with a password or without one until the person sets it by e-mail."""

    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AuditedAdmin):  # type: ignore[type-arg,misc]  # as at run time
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
        if change and not obj.is_active:
            services.withdraw_invitations_of(obj, actor=acting(request))

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  # Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Set a password; the audit log tells who did it."""
        response = super().user_change_password(request, id, form_url)
        if response.status_code == 302 and response["Location"] != request.get_full_path():
            record_change(request, "password-changed", User.objects.get(pk=id))
        return response
