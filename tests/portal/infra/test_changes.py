"""What-if as a diff."""

from typing import Any

from portal.infra.changes import Changes
from portal.infra.parameters import MASK

GROUP = "/subscriptions/1/resourceGroups/g/providers"
VAULT = f"{GROUP}/Microsoft.KeyVault/vaults/kv"


def change(kind: str, id_: str, *delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One change, as Azure tells it."""
    return {"changeType": kind, "resourceId": id_, "delta": list(delta), **more}


def modified(path: str, before: Any, after: Any, kind: str = "Modify") -> dict[str, Any]:
    """One property of it."""
    return {"path": path, "propertyChangeType": kind, "before": before, "after": after}


def diff(*changes: dict[str, Any], secrets: set[str] | None = None) -> Changes:
    """The diff of these."""
    return Changes({"properties": {"changes": list(changes)}}, secrets or set())


def test_new_resources_are_gathered_by_type() -> None:
    found = diff(*(change("Create", f"{VAULT}{number}") for number in (1, 2)))

    assert list(found.lines())[:2] == ["+ Microsoft.KeyVault/vaults  (2)", "    kv1, kv2"]


def test_a_change_shows_its_properties_before_and_after() -> None:
    found = diff(change("Modify", VAULT, modified("properties.sku", "a", "b")))

    assert list(found.lines())[:2] == [
        "~ Microsoft.KeyVault/vaults  kv",
        "    properties.sku: a → b",
    ]


def test_elements_of_lists_have_their_whole_path() -> None:
    inner = [{**modified("0", None, None), "children": [modified("port", 1, 2)]},
             modified("1", None, {"port": 3}, "Create")]  # fmt: skip
    rules = {**modified("properties.rules", [], [], "Array"), "children": inner}

    lines = list(diff(change("Modify", VAULT, rules)).lines())

    assert lines[1:3] == [
        "    properties.rules[0].port: 1 → 2",
        '    properties.rules[1]: (none) → {"port": 3}',
    ]


def test_what_only_azure_writes_is_no_change() -> None:
    noise = [
        modified("etag", 'W/"1"', None, "Delete"),
        modified("properties.provisioningState", "Succeeded", None, "NoEffect"),
        modified("properties.ipRules", [], None, "Delete"),
    ]

    found = diff(change("Modify", VAULT, *noise))

    assert not found
    assert found.summary() == "+ 0 to create, ~ 0 to change, - 0 to delete, = 1 unchanged"


def test_false_is_not_taken_for_nothing() -> None:
    found = diff(change("Modify", VAULT, modified("properties.on", None, False)))

    assert "    properties.on: (none) → false" in found.lines()


def test_secrets_are_masked_by_place_name_and_value() -> None:
    found = diff(
        change("Modify", f"{VAULT}/secrets/relay", modified("properties.value", "old", "new")),
        change("Modify", VAULT, modified("properties.administratorPassword", "old", "new"),
               modified("properties.text", None, "with known secret inside")),
        secrets={"known secret"},
    )  # fmt: skip

    shown = "\n".join(found.lines())

    assert shown.count(MASK) == 5
    assert not {"old", "new", "known secret"} & set(shown.replace(":", " ").split())


def test_what_azure_cannot_foresee_and_what_is_not_ours_is_counted() -> None:
    found = diff(
        change("Unsupported", VAULT, unsupportedReason="name is worked out later"),
        change("Ignore", f"{GROUP}/Microsoft.Compute/disks/other"),
        change("Delete", f"{VAULT}2"),
    )

    lines = list(found.lines())

    assert "? Microsoft.KeyVault/vaults  kv" in lines
    assert "    name is worked out later" in lines
    assert "- Microsoft.KeyVault/vaults  kv2" in lines
    assert not any("disks" in line for line in lines)
    assert lines[-1].endswith("? 1 that Azure cannot foresee, 1 others in the group are left alone")


def test_many_properties_are_cut_short_unless_all_are_wanted() -> None:
    found = diff(change("Modify", VAULT, *(modified(f"p{n}", 1, 2) for n in range(20))))

    assert "    … and 8 more properties" in found.lines()
    assert not any("more properties" in line for line in found.lines(is_full=True))


def test_an_extension_is_named_with_what_it_extends() -> None:
    found = diff(change("Create", f"{VAULT}/providers/Microsoft.Authorization/locks/keep"))

    assert "+ Microsoft.Authorization/locks  kv/keep" in found.lines()
