"""The one door to azure-identity."""

from collections.abc import Callable
from functools import cache

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from django.conf import settings


@cache
def _token_provider() -> Callable[[], str]:
    return get_bearer_token_provider(DefaultAzureCredential(), settings.AZURE_OPENAI_SCOPE)


def openai_token() -> str:
    """A bearer token of the managed identity for Azure OpenAI, fresh for at least five minutes.

    azure-identity caches it and renews it in time. Raises azure.core ClientAuthenticationError
    (also CredentialUnavailableError) when no identity answers.
    """
    return _token_provider()()
