"""Errors of Azure: the innermost ones, and for those that are known the cause and what to do.

Azure wraps the error that matters in others, and some providers put it as JSON into a message.
Sources beside each entry: issues of public repositories, and Microsoft's documents.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]


class Cause(NamedTuple):
    """Why this error comes, and what an operator does about it."""

    why: str
    remedy: str


class Fault(NamedTuple):
    """One innermost error, for one resource ('' where Azure names none)."""

    code: str
    message: str
    resource: str = ""

    @property
    def cause(self) -> Cause | None:
        """The known cause."""
        return explain(self.code, self.message)


REPEAT = "Run `infra deploy` again; what is there already stays."

# Code, or code and a word of the message, in small letters.
CAUSES: dict[str, Cause] = {
    # Azure/bicep-registry-modules #5957, microsoft-foundry-baseline #76
    "accountprovisioningstateinvalid": Cause(
        "The Azure OpenAI account is still busy (state Accepted), mostly with model deployments.",
        REPEAT,
    ),
    # Learn, "Recover or purge deleted Azure AI services resources": 48 hours
    "flagmustbesetforrestore": Cause(
        "An Azure OpenAI account of this name was deleted less than 48 hours ago.",
        "Remove it for good: az cognitiveservices account purge --name NAME --resource-group GROUP"
        " --location REGION",
    ),
    "vaultalreadyexists": Cause(
        "A Key Vault of this name exists, or was deleted and is kept (purge protection).",
        "See `az keyvault list-deleted`; bring it back with `az keyvault recover --name NAME`, or"
        " choose another `name`.",
    ),
    # Azure/bicep-registry-modules PR #7205
    "servicemodeldeprecating": Cause(
        "The model's retirement has begun; it takes no new deployments.",
        "Choose a model that lives longer: az cognitiveservices model list --location REGION",
    ),
    "servicemodeldeprecated": Cause(
        "The model is retired.",
        "Choose another one: az cognitiveservices model list --location REGION",
    ),
    "deploymentmodelnotsupported": Cause(
        "This model or version is not offered in this region with this SKU.",
        "See `az cognitiveservices model list --location REGION`; change `models` or `location`.",
    ),
    "insufficientquota": Cause(
        "The subscription's quota for this model, SKU and region is used up.",
        "Lower `capacity` in `models`, or ask for more: Azure AI Foundry portal, Quotas.",
    ),
    "quotaexceeded": Cause(
        "A quota of the subscription in this region is used up.",
        "Ask for more in the Azure portal (Quotas), or choose another `location`.",
    ),
    # Azure/azure-postgresql #127: administrators are made before the server can ask Entra
    "aadauthoperationcannotbeperformedwhenserverisnotaccessible": Cause(
        "PostgreSQL was not ready to take its Entra administrator yet.",
        REPEAT,
    ),
    # Azure/azure-postgresql #134
    "serverisbusy": Cause("PostgreSQL was still applying another change.", REPEAT),
    "serverstoppederror": Cause(
        "The PostgreSQL server is stopped.",
        "Start it: az postgres flexible-server start --name NAME --resource-group GROUP",
    ),
    "noregisteredproviderfound": Cause(
        "The API version or the region is not offered for this type of resource.",
        "New API versions come region by region: lower the template's apiVersion one step.",
    ),
    "missingsubscriptionregistration": Cause(
        "The subscription has never used this kind of service.",
        "Register it: az provider register --namespace NAMESPACE --wait",
    ),
    "requestdisallowedbypolicy": Cause(
        "An Azure Policy of your organisation forbids it.",
        "The message names the assignment. DNS by policy: writeDnsZoneGroups=false; else ask who"
        " runs the policies for an exemption.",
    ),
    "authorizationfailed": Cause(
        "Whoever is signed in may not do this here.",
        "Needed on the resource group: Contributor, and Role Based Access Control Administrator.",
    ),
    "linkedauthorizationfailed": Cause(
        "A resource elsewhere is used (subnet, zone, workspace) where you may not do so.",
        "Needed there: Network Contributor, or Private DNS Zone Contributor for zones.",
    ),
    "invalidresourcereference": Cause(
        "A resource that is named by its id is not there, mostly a subnet of `existingSubnetIds`.",
        "Compare with: az network vnet subnet list --resource-group GROUP --vnet-name VNET",
    ),
    "netcfgsubnetrangesoverlap": Cause(
        "Two subnets of the VNet overlap.",
        "Set `vnetAddressPrefix` as the VNet has it, or use the VNet by `existingVnetId`.",
    ),
    "inuseprefixcannotbedeleted": Cause(
        "The VNet has a range that the template lacks.", "Set `vnetAddressPrefix` as it is."
    ),
    "inusesubnetcannotbedeleted": Cause(
        "The VNet has a subnet in use that the template would remove.",
        "Give the VNet as `existingVnetId` with `existingSubnetIds`.",
    ),
    "subnetmissingrequireddelegation": Cause(
        "An existing subnet is not delegated to the service that is to use it.",
        "web and work: Microsoft.Web/serverFarms; resolver: Microsoft.Network/dnsResolvers;"
        " gateway: Microsoft.Network/applicationGateways.",
    ),
    "applicationgatewaynetworkisolationrequiressubnetdelegation": Cause(
        "The gateway's subnet is not delegated.",
        "Delegate it to Microsoft.Network/applicationGateways.",
    ),
    # Learn, "Troubleshoot Azure Application Gateway", error codes
    "applicationgatewayfrontendipcannothavepublicipandsubnet": Cause(
        "A gateway without public address needs a feature that is not registered.",
        "az feature register --namespace Microsoft.Network"
        " --name EnableApplicationGatewayNetworkIsolation",
    ),
    "applicationgatewaykeyvaultsecretexception": Cause(
        "The gateway cannot read its certificate in the vault.",
        "Does certificateSecretId exist (a PFX, without version), and may the gateway's identity"
        " read it (Key Vault Secrets User)?",
    ),
    # What Azure DNS writes for a second zone of a name
    "badrequest:overlapping namespaces": Cause(
        "The VNet is linked to another private DNS zone of the same name.",
        "Use that zone: name it in `existingZoneIds`.",
    ),
    "scopelocked": Cause(
        "A lock forbids the change.",
        "See `az lock list --resource-group GROUP`; `az lock delete --ids ID` takes one away.",
    ),
    "roleassignmentexists": Cause(
        "The same role was given before under another name.",
        "Remove that one: az role assignment list --scope RESOURCE; az role assignment delete",
    ),
    "principalnotfound": Cause(
        "A new identity is not known everywhere in Entra yet.", REPEAT
    ),
    "skunotavailable": Cause(
        "This size is not offered in this region to this subscription.",
        "Choose another `location` or size.",
    ),
    "deploymentactive": Cause(
        "Another deployment is still running.", "Watch it: infra deploy --follow"
    ),
    "expiredauthenticationtoken": Cause(
        "The sign-in has expired.", "Sign in again: az login"
    ),
    "notsignedin": Cause(
        "No identity was found to sign in to Azure with.",
        "Sign in: az login (or set AZURE_CLIENT_ID, AZURE_TENANT_ID and a federated token).",
    ),
    "subscriptionnotfound": Cause(
        "There is no such subscription, or it is not visible to whoever is signed in.",
        "See `az account list`; set AZURE_SUBSCRIPTION_ID or --subscription.",
    ),
    "resourcegroupnotfound": Cause(
        "There is no such resource group in this subscription.",
        "See `az group list --output table`; is it another subscription?",
    ),
    "connectionlost": Cause(
        "Azure could not be reached.", "Is there a way to AZURE_RESOURCE_MANAGER_URL from here?"
    ),
}  # fmt: skip


def explain(code: str, message: str = "") -> Cause | None:
    """The known cause of an error; None where it is not known."""
    key = code.lower()
    for known, cause in CAUSES.items():
        name, _, word = known.partition(":")
        if name == key and (not word or word in message.lower()):
            return cause
    return None


def innermost(error: Json, resource: str = "") -> list[Fault]:
    """The errors that the others only wrap, each once."""
    return list(dict.fromkeys(_leaves(error, resource)))


def _leaves(error: Json, resource: str) -> Iterator[Fault]:
    target = str(error.get("target") or resource)
    inner = [each for each in error.get("details") or [] if isinstance(each, dict)]
    inner = inner or _in_text(str(error.get("message", "")))
    if inner:
        for each in inner:
            yield from _leaves(each, target)
        return
    text = " ".join(str(error.get("message") or "no reason given").split())
    yield Fault(str(error.get("code") or "Unknown"), text, target)


def _in_text(message: str) -> list[Json]:
    """The error that a message holds as JSON; [] where it is only words."""
    found = re.search(r"\{.*\}", message, re.DOTALL)
    if not found:
        return []
    try:
        inner = json.loads(found[0])
    except ValueError:
        return []
    error = inner.get("error", inner)
    is_error = isinstance(error, dict) and {"code", "message"} & error.keys()
    return [error] if is_error else []


def lines(faults: list[Fault]) -> Iterator[str]:
    """Each error with its resource, its cause and what to do."""
    for fault in faults:
        where = fault.resource.rpartition("/providers/")[2]
        yield f"{fault.code}: {fault.message}" + (f" ({where})" if where else "")
        if fault.cause:
            yield f"  Cause: {fault.cause.why}"
            yield f"  Do:    {fault.cause.remedy}"
