"""The language reference that ships inside Python, as short passages, and a search over them."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache

__all__ = ["Index", "manual", "words_of"]

MOST = 700
"""Characters of a passage; longer paragraphs are code and tables."""
LEAST = 60
SATURATION = 1.2
LENGTH_SHARE = 0.6

COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "happens",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "that",
        "the",
        "then",
        "there",
        "this",
        "to",
        "used",
        "was",
        "what",
        "when",
        "where",
        "which",
        "why",
        "with",
        "work",
        "written",
    ]
)


def words_of(text: str) -> list[str]:
    """The words that a search goes by, a plural like its singular."""
    found: list[str] = re.findall(r"[a-z_0-9]+", text.lower())
    return [word.removesuffix("s") if len(word) > 3 else word for word in found if word not in COMMON]


class Index:
    """BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009) over texts with titles."""

    def __init__(self, entries: list[tuple[str, str]]) -> None:
        self.entries = entries
        # A title says what all of its text is about.
        self._counts = [Counter([*words_of(title) * 2, *words_of(text)]) for title, text in entries]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / max(len(entries), 1)
        self._holders = Counter(word for counts in self._counts for word in counts)

    def search(self, words: list[str], most: int) -> list[tuple[str, str]]:
        """The entries that have most to do with some words, best first."""
        scores = [(-self._score(number, words), number) for number in range(len(self.entries))]
        return [self.entries[number] for score, number in sorted(scores)[:most] if score < 0]

    def _score(self, number: int, words: list[str]) -> float:
        counts = self._counts[number]
        length = 1 - LENGTH_SHARE + LENGTH_SHARE * self._lengths[number] / self._mean
        score = 0.0
        for word in words:
            if (count := counts[word]) > 0:
                holders = self._holders[word]
                rare = math.log(1 + (len(self.entries) - holders + 0.5) / (holders + 0.5))
                score += rare * count * (SATURATION + 1) / (count + SATURATION * length)
        return score


@cache
def manual() -> Index:
    """The language reference of the running interpreter (`pydoc_data.topics`), a paragraph an entry."""
    from pydoc_data.topics import topics

    found: dict[str, str] = {}
    for topic, text in sorted(topics.items()):
        for paragraph in re.split(r"\n\s*\n", text):
            flat = " ".join(paragraph.split())
            if LEAST <= len(flat) <= MOST and flat.endswith((".", ":")) and not flat.startswith("**PEP"):
                found.setdefault(flat, topic)  # some paragraphs stand in several topics
    return Index([(topic, text) for text, topic in found.items()])
