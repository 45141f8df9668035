"""The operators' door to Azure: its resource manager (ARM), and no other API.

Requests go through one pipeline of the Azure SDK: signed in by `portal.azure.credential`, repeated
after throttling (Retry-After) and lost connections, followed until a long-running operation ends.
Bodies are JSON as in Azure's REST reference. Paths begin with ``/subscriptions/…``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import Pipeline, PipelineResponse, policies
from azure.core.pipeline.transport import RequestsTransport
from azure.core.polling import LROPoller
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.core.polling.arm_polling import ARMPolling
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.deployments.models import Deployment, DeploymentWhatIf
from django.conf import settings

from portal.azure import credential

Json = dict[str, Any]

RETRIES = 10
CONNECTION_RETRIES = 3
# Between two looks at a long-running operation, where Azure names no time (Retry-After).
POLLING_SECONDS = 5.0
READ_SECONDS = 120
USER_AGENT = "atrium-infra"
# The API version for a deployment's operations, wherever it is (the SDK knows one group only).
DEPLOYMENTS = "2025-04-01"
FULL_PAYLOADS = {"resultFormat": "FullResourcePayloads"}


class ArmError(Exception):
    """What Azure answered, or that it did not answer.

    `code` and `error` are those of the answer (the outermost; portal/infra/causes.py finds the
    innermost), `correlation_id` is what Microsoft's support asks for. Status 0: nothing answered.
    """

    def __init__(
        self, code: str, text: str, *, status: int = 0, error: Json | None = None, trace: str = ""
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status
        self.error = error or {"code": code, "message": text}
        self.correlation_id = trace

    @property
    def is_missing(self) -> bool:
        """Whether what was asked for does not exist."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def is_lost_connection(self) -> bool:
        """Whether no answer came; what was asked for may go on in Azure."""
        return self.code == "ConnectionLost"


class Arm:
    """Azure's resource manager for one subscription; close it, or use it in a with statement."""

    def __init__(self, subscription: str) -> None:
        if not settings.AZURE_RESOURCE_MANAGER_URL.startswith("https://"):
            raise ArmError("NotSecure", "AZURE_RESOURCE_MANAGER_URL must begin with https://")
        self.subscription = subscription
        self._pipeline = _pipeline(credential())
        self._client: ARMPipelineClient[HttpRequest, HttpResponse] = ARMPipelineClient(
            settings.AZURE_RESOURCE_MANAGER_URL, pipeline=self._pipeline, policies=[]
        )
        self._sdk = DeploymentsMgmtClient(
            credential(),
            subscription,
            settings.AZURE_RESOURCE_MANAGER_URL,
            pipeline=self._pipeline,
            policies=[],
            polling_interval=POLLING_SECONDS,
        )

    def __enter__(self) -> Self:
        self._pipeline.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def group(self, name: str) -> str:
        """The path of a resource group."""
        return f"{self.path}/resourceGroups/{quote(name)}"

    @property
    def path(self) -> str:
        """The path of the subscription."""
        return f"/subscriptions/{self.subscription}"

    # ── Any resource, by its path ──────────────────────────────────────────────────────────────
    def get(self, path: str, version: str, **query: str) -> Json:
        """The resource; raises ArmError, also where there is none."""
        return self._send("GET", path, version, query=query)

    def find(self, path: str, version: str, **query: str) -> Json | None:
        """The resource, or None where there is none."""
        try:
            return self.get(path, version, **query)
        except ArmError as error:
            if error.is_missing:
                return None
            raise

    def list_all(self, path: str, version: str, **query: str) -> Iterator[Json]:
        """The members of a collection, page after page."""
        page = self.get(path, version, **query)
        yield from page.get("value", [])
        while link := page.get("nextLink"):
            page = self._send("GET", link, "")
            yield from page.get("value", [])

    def put(self, path: str, version: str, body: Json) -> Json:
        """Create or replace it, and wait until Azure is done."""
        return self._send("PUT", path, version, body=body)

    def patch(self, path: str, version: str, body: Json) -> Json:
        """Change parts of it, and wait until Azure is done."""
        return self._send("PATCH", path, version, body=body)

    def post(self, path: str, version: str, body: Json | None = None, **query: str) -> Json:
        """Do something with it, and wait until Azure is done. The answer's body, or {}."""
        return self._send("POST", path, version, body=body, query=query)

    def delete(self, path: str, version: str) -> None:
        """Remove it, and wait until Azure is done; all is well where there is none."""
        self._send("DELETE", path, version)

    # ── Deployments of a resource group ────────────────────────────────────────────────────────
    def validate(self, group: str, name: str, properties: Json) -> Json:
        """Let Azure check template and parameters; ArmError says what it refuses."""
        with _errors():
            poller = self._sdk.deployments.begin_validate(
                group, name, Deployment({"properties": properties})
            )
            return dict(poller.result().as_dict())

    def what_if(self, group: str, name: str, properties: Json) -> Json:
        """What a deployment would change: `properties.changes`, as Azure sees it."""
        with _errors():
            body = DeploymentWhatIf({"properties": {**properties, "whatIfSettings": FULL_PAYLOADS}})
            poller = self._sdk.deployments.begin_what_if(group, name, body)
            return dict(poller.result().as_dict())

    def begin(self, group: str, name: str, properties: Json) -> Json:
        """Start a deployment and return at once; `deployment` says how it goes on."""
        with _errors():
            poller = self._sdk.deployments.begin_create_or_update(
                group, name, Deployment({"properties": properties}), polling=False
            )
            return dict(poller.result().as_dict())

    def deployment(self, group: str, name: str) -> Json:
        """State, outputs and error of a deployment."""
        with _errors():
            return dict(self._sdk.deployments.get(group, name).as_dict())

    def deployments(self, group: str) -> list[Json]:
        """What was ever deployed into the group, newest first."""
        with _errors():
            found = [each.as_dict() for each in self._sdk.deployments.list_by_resource_group(group)]
        return sorted(found, key=_begun, reverse=True)

    def operations(self, deployment: str) -> list[Json]:
        """What the deployment with this id does to each resource, so far."""
        return list(self.list_all(f"{deployment}/operations", DEPLOYMENTS))

    def cancel(self, group: str, name: str) -> None:
        """Start nothing more of this deployment; what has begun goes on."""
        with _errors():
            self._sdk.deployments.cancel(group, name)

    def _send(
        self,
        method: str,
        path: str,
        version: str,
        *,
        body: Json | None = None,
        query: dict[str, str] | None = None,
    ) -> Json:
        """One request, and the end of the operation that it begins."""
        parameters = {"api-version": version, **(query or {})} if version else {}
        url = path if path.startswith("https://") else self._client.format_url(path)
        request = HttpRequest(method, url, params=parameters, json=body)
        with _errors():
            first = self._pipeline.run(request)
            if method == "DELETE" and first.http_response.status_code == HTTPStatus.NOT_FOUND:
                return {}
            first.http_response.raise_for_status()
            if method == "GET":
                return _json(first.http_response)
            poller: LROPoller[Json] = LROPoller(
                self._client, first, _result, ARMPolling(POLLING_SECONDS)
            )
            return poller.result() or {}


def _pipeline(sign_in: TokenCredential) -> Pipeline[HttpRequest, HttpResponse]:
    """As the SDK's own clients have it, without the policy that registers resource providers.

    That one would change the subscription while something is only looked at.
    """
    scope = f"{settings.AZURE_RESOURCE_MANAGER_URL}/.default"
    steps: list[Any] = [
        policies.RequestIdPolicy(),
        policies.UserAgentPolicy(USER_AGENT),
        policies.ContentDecodePolicy(),
        policies.RedirectPolicy(),
        policies.RetryPolicy(
            retry_total=RETRIES,
            retry_status=RETRIES,
            retry_connect=CONNECTION_RETRIES,
            retry_read=CONNECTION_RETRIES,
        ),
        ARMChallengeAuthenticationPolicy(sign_in, scope),
        policies.SensitiveHeaderCleanupPolicy(),
    ]
    return Pipeline(RequestsTransport(read_timeout=READ_SECONDS), steps)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what the SDK raises into ArmError."""
    try:
        yield
    except HttpResponseError as error:
        raise _refusal(error) from error
    except ClientAuthenticationError as error:
        raise ArmError("NotSignedIn", _first_line(error)) from error
    except AzureError as error:
        raise ArmError("ConnectionLost", _first_line(error)) from error


def _refusal(error: HttpResponseError) -> ArmError:
    """The error of an answer; or of nobody's signing in, which comes without an answer."""
    response: Any = error.response
    if response is None:
        return ArmError("NotSignedIn", _first_line(error))
    told = _told(response)
    return ArmError(
        str(told.get("code") or response.status_code),
        str(told.get("message") or response.reason or "no reason given"),
        status=response.status_code or 0,
        error=told or None,
        trace=response.headers.get("x-ms-correlation-request-id", ""),
    )


def _told(response: Any) -> Json:
    """The error object of an answer; {} where it holds none (a proxy's page, say)."""
    try:
        body = response.json()
    except (ValueError, AzureError):
        return {}
    if not isinstance(body, dict):
        return {}
    error = body.get("error") or body.get("properties", {}).get("error") or {}
    return error if isinstance(error, dict) else {}


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _begun(deployment: Json) -> str:
    return str(deployment.get("properties", {}).get("timestamp", ""))


def _result(response: PipelineResponse[HttpRequest, HttpResponse]) -> Json:
    return _json(response.http_response)


def _json(response: HttpResponse) -> Json:
    return dict(response.json()) if response.content else {}
