"""A small template in the shape of ours: modules, a vault, an account with a model, a web app."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
VAULT = {
    "type": "Microsoft.KeyVault/vaults",
    "apiVersion": "2026-02-01",
    "name": "kv-atrium-1",
    "location": "[parameters('location')]",
    "properties": {"enableSoftDelete": True, "softDeleteRetentionInDays": 30},
}
SECRET = {
    "condition": "[not(empty(parameters('djangoSecretKey')))]",
    "type": "Microsoft.KeyVault/vaults/secrets",
    "apiVersion": "2026-02-01",
    "name": "kv-atrium-1/secret-key",
    "dependsOn": ["kv-atrium-1"],
    "properties": {"value": "[parameters('djangoSecretKey')]"},
}
ACCOUNT = {
    "type": "Microsoft.CognitiveServices/accounts",
    "apiVersion": "2026-05-01",
    "name": "oai-atrium-1",
    "kind": "OpenAI",
    "location": "[parameters('location')]",
    "properties": {"publicNetworkAccess": "Disabled", "networkAcls": {"ipRules": []}},
}
ENDPOINT = {
    "type": "Microsoft.Network/privateEndpoints",
    "apiVersion": "2025-07-01",
    "name": "pep-atrium-openai",
    "dependsOn": ["oai-atrium-1"],
    "properties": {},
}
SITE = {
    "type": "Microsoft.Web/sites",
    "apiVersion": "2024-11-01",
    "name": "app-atrium-web",
    "location": "[parameters('location')]",
    "properties": {
        "siteConfig": {
            "linuxFxVersion": "[format('DOCKER|cr.azurecr.io/{0}', parameters('image'))]"
        }
    },
}
MODEL = {"name": "mini", "model": "gpt-mini", "version": "2", "sku": "GlobalStandard",
         "capacity": 100}  # fmt: skip
LOCATION = {"type": "string", "defaultValue": "[resourceGroup().location]"}
KEY = {"type": "securestring", "defaultValue": ""}
IMAGE = {"type": "string", "minLength": 3, "metadata": {"description": "Image, like atrium:1"}}


def template(
    resources: list[Json], parameters: Json | None = None, outputs: Json | None = None
) -> Json:
    """A template of these parts."""
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": parameters or {},
        "resources": resources,
        "outputs": outputs or {},
    }


def link(name: str, file: str, *after: str, **parameters: str) -> Json:
    """A deployment that links to a module beside it; the parameters are named alike in main."""
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": name,
        "dependsOn": [*after],
        "properties": {
            "mode": "Incremental",
            "templateLink": {"relativePath": file},
            "parameters": {
                inner: {"value": f"[parameters('{outer}')]"} for inner, outer in parameters.items()
            },
        },
    }


def write(folder: Path) -> Path:
    """main.json and its modules in this folder."""
    same, secret = {"location": "location"}, {"djangoSecretKey": "djangoSecretKey"}
    files = {
        "modules/keyvault.json": template(
            [VAULT, SECRET], {"location": LOCATION, "djangoSecretKey": KEY}
        ),
        "modules/openai.json": template([ACCOUNT, ENDPOINT], {"location": LOCATION}),
        "modules/app.json": template([SITE], {"location": LOCATION, "image": IMAGE}),
        "main.json": template(
            [
                link("atrium-keyvault", "modules/keyvault.json", **same, **secret),
                link("atrium-openai", "modules/openai.json", **same),
                link("atrium-app", "modules/app.json", "atrium-openai", **same, image="image"),
            ],
            {
                "name": {"type": "string", "defaultValue": "atrium"},
                "location": LOCATION,
                "tier": {"type": "string", "allowedValues": ["dev", "prod"], "defaultValue": "dev"},
                "exposure": {"type": "string", "defaultValue": "private"},
                "gatewayFrontend": {"type": "string", "defaultValue": "public"},
                "jumpbox": {"type": "bool", "defaultValue": False},
                "existingOpenAiId": {"type": "string", "defaultValue": ""},
                "existingSubnetIds": {"type": "object", "defaultValue": {}},
                "models": {"type": "array", "defaultValue": [MODEL]},
                "image": IMAGE,
                "emailUrl": KEY,
                "djangoSecretKey": KEY,
                "days": {"type": "int", "minValue": 7, "maxValue": 90, "defaultValue": 30},
            },
            {"publicUrl": {"type": "string", "value": "https://chat.example.org"},
             "image": {"type": "string", "value": "[parameters('image')]"}},
        ),
    }  # fmt: skip
    (folder / "modules").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return folder / "main.json"
