"""A real nginx as the gateway: what Application Gateway v2 does to a request, nginx does here.

It ends TLS, appends `address:port` to X-Forwarded-For, sets X-Forwarded-Proto, X-Forwarded-Port,
X-Original-Host and X-Original-URL, drops headers whose names have an underscore, reads the whole
request before it passes it on, and obeys no X-Accel-Buffering.
"""

import itertools
import os
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx2

from portal.embedded import ports
from portal.embedded.identity import needs_other_user, service_user
from portal.embedded.processes import Child, Program
from tests.gateway import debian
from tests.stack import wait_until

ALIVE_PATH = "/gateway-is-alive"
# Other test processes on the same machine begin elsewhere; one process takes none twice.
_candidates = itertools.count(26_000 + os.getpid() % 600 * 10)

# The header names are those of learn.microsoft.com, "How an application gateway works".
CONFIGURATION = """\
daemon off;
master_process on;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
{modules}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    server_tokens off;
    underscores_in_headers off;
    ignore_invalid_headers on;
    client_max_body_size 2m;
    keepalive_timeout 75s;
    map $http_x_forwarded_for $forwarded_for {{
        ""      "$remote_addr:$remote_port";
        default "$http_x_forwarded_for, $remote_addr:$remote_port";
    }}
    {http}
    server {{
        listen 127.0.0.1:{port}{tls};
        {certificate}
        {server}
        location = {alive} {{ {no_rules} return 204; }}
        location / {{
            include {folder}/proxy.conf;
        }}
    }}
}}
"""
PROXY = """\
proxy_pass {backend};
proxy_http_version 1.1;
proxy_bind {source};
proxy_set_header Connection "";
proxy_set_header Host {host};
proxy_set_header X-Forwarded-For $forwarded_for;
{other_headers}
proxy_ignore_headers X-Accel-Buffering;
proxy_buffering {buffering};
proxy_request_buffering on;
proxy_read_timeout 230s;
proxy_redirect off;
"""
GATEWAY_HEADERS = """\
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Port $server_port;
proxy_set_header X-Original-Host $http_host;
proxy_set_header X-Original-URL $request_uri;
proxy_set_header X-Appgw-Trace-Id $request_id;
"""
# What App Service's front end sends on: it appends to the list, and says how it was reached.
PLATFORM_HEADERS = "proxy_set_header X-Forwarded-Proto {scheme};"


@dataclass(frozen=True)
class Behaviour:
    """How this nginx differs from the plain gateway.

    `source` is the address it connects from. `host` is the Host header for the backend; empty:
    the client's is kept. `http` and `server` are lines of nginx's own language for those blocks,
    `modules` are loaded first: that is how a firewall gets in (a location of its own says
    `include {folder}/proxy.conf;`). `platform_scheme` makes it App
    Service's front end, which was reached by this scheme.
    """

    source: str = "127.0.0.1"
    host: str = ""
    is_buffering: bool = False
    modules: tuple[Path, ...] = ()
    http: str = ""
    server: str = ""
    platform_scheme: str = ""


class Gateway:
    """One nginx in front of `backend`, as a child process with a folder of its own.

    With `certificate` and `key` (PEM files) it speaks TLS. `folder` exists from the beginning, so
    that rule files can be put there before `start()`; `own()` lets nginx read them.
    """

    def __init__(
        self,
        backend: str,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        behaviour: Behaviour | None = None,
        name: str = "gateway",
    ) -> None:
        debian.skip_without_packages()
        self.folder = Path(tempfile.mkdtemp(prefix=f"atrium-{name}-"))
        self.port = ports.free_port(next(_candidates))
        self.is_tls = certificate is not None
        self.url = f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"
        self._identity = service_user(self.folder) if needs_other_user() else None
        self._behaviour = behaviour or Behaviour()
        self._write(backend, certificate, key)
        self.process = self._child(name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when it answers."""
        self.own()
        self.process.start()
        wait_until(self._is_alive, what=f"nginx, see {self.log()}")

    def stop(self) -> None:
        """End it, and delete its folder."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def own(self) -> None:
        """Give its folder to the user that nginx runs as."""
        if self._identity is None:
            return
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, self._identity.uid, self._identity.gid)

    def log(self) -> str:
        """What nginx has complained of so far."""
        path = self.process.log
        return path.read_text(errors="replace") if path.exists() else ""

    def _is_alive(self) -> bool:
        self.process.raise_if_ended()
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        try:
            answer = httpx2.get(f"{self.url}{ALIVE_PATH}", verify=unverified, timeout=5)
        except httpx2.TransportError:
            return False
        return answer.status_code == 204

    def _write(self, backend: str, certificate: Path | None, key: Path | None) -> None:
        files = {"certificate.pem": certificate, "key.pem": key}
        for name, path in files.items():
            if path is not None:
                shutil.copyfile(path, self.folder / name)
        behaviour = self._behaviour
        address = urlsplit(backend)
        proxy = PROXY.format(
            backend=f"{address.scheme}://{address.netloc}",
            source=behaviour.source,
            host=behaviour.host or "$http_host",
            other_headers=_other_headers(behaviour),
            buffering="on" if behaviour.is_buffering else "off",
        )
        text = CONFIGURATION.format(
            folder=self.folder,
            modules="\n".join(f"load_module {path};" for path in behaviour.modules),
            http=behaviour.http.replace("@folder@", str(self.folder)),
            server=behaviour.server.replace("@folder@", str(self.folder)),
            port=self.port,
            tls=" ssl" if self.is_tls else "",
            certificate=_certificate_lines(self.folder) if self.is_tls else "",
            alive=ALIVE_PATH,
            no_rules="modsecurity off;" if debian.MODULE in behaviour.modules else "",
        )
        (self.folder / "proxy.conf").write_text(proxy)
        (self.folder / "nginx.conf").write_text(text)

    def _child(self, name: str) -> Child:
        command = [debian.find_nginx(), "-e", "stderr", "-p", str(self.folder)]
        return Child(
            Program(
                name,
                [*command, "-c", str(self.folder / "nginx.conf")],
                log=self.folder / "nginx.log",
                identity=self._identity,
                directory=self.folder,
            )
        )


def _certificate_lines(folder: Path) -> str:
    return (
        f"ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;"
        " ssl_protocols TLSv1.2 TLSv1.3;"
    )


def _other_headers(behaviour: Behaviour) -> str:
    if behaviour.platform_scheme:
        return PLATFORM_HEADERS.format(scheme=behaviour.platform_scheme)
    return GATEWAY_HEADERS
