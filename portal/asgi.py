"""The ASGI application that uvicorn serves."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import django
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections, connections, reset_queries
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from portal import start
from portal.celery import app as celery
from portal.gateway import ForwardedHeaders, Receive, Scope, Trust
from portal.health import ALIVE_PATH, READY_PATH, Send, say_alive
from portal.leaving import Leaving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


class ThreadedHandler(ASGIHandler):
    """Django's handler, with our views and middleware in a bounded number of threads.

    Django's own starts a thread for each request and keeps it while the response is streamed. Here
    a request takes one of WEB_THREADS threads until its response begins, and gives its database
    connection back then; open streams hold neither.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="request")
        self._leaving = Leaving()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Everything of ours is synchronous."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; streams ask the database in the same threads."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']}")
        if scope["path"] == ALIVE_PATH:
            await say_alive(send)
            return
        if _content_length(scope) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            await _refuse_body(send)
            return
        asyncio.get_running_loop().set_default_executor(self._threads)
        await self.handle(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The response, made in one of the threads."""
        return await asyncio.to_thread(self._respond, request)

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        try:
            if not self._is_ready(request):
                return HttpResponse("Not ready.\n", status=503, content_type="text/plain")
            return self.get_response(request)
        finally:
            connections.close_all()

    def _is_ready(self, request: HttpRequest) -> bool:
        """Whether to answer; who leaves still answers everything but that they are ready."""
        if request.path == READY_PATH:
            return not self._leaving.has_begun
        return start.is_bound()

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        """Send it; an event stream until this process is told to stop."""
        if isinstance(response, StreamingHttpResponse):
            frames = response.streaming_content
            if isinstance(frames, AsyncIterator):  # anything else is a download, and is finished
                response.streaming_content = self._leaving.until_begun(frames)
        await super().send_response(response, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The server's own word for it: listen for signals from when it listens for them itself."""
        while (await receive())["type"] == "lifespan.startup":
            self._leaving.listen()
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})


def _content_length(scope: Scope) -> float:
    """How long the body says it is; infinite when it is chunked, which no browser does."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return float("inf")
    return int(headers.get(b"content-length", b"0"))


async def _refuse_body(send: Send) -> None:
    """413 before anything of the body is read: Django would keep all of it on disk first."""
    headers = [(b"connection", b"close"), (b"content-type", b"application/json")]
    error = {"code": "too_long", "message": "This is longer than the portal takes."}
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": error}).encode()})


def _get_application() -> ForwardedHeaders:
    django.setup(set_prefix=False)
    start.leave_if_unbound()
    # The worker waits for its next ticket much longer than a person may wait for a send.
    celery.conf.broker_transport_options |= {"socket_timeout": 2, "socket_connect_timeout": 1}
    # They look after connections in threads of Django's own handler; here `_respond` does.
    signals.request_started.disconnect(reset_queries)
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    trust = Trust(gateway=settings.GATEWAY_NETWORKS, platform=settings.PLATFORM_NETWORKS)
    return ForwardedHeaders(ThreadedHandler(), trust)


application = _get_application()
