"""What can go wrong: refusals in the user's words, and failures as codes."""

from typing import ClassVar


class ChatError(Exception):
    """A refusal. Its text is safe to show; `code` is for our script; `status` is HTTP's.

    `retry_after_seconds`, where given, is when the same may be tried again.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400

    def __init__(self, text: str = "", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class ConversationGone(ChatError):
    """The conversation was deleted a moment ago."""

    code = "gone"
    status = 404


class EmptyMessage(ChatError):
    """Nothing was typed."""

    code = "empty"


class MessageTooLong(ChatError):
    """The message is longer than the portal takes."""

    code = "too_long"
    status = 413


class AlreadyAnswering(ChatError):
    """An answer of this conversation is still being written."""

    code = "busy"
    status = 409


class DeploymentNotGranted(ChatError):
    """The tenant may not use this model, or no model at all."""

    code = "not_granted"
    status = 403


class NothingToRetry(ChatError):
    """The prompt is not the last one of its conversation."""

    code = "not_last"
    status = 409


class NothingToContinue(ChatError):
    """There is no unfinished reply at the end of the conversation."""

    code = "not_unfinished"
    status = 409


class NothingToEdit(ChatError):
    """The prompt has a reply, or is not the last one of its conversation."""

    code = "not_editable"
    status = 409


class PromptTooLong(ChatError):
    """The message is longer than the model can read at once."""

    code = "too_long_for_model"
    status = 413


class TooManyWaiting(ChatError):
    """As many messages of the member wait for an answer as may."""

    code = "too_many_waiting"
    status = 429


class NotYoursToInvestigate(ChatError):
    """There is no such conversation, or none that this person may open for an investigation."""

    code = "unknown"
    status = 404


class OwnConversation(ChatError):
    """Somebody wants to investigate what they wrote themselves."""

    code = "own"


class ReasonMissing(ChatError):
    """An investigation needs a written reason."""

    code = "no_reason"


class InvestigationOver(ChatError):
    """The time for reading is over, or the conversation was deleted meanwhile."""

    code = "over"
    status = 410


class ProviderError(Exception):
    """A model call that failed. The code is stored; the cause is logged and stays on the server.

    Codes: rate_limited (then `retry_after_seconds` may be set), filtered (then `side` is prompt or
    reply, `category` as the provider names it), context_too_long, unauthorised, unavailable,
    timeout, malformed, and internal for a fault of our own.
    """

    def __init__(
        self,
        code: str,
        *,
        retry_after_seconds: float | None = None,
        side: str = "",
        category: str = "",
    ) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = retry_after_seconds
        self.side = side
        self.category = category
