"""What a prompt says about the type of a field, read back from its words.

A prompt writes types as a person would: `integer, at least 0`, `one of "low", "high"`, `list of string or null`. This
reads that text into a `Shape`. What it does not know becomes a plain string, since that is what a reader would try.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["Bounds", "Kind", "Shape", "shape_of"]

Kind: TypeAlias = Literal[
    "string", "integer", "number", "boolean", "choice", "list", "tuple", "map", "model", "union", "any", "null"
]
DEPTH = 12
"""How deep types may be nested inside each other before the rest is read as any value."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How small and how large a number, or how short and how long a text or a list may be."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    """Like `low`, but itself out of bounds."""
    below: float | None = None
    step: float | None = None
    """Only multiples of this."""
    first: str | None = None
    """The earliest date or time, as ISO 8601 writes it."""
    last: str | None = None
    """The latest date or time."""

    def holds(self, value: float) -> bool:
        """Whether a number is inside."""
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (not self.step or abs(value / self.step - round(value / self.step)) < 1e-9)
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of one value.

    Example:
        >>> shape_of('one of "low", "high" or null').items[0].options
        ('low', 'high')
    """

    kind: Kind
    options: tuple[JsonValue, ...] = ()
    """The values of a choice."""
    names: tuple[str, ...] = ()
    """The names of those values, where names say more."""
    items: tuple[Shape, ...] = ()
    """The element of a list or map, the elements of a tuple, the members of a union."""
    bounds: Bounds = field(default=Bounds())
    size: Bounds = field(default=Bounds())
    """Characters of a string, digits of a decimal number, items of a list."""
    unique: bool = False
    pattern: str | None = None
    form: str = ""
    """What a string holds: `date-time`, `date`, `time`, `duration`, `uuid`, `decimal`, or words such as `a URL`."""
    name: str = ""
    """The definition that a model refers to."""
    keys: tuple[Shape, ...] = ()
    """What the keys of a map are, if not just any string."""
    parts: tuple[tuple[str, Shape], ...] = ()
    """The fields of a model that is spelt out in place."""


SIZE = re.compile(
    r", (at least|at most|exactly) (\d{1,9}) (characters?|bytes|items?|keys|entries|digits|decimal places)"
)
SINCE = re.compile(r", (not before|after|not after|before|in the) (past|future|\d[\dT:.+Z-]*)")
BOUND = re.compile(r", (at least|at most|more than|less than|a multiple of|multiple of) ([^\s,()]+)")
FORM = re.compile(r", (an ISO 8601 (date-time|date|time|duration)|a UUID|in the format (uuid\d)|a decimal number)")
OTHER_FORM = re.compile(r", (an? [^,()\"]+?|JSON text|base64url|base64|in the format [^,()\"]+?)(?=,|\)| or |$)")
PATTERN = re.compile(
    r", matching (.+?)(?=(?:, (?:at least|at most|exactly) \d+ (?:characters?|items?)|, matching .+|"
    r" without repeats|(?: or (?:null|string|integer|number|true or false|`\w+`))+)*$)",
    re.DOTALL,
)
MODEL = re.compile(r"`([^`\n]+)`|([^\W\d]\w*(?:\[[^\]\s]*\])*)")
OPTION_NAME = re.compile(r" \(([^()]*)\)")
LITERAL = re.compile(r'["\-\d]|true\b|false\b|null\b')
EXACTLY = re.compile(r"list of exactly (\d{1,4}):? ?")
ANY = Shape("any")


def shape_of(text: str) -> Shape:
    """The shape that a type's words stand for."""
    return _Reader(text).union(0)


class _Reader:
    """Reads from left to right; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, words: str) -> bool:
        if self.text.startswith(words, self.at):
            self.at += len(words)
            return True
        return False

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def union(self, depth: int) -> Shape:
        members = [self.one(depth)]
        while self.take(" or "):
            members.append(self.one(depth))
        return members[0] if len(members) == 1 else Shape("union", items=tuple(members))

    def one(self, depth: int) -> Shape:
        if depth > DEPTH:
            self.at = len(self.text)
            return ANY
        if self.take("("):
            inner = self.union(depth + 1)
            self.take(")")
            return self.sized(inner) if inner.kind == "list" else inner
        if (exactly := self.match(EXACTLY)) is not None:
            return self.tuple_of(int(exactly[1]), depth)
        if self.take("an empty object") or self.take("an object"):
            return Shape("model")
        if self.take("empty list"):
            return Shape("list", items=(ANY,), size=Bounds(high=0))
        if self.take("list of "):
            item = self.one(depth + 1)
            shape = self.sized(Shape("list", items=(item,)))
            # `list of list of string, at least 2 items` does not say which of the two: held by both, it is right.
            return replace(shape, size=item.size) if item.kind == "list" and shape.size == Bounds() else shape
        if self.text.startswith('object with "', self.at):
            self.take("object with ")
            return self.spelt_out(depth)
        if self.take("object with "):
            key = self.union(depth + 1)
            if self.take(" (matching ") and (end := self.text.find(") keys and ", self.at)) >= 0:
                key, self.at = replace(key, pattern=self.text[self.at : end]), end + 1
            self.take(" keys and ")
            value = self.union(depth + 1)
            self.take(" values")
            plain = key == Shape("string")
            return self.sized(Shape("map", items=(value,), keys=() if plain else (key,)))
        return self.plain()

    def spelt_out(self, depth: int) -> Shape:
        parts: list[tuple[str, Shape]] = []
        decoder = json.JSONDecoder()
        while self.text.startswith('"', self.at):
            try:
                label, self.at = decoder.raw_decode(self.text, self.at)
            except ValueError:
                break
            self.take(": ")
            parts.append((str(label), self.union(depth + 1)))
            if not self.text.startswith(', "', self.at):
                break
            self.take(", ")
        return Shape("model", parts=tuple(parts))

    def plain(self) -> Shape:
        if self.take("one of "):
            return self.options()
        if self.take("exactly "):
            return self.options(limit=1)
        if self.take("true or false"):
            return Shape("boolean")
        if self.take("string"):
            return self.string()
        if self.take("integer"):
            return Shape("integer", bounds=self.bounds())
        if self.take("number"):
            return Shape("number", bounds=self.bounds())
        if self.take("any JSON value") or self.take("any JSON") or self.take("any value"):
            return ANY
        if self.take("null"):
            return Shape("null")
        if (named := self.match(MODEL)) is not None:
            return Shape("model", name=named[1] or named[2])
        self.at = len(self.text)
        return Shape("string")

    def options(self, limit: int = 10_000) -> Shape:
        values: list[JsonValue] = []
        names: list[str] = []
        decoder = json.JSONDecoder()
        while len(values) < limit and LITERAL.match(self.text, self.at):
            try:
                value, self.at = decoder.raw_decode(self.text, self.at)
            except ValueError:
                break
            name = self.match(OPTION_NAME)
            values.append(value)
            names.append(name[1] if name else "")
            if not LITERAL.match(self.text, self.at + 2) or not self.take(", "):
                break
        return Shape("choice", options=tuple(values), names=tuple(names)) if values else ANY

    def tuple_of(self, count: int, depth: int) -> Shape:
        items: list[Shape] = []
        while len(items) < count:
            items.append(self.one(depth + 1))
            if not self.take(", "):
                break
        return Shape("tuple", items=tuple(items))

    def sized(self, shape: Shape) -> Shape:
        said: set[str] = set()
        while True:
            if self.take(" without repeats") or self.take(", without repeats"):
                shape = replace(shape, unique=True)
                continue
            found = SIZE.match(self.text, self.at)
            # A second lower bound is that of the list around this one.
            if found is None or found[1] in said:
                return shape
            said.add(found[1])
            self.at = found.end()
            shape = replace(shape, size=_sized(shape.size, found[1], int(found[2])))

    def string(self) -> Shape:
        shape = Shape("string")
        while True:
            size = SIZE.match(self.text, self.at)
            if size is not None and size[3] in ("digits", "decimal places"):
                self.at = size.end()
                if size[3] == "digits":
                    shape = replace(shape, size=replace(shape.size, high=int(size[2])))
                else:
                    shape = replace(shape, bounds=replace(shape.bounds, step=10.0 ** -min(int(size[2]), 12)))
            elif size is not None and size[3].startswith(("character", "byte")):
                self.at = size.end()
                shape = replace(shape, size=_sized(shape.size, size[1], int(size[2])))
            elif (pattern := self.match(PATTERN)) is not None:
                shape = replace(shape, pattern=shape.pattern or pattern[1].strip("`"))
            elif (form := self.match(FORM)) is not None:
                shape = replace(shape, form=form[2] or form[3] or ("uuid" if "UUID" in form[1] else "decimal"))
            elif (since := self.match(SINCE)) is not None:
                shape = replace(shape, bounds=_since(shape.bounds, since[1], since[2]))
            elif shape.form == "decimal" and size is None and BOUND.match(self.text, self.at):
                shape = replace(shape, bounds=self.bounds())
            elif not shape.form and (other := self.match(OTHER_FORM)) is not None:
                shape = replace(shape, form=other[1])
            else:
                return shape

    def bounds(self) -> Bounds:
        bounds = Bounds()
        while not SIZE.match(self.text, self.at) and (found := self.match(BOUND)) is not None:
            bounds = _bounded(bounds, found[1], found[2])
        return bounds


def _sized(size: Bounds, words: str, count: int) -> Bounds:
    low = max(size.low or 0, count) if words != "at most" else size.low
    high = min(size.high if size.high is not None else count, count) if words != "at least" else size.high
    return replace(size, low=low, high=high)


def _bounded(bounds: Bounds, words: str, text: str) -> Bounds:
    try:
        number = float(text)
    except ValueError:
        return bounds  # of a duration: nothing that is found in a text is refused for it
    if words == "at least":
        return replace(bounds, low=number)
    if words == "at most":
        return replace(bounds, high=number)
    if words == "more than":
        return replace(bounds, above=number)
    if words == "less than":
        return replace(bounds, below=number)
    return replace(bounds, step=number)


def _since(bounds: Bounds, words: str, text: str) -> Bounds:
    if words == "in the":
        return replace(bounds, first="2100-01-01") if text == "future" else replace(bounds, last="1970-01-01")
    if words in ("after", "before"):
        text = _next_day(text, 1 if words == "after" else -1)
    return replace(bounds, first=text) if words in ("not before", "after") else replace(bounds, last=text)


def _next_day(text: str, days: int) -> str:
    try:
        moved = datetime.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        return text
    return moved.isoformat() if "T" in text else moved.date().isoformat()
