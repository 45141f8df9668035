"""The smallest real call to each web service that proves what its identity may do."""

import http
from collections.abc import Callable

from portal.network.asking import Door, Reply
from portal.network.findings import Problem

MODELS_PATH = "/openai/v1/models"
HEALTH_PATH = "/healthz"
REGISTRY_PATH = "/v2/"
# Names of versions, never a value (https://learn.microsoft.com/rest/api/keyvault/secrets).
SECRET_PATH = "/secrets/secret-key/versions?maxresults=1&api-version=7.4"  # noqa: S105  # a path
# The repository of the portal's image (infra/arm/main.json, parameter `image`).
REPOSITORY = "atrium"
# What a service says to a request that did not come through a private endpoint:
# Azure AI services "Public access is disabled. Please configure private endpoint." and "A Virtual
# Network is configured for this resource."; Key Vault "Public network access is disabled ..." and
# "... not an approved private link"; registry "client with IP '...' is not allowed access";
# App Service "... has blocked your access", with the header x-ms-forbidden-ip.
_CLOSED_WORDS = (
    "public access is disabled",
    "public network access is disabled",
    "a virtual network is configured for this resource",
    "not an approved private link",
    "forbiddenbyconnection",
    "forbiddenbyfirewall",
    "is not allowed access. refer https://aka.ms/acr/firewall",
    "has blocked your access",
)
_CLOSED_HEADER = "x-ms-forbidden-ip"
_STATUS_PROBLEMS: dict[int, str] = {
    http.HTTPStatus.UNAUTHORIZED: "token-refused",
    http.HTTPStatus.FORBIDDEN: "role-missing",
    http.HTTPStatus.TOO_MANY_REQUESTS: "throttled",
}


def is_closed(reply: Reply) -> bool:
    """Whether a service refuses this request because it came from a public address."""
    if reply.status != http.HTTPStatus.FORBIDDEN:
        return False
    said = reply.text.lower()
    return _CLOSED_HEADER in reply.headers or any(word in said for word in _CLOSED_WORDS)


def list_models(door: Door, token: str, key: str) -> str:
    """Azure OpenAI: the list of models."""
    headers = {"api-key": key} if key else {}
    reply = door.ask(MODELS_PATH, token=token, headers=headers)
    _expect(reply)
    return f"GET {MODELS_PATH}: HTTP 200"


def list_versions(door: Door, token: str, _key: str) -> str:
    """Key Vault: the versions of the secret that signs sessions, without their values."""
    reply = door.ask(SECRET_PATH, token=token)
    if reply.status == http.HTTPStatus.NOT_FOUND:
        raise Problem("secret-missing", str(reply))
    _expect(reply)
    versions = reply.json().get("value")
    if not isinstance(versions, list):
        raise Problem("unexpected-answer", f"HTTP {reply.status} without a list of versions")
    if not any(version.get("attributes", {}).get("enabled") for version in versions):
        raise Problem("secret-missing", "the secret secret-key has no enabled version")
    return "the versions of secret-key can be listed"


def may_pull(door: Door, token: str, _key: str) -> str:
    """Registry: its challenge, its own tokens for ours, and a manifest of the portal's image.

    As https://azure.github.io/acr/AAD-OAuth.html describes. A manifest that is not there (404)
    proves the right as well.
    """
    reply = door.ask(REGISTRY_PATH)
    if reply.status != http.HTTPStatus.UNAUTHORIZED or "bearer" not in _challenge(reply):
        _expect(reply)
        raise Problem("unexpected-answer", f"{reply} to {REGISTRY_PATH}, without a challenge")
    refresh = _exchange(
        door, "exchange", "refresh_token",
        {"grant_type": "access_token", "access_token": token},
    )  # fmt: skip
    scope = f"repository:{REPOSITORY}:pull"
    pull = _exchange(
        door, "token", "access_token",
        {"grant_type": "refresh_token", "refresh_token": refresh, "scope": scope},
    )  # fmt: skip
    reply = door.ask(f"/v2/{REPOSITORY}/manifests/latest", method="HEAD", token=pull)
    if reply.status == http.HTTPStatus.UNAUTHORIZED:
        raise Problem("role-missing", f"HTTP 401 to a pull of {REPOSITORY}")
    if reply.status != http.HTTPStatus.NOT_FOUND:
        _expect(reply)
    return f"images of {REPOSITORY} may be pulled"


def ask_health(door: Door, _token: str, _key: str) -> str:
    """The web app: it is alive."""
    reply = door.ask(HEALTH_PATH)
    if reply.status != http.HTTPStatus.OK and not is_closed(reply):
        raise Problem("app-down", f"{reply} to {HEALTH_PATH}")
    _expect(reply)
    return f"GET {HEALTH_PATH}: HTTP 200"


CALLS: dict[str, Callable[[Door, str, str], str]] = {
    "openai": list_models,
    "keyvault": list_versions,
    "registry": may_pull,
    "web": ask_health,
}


def _exchange(door: Door, path: str, wanted: str, form: dict[str, str]) -> str:
    """One token of the registry for another."""
    reply = door.ask(f"/oauth2/{path}", method="POST", form={**form, "service": door.host})
    _expect(reply)
    token = reply.json().get(wanted)
    if not isinstance(token, str) or not token:
        raise Problem("unexpected-answer", f"HTTP {reply.status} without a token")
    return token


def _challenge(reply: Reply) -> str:
    return (reply.headers.get("www-authenticate") or "").lower()


def _expect(reply: Reply) -> None:
    """Raise Problem for anything but 200."""
    if reply.status == http.HTTPStatus.OK:
        return
    if is_closed(reply):
        raise Problem("seen-as-public", str(reply))
    if reply.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Problem("service-fails", str(reply))
    code = _STATUS_PROBLEMS.get(reply.status, "unexpected-answer")
    raise Problem(code, str(reply))
