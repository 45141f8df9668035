"""What the template's firewall policies say, before any traffic."""

import re
import uuid

import pytest
from django.conf import settings
from django.contrib import admin
from django.forms import Textarea
from django.test import RequestFactory

from chat.admin.investigations import OpenForm
from tenants.admin.invitations import InviteForm
from tenants.models import User
from tests.addresses import addresses
from tests.gateway.firewalls import about_message, template_firewall
from tests.gateway.modsecurity import AZURES_OWN, GROUP_FILES
from tests.gateway.waf import CustomRule, Firewall, Policy
from tests.portal.two_tenants import World, world

__all__ = ["world"]  # a fixture

CONTENT_GROUPS = AZURES_OWN - {"General"} | {
    "FIX",
    "JAVA",
    "LFI",
    "NODEJS",
    "PHP",
    "RCE",
    "RFI",
    "SQLI",
    "XSS",
}
# Single rules of the protocol groups that read the text of arguments: request smuggling, and
# headers or pages in a text. E-mails, access logs and HTML are such texts.
TEXT_RULES = {"921110", "921120", "921130", "921200"}
CHAT_PAGES = {"chat:start_conversation", "chat:send_message"}
PATHS = ["/accounts/*", "/admin/*", "/invitations/*"]
PASSWORDS = {"password", "password1", "password2", "oldpassword"}


@pytest.fixture(scope="module")
def firewall() -> Firewall:
    """The template's."""
    return template_firewall()


@pytest.fixture(params=["main", *PATHS])
def policy(request: pytest.FixtureRequest, firewall: Firewall) -> Policy:
    """Each policy."""
    return firewall.of_paths.get(request.param, firewall.policy)


def path_rules(policy: Policy) -> list[CustomRule]:
    return [rule for rule in policy.custom_rules if about_message(rule)]


def test_it_blocks_unless_detection_is_asked_for(firewall: Firewall) -> None:
    detecting = template_firewall("Detection")

    assert all(policy.is_blocking for policy in firewall.policies)
    assert not any(policy.is_blocking for policy in detecting.policies)


def test_pages_that_take_passwords_and_the_admin_have_policies_of_their_own(
    firewall: Firewall,
) -> None:
    assert sorted(firewall.of_paths) == PATHS
    assert firewall.policy not in firewall.of_paths.values()
    assert firewall.of_paths["/admin/*"] != firewall.of_paths["/accounts/*"]


def test_it_takes_bodies_as_long_as_the_portal_does(policy: Policy) -> None:
    assert policy.max_body_kb == -(-settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024)


def test_the_chats_field_alone_is_excluded_for_everything(firewall: Firewall) -> None:
    excluded = {(one.variable, one.operator, one.selectors) for one in firewall.policy.exclusions}

    assert excluded == {("RequestArgValues", "Equals", ("message",))}


def test_only_content_rules_pass_over_a_field(policy: Policy) -> None:
    for exclusion in policy.exclusions:
        assert exclusion.groups or exclusion.rules, "without groups no rule would look at it"
        assert set(exclusion.groups) <= CONTENT_GROUPS
        assert set(exclusion.rules) <= TEXT_RULES


def test_every_exclusion_names_one_whole_field(policy: Policy) -> None:
    for exclusion in policy.exclusions:
        assert exclusion.variable == "RequestArgValues"
        assert exclusion.operator in {"Equals", "EqualsAny"}


def excluded_in(policy: Policy) -> set[str]:
    return {name for one in policy.exclusions for name in one.selectors}


@pytest.mark.parametrize("path", ["/accounts/*", "/invitations/*"])
def test_passwords_are_excluded_where_they_are_typed(firewall: Firewall, path: str) -> None:
    assert excluded_in(firewall.of_paths[path]) == PASSWORDS


def test_every_longer_text_of_the_admin_is_excluded_there(firewall: Firewall, nobody: User) -> None:
    nobody.is_superuser = nobody.is_staff = True
    excluded, texts = excluded_in(firewall.of_paths["/admin/*"]), texts_of_the_admin(nobody)

    assert texts >= {"default_system_prompt", "notice", "text", "reason", "emails"}
    assert texts <= excluded
    assert "message" not in excluded


def texts_of_the_admin(administrator: User) -> set[str]:
    """The fields that its forms show as boxes of several lines."""
    request = RequestFactory().get("/admin/")
    request.user = administrator
    editable = [one for one in admin.site._registry.values() if one.has_change_permission(request)]
    forms = [*(one.get_form(request) for one in editable), InviteForm, OpenForm]
    return {
        name
        for form in forms
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field.widget, Textarea)
    }


def test_groups_are_known_in_microsofts_rule_set(policy: Policy) -> None:
    named = {group for exclusion in policy.exclusions for group in exclusion.groups}

    assert named <= GROUP_FILES.keys() | AZURES_OWN


def test_message_is_kept_to_the_chats_paths_in_every_policy(policy: Policy) -> None:
    rules = path_rules(policy)

    assert {rule.action for rule in rules} == {"Block"}
    names = {name for rule in rules for one in rule.conditions for name, _ in one.variables}
    assert {"PostArgs", "QueryString"} <= names


def test_the_pattern_of_the_chats_paths_fits_them_and_no_other_address(
    firewall: Firewall, world: World
) -> None:
    found = [
        one.values
        for rule in path_rules(firewall.policy)
        for one in rule.conditions
        if one.is_negated and one.variables == (("RequestUri", ""),)
    ]

    assert found
    for (pattern,) in found:
        fitting = {one.name for one in addresses(world.acme) if re.search(pattern, one.path)}
        assert fitting == CHAT_PAGES
        assert re.search(pattern, f"/a_tenant-2/c/{uuid.uuid4()}/messages/")
        assert not re.search(pattern, "/acme/c/start/?message=x")
        assert not re.search(pattern, "/accounts/login/?next=/acme/c/start/")
