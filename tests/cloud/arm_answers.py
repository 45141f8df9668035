"""What Azure's resource manager answers: bodies, statuses and its nested errors."""

import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Status, body (None: empty) and headers of one answer."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def error(code: str, message: str, *details: Json, **more: Any) -> Json:
    """An error object as Azure writes them; the details are errors too."""
    return {
        "code": code,
        "message": message,
        **more,
        **({"details": [*details]} if details else {}),
    }


def refusal(status: int, code: str, message: str, *details: Json, **headers: str) -> Answer:
    """An answer that is an error."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": error(code, message, *details)}, named)


def in_a_text(inner: Json, code: str = "BadRequest") -> Json:
    """An error that carries the real one as JSON in its message, as providers' errors come."""
    return error(code, json.dumps({"error": inner}, indent=2).replace("\n", "\r\n"))


def deployment_failed(*details: Json) -> Json:
    """The outermost error of a deployment; `details` are those of its operations."""
    return error(
        "DeploymentFailed",
        "At least one resource deployment operation failed. Please list deployment operations for"
        " details. Please see https://aka.ms/arm-deployment-operations for usage details.",
        *details,
    )


def nested_failed(target: str, inner: Json) -> Json:
    """The error of the operation that stands for a nested deployment."""
    return error(
        "ResourceDeploymentFailure",
        "The resource write operation failed to complete successfully, because it reached terminal"
        " provisioning state 'Failed'.",
        inner,
        target=target,
    )


def later(milliseconds: int) -> dict[str, str]:
    """When to ask again: in milliseconds, so that tests need not wait for whole seconds."""
    if milliseconds >= 1000:
        return {"Retry-After": str(milliseconds // 1000)}
    return {"x-ms-retry-after-ms": str(milliseconds)}
