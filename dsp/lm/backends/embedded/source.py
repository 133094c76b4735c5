"""The input of a question as text to look in: pieces, sentences, and how much a sentence has to do with some words."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dsp.lm.backends.embedded.words import Span, sentences, stems_of, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from dsp.lm.backends.embedded.field import Field

__all__ = ["Piece", "Sentence", "Source", "text_of"]

READ = 300_000
"""Characters of an input that are looked at; what is behind them is not read."""
SENTENCES = 4_000
"""Sentences that are weighed."""
DEPTH = 20
SATURATION = 1.2
LENGTH_SHARE = 0.5
TITLE_SHARE = 0.2
"""What is left of the score of a title: it answers nothing itself."""
ABOUT_SHARE = 0.5
"""How much of a word's weight counts when it is not in a sentence but in the title of the sentence's object."""
TITLE = 80
"""Characters of the longest string that is taken for a title."""
OPENING = 3
"""How many of a sentence's first words say what it is about."""
OPENING_BONUS = 1.25
NAMED = re.compile(r"[`'\"\u201c\u2018]([\w.]+)[`'\"\u201d\u2019]")
BEGINNING = 4
"""Letters that two words must share to be relatives."""
ASKING = frozenset(("question", "query", "ask"))


@dataclass(frozen=True, slots=True)
class Piece:
    """One string of the input."""

    label: str
    """The input field that it is in."""
    key: str
    """Its own key, if it is in an object."""
    group: str
    """Pieces of one object share this; empty outside of objects."""
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a piece."""

    piece: Piece
    span: Span
    stems: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentence as it stands in the piece."""
        return self.piece.text[self.span.start : self.span.end]


class Source:
    """What an input says."""

    pieces: tuple[Piece, ...]
    question: str
    """The input that asks something about the others; empty when there is no such pair."""

    def __init__(self, values: Mapping[str, JsonValue], fields: Sequence[Field] = ()) -> None:
        pieces: list[Piece] = []
        budget = READ
        for label, value in values.items():
            for piece in _pieces(label, value, budget):
                pieces.append(piece)
                budget -= len(piece.text)
        self._maps = frozenset(field.label for field in fields if field.shape.kind == "map")
        self.pieces = tuple(pieces)
        asked = _asking(self.pieces, fields)
        self.question = asked.text if asked is not None else ""
        self._searched = tuple(piece for piece in self.pieces if piece is not asked)

    @classmethod
    def of_text(cls, text: str) -> Source:
        """A source that is one text."""
        return cls({"text": text})

    @cached_property
    def text(self) -> str:
        """Everything, a piece a line."""
        return "\n".join(piece.text for piece in self.pieces)

    @cached_property
    def searched(self) -> str:
        """Everything but the question."""
        return "\n".join(piece.text for piece in self._searched)

    @cached_property
    def stems(self) -> Counter[str]:
        """How often each word is there."""
        return Counter(words(self.text))

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences, in order; those of the question are none of them."""
        found: list[Sentence] = []
        for piece in self._searched:
            for span in sentences(piece.text):
                found.append(Sentence(piece, span, tuple(words(piece.text[span.start : span.end]))))
                if len(found) == SENTENCES:
                    return tuple(found)
        return tuple(found)

    @cached_property
    def places(self) -> dict[str, dict[int, int]]:
        """For each word, the sentences that it is in, and how often."""
        places: dict[str, dict[int, int]] = {}
        for number, sentence in enumerate(self.sentences):
            for stem in sentence.stems:
                counts = places.setdefault(stem, {})
                counts[number] = counts.get(number, 0) + 1
        return places

    @cached_property
    def _beginnings(self) -> set[str]:
        return {stem[:size] for stem in self.stems for size in range(BEGINNING, min(len(stem), 20))}

    def presence(self, stem: str) -> float:
        """How much of a word is in the input: all of it, a relative with the same beginning, or nothing."""
        if (count := self.stems.get(stem, 0)) > 0:
            return 1.0 + 0.2 * min(count - 1, 5)
        related = len(stem) >= BEGINNING and (
            stem in self._beginnings or any(stem[:size] in self.stems for size in range(BEGINNING, len(stem)))
        )
        return 0.6 if related else 0.0

    @cached_property
    def _titles(self) -> frozenset[Piece]:
        """The short strings beside longer ones in one object: they say what the object is about."""
        longest: dict[str, int] = {}
        for piece in self._searched:
            longest[piece.group] = max(longest.get(piece.group, 0), len(piece.text))
        return frozenset(
            piece for piece in self._searched if piece.group and len(piece.text) <= min(TITLE, longest[piece.group] - 1)
        )

    @cached_property
    def _about(self) -> dict[str, set[str]]:
        """For each object of the input, the words of its titles."""
        about: dict[str, set[str]] = {}
        for piece in self._titles:
            about.setdefault(piece.group, set()).update(words(piece.text))
        return about

    def weight(self, stem: str) -> float:
        """How much a word tells sentences apart."""
        return math.log(1 + (len(self.sentences) + 0.5) / (len(self.places.get(stem, ())) + 0.5))

    def ranked(self, wanted: Mapping[str, float]) -> list[tuple[float, Sentence]]:
        """The sentences, those that have most to do with the wanted words first; equal ones in their order."""
        if not self.sentences:
            return []
        average = (1 + sum(len(sentence.stems) for sentence in self.sentences)) / len(self.sentences)
        weights = {stem: weight * self.weight(stem) for stem, weight in wanted.items()}
        scores = [0.0] * len(self.sentences)
        for stem, weight in weights.items():
            for number, count in self.places.get(stem, {}).items():
                length = LENGTH_SHARE * len(self.sentences[number].stems) / average
                scores[number] += weight * count / (count + SATURATION * (1 - LENGTH_SHARE + length))
        for number, sentence in enumerate(self.sentences):
            if any(wanted.get(stem, 0.0) >= 1.0 for stem in sentence.stems[:OPENING]):
                scores[number] *= OPENING_BONUS
        if self._about:
            for number, sentence in enumerate(self.sentences):
                about = self._about.get(sentence.piece.group, ())
                scores[number] += ABOUT_SHARE * sum(weight for stem, weight in weights.items() if stem in about)
                if sentence.piece in self._titles:
                    scores[number] *= TITLE_SHARE
        order = sorted(range(len(scores)), key=lambda number: (-round(scores[number], 9), number))
        return [(scores[number], self.sentences[number]) for number in order]

    def key_of(self, sentence: Sentence) -> str:
        """Under which key a sentence stands, where the keys of an input are values too; empty elsewhere."""
        return sentence.piece.key if sentence.piece.label in self._maps else ""

    def hints(self, field: Field) -> dict[str, float]:
        """The words to look for when a field is filled: the question's, and the field's own."""
        wanted = dict.fromkeys(stems_of(field.description), 0.3)
        wanted.update(dict.fromkeys(stems_of(field.label), 0.6))
        for stem in stems_of(self.question):
            wanted[stem] = 1.0
        for named in NAMED.findall(self.question):
            # A word in quotes is the thing itself, also when it is one that otherwise says nothing: `with`, `is`.
            wanted.update(dict.fromkeys(words(named), 1.5))
        return wanted


def text_of(values: Mapping[str, JsonValue]) -> str:
    """All strings and numbers of some values, a line each: what is compared with other inputs."""
    return "\n".join(piece.text for label, value in values.items() for piece in _pieces(label, value, READ))


def _pieces(label: str, value: JsonValue, budget: int) -> list[Piece]:
    found: list[Piece] = []
    groups = 0
    waiting: list[tuple[str, str, int, JsonValue]] = [("", "", 0, value)]
    while waiting and budget > 0:
        key, group, depth, inner = waiting.pop()
        if isinstance(inner, dict) and depth < DEPTH:
            groups += 1
            group = f"{label}/{groups}"
            waiting.extend((name, group, depth + 1, item) for name, item in reversed(inner.items()))
        elif isinstance(inner, list) and depth < DEPTH:
            waiting.extend((key, group, depth + 1, item) for item in reversed(inner))
        elif isinstance(inner, (str, int, float)) and not isinstance(inner, bool):
            text = (inner if isinstance(inner, str) else _number_text(inner))[:budget]
            budget -= len(text) + 1
            if text.strip():
                found.append(Piece(label, key, group, text))
    return found


def _number_text(value: float) -> str:
    # An int of thousands of digits is legal JSON, and Python refuses to write it; infinity is none.
    return repr(value) if abs(value) < 1e300 else "a very large number"


def _asking(pieces: Sequence[Piece], fields: Sequence[Field]) -> Piece | None:
    """The piece that asks something about the others: named so, described so, or a short one with a question mark."""
    if len({piece.label for piece in pieces}) < 2:
        return None
    said = {field.label: set(stems_of(field.description)) for field in fields}
    everything = sum(len(piece.text) for piece in pieces)
    alone = [piece for piece in pieces if not piece.key and 2 * len(piece.text) <= everything]
    for piece in alone:
        if ASKING.intersection(words(piece.label)):
            return piece
    for piece in alone:
        if ASKING & said.get(piece.label, set()) or piece.text.rstrip().endswith("?"):
            return piece
    return None
