"""What happens: catalogue, conversations, generations, usage."""

from chat.models.catalogue import Deployment, DeploymentGrant
from chat.models.conversations import Conversation, ConversationPage, Message
from chat.models.generations import Generation
from chat.models.investigations import Investigation
from chat.models.library import LibraryPrompt
from chat.models.pauses import Pause
from chat.models.searching import SearchEntry, words_of
from chat.models.usage import UsageEntry

__all__ = [
    "Conversation",
    "ConversationPage",
    "Deployment",
    "DeploymentGrant",
    "Generation",
    "Investigation",
    "LibraryPrompt",
    "Message",
    "Pause",
    "SearchEntry",
    "UsageEntry",
    "words_of",
]
