"""Everything that `check_network` looks at, as real servers on this machine.

To try it by hand, see tests/cloud/try_network.py.
"""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psycopg
import redis

from portal.embedded.postgres import Postgres
from portal.embedded.valkey import Valkey
from portal.network.plan import PORTS
from tests.cloud import identity, layouts
from tests.cloud.certificates import Authority
from tests.cloud.dns_server import DnsServer
from tests.cloud.identity import Identity, Token
from tests.cloud.layouts import Layout
from tests.cloud.tls_server import Manner, Speak, TlsServer
from tests.cloud.tls_server_http import CLOSED, AzureHttp
from tests.cloud.tls_server_relay import relay_to

# The public name of each service, and the name in the private zone that it stands for.
NAMES = {
    "openai": ("oai-atrium.openai.azure.com", "oai-atrium.privatelink.openai.azure.com"),
    "postgres": (
        "pg-atrium.postgres.database.azure.com",
        "pg-atrium.privatelink.postgres.database.azure.com",
    ),
    "redis": (
        "redis-atrium.westeurope.redis.azure.net",
        "redis-atrium.westeurope.privatelink.redis.azure.net",
    ),
    "keyvault": ("kv-atrium.vault.azure.net", "kv-atrium.privatelink.vaultcore.azure.net"),
    "registry": ("acratrium.azurecr.io", "acratrium.privatelink.azurecr.io"),
    "web": ("app-atrium-web.azurewebsites.net", "app-atrium-web.privatelink.azurewebsites.net"),
}
# What the environment or a file of settings may have, and this network has not.
_UNSET = (
    "DATABASE_OWNER_URL",
    "DATABASE_ADMIN_URL",
    "AZURE_OPENAI_API_KEY",
    "WEBSITE_SITE_NAME",
    "WEBSITE_PRIVATE_IP",
)
OBJECT_ID = "2c1ba4c4-cd9b-4309-8ad2-5a4ab3e1c7a7"


class PrivateNetwork:
    """``with PrivateNetwork(layout, folder) as network``: good, until something is changed.

    `dns` is the server that the machine asks: `azure_dns`, or `custom_dns`, which knows public
    addresses only. `servers` are the private endpoints, `public` the same services from outside.
    """

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout = layout
        self.authority = Authority(_made(folder / "ca"))
        self.stranger = Authority(_made(folder / "proxy"))
        self.identity = Identity()
        self.identity.told.append(self._teach)
        self.postgres = Postgres(folder / "postgres", folder / "postgres.log", durable=False)
        self.valkey = Valkey(folder / "valkey", folder / "valkey.log")
        self.azure_dns = DnsServer(*layout.azure_dns)
        self.custom_dns = DnsServer(*layout.custom_dns)
        self.http = {service: AzureHttp(service, self.identity) for service in CLOSED}
        self.outside = {service: AzureHttp(service, self.identity) for service in CLOSED}
        self._certificates = {
            service: self.authority.issue(name) for service, (name, _) in NAMES.items()
        }
        self.servers: dict[str, TlsServer] = {}
        self.public: dict[str, TlsServer] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for server in (self.postgres, self.valkey):
            server.start()
            self._stack.callback(server.stop)
        for part in (self.identity, self.azure_dns, self.custom_dns):
            self._stack.enter_context(part)
        for service in PORTS:
            self.servers[service] = self._serve(service, is_public=False)
            if self.layout.is_namespace:
                self.public[service] = self._serve(service, is_public=True)
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the portal in this network."""
        port = {service: server.port for service, server in self.servers.items()}
        names = {service: f"{names[0]}:{port[service]}" for service, names in NAMES.items()}
        return {
            **self.identity.environment,
            "SSL_CERT_FILE": str(self.authority.path),
            "SECRET_KEY": "only-for-tests-" + "0" * 50,
            "KEY_VAULT_URL": f"https://{names['keyvault']}",
            "DATABASE_URL": f"postgres://atrium@{names['postgres']}/atrium"
            "?sslmode=verify-full&sslrootcert=system",
            "DATABASE_AUTH": "entra",
            "REDIS_URL": f"rediss://{OBJECT_ID}@{names['redis']}/0",
            "REDIS_AUTH": "entra",
            "AZURE_OPENAI_ENDPOINT": f"https://{names['openai']}",
            **dict.fromkeys(_UNSET, ""),
            "EMAIL_URL": "memorymail://",
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "NETWORK_PLAN": json.dumps({"ranges": self.layout.ranges, "names": names}),
        }

    @property
    def options(self) -> list[str]:
        """What `check_network` must be told here."""
        if self.layout.is_namespace:
            return []
        return ["--dns-server", str(self.dns), "--azure-dns-server", str(self.azure_dns)]

    def reset(self) -> None:
        """Make everything good again."""
        for service, server in [*self.servers.items(), *self.public.items()]:
            server.manner = Manner.WELL
            server.certificate, server.speak = self._certificates[service], self._speaks[service]
        for service, server in self.public.items():
            if service not in CLOSED:
                server.manner = Manner.CLOSED
                continue
            server.speak = self.outside[service].speak
            self.outside[service].answer = CLOSED[service]
        for web in self.http.values():
            web.reset()
        self.identity.known_clients = {identity.CLIENT_ID}
        self.identity.stop_refusing()
        self._reset_names()
        self.superuser("ALTER ROLE atrium NOBYPASSRLS")

    def ask(self, dns: DnsServer) -> None:
        """Let the machine ask this DNS server."""
        self.dns = dns
        if self.layout.is_namespace:
            layouts.write_resolv(dns.address)

    def superuser(self, statement: str) -> None:
        """Run a statement as the superuser of PostgreSQL."""
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _reset_names(self) -> None:
        for dns in (self.azure_dns, self.custom_dns):
            dns.reset()
        for service, (name, private) in NAMES.items():
            self.azure_dns.records[name] = ("CNAME", private)
            self.azure_dns.records[private] = ("A", self.layout.address(service))
            if self.layout.is_namespace:
                self.custom_dns.records[name] = ("CNAME", private)
                address = self.layout.address(service, is_public=True)
                self.custom_dns.records[private] = ("A", address)
        self.ask(self.azure_dns)
        if self.layout.is_namespace:
            layouts.write_hosts()

    def _serve(self, service: str, *, is_public: bool) -> TlsServer:
        server = TlsServer(
            self._speaks[service],
            self._certificates[service],
            address=self.layout.address(service, is_public=is_public),
            port=self.layout.ports.get(service, 0),
            is_postgres=service == "postgres",
        )
        return self._stack.enter_context(server)

    @property
    def _speaks(self) -> dict[str, Speak]:
        return {
            **{service: web.speak for service, web in self.http.items()},
            "postgres": relay_to(self.postgres.url),
            "redis": relay_to(self.valkey.url),
        }

    def _teach(self, token: Token) -> None:
        """A token is a password there: for the role, or for the user."""
        if token.resource == identity.POSTGRES:
            self.superuser(f"ALTER ROLE atrium PASSWORD '{token.value}'")
        elif token.resource == identity.REDIS:
            with redis.Redis.from_url(self.valkey.url) as client:
                client.execute_command(
                    "ACL", "SETUSER", OBJECT_ID, "on", f">{token.value}", "~*", "&*", "+@all"
                )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
