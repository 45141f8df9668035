"""The guard of a tenant's pages: they run in the scope of that tenant, and of no other."""

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tenants.access import MemberRequest, member_required
from tenants.models import Membership
from tenants.services import create_member
from tests.client import current_scope, without_scope


def test_a_page_runs_in_the_scope_of_its_tenant_alone(
    member: Membership, outsider: Membership, rf: RequestFactory
) -> None:
    create_member(tenant=outsider.tenant, email=member.user.email, role="owner")
    scopes: list[tuple[str, str]] = []

    @member_required
    def page(request: MemberRequest) -> HttpResponse:
        scopes.append(current_scope())
        return HttpResponse()

    request: HttpRequest = rf.get("/acme/")
    request.user = member.user
    with without_scope():
        page(request, tenant="acme")

    assert scopes == [(str(member.tenant_id), "")]
