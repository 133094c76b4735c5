"""A value for a field when no example shows one: matched and extracted from the input, and always of the right type."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dsp.lm.backends.embedded.bounds import nearest_to_zero
from dsp.lm.backends.embedded.field import Field
from dsp.lm.backends.embedded.pattern import fits
from dsp.lm.backends.embedded.shape import Shape
from dsp.lm.backends.embedded.source import Source
from dsp.lm.backends.embedded.strings import pairs, string_for, strings_for
from dsp.lm.backends.embedded.words import cut, numbers, stem, stems_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue


__all__ = ["Guess", "Guesser"]

DEPTH = 6
"""How deep nested models are filled; below that a list is empty and an optional value absent."""
ITEMS = 10
"""How many items a list gets when its type sets no limit."""
BUDGET = 2_000
"""Values that are guessed for one reply; after that models stay empty, so that no prompt can ask for too much."""
LEAST = 1_000
"""How many items a list gets at most, also when its type wants more."""
NEAR = 60
"""Characters on each side of a number that tell what it counts."""
BULLET = re.compile(r"^[ \t]*(?:[-*\u2022]|\d{1,3}[.)])[ \t]+(\S.*)$", re.MULTILINE)
CLAUSE = r"(?<![\w]){}(?![\w])[\"'`\u201d\u2019]?\s*(?:\([^)]*\)\s*)?(?::|=|-|\u2013|means|is|when|if|for)\s+([^;.\n]*)"
NOT = frozenset(("not", "no", "never", "without", "cannot", "nor"))
ITEM_WORDS = frozenset(stem(word) for word in ("items", "number", "count", "total", "amount", "value", "list"))


@dataclass(frozen=True, slots=True)
class Guess:
    """A value, and how much in the input speaks for it."""

    value: JsonValue
    evidence: float
    """0 when nothing does."""


class Guesser:
    """Guesses values from one input."""

    def __init__(
        self,
        source: Source,
        definitions: Mapping[str, tuple[Field, ...]],
        instructions: str = "",
        aliases: Mapping[str, Shape] | None = None,
    ) -> None:
        self.source = source
        self._aliases = aliases or {}
        self._definitions = definitions
        self._instructions = instructions[:20_000]
        self._open: list[str] = []
        self._left = BUDGET

    def guess(self, field: Field, depth: int = 0) -> Guess:
        """A value for a field. It is valid whatever the input is."""
        found = self._guess(field, depth)
        if not found.evidence and field.has_default and depth <= DEPTH:
            return Guess(field.default, 0.0)
        return found

    def fields_of(self, shape: Shape) -> tuple[Field, ...]:
        """The fields of a nested model; none for one that the prompt does not define."""
        if shape.parts:
            return tuple(Field(label, part) for label, part in shape.parts)
        return self._definitions.get(shape.name, ())

    def _model(self, shape: Shape, depth: int) -> Guess:
        alias = self._aliases.get(shape.name)
        if (shape.name and shape.name in self._open) or self._left <= 0:
            # Inside itself a type ends: absent where it may be, empty where no value could ever be right.
            return Guess([] if alias is not None and alias.kind == "list" else {}, 0.0)
        self._open.append(shape.name)
        if alias is not None:
            found = self._guess(Field(shape.name, alias), depth + 1)
        else:
            values = {field.label: self.guess(field, depth + 1).value for field in self.fields_of(shape)}
            found = Guess(values, 1.0 if self.source.pieces else 0.0)
        self._open.pop()
        return found

    def _guess(self, field: Field, depth: int) -> Guess:
        self._left -= 1
        shape = field.shape
        if shape.kind == "string":
            text, evidence = string_for(field, self.source)
            return Guess(text, evidence)
        if shape.kind in ("integer", "number"):
            return self._number(field)
        if shape.kind == "boolean":
            return self._boolean(field)
        if shape.kind == "choice":
            scores = self.option_scores(field)
            best = max(range(len(scores)), key=lambda place: (scores[place], -place))
            return Guess(shape.options[best], scores[best])
        if shape.kind == "list":
            return self._list(field, depth)
        if shape.kind == "tuple":
            return Guess([self.item(field, item, depth).value for item in shape.items], 1.0)
        if shape.kind == "map":
            return self._map(field, depth)
        if shape.kind == "model":
            return self._model(shape, depth)
        if shape.kind == "union":
            return self._union(field, depth)
        if shape.kind == "null":
            return Guess(None, 0.0)
        text, evidence = string_for(replace(field, shape=Shape("string")), self.source)
        return Guess(text, evidence)

    def option_scores(self, field: Field) -> list[float]:
        """For each option of a choice, how much the input speaks for it."""
        shape = field.shape
        names: list[list[str]] = []
        for value, name in zip(shape.options, shape.names, strict=True):
            said = f"{value} {name}" if isinstance(value, str) else name
            names.append(list(dict.fromkeys(words(said))))
        shared = [one for stems in names for one in stems]
        explained = f"{field.description}\n{self._instructions}"
        scores: list[float] = []
        for value, name, stems in zip(shape.options, shape.names, names, strict=True):
            score = sum(self.source.presence(one) / shared.count(one) for one in stems)
            for word in {str(value): None, name: None}:
                if word:
                    for clause in _clauses(word, explained):
                        score += 0.5 * sum(self.source.presence(one) for one in stems_of(clause) if one not in stems)
            scores.append(score)
        return scores

    def _number(self, field: Field) -> Guess:
        bounds, whole = field.shape.bounds, field.shape.kind == "integer"
        hints = {one for one in stems_of(f"{field.label} {field.description}") if one not in ITEM_WORDS}
        text = self.source.text
        best: tuple[float, float] | None = None
        for value, span in numbers(text):
            if (whole and not value.is_integer()) or abs(value) > 1e15 or not bounds.holds(value):
                continue
            near = set(words(text[max(span.start - NEAR, 0) : span.end + NEAR]))
            beside = set(words(text[span.end : span.end + 20])[:1])
            score = sum(1.0 for one in hints if one in near) + sum(0.5 for one in hints if one in beside)
            if best is None or score > best[0]:
                best = (score, value)
        if best is not None:
            return Guess(_as_number(best[1], whole), 0.5 + best[0])
        return Guess(_as_number(nearest_to_zero(bounds, whole=whole), whole), 0.0)

    def _boolean(self, field: Field) -> Guess:
        hints = [one for one in stems_of(field.label) if len(one) > 2] or stems_of(field.description)
        source = self.source
        meant = {one for one in source.places if any(one == hint or _begins(one, hint) for hint in hints)}
        said = denied = 0
        for number in sorted({number for one in meant for number in source.places[one]}):
            stems = source.sentences[number].stems
            for place, one in enumerate(stems):
                if one in meant:
                    if NOT.intersection(stems[max(place - 3, 0) : place]):
                        denied += 1
                    else:
                        said += 1
        return Guess(said > denied, float(said + denied))

    def _within(self, text: str) -> Guesser:
        """A guesser for a part of the input, in the middle of what this one is filling."""
        inner = Guesser(Source.of_text(text), self._definitions, self._instructions, self._aliases)
        inner._open = list(self._open)
        inner._left = self._left = self._left - 1
        return inner

    def item(self, field: Field, shape: Shape, depth: int) -> Guess:
        """A value for a part of a field, of the shape that the part has."""
        return self._guess(replace(field, shape=shape, default=None, has_default=False), depth + 1)

    def _union(self, field: Field, depth: int) -> Guess:
        members = field.shape.items
        for member in members[:-1]:
            # `list of X or null` may be a list or null, or a list of `X or null`: a list of X is right in both.
            if member.kind in ("list", "map", "tuple"):
                return self.item(field, member, depth)
        has_null = any(member.kind == "null" for member in members)
        if has_null and depth > DEPTH:
            return Guess(None, 0.0)
        guesses = [self.item(field, member, depth) for member in members if member.kind != "null"]
        found = next((guess for guess in guesses if guess.evidence), None)
        if found is not None:
            return found
        return Guess(None, 0.0) if has_null or not guesses else guesses[0]

    def _list(self, field: Field, depth: int) -> Guess:
        shape = field.shape
        least = min(int(shape.size.low or 0), LEAST)
        most = min(int(shape.size.high), LEAST) if shape.size.high is not None else max(ITEMS, least)
        values: list[JsonValue] = []
        if depth <= DEPTH and most > 0:
            values = list(_distinct(self._items(field, depth)))[:most]
        found = float(len(values))
        item = shape.items[0]
        number = 0
        while len(values) < least:
            value = self.item(field, item, depth + 1).value
            varied = _varied(value, item, number) if shape.unique or number else value
            number += 1
            if not (shape.unique and varied in values and number < 2 * LEAST):
                values.append(varied)
        return Guess(values, found)

    def _items(self, field: Field, depth: int) -> Iterator[JsonValue]:
        item = field.shape.items[0]
        if item.kind == "union" and item.items:
            item = item.items[0]
        bullets = [found[1] for found in BULLET.finditer(self.source.searched)]
        if item.kind == "choice":
            wanted = replace(field, shape=item)
            scores = self.option_scores(wanted)
            yield from (value for value, score in zip(item.options, scores, strict=True) if score > 0)
        elif item.kind in ("integer", "number"):
            whole = item.kind == "integer"
            for value, _ in numbers(self.source.searched):
                if (value.is_integer() or not whole) and abs(value) < 1e15 and item.bounds.holds(value):
                    yield _as_number(value, whole)
        elif item.kind == "string":
            for text, evidence in strings_for(replace(field, shape=item), self.source, bullets):
                if evidence:
                    yield text
        elif len(bullets) > 1 and item.kind == "model":
            for bullet in bullets[: 2 * ITEMS]:
                guess = self._within(bullet).item(field, item, depth + 1)
                if guess.evidence:
                    yield guess.value
        else:
            guess = self.item(field, item, depth + 1)
            if guess.evidence:
                yield guess.value

    def _map(self, field: Field, depth: int) -> Guess:
        shape = field.shape
        key = shape.keys[0] if shape.keys else Shape("string")
        most = min(int(shape.size.high), LEAST) if shape.size.high is not None else ITEMS
        values: dict[str, JsonValue] = {}
        for name, said in pairs(self.source.searched) if depth <= DEPTH else ():
            guess = self._within(said).item(field, shape.items[0], depth + 1)
            if guess.evidence and len(values) < most and _is_key(name, key):
                values.setdefault(name, guess.value)
        found = float(len(values))
        number = 0
        while len(values) < min(int(shape.size.low or 0), most) and number < 2 * LEAST:
            made = self.item(Field("key", key), key, depth + 1).value if shape.keys else f"item {number + 1}"
            values.setdefault(_key_text(_varied(made, key, number)), self.item(field, shape.items[0], depth + 1).value)
            number += 1
        return Guess(values, found)


def _begins(word: str, hint: str) -> bool:
    return len(hint) >= 4 and word.startswith(hint)


def _clauses(option: str, text: str) -> list[str]:
    """What a text says of an option: `high: money is lost`, `high when money is lost`."""
    if option not in text:
        return []
    return [found[1] for found in re.finditer(CLAUSE.format(re.escape(option)), text)]


def _is_key(name: str, key: Shape) -> bool:
    if key.kind == "choice":
        return name in key.options
    return key.kind == "string" and not key.form and key.size.holds(len(name)) and fits(key.pattern or "", name)


def _key_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _as_number(value: float, whole: bool) -> JsonValue:
    return int(value) if whole or value.is_integer() else value


def _distinct(values: Iterator[JsonValue]) -> Iterator[JsonValue]:
    seen: set[str] = set()
    for value in values:
        key = json.dumps(value, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield value


def _varied(value: JsonValue, shape: Shape, number: int) -> JsonValue:
    """Another value of the same shape, for a list that must not repeat itself."""
    if shape.kind == "choice":
        return shape.options[number % len(shape.options)]
    if shape.kind == "boolean":
        return number % 2 == 1
    if shape.kind in ("integer", "number") and isinstance(value, (int, float)):
        step = shape.bounds.step or 1
        up = value + number * step
        return up if shape.bounds.holds(up) else value - number * step
    if shape.kind == "string" and isinstance(value, str) and not shape.pattern and not shape.form and number:
        tail = f" {number}"
        most = int(shape.size.high) if shape.size.high is not None else len(value) + len(tail)
        return f"{cut(value, max(most - len(tail), 0))}{tail}"[:most]
    return value
