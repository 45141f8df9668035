"""Faults of a private network, each produced once, and the problem that must be named."""

from tests.cloud import layouts
from tests.cloud.network_changes import (
    Fault,
    answer,
    answer_outside,
    ask_azure,
    ask_custom,
    ask_custom_alone,
    ask_empty,
    ask_without_token,
    break_off,
    certificate,
    database,
    deny_exchange,
    disable_secret,
    forget_identity,
    having,
    lose_identity_endpoint,
    lose_row_security,
    manner,
    nothing,
    open_outside,
    outside,
    record,
    release,
    send_back,
    silence_dns,
    unlink,
    write_hosts,
)
from tests.cloud.private_network import NAMES
from tests.cloud.tls_server import Manner
from tests.cloud.tls_server_http import CLOSED, STOPPED, Answer, said

_STRANGER = f"rediss://somebody-else@{NAMES['redis'][0]}/0"
_FORBIDDEN = said(403, {"error": {"code": "PermissionDenied", "message": "The principal lacks..."}})
_UNSIGNED = said(401, {"error": {"code": "Unauthorized", "message": "AKV10000"}})
_HUGE = Answer(200, b"[" + b"0," * 5_000_000)
_WAIT = ("--timeout", "2")

FAULTS: dict[str, Fault] = {
    # ── DNS ────────────────────────────────────────────────────────────────────────────────────
    "dns-silent": Fault("redis", "dns", "dns-silent", silence_dns, options=_WAIT),
    "dns-broken": Fault(
        "web", "dns", "dns-broken", lambda network: network.azure_dns.failing.add(NAMES["web"][0])
    ),
    "name-unknown": Fault("web", "dns", "name-unknown", record("web", 0)),
    "custom-dns-knows-nothing": Fault("registry", "dns", "wrong-dns", ask_empty),
    "record-missing": Fault("keyvault", "dns", "record-missing", record("keyvault", 1)),
    "zone-not-linked": Fault(
        "openai", "address", "zone-not-linked", unlink("openai"), needs_namespace=True
    ),
    "custom-dns-does-not-forward": Fault(
        "openai", "address", "wrong-dns", ask_custom, needs_namespace=True
    ),
    "custom-dns-and-azure-not-reached": Fault(
        "openai", "address", "zone-or-dns", ask_custom_alone, needs_namespace=True
    ),
    "no-vnet-integration": Fault(
        "postgres",
        "address",
        "no-vnet-integration",
        ask_custom,
        having(APP_SERVICE_NAME="app-atrium-web"),
        needs_namespace=True,
    ),
    "no-private-endpoint": Fault(
        "registry",
        "address",
        "no-private-endpoint",
        record("registry", 0, "A", layouts.NAMESPACE.address("registry", is_public=True)),
        needs_namespace=True,
    ),
    "address-of-another-network": Fault(
        "redis",
        "address",
        "address-elsewhere",
        record("redis", 1, "A", layouts.NAMESPACE.elsewhere),
        needs_namespace=True,
    ),
    "one-address-of-two-is-wrong": Fault(
        "keyvault",
        "address",
        "address-elsewhere",
        record("keyvault", 1, "A", f"10.52.2.7 {layouts.NAMESPACE.elsewhere}"),
        needs_namespace=True,
    ),
    "public-ipv6-address": Fault(
        "web",
        "address",
        "no-private-endpoint",
        record("web", 0, "AAAA", "2603:1030:c02:8::14"),
        needs_namespace=True,
    ),
    "address-of-this-machine": Fault(
        "redis", "address", "address-loopback", record("redis", 1, "A", "127.53.0.4")
    ),
    "hosts-file": Fault("openai", "address", "hosts-differ", write_hosts, needs_namespace=True),
    # ── Connection ─────────────────────────────────────────────────────────────────────────────
    "port-filtered": Fault(
        "redis", "tcp", "tcp-silent", manner("redis", Manner.SWALLOWS), options=_WAIT
    ),
    "port-closed": Fault("postgres", "tcp", "tcp-refused", manner("postgres", Manner.CLOSED)),
    "no-route": Fault(
        "web",
        "tcp",
        "tcp-unreachable",
        record("web", 1, "A", "10.52.0.200"),
        needs_namespace=True,
    ),
    "plain-text": Fault("openai", "tls", "tls-plain", manner("openai", Manner.PLAIN)),
    "redis-without-tls": Fault("redis", "tls", "tls-plain", manner("redis", Manner.PLAIN)),
    "postgres-without-tls": Fault("postgres", "tls", "tls-plain", manner("postgres", Manner.PLAIN)),
    "connection-cut": Fault("keyvault", "tls", "tls-cut", manner("keyvault", Manner.CUTS)),
    "postgres-cut": Fault("postgres", "tls", "tls-cut", manner("postgres", Manner.CUTS)),
    "hangs": Fault(
        "registry", "tls", "tls-silent", manner("registry", Manner.HANGS), options=_WAIT
    ),
    "proxy-in-between": Fault(
        "openai", "tls", "certificate-foreign", certificate("openai", strange=True)
    ),
    "postgres-proxy": Fault(
        "postgres", "tls", "certificate-foreign", certificate("postgres", strange=True)
    ),
    "certificate-of-another": Fault(
        "web", "tls", "certificate-name", certificate("web", "other.azurewebsites.net")
    ),
    "certificate-expired": Fault(
        "redis", "tls", "certificate-expired", certificate("redis", expired=True)
    ),
    # ── Token and call ─────────────────────────────────────────────────────────────────────────
    "no-identity": Fault("openai", "token", "no-identity", forget_identity),
    "token-denied": Fault("keyvault", "token", "token-denied", lose_identity_endpoint),
    "openai-401": Fault("openai", "call", "token-refused", answer("openai", _UNSIGNED)),
    "registry-denies": Fault("registry", "call", "token-refused", deny_exchange),
    "postgres-refuses-token": Fault(
        "postgres", "call", "token-refused", nothing, database(role="nobody")
    ),
    "redis-refuses-token": Fault(
        "redis", "call", "token-refused", nothing, having(REDIS_URL=_STRANGER)
    ),
    "keyvault-403": Fault("keyvault", "call", "role-missing", answer("keyvault", _FORBIDDEN)),
    "openai-403": Fault("openai", "call", "role-missing", answer("openai", _FORBIDDEN)),
    "seen-from-outside": Fault(
        "openai", "call", "seen-as-public", answer("openai", CLOSED["openai"])
    ),
    "no-such-database": Fault("postgres", "call", "database-role", nothing, database(name="other")),
    "libpq-has-no-roots": Fault(
        "postgres",
        "call",
        "database-trust",
        nothing,
        database(sslrootcert="/nowhere.pem"),
    ),
    "database-not-verified": Fault(
        "postgres",
        "call",
        "database-unverified",
        nothing,
        database(sslmode="require", sslrootcert=""),
    ),
    "role-passes-row-security": Fault("postgres", "call", "row-security", lose_row_security),
    "secret-disabled": Fault("keyvault", "call", "secret-missing", disable_secret),
    "secret-gone": Fault(
        "keyvault", "call", "secret-missing", answer("keyvault", said(404, {"error": {}}))
    ),
    "other-server-in-settings": Fault(
        "openai",
        "call",
        "settings-differ",
        nothing,
        having(AZURE_OPENAI_ENDPOINT="https://oai-old.openai.azure.com"),
    ),
    "app-does-not-start": Fault("web", "call", "app-down", answer("web", Answer(503))),
    "too-many-requests": Fault("openai", "call", "throttled", answer("openai", Answer(429))),
    "service-fails": Fault("keyvault", "call", "service-fails", answer("keyvault", Answer(500))),
    "huge-answer": Fault("keyvault", "call", "unexpected-answer", answer("keyvault", _HUGE)),
    "another-service-answers": Fault(
        "registry", "call", "unexpected-answer", answer("registry", Answer(302))
    ),
    "redis-hangs-up": Fault("redis", "call", "cut-off", break_off),
    "service-hangs": Fault(
        "web", "call", "too-slow", manner("web", Manner.HANGS_INSIDE), options=_WAIT
    ),
    # ── From outside ───────────────────────────────────────────────────────────────────────────
    "outside-openai-answers": outside("openai", "call", "is-public", answer_outside("openai")),
    "outside-registry-answers": outside(
        "registry", "call", "is-public", answer_outside("registry")
    ),
    "outside-web-answers": outside("web", "call", "is-public", answer_outside("web")),
    "outside-vault-answers": outside("keyvault", "call", "is-public", answer_outside("keyvault")),
    "outside-postgres-answers": outside("postgres", "tls", "is-public", open_outside("postgres")),
    "outside-redis-answers": outside("redis", "tls", "is-public", open_outside("redis")),
    "outside-vault-asks-who": outside("keyvault", "call", "unproven", ask_without_token),
    "outside-app-stopped": outside("web", "call", "site-stopped", answer_outside("web", STOPPED)),
    "outside-is-inside": outside("redis", "address", "not-outside", ask_azure),
}
# What is unusual, and no fault.
ODDITIES: dict[str, Fault] = {
    "outside-all-refused": outside("openai", "", "", nothing),
    "long-dns-answers": Fault(
        "openai", "", "", lambda network: setattr(network.azure_dns, "is_wordy", True)
    ),
    "lazy-dns": Fault(
        "openai", "", "", lambda network: setattr(network.azure_dns, "is_lazy", True)
    ),
    "alias-of-itself": Fault(
        "openai", "dns", "dns-broken", record("openai", 1, "CNAME", NAMES["openai"][0])
    ),
    "token-sent-back": Fault("openai", "call", "role-missing", send_back),
    "release-app": Fault("openai", "", "", nothing, release),
    "no-plan": Fault("openai", "", "", nothing, having(NETWORK_PLAN="")),
}
