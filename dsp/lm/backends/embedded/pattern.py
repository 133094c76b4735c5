"""A short text that fits a regular expression, and the test whether one does.

The test is Pydantic's own engine, which takes linear time whatever the pattern is; the text is put together from a plain
reading of the pattern, one character for each class. A pattern that is beyond that reading gives what it can.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

__all__ = ["example_of", "fits"]

CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r"}
ANCHORS = frozenset("bBAzZ")
CANDIDATES = "aA0-_ .@/:z9#+"
LONGEST = 2_000


@lru_cache(maxsize=64)
def _validator(pattern: str) -> SchemaValidator | None:
    if len(pattern) > LONGEST:
        return None
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return None  # look-around, say: the caller's model uses another engine


def fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern, as far as that can be told."""
    validator = _validator(pattern)
    if validator is None:
        return False
    try:
        validator.validate_python(text)
    except ValidationError:
        return False
    return True


def example_of(pattern: str) -> str:
    """A short text that fits a pattern of the common kind.

    Example:
        >>> example_of(r"^[A-Z]{2}-[0-9]+$")
        'AA-0'
    """
    return _Reader(pattern).alternatives(0)[:LONGEST]


class _Reader:
    """Reads a pattern from left to right; `at` is the next character."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def more(self) -> bool:
        return self.at < len(self.pattern)

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def alternatives(self, depth: int) -> str:
        first = self.sequence(depth)
        while self.more() and self.pattern[self.at] == "|":
            self.at += 1
            self.sequence(depth)
        return first

    def sequence(self, depth: int) -> str:
        parts: list[str] = []
        size = 0
        while self.more() and self.pattern[self.at] not in "|)":
            part = self.repeated(self.atom(depth))
            size += len(part)
            if size <= LONGEST:
                parts.append(part)
        return "".join(parts)

    def atom(self, depth: int) -> str:
        character = self.take()
        if character in "^$":
            return ""
        if character == "(":
            return self.group(depth)
        if character == "[":
            return self.character_class()
        if character == "\\" and self.more():
            escaped = self.take()
            return "" if escaped in ANCHORS else CLASSES.get(escaped, escaped)
        return "a" if character == "." else character

    def group(self, depth: int) -> str:
        if depth > 50:
            self.at = len(self.pattern)
            return ""
        looks = False
        if self.pattern.startswith("?", self.at):
            self.at += 1
            looks = self.pattern.startswith(("=", "!", "<=", "<!"), self.at)
            while self.more() and self.take() not in ":>=!":
                pass
        inner = self.alternatives(depth + 1)
        if self.more():
            self.at += 1
        return "" if looks else inner

    def character_class(self) -> str:
        negated = self.pattern.startswith("^", self.at)
        self.at += int(negated)
        members: list[str] = []
        ranges: list[tuple[str, str]] = []
        first = True
        while self.more():
            character = self.take()
            if character == "]" and not first:
                break
            first = False
            if character == "\\" and self.more():
                escaped = self.take()
                members.extend("09" if escaped == "d" else CLASSES.get(escaped, escaped))
                continue
            if self.pattern.startswith("-", self.at) and not self.pattern.startswith("-]", self.at):
                self.at += 1
                if self.more():
                    ranges.append((character, self.take()))
            members.append(character)
        if not negated:
            return members[0] if members else ""
        out = [one for one in CANDIDATES if one not in members and not any(low <= one <= high for low, high in ranges)]
        return out[0] if out else "é"

    def repeated(self, atom: str) -> str:
        if not self.more():
            return atom
        least = 1
        mark = self.pattern[self.at]
        if mark in "*?":
            self.at += 1
            least = 0
        elif mark == "+":
            self.at += 1
        elif mark == "{" and (end := self.pattern.find("}", self.at)) > 0:
            digits = self.pattern[self.at + 1 : end].split(",")[0]
            if not digits.isdecimal():
                return atom
            least = min(int(digits[:9]), LONGEST)
            self.at = end + 1
        else:
            return atom
        if self.more() and self.pattern[self.at] in "?+":
            self.at += 1
        return (atom * least)[:LONGEST]
