"""Which of some texts are nearest to another: TF-IDF over character n-grams and words, compared by the cosine.

The one module here that needs numpy. It is loaded when the first prompt with demos comes, and typed for others by
`learner.Nearest`, so that no program without demos pays for numpy and no type checker has to read it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Index"]

READ = 20_000
"""Characters of a text that are compared; what is behind them changes nothing."""
GRAMS = (3, 4, 5)
"""Lengths of the character n-grams."""
WORDS_SHARE = 0.5
"""How much of the similarity comes from whole words; the rest comes from n-grams."""
SMOOTH = 1.0
"""How many unseen texts are taken to hold a feature, on top of those that do."""

WORD = re.compile(r"[^\W_]+")
MULTIPLIER = 0x9E3779B97F4A7C15


class Features:
    """Some bags of hashed features with the weights of their own corpus: one part of what an `Index` compares."""

    columns: NDArray[np.int32]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]

    def __init__(self, bags: Sequence[tuple[NDArray[np.uint64], NDArray[np.float64]]]) -> None:
        self._size = len(bags)
        every = np.concatenate([ids for ids, _ in bags])
        self._vocabulary, columns, seen = np.unique(every, return_inverse=True, return_counts=True)
        self._idf = np.log((SMOOTH + self._size) / (SMOOTH + seen)) + 1.0
        lengths = np.array([len(ids) for ids, _ in bags], dtype=np.int64)
        self.starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        weights = np.concatenate([counts for _, counts in bags]) * self._idf[columns]
        norms = np.sqrt(np.maximum(self._sums(weights**2), 1e-12))
        # Halves what is kept; a similarity needs no more than seven digits.
        self.columns = columns.astype(np.int32)
        self.weights = (weights / np.repeat(norms, lengths)).astype(np.float32)

    def _sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over each bag."""
        sums = np.concatenate([np.zeros(1), np.cumsum(values)])
        return np.asarray(sums[self.starts[1:]] - sums[self.starts[:-1]])

    def cosines(self, ids: NDArray[np.uint64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """How near each bag is to another bag."""
        if not len(ids) or not len(self._vocabulary):
            return np.zeros(self._size)
        places = np.minimum(np.searchsorted(self._vocabulary, ids), len(self._vocabulary) - 1)
        known = self._vocabulary[places] == ids
        unseen = math.log((SMOOTH + self._size) / SMOOTH) + 1.0
        weights = counts * np.where(known, self._idf[places], unseen)
        weights /= math.sqrt(float(weights @ weights))
        query = np.zeros(len(self._vocabulary))
        query[places[known]] = weights[known]
        return self._sums(self.weights * query[self.columns])


class Index:
    """Texts that others are compared with.

    Example:
        >>> index = Index(["the invoice was charged twice", "the app crashes on start"])
        >>> first, second = index.similarities("please charge my invoice once")
        >>> first > second
        True
    """

    def __init__(self, texts: Sequence[str]) -> None:
        folded = [_folded(text) for text in texts]
        self._grams = Features([_grams(text) for text in folded])
        self._words = Features([_words(text) for text in folded])

    def similarities(self, text: str) -> list[float]:
        """For each text, how near it is: 0 for nothing in common, 1 for the same text."""
        folded = _folded(text)
        grams = self._grams.cosines(*_grams(folded))
        words = self._words.cosines(*_words(folded))
        mixed = (1 - WORDS_SHARE) * grams + WORDS_SHARE * words
        return [min(max(float(value), 0.0), 1.0) for value in mixed]


def _folded(text: str) -> str:
    return f" {' '.join(text[:READ].lower().split())} "


def _bag(ids: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    unique, counts = np.unique(ids, return_counts=True)
    return unique, 1.0 + np.log(counts.astype(np.float64))


def _grams(text: str) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    # Half a surrogate pair is legal in a str and in no encoding: it is compared as the number that it is.
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    multiplier = np.uint64(MULTIPLIER)
    parts: list[NDArray[np.uint64]] = []
    for size in GRAMS:
        if len(codes) < size:
            continue
        rolling = np.full(len(codes) - size + 1, size, dtype=np.uint64)
        for offset in range(size):
            rolling = rolling * multiplier + codes[offset : len(codes) - size + 1 + offset]
        parts.append(rolling)
    return _bag(np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64))


def _words(text: str) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    words = WORD.findall(text)
    return _bag(np.array(list(_hashes(words)), dtype=np.uint64))


def _hashes(words: Sequence[str]) -> Iterable[int]:
    # crc32 and not hash(): the same in every process.
    return (crc32(word.encode("utf-8", "surrogatepass")) for word in words)
