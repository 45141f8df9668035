"""Addresses below a tenant's slug. Each view takes the slug in its guard, `member_required`."""

from django.urls import path

from chat import views

app_name = "chat"
urlpatterns = [
    path("", views.new_conversation, name="new_conversation"),
    path("logo/", views.show_logo, name="show_logo"),
    path("c/", views.list_conversations, name="list_conversations"),
    path("c/start/", views.start_conversation, name="start_conversation"),
    path("c/<uuid:conversation_id>/", views.show_conversation, name="show_conversation"),
    path("c/<uuid:conversation_id>/turns/", views.list_turns, name="list_turns"),
    path("c/<uuid:conversation_id>/row/", views.show_row, name="show_row"),
    path("c/<uuid:conversation_id>/messages/", views.send_message, name="send_message"),
    path("c/<uuid:conversation_id>/rename/", views.rename_conversation, name="rename_conversation"),
    path("c/<uuid:conversation_id>/delete/", views.delete_conversation, name="delete_conversation"),
    path("g/<uuid:generation_id>/", views.show_generation, name="show_generation"),
    path("g/<uuid:generation_id>/events/", views.stream_generation, name="stream_generation"),
    path("g/<uuid:generation_id>/stop/", views.stop_generation, name="stop_generation"),
    path("g/<uuid:generation_id>/retry/", views.retry_generation, name="retry_generation"),
    path("g/<uuid:generation_id>/continue/", views.continue_generation, name="continue_generation"),
    path("g/<uuid:generation_id>/edit/", views.edit_generation, name="edit_generation"),
]
