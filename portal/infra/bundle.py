"""One self-contained template out of main.json and the modules that it links to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# What Azure's resource manager takes: Learn, "ARM template best practices", "Template limits".
MAX_BYTES = 4 * 1024 * 1024
MAX_ENTRIES = {"parameters": 256, "variables": 512, "resources": 800, "outputs": 64}
DEPLOYMENT = "microsoft.resources/deployments"


class BundleError(Exception):
    """The template cannot be made of these files; the text says which file and why."""


def build(main: Path) -> Json:
    """The template in `main`, with each linked module (`templateLink.relativePath`) inside it.

    A module keeps parameters and variables of its own (inner scope). Raises BundleError where a
    file is missing, is no template, links to itself, or the whole is more than Azure takes.
    """
    template = _load(main.resolve(), ())
    if size(template) > MAX_BYTES:
        raise BundleError(
            f"The template has {size(template):,} bytes; Azure takes {MAX_BYTES:,}. Take texts out"
            f" of {main.name} or its modules, or split the deployment"
        )
    return template


def text(template: Json) -> str:
    """The template as it is written into a file."""
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def size(template: Json) -> int:
    """Bytes of the template as it is sent: no space between its parts."""
    return len(json.dumps(template, separators=(",", ":")).encode())


def resources(template: Json) -> Iterator[Json]:
    """The resources of one template, however it lists them (by symbolic name or as a list)."""
    listed = template.get("resources", [])
    yield from listed.values() if isinstance(listed, dict) else listed


def modules(template: Json) -> int:
    """How many templates are inside this one, at any depth."""
    inner = [
        resource["properties"]["template"]
        for resource in resources(template)
        if _is_deployment(resource) and "template" in resource["properties"]
    ]
    return len(inner) + sum(modules(each) for each in inner)


def _load(path: Path, above: tuple[Path, ...]) -> Json:
    if path in above:
        chain = " → ".join(step.name for step in (*above[above.index(path) :], path))
        raise BundleError(f"Templates link to each other in a circle: {chain}")
    template = _read(path)
    for resource in resources(template):
        if _is_deployment(resource):
            resource["properties"] = _with_module(resource, path, above)
    return template


def _with_module(resource: Json, path: Path, above: tuple[Path, ...]) -> Json:
    """The properties of a nested deployment, its link replaced by what it links to."""
    properties: Json = dict(resource["properties"])
    link = properties.pop("templateLink", None)
    if link is None:
        return properties
    relative = link.get("relativePath")
    if not relative:
        raise BundleError(
            f"{path.name}: deployment {resource.get('name')} links to no file beside it"
            " (templateLink.relativePath), so it cannot be put inside"
        )
    properties["expressionEvaluationOptions"] = {"scope": "inner"}
    properties["template"] = _load((path.parent / relative).resolve(), (*above, path))
    return properties


def _read(path: Path) -> Json:
    try:
        template = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BundleError(f"{path} is no JSON: {error}") from error
    if not isinstance(template, dict) or "resources" not in template:
        raise BundleError(f"{path} is no template: it has no `resources`")
    for part, limit in MAX_ENTRIES.items():
        if len(template.get(part, ())) > limit:
            raise BundleError(f"{path.name} has more than {limit} {part}; Azure takes no more")
    return template


def _is_deployment(resource: Json) -> bool:
    is_ours = str(resource.get("type", "")).lower() == DEPLOYMENT
    return is_ours and isinstance(resource.get("properties"), dict)
