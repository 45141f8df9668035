"""The embedded model speaks the OpenAI protocol."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from portal.embedded.model import MODEL_NAME, Model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    folder = tmp_path_factory.mktemp("model")
    with Model(folder / "model", folder / "model.log") as server:
        yield server


def request(model: Model, key: str, **body: object) -> urllib.request.Request:
    content = {"model": MODEL_NAME, "messages": [{"role": "user", "content": "Hello"}], **body}
    return urllib.request.Request(
        f"{model.url}/chat/completions",
        data=json.dumps(content).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )


def test_an_answer_streams_with_its_usage(model: Model) -> None:
    wanted = request(
        model, model.key, stream=True, max_tokens=8, stream_options={"include_usage": True}
    )

    with urllib.request.urlopen(wanted, timeout=60) as answer:
        lines = [line.decode().strip() for line in answer if line.strip()]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]

    assert lines[-1] == "data: [DONE]"
    assert len(chunks) > 3
    assert {chunk["model"] for chunk in chunks} == {MODEL_NAME}
    assert chunks[-1]["usage"]["completion_tokens"] == 8


def test_without_the_key_there_is_no_answer(model: Model) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request(model, "wrong"), timeout=10)

    assert refused.value.code == 401
    refused.value.close()


def test_its_log_holds_no_message(model: Model) -> None:
    secret = "xylophone-4711"
    wanted = request(model, model.key, max_tokens=4, messages=[{"role": "user", "content": secret}])

    urllib.request.urlopen(wanted, timeout=60).close()

    assert secret not in model.log.read_text()
