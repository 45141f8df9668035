"""The chat app: what happens."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Catalogue, conversations, messages, generations and usage."""

    name = "chat"
