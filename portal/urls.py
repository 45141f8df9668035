"""Every address of the portal. A tenant's pages live under its slug."""

from allauth.account import urls as allauth_urls
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from portal import views

# The admin's own form has no rate limit: people sign in to it through the portal's.
setattr(admin.site, "login", secure_admin_login(admin.site.login))  # noqa: B010  # a method

# Of allauth's pages only these: accounts and their addresses come from an administrator.
OFFERED = {
    "account_change_password",
    "account_inactive",
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}
account_patterns = [page for page in allauth_urls.urlpatterns if page.name in OFFERED]

handler400 = "portal.views.bad_request"

urlpatterns = [
    path("accounts/", include(account_patterns)),
    path("admin/", admin.site.urls),
    path("streamz", views.stream_probe, name="stream_probe"),
    path("", include("tenants.urls")),
    path("<slug:tenant>/", include("chat.urls")),
]
