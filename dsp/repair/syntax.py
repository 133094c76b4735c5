"""JSON as people and models write it: one value read from a place in a text, however untidy its form.

Reads trailing and missing commas, comments, single, triple and typographic quotes, bare keys and words, Python's and
JavaScript's literals, quotes within a string that nobody escaped, brackets that are missing or of the wrong kind, and
values whose end was cut off. Each mend is noted with its place and its cost. The work is bounded: depth by `DEPTH`,
steps by the caller's `Budget`; nothing here recurses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsp.repair.bare import CALL, bare_end, bare_value
from dsp.repair.notes import TORN, Budget, Notes, SyntaxFault
from dsp.repair.quotes import CLOSERS, NEXT_MEMBER, read_string

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["DEPTH", "Reader", "skip"]

DEPTH = 100
"""How deep objects and arrays may nest."""
CUT = 30
"""What a missing end costs."""

SPACE = re.compile(r"[\s\ufeff\u200b\u180e]*")
LINE = re.compile(r"[^\n]*")
KEY = re.compile(r"[^\s,:={}\[\]\"'\u201c\u201d\u2018\u2019]+(?:[ \t]+[^\s,:={}\[\]\"'\u201c\u201d\u2018\u2019]+){0,5}")
STRAY = re.compile(r"(\w{1,40})[ \t]{1,20}(?=\"[^\"\n]{1,200}\"\s{0,20}:)")
HALF_QUOTED = re.compile(r"([\w$.-]{1,80})\"\s{0,20}(?=:)")
OPEN_QUOTED = re.compile(r"\"([\w.-]{1,80}):\s{0,20}(?=\"[\w ][^\"\n]{0,200}\"\s{0,20}[,}\n])")
"""A key without its second quote, before a value in quotes."""
PROSE = re.compile(r"[^:\"{}\[\]]{0,2000}\Z")
PAIRS = {"{": "}", "[": "]", "(": ")"}
CLOSING = frozenset("}])")
VALUE = re.compile(r"[\"'\u201c{\[\d-]|(?:true|false|null|True|False|None)\b")


def skip(text: str, position: int, notes: Notes) -> int:
    """The next position that is neither space nor comment."""
    while True:
        matched = SPACE.match(text, position)
        position = matched.end() if matched else position
        if text.startswith(("//", "#"), position):
            matched = LINE.match(text, position)
            end = matched.end() if matched else position
        elif text.startswith("/*", position):
            close = text.find("*/", position + 2)
            end = close + 2 if close >= 0 else len(text)
        else:
            return position
        notes.add("comment removed", position)
        position = end


class _Frame:
    """An object or array that is open."""

    __slots__ = ("closer", "commas", "key", "mapping", "sequence")

    def __init__(self, closer: str) -> None:
        self.closer: str = closer
        self.sequence: list[JsonValue] = []
        self.mapping: dict[str, JsonValue] = {}
        self.key: str | None = None
        self.commas: int = 0

    def add(self, value: JsonValue, position: int) -> None:
        if self.closer != "}":
            self.sequence.append(value)
        elif self.key is not None:
            # A value said twice is said once; two values for one key are nobody's to choose from.
            if self.key in self.mapping and self.mapping[self.key] != value:
                raise SyntaxFault(f"the key `{self.key:.40}` appears twice", position)
            self.mapping[self.key] = value
            self.key = None

    @property
    def value(self) -> JsonValue:
        if self.closer == "}":
            return self.mapping
        if self.closer == ")" and len(self.sequence) == 1 and not self.commas:
            return self.sequence[0]
        return self.sequence


class Reader:
    """Reads one value. `cut` says whether the text ended before the value did."""

    def __init__(self, text: str, budget: Budget, notes: Notes, *, partial: bool = False) -> None:
        self.text = text
        self.budget = budget
        self.notes = notes
        self.partial = partial
        """Whether the text is the beginning of one that is still being written: what may yet change is left out."""
        self.cut: bool = False
        self.stack: list[_Frame] = []
        self.separated: bool = True
        self.calls: int = 0
        self.bare: bool = False
        """Whether the value read last had no quotes."""

    def read(self, position: int) -> tuple[JsonValue, int]:
        """The value that begins at a position, and where it ends.

        Raises:
            SyntaxFault: There is no value here.
        """
        text, stack, budget, notes = self.text, self.stack, self.budget, self.notes
        while True:
            budget.spend(1, position)
            position = skip(text, position, notes)
            if position >= len(text):
                return self.end(position)
            here = text[position]
            frame = stack[-1] if stack else None
            if frame is not None:
                if here in CLOSING:
                    if here == ")" and self.calls and frame.closer != ")":
                        self.calls -= 1
                        position += 1
                        continue
                    done = self.close(here, position)
                    position += 1
                    if done is not None:
                        return done.value, position
                    continue
                if here == "," or (here == ";" and not self.separated):
                    if here == ";":
                        notes.add("`;` read as a comma", position, 2)
                    position = self.comma(frame, position)
                    continue
                if not self.separated:
                    notes.add("missing comma added", position, 2)
                if frame.closer == "}" and frame.key is None:
                    opened = self.key(frame, position)
                    if opened is None:
                        return self.end(len(text))
                    position = opened
                    continue
            if here in PAIRS:
                if len(stack) >= DEPTH:
                    raise SyntaxFault(f"values are nested deeper than {DEPTH} levels", position)
                if here == "(":
                    notes.add("parentheses read as brackets", position, 2)
                stack.append(_Frame(PAIRS[here]))
                position += 1
                self.separated = True
                continue
            value, position = self.scalar(position)
            if frame is None:
                return value, position
            if self.cut and self.partial and self.bare:
                return self.end(position)  # the rest of a number or word may be still to come
            frame.add(value, position)
            self.separated = False

    def comma(self, frame: _Frame, position: int) -> int:
        """Go over a comma, and over one too many in an object."""
        after = skip(self.text, position + 1, self.notes)
        if self.separated:
            if frame.closer != "}" or frame.key is not None:
                raise SyntaxFault("a comma stands where a value belongs", position)
            self.notes.add("extra comma removed", position)
        elif self.text[after : after + 1] in CLOSING:
            self.notes.add("trailing comma removed", position)
        frame.commas += 1
        self.separated = True
        return after

    def close(self, bracket: str, position: int) -> _Frame | None:
        """Close what a bracket closes; the outermost frame once it is closed."""
        stack = self.stack
        if bracket != stack[-1].closer:
            root = all(frame.closer != bracket for frame in stack[1:])
            if stack[0].closer == bracket and root and NEXT_MEMBER.match(self.text, position + 1):
                self.notes.add(f"`{bracket}` read as `{stack[-1].closer}`", position, 4)
            elif any(frame.closer == bracket for frame in stack):
                self.notes.add("missing bracket added", position, 4)
                while stack[-1].closer != bracket:
                    self.drop(position)
            else:
                self.notes.add(f"`{bracket}` read as `{stack[-1].closer}`", position, 4)
        self.separated = False
        if len(stack) == 1:
            if stack[0].key is not None:
                raise SyntaxFault(f"the key `{stack[0].key:.40}` has no value", position)
            return stack.pop()
        self.drop(position)
        return None

    def drop(self, position: int) -> None:
        """Close the innermost frame, which holds no whole one by then."""
        frame = self.stack.pop()
        if frame.key is not None and not self.cut:
            raise SyntaxFault(f"the key `{frame.key:.40}` has no value", position)
        self.stack[-1].add(frame.value, position)

    def end(self, position: int) -> tuple[JsonValue, int]:
        """What is known when the text ends before the value does."""
        if not self.stack:
            raise SyntaxFault("the text ends before the value does", position, cut=True)
        self.cut = True
        self.notes.add("the text ends early: closed there", position, CUT)
        while len(self.stack) > 1:
            self.drop(position)
        return self.stack.pop().value, position

    def key(self, frame: _Frame, position: int) -> int | None:
        """Read a key up to its value; None when the text ends here, or only prose is left of it."""
        text, notes = self.text, self.notes
        here = text[position]
        if here == "{" and len(self.stack) > 1 and self.stack[-2].closer == "]" and frame.mapping:
            notes.add("missing bracket added", position, 4)
            self.drop(position)
            return position
        stray = STRAY.match(text, position)
        if stray is not None:
            notes.add(f"`{stray[1]}` before a key left out", position, 5)
            position = stray.end()
            here = text[position]
        if here == '"' and (half := OPEN_QUOTED.match(text, position)) is not None:
            notes.add("missing quote added", half.end(1), 6)
            key, position = half[1], half.end(1)
        elif here in CLOSERS and here != "`":
            key, position, cut = read_string(text, position, self.holders, self.budget, notes, key=True)
            if cut:
                return None
        elif (half := HALF_QUOTED.match(text, position)) is not None:
            notes.add("missing quote added", position, 6)
            key, position = half[1], half.end()
        else:
            matched = KEY.match(text, position)
            if matched is None:
                raise SyntaxFault("a key belongs here", position)
            key, position = matched[0], matched.end()
            if key.startswith(("...", "\u2026")):
                raise SyntaxFault("`...` stands for values that are not there", position)
            if self.stack and PROSE.match(text, position):
                return None
            notes.add("quotes added to a key", matched.start(), 1)
        position = skip(text, position, notes)
        self.separated = True
        if text.startswith(":", position):
            position += 1
        elif text.startswith("=", position):
            notes.add("`=` read as a colon", position, 2)
            position += 2 if text.startswith("=>", position) else 1
        elif position >= len(text):
            return None
        elif VALUE.match(text, position):
            notes.add("missing colon added", position, 4)
        else:
            raise SyntaxFault(f"a colon belongs after the key `{key:.40}`", position)
        frame.key = key
        return position

    @property
    def holders(self) -> str:
        """The closing brackets of what is open, from the outside in."""
        return "".join(frame.closer for frame in self.stack) + ")" * self.calls

    def scalar(self, position: int) -> tuple[JsonValue, int]:
        """A string, number or word, and what is in a call."""
        text, notes = self.text, self.notes
        while (called := CALL.match(text, position)) is not None and self.stack:
            notes.add(f"`{called[0].strip()}...)` read as what is in it", position, 3)
            position = called.end()
            self.calls += 1
            if text[position] in PAIRS:
                raise SyntaxFault("a call around an object or array", position)
        self.bare = text[position] not in CLOSERS
        if not self.bare:
            string, position, cut = read_string(text, position, self.holders, self.budget, notes, partial=self.partial)
            self.cut = self.cut or cut
            if cut:
                notes.add(TORN, position)
            if not cut and self.calls:
                position = self.called(position)
            return string, position
        end, onward = bare_end(text, position, self.holders[-1:], self.budget, notes)
        word = text[position:end].rstrip()
        self.budget.spend(1 + len(word) // 50, position)
        if not word:
            raise SyntaxFault(f"a value belongs here, not `{text[position]}`", position)
        if onward >= len(text) and self.stack:
            self.cut = True
            if word not in ("true", "false", "null"):
                notes.add(TORN, position)
        value = bare_value(word, position, notes)
        if self.calls:
            onward = self.called(onward)
        return value, onward

    def called(self, position: int) -> int:
        """The place after the parenthesis that ends a call."""
        self.calls -= 1
        after = skip(self.text, position, self.notes)
        return after + 1 if self.text.startswith(")", after) else position
