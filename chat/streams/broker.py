"""Celery's broker with the tokens of an identity: kombu's transport, over connections of ours.

Loaded by CELERY_BROKER_TRANSPORT alone.
"""

from kombu.transport import redis

from chat.streams.credentials import SignedIn, SignedInOverTls


class Channel(redis.Channel):
    """Kombu's, over connections that sign in again before their token expires."""

    connection_class = SignedIn
    connection_class_ssl = SignedInOverTls


class Transport(redis.Transport):
    """Kombu's, with these channels."""

    Channel = Channel
