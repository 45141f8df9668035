"""What a deployment must not change by accident: the running image, secrets, the size of a disk."""

import secrets
from typing import Any, NamedTuple

from portal.infra.arm import Arm
from portal.infra.parameters import Parameters

Json = dict[str, Any]

WEB, VAULTS, RESOURCES = "2024-11-01", "2026-02-01", "2021-04-01"
SERVERS, SERVER_TYPE = "2025-08-01", "Microsoft.DBforPostgreSQL/flexibleServers"
VAULT_TYPE, SITE_TYPE = "Microsoft.KeyVault/vaults", "Microsoft.Web/sites"
SECRET = "secret-key"  # noqa: S105  # its name in the vault, not its value
MAIL = "email-url"
SECRET_BYTES = 48


class Note(NamedTuple):
    """What was decided about one parameter, in words."""

    name: str
    text: str


def keep(arm: Arm, group: str, parameters: Parameters) -> list[Note]:
    """Set what the operator left open, or cannot know: image, secret key, size of the disk.

    The image of a parameter file is only for the first deployment: later ones keep what runs, so
    that a change of the infrastructure never takes the portal back to an older release.
    """
    notes = [
        _keep_image(arm, group, parameters),
        _make_secret_key(arm, group, parameters),
        _look_for_mail(arm, group, parameters),
        _keep_disk(arm, group, parameters),
    ]
    return [note for note in notes if note]


def running_image(arm: Arm, group: str, parameters: Parameters) -> str:
    """The image of our web app, as ``atrium:tag``; '' where there is none."""
    for site in _of_type(arm, group, SITE_TYPE):
        if not (_is_ours(site, "app", parameters) and site["name"].endswith("web")):
            continue
        config = arm.get(f"{site['id']}/config/web", WEB)
        return _image(config["properties"].get("linuxFxVersion") or "")
    return ""


def _image(runtime: str) -> str:
    """Of ``DOCKER|registry.azurecr.io/atrium:tag``."""
    kind, _, name = runtime.partition("|")
    registry, slash, image = name.partition("/")
    if kind.upper() != "DOCKER":
        return ""
    return image if slash and "." in registry else name


def _keep_image(arm: Arm, group: str, parameters: Parameters) -> Note | None:
    if "image" not in parameters.declared or "image" in parameters.given:
        return None
    runs = running_image(arm, group, parameters)
    if not runs:
        return None
    told = parameters.value("image")
    parameters.put("image", runs)
    other = f" (the parameter file says {told}; --set image=… changes it)"
    return Note("image", f"{runs} runs and is kept{other if told and told != runs else ''}")


def _make_secret_key(arm: Arm, group: str, parameters: Parameters) -> Note | None:
    name = "djangoSecretKey"
    if _is_settled(parameters, name):
        return None
    if vault := _vault_with(arm, group, parameters, SECRET):
        return Note(name, f"{SECRET} in {vault} is kept")
    parameters.put(name, secrets.token_urlsafe(SECRET_BYTES))
    return Note(name, f"a new one is made and written into the vault as {SECRET}")


def _look_for_mail(arm: Arm, group: str, parameters: Parameters) -> Note | None:
    name = "emailUrl"
    if _is_settled(parameters, name):
        return None
    if vault := _vault_with(arm, group, parameters, MAIL):
        return Note(name, f"{MAIL} in {vault} is kept")
    return Note(name, "MISSING: the portal does not start without it; --set emailUrl=@FILE")


def _keep_disk(arm: Arm, group: str, parameters: Parameters) -> Note | None:
    """The database's disk grows by itself, and Azure makes none smaller."""
    name = "postgresStorageGb"
    if name not in parameters.declared:
        return None
    for server in _of_type(arm, group, SERVER_TYPE):
        found = arm.get(server["id"], SERVERS)["properties"].get("storage", {})
        has = int(found.get("storageSizeGB") or 0)
        if _is_ours(server, "psql", parameters) and has > int(parameters.value(name) or 0):
            parameters.put(name, has)
            return Note(name, f"{has}, which the disk has grown to")
    return None


def _is_settled(parameters: Parameters, name: str) -> bool:
    """Whether the operator gave it, or the template does not ask for it."""
    entry = parameters.entries.get(name, {})
    return name not in parameters.declared or bool(entry.get("value")) or "reference" in entry


def _vault_with(arm: Arm, group: str, parameters: Parameters, secret: str) -> str:
    """The name of our vault in this group, if it has the secret; else ''."""
    for vault in _of_type(arm, group, VAULT_TYPE):
        if _is_ours(vault, "kv", parameters) and arm.find(
            f"{vault['id']}/secrets/{secret}", VAULTS
        ):
            return str(vault["name"])
    return ""


def _is_ours(resource: Json, kind: str, parameters: Parameters) -> bool:
    """Whether it is of this deployment; a group may hold several with other names."""
    name = parameters.value("name")
    return bool(resource["name"].startswith(f"{kind}-{name}-" if name else kind))


def _of_type(arm: Arm, group: str, type_: str) -> list[Json]:
    """The resources of one type in the group; [] where there is no group."""
    query = {"$filter": f"resourceType eq '{type_}'"}
    if arm.find(arm.group(group), RESOURCES) is None:
        return []
    return list(arm.list_all(f"{arm.group(group)}/resources", RESOURCES, **query))
