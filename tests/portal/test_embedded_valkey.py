"""The embedded Valkey: a real server that keeps its data."""

import os
import signal
from pathlib import Path

import pytest

from portal.embedded.errors import EmbeddedError
from portal.embedded.redis_ping import RedisError, ping
from portal.embedded.valkey import Valkey
from tests.portal.resp import ask


def make(folder: Path) -> Valkey:
    return Valkey(folder / "valkey", folder / "valkey.log")


def test_data_and_address_survive_a_restart(tmp_path: Path) -> None:
    with make(tmp_path) as first:
        ask(first.url, "SET kept yes")

    with make(tmp_path) as second:
        assert second.url == first.url
        assert ask(second.url, "GET kept") == "yes"


def test_data_older_than_a_second_survives_a_kill(tmp_path: Path) -> None:
    with make(tmp_path) as valkey:
        ask(valkey.url, "SET kept yes")
        ask(valkey.url, "WAITAOF 1 0 3000")
        assert valkey.process is not None
        os.kill(valkey.process.pid, signal.SIGKILL)

        valkey.restart()

        assert ask(valkey.url, "GET kept") == "yes"


def test_only_the_password_opens_it(tmp_path: Path) -> None:
    with make(tmp_path) as valkey:
        ping(valkey.url, seconds=2)
        with pytest.raises(RedisError, match="NOAUTH"):
            ping(f"redis://127.0.0.1:{valkey.port}/0", seconds=2)
        with pytest.raises(RedisError, match="WRONGPASS"):
            ping(f"redis://:wrong@127.0.0.1:{valkey.port}/0", seconds=2)


def test_memory_is_bounded_and_queues_are_never_evicted(tmp_path: Path) -> None:
    with make(tmp_path) as valkey:
        assert ask(valkey.url, "CONFIG GET maxmemory")[1] == str(256 * 1024 * 1024)
        assert ask(valkey.url, "CONFIG GET maxmemory-policy")[1] == "volatile-ttl"
        assert ask(valkey.url, "CONFIG GET bind")[1] == "127.0.0.1"


def test_the_configuration_with_the_password_is_private(tmp_path: Path) -> None:
    with make(tmp_path) as valkey:
        for name in ("valkey.conf", "credentials.json"):
            assert (valkey.folder / name).stat().st_mode & 0o777 == 0o600


def test_a_port_taken_by_another_server_is_named(tmp_path: Path) -> None:
    with make(tmp_path) as valkey:
        second = Valkey(tmp_path / "second", tmp_path / "second.log", port=valkey.port)

        with pytest.raises(EmbeddedError, match=f"{valkey.port}"):
            second.start()


def test_a_kept_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    with make(tmp_path) as valkey:
        assert make(tmp_path).port != valkey.port
