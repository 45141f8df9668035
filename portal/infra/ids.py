"""Resource ids: what they say of type, name and place."""


def type_of(id_: str) -> str:
    """Like Microsoft.KeyVault/vaults/secrets."""
    provider, *rest = id_.rpartition("/providers/")[2].split("/")
    return "/".join([provider, *rest[::2]])


def name_of(id_: str) -> str:
    """The name; a child's begins with its parent's, an extension's with its resource's."""
    outer, _, inner = id_.rpartition("/providers/")
    name = "/".join(inner.split("/")[2::2])
    owner = name_of(outer) if "/providers/" in outer else ""
    return f"{owner}/{name}" if owner else name


def group_of(id_: str) -> str:
    """The resource group; '' where it is in none."""
    parts = id_.split("/")
    is_inside = len(parts) > 4 and parts[3].lower() == "resourcegroups"
    return parts[4] if is_inside else ""


def is_id(text: str) -> bool:
    """Whether this looks like the id of a resource."""
    return text.lower().startswith("/subscriptions/") and "/providers/" in text
