"""How the benchmark counts what it reads."""

import pytest

from tests.bench.levels import percentile
from tests.bench.reading import CompletionsReader, Measured, PortalReader
from tests.upstream.stamp import now


def sent(count: int) -> str:
    return "".join(now().decode() for _ in range(count))


def event(name: str, text: str) -> bytes:
    return f'id: 1-1\nevent: {name}\ndata: {{"text":"{text}"}}\n\n'.encode()


def test_deltas_that_came_together_count_each_token() -> None:
    measured = Measured()

    PortalReader(measured)(event("snapshot", sent(1)) + event("delta", sent(3)))

    assert len(measured.lags) == 4
    assert all(0 <= lag < 1 for lag in measured.lags)


def test_a_replay_from_the_beginning_counts_no_token_twice() -> None:
    measured = Measured()
    reader, text = PortalReader(measured), sent(5)

    reader(event("snapshot", text))
    reader(event("snapshot", text[:10]) + event("delta", text[10:]) + event("delta", sent(1)))

    assert len(measured.lags) == 6


def test_events_may_be_cut_anywhere() -> None:
    measured = Measured()
    reader = PortalReader(measured)

    for byte in event("delta", sent(2)) + b'event: end\ndata: {"status":"completed"}\n\n':
        reader(bytes([byte]))

    assert (len(measured.lags), measured.status) == (2, "completed")


def test_the_models_own_stream_is_read_with_the_same_measure() -> None:
    measured = Measured()
    chunk = f'data: {{"choices":[{{"delta":{{"content":"{sent(1)}"}}}}]}}\n\n'.encode()

    CompletionsReader(measured)(chunk * 3 + b"data: [DONE]\n\n")

    assert (len(measured.lags), measured.status) == (3, "completed")


@pytest.mark.parametrize(("percent", "value"), [(50, 6.0), (95, 10.0), (99, 10.0)])
def test_percentiles_are_values_that_occurred(percent: int, value: float) -> None:
    assert percentile([float(number) for number in range(1, 11)], percent) == value
