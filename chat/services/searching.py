"""Finding conversations by their titles and by what was said in them."""

import re
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Left

from chat.models import Conversation, ConversationPage, Message, SearchEntry, words_of
from tenants.models import Membership

PAGE_SIZE = 20
# Of a query, and of a message: as much as the entries hold of it (chat/migrations/0007_search.py).
_MOST_QUERY_CHARS, _MOST_MESSAGE_CHARS = 200, 100_000
# Of a snippet: what is shown before and after the first hit.
_BEFORE, _AFTER = 30, 110
_ACCENTS = re.compile("[\u0300-\u036f]")
_FIRST_UNSPACED = "\u0e00"


@dataclass(frozen=True)
class Piece:
    """A piece of a message's text, which is a hit of the search or stands between two."""

    text: str
    is_hit: bool


@dataclass(frozen=True)
class Found:
    """One page of conversations, and of what was said in them that was searched for."""

    page: ConversationPage
    snippets: dict[uuid.UUID, list[Piece]]


def find_conversations(*, actor: Membership, query: str, after: str = "") -> Found:
    """The member's conversations whose title contains all words, or a message of theirs has them.

    By recency, from the cursor `after` on. In a message a word is found by its beginning, small or
    capital, with or without accents; in scripts without spaces by any part. A query without a word
    (only signs) finds titles alone.
    """
    query = query[:_MOST_QUERY_CHARS]
    words = words_of(query)
    mine = Conversation.objects.visible_to(actor)
    if not words:
        return Found(mine.titled(query).page(after=after, size=PAGE_SIZE), {})
    entries = SearchEntry.objects.visible_to(actor).beginning_with(words)
    said = mine.filter(pk__in=entries.values("conversation"))
    page = (mine.titled(query) | said).page(after=after, size=PAGE_SIZE)
    texts = _latest_texts(entries.filter(conversation__in=page.rows))
    return Found(page, {chat: snippet(text, words) for chat, text in texts})


def _latest_texts(entries: QuerySet[SearchEntry]) -> Iterable[tuple[uuid.UUID, str]]:
    """Of each conversation the last of these messages, as far as it was searched."""
    messages = Message.objects.filter(pk__in=entries.values("message_id"))
    latest = messages.order_by("conversation", "-created_at").distinct("conversation")
    text = Left("content", _MOST_MESSAGE_CHARS)
    return Message.objects.filter(pk__in=latest.values("pk")).values_list("conversation_id", text)


def snippet(text: str, words: list[str]) -> list[Piece]:
    """The text around its first hit, in pieces; its beginning when the hit cannot be told."""
    folded = text.translate(_FOLDED)
    hits = _hits(words)
    first = next(filter(None, (hit.search(folded) for hit in hits)), None)
    start = _word_start(text, max(0, first.start() - _BEFORE) if first else 0)
    end = min(len(text), (first.start() if first else 0) + _AFTER)
    pieces = [Piece("…", is_hit=False)] if start else []
    for begin, stop in _merged(hits, folded, start, end):
        pieces.append(Piece(text[start:begin], is_hit=False))
        pieces.append(Piece(text[begin:stop], is_hit=True))
        start = stop
    pieces.append(Piece(text[start:end], is_hit=False))
    if end < len(text):
        pieces.append(Piece("…", is_hit=False))
    return [piece for piece in pieces if piece.text]


def _hits(words: list[str]) -> list[re.Pattern[str]]:
    """What shows each word, the longest first: it says most."""
    longest_first = sorted(set(words), key=len, reverse=True)
    return [re.compile(_start_of(word) + re.escape(word)) for word in longest_first]


def _start_of(word: str) -> str:
    """What stands before it: no letter or digit; in scripts that may have no spaces, anything."""
    return "" if word >= _FIRST_UNSPACED else r"(?<![^\W_])"


def _merged(
    hits: list[re.Pattern[str]], folded: str, start: int, end: int
) -> list[tuple[int, int]]:
    """Where the hits are between these places; those that touch are one."""
    spans = sorted(found.span() for hit in hits for found in hit.finditer(folded, start, end))
    merged: list[tuple[int, int]] = []
    for begin, stop in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((begin, stop))
    return merged


def _word_start(text: str, place: int) -> int:
    """The next beginning of a word, if one is near; else this place."""
    space = text.find(" ", place, place + _BEFORE) if place else -1
    return space + 1 if space >= 0 else place


class _Folded(dict[int, str]):
    """For `str.translate`: each letter as the entries have it, one for one, so that places stay."""

    def __missing__(self, code: int) -> str:
        letters = _ACCENTS.sub("", unicodedata.normalize("NFKD", chr(code)))
        folded = unicodedata.normalize("NFC", letters.lower())
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


_FOLDED = _Folded()
