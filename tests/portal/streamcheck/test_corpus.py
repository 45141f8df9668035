"""The texts that are sent: enough of them, each once, and as they were written."""

from collections import Counter

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from chat.urls import urlpatterns
from portal.streamcheck import corpus
from portal.streamcheck.corpus import Attack, Prompt

LANGUAGES = {"python", "javascript", "java", "c", "csharp", "go", "rust", "php", "ruby", "perl"}


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    return corpus.prompts()


@pytest.fixture(scope="module")
def attacks() -> list[Attack]:
    return corpus.attacks()


def test_there_are_enough_of_them(prompts: list[Prompt], attacks: list[Attack]) -> None:
    assert len(prompts) >= 100
    assert len(attacks) >= 60
    assert {f"code-{name}" for name in LANGUAGES} <= {one.id for one in prompts}


def test_every_id_is_there_once(prompts: list[Prompt], attacks: list[Attack]) -> None:
    ids = Counter([one.id for one in prompts] + [one.id for one in attacks])

    assert [name for name, times in ids.items() if times > 1] == []


def test_every_prompt_is_one_that_the_portal_takes(prompts: list[Prompt]) -> None:
    for prompt in prompts:
        assert prompt.text.strip()
        assert len(prompt.text) <= settings.CHAT_MAX_MESSAGE_CHARS
        for _, request in prompt.requests():
            assert len(request.body) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_the_longest_message_in_the_widest_encoding_is_among_them(prompts: list[Prompt]) -> None:
    longest = max(len(request.body) for one in prompts for _, request in one.requests())

    assert longest >= settings.CHAT_MAX_MESSAGE_CHARS * 12


def test_prompts_go_to_the_two_chat_pages() -> None:
    names = {resolve(path).url_name for path in corpus.CHAT_PATHS}

    assert names == {"start_conversation", "send_message"}
    assert names <= {pattern.name for pattern in urlpatterns}


def test_no_attack_is_chat_text_on_a_chat_page(attacks: list[Attack]) -> None:
    for attack in attacks:
        path, _, query = attack.request.target.partition("?")
        if path in corpus.CHAT_PATHS and attack.category == "message" and not query:
            assert not attack.request.body.startswith(b"message=%3C")


def test_attacks_aim_at_pages_that_exist_and_at_others(attacks: list[Attack]) -> None:
    names = {_name(attack.request.target.partition("?")[0]) for attack in attacks}

    assert {"home", "account_login", "start_conversation", "send_message", ""} <= names
    assert {"rename_conversation", "retry_generation", "list_conversations"} <= names


def _name(path: str) -> str:
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


def test_a_rule_set_may_let_few_of_them_pass_and_the_reason_is_said(attacks: list[Attack]) -> None:
    excused = [attack for attack in attacks if attack.may_pass]

    assert len(excused) < len(attacks) / 8
    assert all(len(attack.may_pass) > 20 for attack in excused)
