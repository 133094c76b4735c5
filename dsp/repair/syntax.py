"""JSON as people and models write it: one value read from a place in a text, however untidy its form.

Reads trailing and missing commas, comments, single, triple and typographic quotes, bare keys and words, Python's and
JavaScript's literals, quotes within a string that nobody escaped. What is cut off or closed wrongly is not read: to end
it would be to invent. The work is bounded: depth by `DEPTH`, steps by the caller's `Budget`; nothing here recurses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["DEPTH", "Budget", "SyntaxFault", "read_value", "skip"]

DEPTH = 100
"""How deep objects and arrays may nest."""

SPACE = re.compile(r"[\s\ufeff]*")
LINE = re.compile(r"[^\n]*")
NUMBER = re.compile(r"[+-]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?\Z")
INTEGER = re.compile(r"[+-]?\d[\d_]*\Z")
WORD = re.compile(r"[^\s,:{}\[\]\"\u201c\u201d/#][^,:{}\[\]\"\u201c\u201d\n]{0,5000}")
KEY = re.compile(r"[^\s,:{}\[\]\"'\u201c\u201d\u2018\u2019]+(?:[ \t]+[^\s,:{}\[\]\"'\u201c\u201d\u2018\u2019]+){0,5}")
WORDS: dict[str, JsonValue] = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "None": None,
    "NULL": None,
    "Null": None,
    "undefined": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
PLAIN_WORDS = frozenset(("true", "false", "null", "NaN", "Infinity", "-Infinity"))
LONGEST_WORD = 5000
CLOSERS: dict[str, str] = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "\u201d": "\u201d", "`": "`"}
ESCAPES: dict[str, str] = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": "", "0": "\0"}
STOPS = {close: re.compile(r"[\\" + close + "]") for close in set(CLOSERS.values())}
CURLY = re.compile(r"[\\\u201d\"]")
COLON = re.compile(r"\s{0,200}:")
HEX = re.compile(r"[0-9a-fA-F]{4}")
AFTER_STRING = frozenset(",:]}")


class SyntaxFault(Exception):
    """No value can be read here."""

    def __init__(self, why: str, position: int, *, cut: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.position = position
        self.cut = cut
        """Whether the text ended before the value did."""


@dataclass
class Budget:
    """The work that one text may cost."""

    steps: int

    def spend(self, steps: int, position: int) -> None:
        """Count work.

        Raises:
            SyntaxFault: The work is used up.
        """
        self.steps -= steps
        if self.steps < 0:
            raise SyntaxFault("the text is too long and too broken to be mended", position)


class _Frame:
    """An object or array that is open."""

    __slots__ = ("array", "key", "mapping", "sequence")

    def __init__(self, array: bool) -> None:
        self.array = array
        self.sequence: list[JsonValue] = []
        self.mapping: dict[str, JsonValue] = {}
        self.key: str | None = None

    def add(self, value: JsonValue) -> None:
        if self.array:
            self.sequence.append(value)
        elif self.key is not None:
            self.mapping[self.key] = value
            self.key = None

    @property
    def value(self) -> JsonValue:
        return self.sequence if self.array else self.mapping


def skip(text: str, position: int, notes: dict[str, None]) -> int:
    """The next position that is neither space nor comment."""
    while True:
        matched = SPACE.match(text, position)
        position = matched.end() if matched else position
        if text.startswith(("//", "#"), position):
            matched = LINE.match(text, position)
            position = matched.end() if matched else position
        elif text.startswith("/*", position):
            end = text.find("*/", position + 2)
            if end < 0:
                raise SyntaxFault("a comment does not end", position, cut=True)
            position = end + 2
        else:
            return position
        notes["comment removed"] = None


def read_value(text: str, position: int, budget: Budget, notes: dict[str, None]) -> tuple[JsonValue, int]:
    """The value that begins at a position, and where it ends.

    Args:
        text: The text.
        position: Where the value begins, or the space before it.
        budget: What the work is counted on.
        notes: Takes a line for each kind of repair.

    Raises:
        SyntaxFault: There is no value here.
    """
    stack: list[_Frame] = []
    separated = True
    while True:
        budget.spend(1, position)
        position = skip(text, position, notes)
        if position >= len(text):
            raise SyntaxFault("the text ends before the value does", position, cut=True)
        here = text[position]
        frame = stack[-1] if stack else None
        if frame is not None:
            if here == ("]" if frame.array else "}"):
                if frame.key is not None:
                    raise SyntaxFault(f"the key `{frame.key:.40}` has no value", position)
                stack.pop()
                position += 1
                if not stack:
                    return frame.value, position
                stack[-1].add(frame.value)
                separated = False
                continue
            if here == ",":
                if separated:
                    raise SyntaxFault("a comma stands where a value belongs", position)
                separated = True
                position += 1
                after = skip(text, position, notes)
                if text[after : after + 1] in ("]", "}"):
                    notes["trailing comma removed"] = None
                continue
            if not separated:
                notes["missing comma added"] = None
            if not frame.array and frame.key is None:
                frame.key, position = _key(text, position, budget, notes)
                if frame.key in frame.mapping:
                    raise SyntaxFault(f"the key `{frame.key:.40}` appears twice", position)
                separated = True
                continue
        if here in "{[":
            if len(stack) >= DEPTH:
                raise SyntaxFault(f"values are nested deeper than {DEPTH} levels", position)
            stack.append(_Frame(here == "["))
            position += 1
            separated = True
            after = skip(text, position, notes)
            if text.startswith(",", after):
                raise SyntaxFault("a comma stands where a value belongs", after)
            continue
        value, position = _scalar(text, position, budget, notes)
        if frame is None:
            return value, position
        frame.add(value)
        separated = False


def _key(text: str, position: int, budget: Budget, notes: dict[str, None]) -> tuple[str, int]:
    if text[position] in CLOSERS and text[position] != "`":
        key, position = _string(text, position, budget, notes, key=True)
    else:
        matched = KEY.match(text, position)
        if matched is None:
            raise SyntaxFault("a key belongs here", position)
        key, position = matched[0], matched.end()
        notes["quotes added to a key"] = None
    position = skip(text, position, notes)
    if not text.startswith(":", position):
        raise SyntaxFault(f"a colon belongs after the key `{key:.40}`", position, cut=position >= len(text))
    return key, position + 1


def _scalar(text: str, position: int, budget: Budget, notes: dict[str, None]) -> tuple[JsonValue, int]:
    if text[position] in CLOSERS:
        return _string(text, position, budget, notes)
    matched = WORD.match(text, position)
    if matched is None:
        raise SyntaxFault(f"a value belongs here, not `{text[position]}`", position)
    word = matched[0]
    budget.spend(1 + len(word) // 50, position)
    if len(word) > LONGEST_WORD:
        raise SyntaxFault("a value of this length needs quotes", position)
    for comment in ("//", " #", "/*"):
        found = word.find(comment)
        if found > 0 and not (comment == "//" and word[found - 1] == ":"):
            word = word[:found]
    end = position + len(word)
    word = word.rstrip()
    if word in WORDS:
        if word not in PLAIN_WORDS:
            notes[f"`{word}` read as JSON"] = None
        return WORDS[word], end
    if len(word) < 4000 and NUMBER.match(word):  # Python refuses integers of more than 4300 digits
        if INTEGER.match(word):
            return int(word), end
        return float(word.replace("_", "")), end
    if word in ("...", "…"):
        raise SyntaxFault("`...` stands for values that are not there", position)
    if end < len(text) and text[end] in '"\u201c\u201d':
        raise SyntaxFault("a quote is missing, or one within a string is not escaped", end)
    notes["quotes added to a word"] = None
    if "quotes in a string escaped" in notes:
        raise SyntaxFault("it cannot be told where the strings end", position)
    return word, end


def _string(text: str, position: int, budget: Budget, notes: dict[str, None], *, key: bool = False) -> tuple[str, int]:
    opening = text[position]
    if text.startswith(('"""', "'''"), position):
        end = text.find(opening * 3, position + 3)
        if end < 0:
            raise SyntaxFault("a string does not end", len(text), cut=True)
        notes["triple quotes replaced"] = None
        return text[position + 3 : end], end + 3
    closing = CLOSERS[opening]
    if opening != '"':
        notes["quotes replaced by double quotes"] = None
    stop = CURLY if closing == "\u201d" else STOPS[closing]
    pieces: list[str] = []
    start = position + 1
    inner = 0
    while True:
        budget.spend(1, start)
        matched = stop.search(text, start)
        if matched is None:
            raise SyntaxFault("a string does not end", len(text), cut=True)
        end = matched.start()
        pieces.append(text[start:end])
        if text[end] == "\\":
            piece, start = _escape(text, end + 1, notes)
            pieces.append(piece)
            continue
        if _closes(text, end + 1, key=key):
            if inner % 2 and "," in pieces[0]:  # the comma may have ended a string that lacks its quote
                raise SyntaxFault("a quote is missing, or one within a string is not escaped", end)
            if any("\n" in piece for piece in pieces) and "\n" in text[position:end]:
                notes["line break in a string escaped"] = None
            return "".join(pieces), end + 1
        if end == position + 1 or (not key and COLON.match(text, end + 1)):
            raise SyntaxFault("a quote is missing, or one within a string is not escaped", end)
        notes["quotes in a string escaped"] = None
        if "quotes added to a word" in notes:
            raise SyntaxFault("it cannot be told where the strings end", end)
        pieces.append(text[end])
        inner += 1
        start = end + 1


def _closes(text: str, position: int, *, key: bool) -> bool:
    """Whether a quote ends its string: what follows is what may follow a string."""
    matched = SPACE.match(text, position)
    after = matched.end() if matched else position
    if after >= len(text):
        return True
    here = text[after]
    if key:
        return here == ":"
    if here in AFTER_STRING:
        return here != ":"
    # A new line with a new string is a member whose comma is missing; a comment may follow a value.
    return ("\n" in text[position:after] and here in "\"'\u201c") or text.startswith(("//", "/*", "#"), after)


def _escape(text: str, position: int, notes: dict[str, None]) -> tuple[str, int]:
    here = text[position : position + 1]
    if here in ('"', "\\", "/", "'", "`"):
        return here, position + 1
    if here == "u":
        matched = HEX.match(text, position + 1)
        if matched is not None:
            code = int(matched[0], 16)
            low = HEX.match(text, position + 7) if text.startswith("\\u", position + 5) else None
            if 0xD800 <= code < 0xDC00 and low is not None and 0xDC00 <= (second := int(low[0], 16)) < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00)), position + 11
            return chr(code), position + 5
    elif here in ESCAPES and here:
        return ESCAPES[here], position + 1
    notes["backslash escaped"] = None
    return "\\", position
