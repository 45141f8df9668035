"""A browser at the portal's public address, and the gateway that it talks to."""

import http.client
import ssl

import httpx2

from chat.models import Generation
from tenants.models import Membership
from tests.chat.listener import DEADLINE_SECONDS, Listener, cookie_of, events_path
from tests.gateway.nginx import Gateway

HOST = "atrium.example.org"
PUBLIC_URL = f"https://{HOST}"


class Browser(httpx2.Client):
    """A browser at the portal's public address, whose requests go to `origin`.

    It comes from `source`, one of this machine's addresses, and follows no redirect by itself.
    """

    def __init__(self, origin: str, context: ssl.SSLContext, *, source: str = "127.0.0.1") -> None:
        transport = httpx2.HTTPTransport(verify=context, local_address=source)
        super().__init__(base_url=origin, headers={"Host": HOST}, transport=transport, timeout=30)

    def sign_in(self, email: str, password: str, **headers: str) -> httpx2.Response:
        """Fill in the sign-in form and send it."""
        page = self.get("/accounts/login/", headers=headers)
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        fields = {"login": email, "password": password, "csrfmiddlewaretoken": token}
        sent = {"Origin": PUBLIC_URL, "Referer": f"{PUBLIC_URL}/accounts/login/", **headers}
        return self.post("/accounts/login/", data=fields, headers=sent)


class SafeListener(Listener):
    """Follows an answer over TLS."""

    def __init__(
        self, gateway: Gateway, context: ssl.SSLContext, path: str, **headers: str
    ) -> None:
        super().__init__(gateway.url, path, Host=HOST, **headers)
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", gateway.port, timeout=DEADLINE_SECONDS, context=context
        )


def listen(
    gateway: Gateway,
    context: ssl.SSLContext,
    member: Membership,
    generation: Generation,
    **headers: str,
) -> Listener:
    """This member's browser follows this answer through the gateway."""
    path = events_path(generation)
    return SafeListener(gateway, context, path, Cookie=cookie_of(member), **headers)
