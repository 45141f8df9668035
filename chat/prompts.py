"""What is sent to the model for a message: system prompt and branch, cut to the model's window.

How long a prompt is, is estimated before the call. A token is taken for 4 characters of ASCII, for
2 of the scripts that take two bytes in UTF-8 (accented Latin, Greek, Cyrillic, Hebrew, Arabic), for
1 of those that take three (Chinese, Japanese, Korean and others), and an emoji for 1.5; each
message has 4 more for its role. No vocabulary is loaded: a private network refuses the download.

The provider's own figures correct it: what it counted for the conversation's last answer, divided
by our estimate of that prompt, is the factor for the next one, between 0.5 and 4. It is kept
through answers without figures, because theirs are estimated with it.

A quarter of the window, of a large one 4,096 tokens, stays free for the reply.
"""

from itertools import accumulate, takewhile
from typing import NamedTuple, TypedDict

from chat.models import Conversation, Deployment, Generation, Message

_REPLY_TOKENS = 4096
# Of a branch; what is older is left out, however short it is.
_MOST_MESSAGES = 500
# Role and separators of one message in the models' own formats.
_TOKENS_PER_MESSAGE = 4
_LEAST_FACTOR, _MOST_FACTOR = 0.5, 4.0

_GO_ON = (
    "Your last message was cut off. Go on exactly where it stopped, in the middle of a word if need"
    " be. Repeat nothing of it, and say nothing about having been cut off."
)


class PromptMessage(TypedDict):
    """One message in the protocol's shape."""

    role: str
    content: str


class Prompt(NamedTuple):
    """What is sent. `left_out` messages of the branch did not fit; the estimate is uncorrected."""

    messages: list[PromptMessage]
    left_out: int
    estimated_tokens: int


def estimate_tokens(text: str) -> int:
    """About how many tokens the text is, rounded up, uncorrected (see above)."""
    ascii_chars = len(text.encode("ascii", "ignore"))
    # Beyond ASCII: half a token for each byte after a character's first.
    further_bytes = len(text.encode("utf-8", "surrogatepass")) - len(text)
    return -(-(ascii_chars + 2 * further_bytes) // 4)


def estimate_input_tokens(messages: list[PromptMessage]) -> int:
    """The estimate for a whole prompt, uncorrected."""
    return sum(map(_size, messages))


def estimate_alone(system_prompt: str, text: str) -> int:
    """The estimate for a message without what was said before it, uncorrected."""
    texts = [system_prompt, text] if system_prompt else [text]
    return sum(estimate_tokens(each) + _TOKENS_PER_MESSAGE for each in texts)


def room_for_prompt(deployment: Deployment) -> int:
    """How many tokens a prompt for this deployment may have."""
    window = deployment.context_window
    return window - min(_REPLY_TOKENS, window // 4)


def may_be_cut(room: int, tokens: int) -> bool:
    """Whether so many estimated tokens could be too many for the room, with any correction."""
    return tokens * _MOST_FACTOR > room


def correction(conversation: Conversation) -> float:
    """By how much the estimates for this conversation's prompts are to be multiplied."""
    answered = conversation.generations.filter(
        estimated_input_tokens__gt=0, reply__input_tokens__gt=0
    ).order_by("-queued_at")
    figures = answered.values_list("reply__input_tokens", "estimated_input_tokens").first()
    if figures is None:
        return 1.0
    counted, estimated = figures
    return min(max((counted or 0) / (estimated or 1), _LEAST_FACTOR), _MOST_FACTOR)


def beginning(generation: Generation) -> str:
    """The unfinished reply that this generation continues; "" when it begins anew."""
    return generation.continues.content if generation.continues else ""


def build(generation: Generation) -> Prompt:
    """System prompt, then the newest messages of the branch that fit, the prompt itself always.

    For a continuation, the unfinished reply and the request to go on follow, always too. The window
    is that of the deployment that answers, which may be a fallback.
    """
    system_prompt = generation.conversation.system_prompt
    system = [PromptMessage(role="system", content=system_prompt)] if system_prompt else []
    *earlier, asked = Message.objects.branch(generation.prompt_id, limit=_MOST_MESSAGES)
    beyond = 0
    if len(earlier) + 1 == _MOST_MESSAGES:
        beyond = Message.objects.branch_length(generation.prompt_id) - _MOST_MESSAGES
    always = [*system, _message(asked), *_going_on(generation)]
    said = [_message(m) for m in earlier if m.content]
    room = _room_beside(always, said, generation)
    kept = _newest_that_fit(said, room)
    messages = [*system, *kept, *always[len(system) :]]
    left_out = len(said) - len(kept) + beyond
    return Prompt(messages, left_out, estimate_input_tokens(messages))


def _message(message: Message) -> PromptMessage:
    return PromptMessage(role=message.role, content=message.content)


def _going_on(generation: Generation) -> list[PromptMessage]:
    text = beginning(generation)
    if not text:
        return []
    return [
        PromptMessage(role=Message.Role.ASSISTANT, content=text),
        PromptMessage(role=Message.Role.USER, content=_GO_ON),
    ]


def _room_beside(
    always: list[PromptMessage], said: list[PromptMessage], generation: Generation
) -> float:
    """How many tokens are left for what was said before, as our estimate counts them."""
    room = room_for_prompt(generation.deployment)
    if may_be_cut(room, estimate_input_tokens([*always, *said])):
        return room / correction(generation.conversation) - estimate_input_tokens(always)
    return room


def _newest_that_fit(messages: list[PromptMessage], room: float) -> list[PromptMessage]:
    sizes = accumulate(_size(message) for message in reversed(messages))
    count = sum(1 for _ in takewhile(lambda size: size <= room, sizes))
    return messages[len(messages) - count :]


def _size(message: PromptMessage) -> int:
    return estimate_tokens(message["content"]) + _TOKENS_PER_MESSAGE
