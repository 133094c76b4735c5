"""Words, sentences, numbers and dates in plain text: what can be told without knowing what a text is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Span",
    "content_words",
    "cut",
    "dates",
    "durations",
    "folded",
    "numbers",
    "sentences",
    "stem",
    "times",
    "words",
]

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")
STOP = frozenset(
    [
        "a",
        "about",
        "above",
        "after",
        "again",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "done",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "get",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "just",
        "like",
        "may",
        "me",
        "might",
        "more",
        "most",
        "must",
        "my",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "use",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "yours",
    ]
)
LONGEST_WORD = 40
SUFFIXES = ("ations", "ation", "ings", "ing", "edly", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e")
BREAK = re.compile(
    r"(?<=[.!?])[\"'\u201d\u2019)\]]*\s+(?=[^a-z\s])"  # the end of a sentence; a small letter behind it means an abbreviation
    r"|\n[ \t]*\n\s*"  # an empty line
    r"|\n(?=[ \t]*(?:[-*\u2022]|\d{1,3}[.)])[ \t])"  # an item of a list
    r"|\n(?=[A-Z][\w ]{0,30}:[ \t])"  # `Name: value`
    r"|(?<=:)\n"
)
NUMBER = re.compile(
    r"(?<![\w.,/:])(?<!\w-)(?:(?<!-)[-\u2212+])?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?![\d]|[-/:]\d)"
)
SPELT = {
    word: number
    for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=2
    )
}
MONTHS = {
    month: number
    for number, month in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
DATE = re.compile(
    rf"(?<!\d)(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)"
    rf"|(?<!\d)(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?P<m2>{MONTH})\.?,?\s+(?P<y2>\d{{4}})(?!\d)"
    rf"|\b(?P<m3>{MONTH})\.?\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}})(?!\d)",
    re.IGNORECASE,
)
TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?![\d:])")
DURATION = re.compile(
    r"(?<![\w.])(\d{1,6})\s*(weeks?|days?|hours?|hrs?|h|minutes?|mins?|min|seconds?|secs?|s)\b", re.IGNORECASE
)
DURATIONS = {"w": ("P{}D", 7), "d": ("P{}D", 1), "h": ("PT{}H", 1), "m": ("PT{}M", 1), "s": ("PT{}S", 1)}
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """Where something is in a text."""

    start: int
    end: int


def stem(word: str) -> str:
    """A word without its ending, so that `charged`, `charges` and `charging` are one; of a very long one, its beginning.

    Example:
        >>> stem("charged") == stem("charging") == stem("charge")
        True
    """
    return _stem(word[:LONGEST_WORD].lower())


@lru_cache(maxsize=4096)
def _stem(word: str) -> str:
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


def words(text: str) -> list[str]:
    """The stems of all words; names in snake_case and camelCase are taken apart."""
    return [stem(word) for word in WORD.findall(CAMEL.sub(" ", text))]


def content_words(text: str) -> list[str]:
    """The words that mean something on their own, each once, as they are written."""
    found: dict[str, str] = {}
    for word in WORD.findall(text):
        if word.lower() not in STOP and len(word) > 1:
            found.setdefault(stem(word), word)
    return list(found.values())


def stems_of(text: str) -> list[str]:
    """The stems of the words that mean something on their own, each once."""
    return [stem(word) for word in content_words(CAMEL.sub(" ", text))]


def sentences(text: str) -> Iterator[Span]:
    """The sentences of a text; a line that is broken in the middle of a sentence does not end it."""
    start = 0
    ends = [(found.start(), found.end()) for found in BREAK.finditer(text)]
    for end, following in [*ends, (len(text), len(text))]:
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if right > left:
            yield Span(left, right)
        start = following


def folded(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


def cut(text: str, size: int) -> str:
    """The text, or as many of its first words as fit.

    Example:
        >>> cut("The lights went out at noon", 14)
        'The lights'
    """
    if len(text) <= size:
        return text
    head = text[: size + 1]
    space = max(head.rfind(" "), head.rfind("\n"))
    return (head[:space] if space > 0 else text[:size]).rstrip(" ,;:-\n")


def numbers(text: str) -> Iterator[tuple[float, Span]]:
    """The numbers in a text; parts of dates and times are none."""
    for found in NUMBER.finditer(text):
        digits = found[0].replace(",", "").replace("\u2212", "-")
        if len(digits) <= 300:
            yield float(digits), Span(found.start(), found.end())
    for found in WORD.finditer(text):
        if (value := SPELT.get(found[0].lower())) is not None:
            yield float(value), Span(found.start(), found.end())


def dates(text: str) -> Iterator[tuple[str, Span]]:
    """The dates in a text that can be meant in one way only, as ISO 8601 writes them."""
    for found in DATE.finditer(text):
        year = int(found["y"] or found["y2"] or found["y3"])
        day = int(found["d"] or found["d2"] or found["d3"])
        name = found["m2"] or found["m3"]
        month = MONTHS[name[:3].lower()] if name else int(found["m"])
        if year >= 1 and 1 <= month <= 12 and 1 <= day <= MONTH_DAYS[month - 1] and (month, day) != (2, 29):
            yield f"{year:04}-{month:02}-{day:02}", Span(found.start(), found.end())


def times(text: str) -> Iterator[tuple[str, Span]]:
    """The times of day in a text, as ISO 8601 writes them."""
    for found in TIME.finditer(text):
        yield f"{int(found[1]):02}:{found[2]}:{found[3] or '00'}", Span(found.start(), found.end())


def durations(text: str) -> Iterator[tuple[str, Span]]:
    """The durations in a text, as ISO 8601 writes them."""
    for found in DURATION.finditer(text):
        form, factor = DURATIONS[found[2][0].lower()]
        yield form.format(int(found[1]) * factor), Span(found.start(), found.end())
