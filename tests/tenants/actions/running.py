"""How a tenant is set up: prompts, models, settings."""

import uuid
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from chat.models import (
    Deployment,
    DeploymentGrant,
    LibraryPrompt,
    Pause,
)
from tenants.models import Tenant, TenantLogo
from tests.portal.two_tenants import page_of
from tests.tenants.actions.case import Case, action, is_gone, now
from tests.tenants.test_logos import picture

_SECOND_GRANT = uuid.uuid4()


@action("change the default system prompt")
def _change_prompt(case: Case) -> bool:
    case.saves(page_of(case.tenant), default_system_prompt="Answer in rhymes.")
    return bool(now(case.tenant).default_system_prompt == "Answer in rhymes.")


@action("change the prompt library")
def _change_library(case: Case) -> bool:
    fields = {"tenant": case.tenant.pk, "title": "New", "text": "Write.", "position": 0}
    case.browser.post(reverse("admin:chat_libraryprompt_add"), fields)
    case.browser.post(page_of(case.rows[LibraryPrompt], "delete"), {"post": "yes"})
    titles = {*LibraryPrompt.objects.filter(tenant=case.tenant).values_list("title", flat=True)}
    return titles == {"New"}


@action("choose the default model")
def _choose_default(case: Case) -> bool:
    case.saves(page_of(case.tenant), **{"grants-0-is_default": "on"})
    return bool(now(case.rows[DeploymentGrant]).is_default)


@action("offer a granted model to members, or not")
def _stop_offering(case: Case) -> bool:
    case.without(page_of(case.tenant), "grants-0-is_offered")
    return not now(case.rows[DeploymentGrant]).is_offered


@action("say whether a model names new conversations")
def _name_by_hand(case: Case) -> bool:
    before = now(case.tenant).generates_titles
    if before:
        case.without(page_of(case.tenant), "generates_titles")
    else:
        case.saves(page_of(case.tenant), generates_titles="on")
    return bool(now(case.tenant).generates_titles != before)


@action("choose what answers while a model is paused")
def _choose_fallback(case: Case) -> bool:
    other = case.world.globex[Deployment]
    # The same id for everybody who tries: the form is read once.
    DeploymentGrant.objects.create(pk=_SECOND_GRANT, tenant=case.tenant, deployment=other)
    case.saves(page_of(case.tenant), **{"grants-0-fallback": other.pk})
    return bool(now(case.rows[DeploymentGrant]).fallback == other)


@action("end a model's pause")
def _end_pause(case: Case) -> bool:
    until = timezone.now() + timedelta(hours=1)
    pause = Pause.objects.create(deployment=case.rows[Deployment], reason="x", until=until)
    selected = {"action": "try_again", "_selected_action": str(pause.pk)}
    case.browser.post(reverse("admin:chat_deployment_changelist"), selected)
    case.saves(page_of(case.rows[Deployment]), chat_deployment_try_this_again="")
    return bool(now(pause).until < until)


@action("grant a model to a tenant")
def _grant(case: Case) -> bool:
    other = case.world.globex[Deployment]
    new = {"grants-TOTAL_FORMS": 2, "grants-1-deployment": other.pk, "grants-1-is_offered": "on",
           "grants-1-tenant": case.tenant.pk}  # fmt: skip
    granted = DeploymentGrant.objects.filter(tenant=case.tenant, deployment=other)
    for page in (page_of(case.tenant), page_of(other)):
        if not granted.exists():
            case.saves(page, **new)
    return granted.exists()


@action("withdraw a model from a tenant")
def _withdraw_model(case: Case) -> bool:
    case.saves(page_of(case.tenant), **{"grants-0-DELETE": "on"})
    return is_gone(case.rows[DeploymentGrant])


@action("change the catalogue")
def _change_catalogue(case: Case) -> bool:
    case.saves(page_of(case.rows[Deployment]), label="Another name")
    return bool(now(case.rows[Deployment]).label == "Another name")


@action("change name, notice and colour")
def _rename_tenant(case: Case) -> bool:
    case.saves(page_of(case.tenant), name="Renamed")
    return bool(now(case.tenant).name == "Renamed")


@action("change the logo")
def _change_logo(case: Case) -> bool:
    before = TenantLogo.objects.get(tenant=case.tenant).digest
    case.saves(page_of(case.tenant), logo_file=SimpleUploadedFile("logo.png", picture()))
    return TenantLogo.objects.get(tenant=case.tenant).digest != before


@action("say how long conversations are kept, and who sees reports")
def _set_rules(case: Case) -> bool:
    case.saves(page_of(case.tenant), retention_days=30, reports_for="owner")
    return bool(now(case.tenant).retention_days == 30)


@action("delay when members hear of investigations")
def _set_delay(case: Case) -> bool:
    case.saves(page_of(case.tenant), investigation_notice_days=9)
    return bool(now(case.tenant).investigation_notice_days == 9)


@action("set how many answers run at once")
def _set_limit(case: Case) -> bool:
    case.saves(page_of(case.tenant), max_running=3)
    return bool(now(case.tenant).max_running == 3)


@action("set how much of it may be one member's, and how many of their messages may wait")
def _set_limits_of_members(case: Case) -> bool:
    case.saves(page_of(case.tenant), max_running_per_member=2, max_queued_per_member=4)
    tenant = now(case.tenant)
    return (tenant.max_running_per_member, tenant.max_queued_per_member) == (2, 4)


@action("suspend a tenant")
def _suspend(case: Case) -> bool:
    case.saves(page_of(case.tenant), status="suspended")
    return bool(now(case.tenant).status == "suspended")


@action("create a tenant")
def _create_tenant(case: Case) -> bool:
    case.saves(reverse("admin:tenants_tenant_add"), slug="initech", name="Initech")
    return Tenant.objects.filter(slug="initech").exists()


@action("change or close an account")
def _change_account(case: Case) -> bool:
    case.saves(page_of(case.carol.user), name="Another name")
    return bool(now(case.carol.user).name == "Another name")


@action("make somebody an administrator")
def _make_administrator(case: Case) -> bool:
    for user in (case.carol.user, case.user):
        case.saves(page_of(user), is_superuser="on", is_staff="on")
    mine = case.user.is_superuser
    return bool(now(case.carol.user).is_superuser or now(case.user).is_superuser != mine)
