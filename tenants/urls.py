"""Addresses that belong to no tenant."""

from django.urls import path

from tenants import views

urlpatterns = [
    path("", views.home, name="home"),
    path("invitations/<str:token>/", views.accept_invitation, name="accept_invitation"),
]
