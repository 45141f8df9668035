"""The admin of grants: which tenant may use which model, and which one is its default."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Deployment, DeploymentGrant
from tenants.models import AuditEvent, Membership, Tenant
from tests.admin import administrator, as_admin, change, form_of
from tests.tenants.cast import at_once, browser_of, manager

__all__ = ["administrator", "as_admin", "manager"]  # fixtures


def page_of(obj: Any) -> str:
    """The address of this row's page in the admin."""
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk])


def row_of(client: Client, page: Any, grant: DeploymentGrant) -> str:
    """What the fields of this grant begin with on the page of its tenant or deployment."""
    inlines = client.get(page_of(page)).context["inline_admin_formsets"]
    forms = next(i.formset for i in inlines if i.formset.model is DeploymentGrant).forms
    return next(f"grants-{n}" for n, form in enumerate(forms) if form.instance.pk == grant.pk)


def changes_of_grants() -> set[tuple[str, str]]:
    """What was written down: the deployment, and what happened to its grant."""
    found = set()
    for event in AuditEvent.objects.filter(action__startswith="deploymentgrant"):
        grant = DeploymentGrant.objects.filter(pk=event.subject.split(":")[1]).first()
        what = str(event.detail.get("changes", event.action.split(".")[1]))
        found.add((grant.deployment.label if grant else "gone", what))
    return found


@pytest.fixture
def default(deployment: Deployment) -> DeploymentGrant:
    """Acme's default, the small model."""
    return deployment.grants.get()


@pytest.fixture
def other(tenant: Tenant) -> DeploymentGrant:
    """Acme's other model, the large one."""
    large = Deployment.objects.create(
        name="large", label="Large model", purpose="Hard questions", kind="azure", model="large-1",
        endpoint="http://127.0.0.1:9/inner/", context_window=8192,
    )  # fmt: skip
    return DeploymentGrant.objects.create(tenant=tenant, deployment=large)


def test_a_grant_is_given_and_withdrawn_on_the_deployments_page(
    as_admin: Client, deployment: Deployment, outsider: Membership
) -> None:
    given = {"grants-1-tenant": str(outsider.tenant_id), "grants-1-is_offered": "on"}
    change(as_admin, deployment, **given, **{"grants-TOTAL_FORMS": 2})
    was_granted = Deployment.objects.visible_to(outsider).exists()
    grant = DeploymentGrant.objects.get(tenant=outsider.tenant)
    change(as_admin, deployment, **{f"{row_of(as_admin, deployment, grant)}-DELETE": "on"})

    assert was_granted
    assert not Deployment.objects.visible_to(outsider).exists()
    events = AuditEvent.objects.filter(tenant=outsider.tenant, action__startswith="deploymentgrant")
    assert [(event.action, event.subject) for event in events] == [
        ("deploymentgrant.deleted", f"chat.deploymentgrant:{grant.pk}"),
        ("deploymentgrant.created", f"chat.deploymentgrant:{grant.pk}"),
    ]


def test_a_grant_is_given_and_withdrawn_on_the_tenants_page(
    as_admin: Client, tenant: Tenant, default: DeploymentGrant, other: DeploymentGrant
) -> None:
    third = Deployment.objects.create(
        name="third", label="Third", kind="azure", model="m", context_window=8192
    )
    given = {"grants-2-deployment": str(third.pk), "grants-2-is_offered": "on"}

    change(as_admin, tenant, **given, **{"grants-TOTAL_FORMS": 3})
    change(as_admin, tenant, **{f"{row_of(as_admin, tenant, other)}-DELETE": "on"})

    labels = Deployment.objects.granted_to(tenant).values_list("label", flat=True)
    assert list(labels) == ["Small model", "Third"]


def test_the_same_model_is_granted_once(
    as_admin: Client, tenant: Tenant, default: DeploymentGrant
) -> None:
    again = {"grants-1-deployment": str(default.deployment_id), "grants-TOTAL_FORMS": 2}

    with pytest.raises(AssertionError, match="duplicate"):
        change(as_admin, tenant, **again)


# ── The default ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("unticks", [True, False])
def test_a_manager_chooses_another_default_in_one_step(
    manager: Membership, default: DeploymentGrant, other: DeploymentGrant, unticks: bool
) -> None:
    client, tenant = browser_of(manager.user), manager.tenant
    fields = {f"{row_of(client, tenant, other)}-is_default": "on"}
    if unticks:
        fields[f"{row_of(client, tenant, default)}-is_default"] = ""

    change(client, tenant, **fields)

    assert [d.label for d in Deployment.objects.granted_to(tenant)] == [
        "Large model",
        "Small model",
    ]
    assert DeploymentGrant.objects.get(is_default=True) == other
    assert changes_of_grants() == {
        ("Small model", "{'is_default': ['True', 'False']}"),
        ("Large model", "{'is_default': ['False', 'True']}"),
    }


def test_the_default_before_may_be_changed_in_the_same_step(
    manager: Membership, default: DeploymentGrant, other: DeploymentGrant
) -> None:
    client, tenant = browser_of(manager.user), manager.tenant
    before, after = row_of(client, tenant, default), row_of(client, tenant, other)

    change(client, tenant, **{f"{after}-is_default": "on", f"{before}-is_offered": ""})

    assert [d.label for d in Deployment.objects.granted_to(tenant)] == ["Large model"]


def test_a_default_chosen_on_a_deployments_page_replaces_that_of_another(
    as_admin: Client, default: DeploymentGrant, other: DeploymentGrant
) -> None:
    row = row_of(as_admin, other.deployment, other)

    change(as_admin, other.deployment, **{f"{row}-is_default": "on"})

    assert DeploymentGrant.objects.get(is_default=True) == other
    assert len(changes_of_grants()) == 2


def test_two_new_defaults_at_once_are_refused(
    manager: Membership, deployment: Deployment, other: DeploymentGrant
) -> None:
    DeploymentGrant.objects.update(is_default=False)
    both = {"grants-0-is_default": "on", "grants-1-is_default": "on"}

    with pytest.raises(AssertionError, match="Choose one default"):
        change(browser_of(manager.user), manager.tenant, **both)

    assert not DeploymentGrant.objects.filter(is_default=True).exists()


def test_the_default_stays_offered(manager: Membership, default: DeploymentGrant) -> None:
    with pytest.raises(AssertionError, match="The default must be offered"):
        change(browser_of(manager.user), manager.tenant, **{"grants-0-is_offered": ""})

    default.refresh_from_db()
    assert default.is_offered


@pytest.mark.django_db(transaction=True)
def test_of_two_defaults_chosen_at_the_same_time_one_stays(
    manager: Membership, owner: Membership, default: DeploymentGrant, other: DeploymentGrant
) -> None:
    clients = [browser_of(manager.user), browser_of(owner.user)]
    DeploymentGrant.objects.update(is_default=False)
    address = page_of(manager.tenant)
    chosen = [default, other]
    rows = [row_of(clients[0], manager.tenant, grant) for grant in chosen]
    fields = [form_of(client, address) for client in clients]

    statuses = at_once(
        lambda: clients[0].post(address, {**fields[0], f"{rows[0]}-is_default": "on"}).status_code,
        lambda: clients[1].post(address, {**fields[1], f"{rows[1]}-is_default": "on"}).status_code,
    )

    assert statuses == [302, 302]
    assert DeploymentGrant.objects.filter(is_default=True).count() == 1


# ── What managers see of a model ───────────────────────────────────────────────────────────────
def test_a_manager_sees_name_and_purpose_of_a_model_but_no_endpoint_and_no_price(
    manager: Membership, other: DeploymentGrant
) -> None:
    Deployment.objects.update(input_price="7.654321")

    page = browser_of(manager.user).get(page_of(manager.tenant)).content.decode()

    assert all(word in page for word in ("Large model", "Hard questions", "large-1"))
    assert not any(word in page for word in ("/inner/", "7.65", "deployment/"))


def test_a_manager_switches_a_model_off_and_does_not_add_one(
    manager: Membership, default: DeploymentGrant, other: DeploymentGrant
) -> None:
    client, tenant = browser_of(manager.user), manager.tenant
    row = row_of(client, tenant, other)
    fields = form_of(client, page_of(tenant))

    change(client, tenant, **{f"{row}-is_offered": ""})

    assert [d.label for d in Deployment.objects.granted_to(tenant)] == ["Small model"]
    assert not [name for name in fields if name.endswith(("-deployment", "-DELETE"))]


# ── The fallback ───────────────────────────────────────────────────────────────────────────────
def fallback_of(grant: DeploymentGrant) -> Deployment | None:
    """As it is stored."""
    return DeploymentGrant.objects.get(pk=grant.pk).fallback


def test_a_manager_says_what_answers_while_a_model_is_paused(
    manager: Membership, default: DeploymentGrant, other: DeploymentGrant
) -> None:
    client, tenant = browser_of(manager.user), manager.tenant
    row = row_of(client, tenant, default)

    change(client, tenant, **{f"{row}-fallback": str(other.deployment_id)})

    assert fallback_of(default) == other.deployment
    change(client, tenant, **{f"{row}-fallback": ""})
    assert fallback_of(default) is None
    assert changes_of_grants() == {
        ("Small model", "{'fallback': ['None', 'Large model']}"),
        ("Small model", f"{{'fallback': ['{other.deployment_id}', 'None']}}"),
    }


def test_the_choice_is_of_the_tenants_other_models(
    manager: Membership, default: DeploymentGrant, other: DeploymentGrant, outsider: Membership
) -> None:
    foreign = Deployment.objects.create(
        name="foreign", label="Foreign", kind="azure", model="m", context_window=8192
    )
    DeploymentGrant.objects.create(tenant=outsider.tenant, deployment=foreign)
    client, tenant = browser_of(manager.user), manager.tenant

    page = client.get(page_of(tenant)).context["inline_admin_formsets"]
    formset = next(i.formset for i in page if i.formset.model is DeploymentGrant)

    offered = [[label for _, label in form.fields["fallback"].choices] for form in formset.forms]
    nobody = "Nobody answers: messages wait"
    assert offered == [[nobody, "Small model"], [nobody, "Large model"]]


def test_a_withdrawn_model_is_nobodys_fallback_any_longer(
    as_admin: Client, tenant: Tenant, default: DeploymentGrant, other: DeploymentGrant
) -> None:
    default.fallback = other.deployment
    default.save()

    change(as_admin, tenant, **{f"{row_of(as_admin, tenant, other)}-DELETE": "on"})

    assert fallback_of(default) is None
    assert ("Small model", "{'fallback': ['Large model', '']}") in changes_of_grants()
