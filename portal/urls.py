"""Every address of the portal. A tenant's pages live under its slug."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

# The admin's own form has no rate limit: people sign in to it through the portal's.
setattr(admin.site, "login", secure_admin_login(admin.site.login))  # noqa: B010  # a method

urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("", include("tenants.urls")),
    path("<slug:tenant>/", include("chat.urls")),
]
