"""Serve the demo model over the OpenAI protocol until told to stop.

Run by portal/embedded/model.py as a child of its own: ``python model_server.py PORT FILE ALIAS``,
with the key that clients must send in the environment variable MODEL_API_KEY.
"""

import os
import signal
import sys

import xllamacpp

# Answers at the same time, and the tokens that each may use for question and answer together.
SLOTS = 4
CONTEXT = 4096
MAX_ANSWER_TOKENS = 1024
# A model this small wanders off at the usual temperatures.
TEMPERATURE = 0.2


def parameters(port: int, path: str, alias: str, key: str) -> xllamacpp.CommonParams:
    """A small server for one machine: no pages, no prompt cache, no access without the key."""
    options = xllamacpp.CommonParams()
    options.model.path = path
    options.model_alias = {alias}
    options.hostnames = ["127.0.0.1"]
    options.port = port
    options.api_keys = [key]
    options.n_parallel = SLOTS
    options.n_ctx = SLOTS * CONTEXT
    options.n_predict = MAX_ANSWER_TOKENS
    options.sampling.temp = TEMPERATURE
    options.n_gpu_layers = 0
    options.cache_ram_mib = 0
    options.n_threads_http = SLOTS * 2
    options.ui = False
    options.endpoint_slots = False
    return options


def main(arguments: list[str]) -> None:
    port, path, alias = arguments
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    server = xllamacpp.Server(parameters(int(port), path, alias, os.environ.pop("MODEL_API_KEY")))
    sys.stdout.write(f"serving {alias} on {server.listening_address}\n")
    sys.stdout.flush()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # The threads of the server have no other end.


if __name__ == "__main__":
    main(sys.argv[1:])
