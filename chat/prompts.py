"""What is sent to the model for a message: system prompt and the branch, cut to the window."""

from itertools import accumulate, takewhile
from typing import TypedDict

from chat.models import Generation, Message

# Tokens kept free for the reply, at most; a small window keeps a quarter.
_REPLY_TOKENS = 4096
# Role and separators of one message in the models' own formats.
_TOKENS_PER_MESSAGE = 4


class PromptMessage(TypedDict):
    """One message in the protocol's shape."""

    role: str
    content: str


def estimate_tokens(text: str) -> int:
    """About how many tokens the text is, rounded up: 4 characters each in ASCII, 1 beyond it.

    High for European text with accents, about right for Chinese, Japanese and Korean. No
    vocabulary is loaded: a private network refuses the download.
    """
    ascii_chars = len(text.encode("ascii", "ignore"))
    return -(-ascii_chars // 4) + len(text) - ascii_chars


def build(generation: Generation) -> list[PromptMessage]:
    """System prompt, then the newest messages of the branch that fit, the prompt itself always."""
    system_prompt = generation.conversation.system_prompt
    branch = [m for m in Message.objects.branch(generation.prompt_id) if m.content]
    window = generation.deployment.context_window
    room = window - min(_REPLY_TOKENS, window // 4) - estimate_tokens(system_prompt)
    kept = _newest_that_fit([PromptMessage(role=m.role, content=m.content) for m in branch], room)
    system = [PromptMessage(role="system", content=system_prompt)] if system_prompt else []
    return system + kept


def _newest_that_fit(messages: list[PromptMessage], room: int) -> list[PromptMessage]:
    newest_first = messages[::-1]
    sizes = accumulate(estimate_tokens(m["content"]) + _TOKENS_PER_MESSAGE for m in newest_first)
    count = sum(1 for _ in takewhile(lambda size: size <= room, sizes))
    return messages[-max(count, 1) :]


def estimate_input_tokens(messages: list[PromptMessage]) -> int:
    """The estimate for a whole prompt."""
    return sum(estimate_tokens(m["content"]) + _TOKENS_PER_MESSAGE for m in messages)
