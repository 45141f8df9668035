"""The ASGI application that uvicorn serves."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections, connections, reset_queries
from django.http import HttpRequest
from django.http.response import HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class ThreadedHandler(ASGIHandler):
    """Django's handler, with our views and middleware in a bounded number of threads.

    Django's own starts a thread for each request and keeps it while the response is streamed. Here
    a request takes one of WEB_THREADS threads until its response begins, and gives its database
    connection back then; open streams hold neither.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="request")

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Everything of ours is synchronous."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; streams ask the database in the same threads."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']}")
        if scope["path"] == "/healthz":
            await _say_alive(send)
            return
        asyncio.get_running_loop().set_default_executor(self._threads)
        await self.handle(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The response, made in one of the threads."""
        return await asyncio.to_thread(self._respond, request)

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        finally:
            connections.close_all()


async def _say_alive(send: Send) -> None:
    """Needs no thread: the process is alive also when all of them wait for the database."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"alive": true}'})


def _get_application() -> ThreadedHandler:
    django.setup(set_prefix=False)
    # They look after connections in threads of Django's own handler; here `_respond` does.
    signals.request_started.disconnect(reset_queries)
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    return ThreadedHandler()


application = _get_application()
