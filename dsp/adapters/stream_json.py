"""One JSON object, read while it arrives."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.stream import FieldStream, Growth
from dsp.errors import ParseError
from dsp.repair import parse_partial, read, strict

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.outputs import OutputReader
    from dsp.adapters.report import Parsed
    from dsp.messages import Response

__all__ = ["JSONStream"]

O = TypeVar("O", bound=BaseModel)

BEGIN = re.compile(r"\s*(?:```[ \t]*\w{0,10}[ \t]*\r?\n\s*)?\{")
MAY_BEGIN = re.compile(r"\s*(?:`{1,3}[ \t]*\w{0,10}[ \t]*\r?(?:\n\s*)?)?\Z")
KEY = re.compile(r"\s*(,?)\s*\"((?:[^\"\\\n]|\\[^\n]){0,500})\"\s*:\s*(?=\S)")
MAY_BE_KEY = re.compile(r"\s*,?\s*(?:\"(?:[^\"\\\n]|\\[^\n]){0,500}\\?(?:\"\s*(?::\s*)?)?)?\Z")
PIECE = re.compile(r"[^\"\\\x00-\x1f]+")
ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|[\"\\/bfnrt])"
)
MAY_BE_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,4}(?:\\(?:u[0-9a-fA-F]{0,3})?)?)?\Z")
STRUCTURE = re.compile(r"[\"{}\[\],]|\Z")
STRING_END = re.compile(r"(?:[^\"\\]|\\.)*(\")?", re.DOTALL)


class JSONStream(FieldStream[O]):
    """Follows an object that is JSON as it should be, letter by letter; one that is not is read as a whole now and then."""

    def __init__(self, parse: Callable[[str | Response], Parsed[O]], outputs: OutputReader) -> None:
        super().__init__(parse, outputs.fields)
        self._outputs = outputs
        self._texts = {name: one.label for one in outputs.fields if one.is_text for name in (one.label, one.name)}
        self._labels = {name: one.label for one in outputs.fields for name in (one.label, one.name)}
        if outputs.by_name is None:
            self._texts = {label: label for label in self._texts.values()}
        self._rest = self._space = ""
        self._step: Callable[[], bool] = self._begin
        self._label: str | None = None
        self._done: set[str] = set()
        self._depth = 0
        self._quoted = False
        self._lost = False
        self._growth = Growth()

    @override
    def _take(self, text: str) -> None:
        if not self._lost:
            self._rest += text
            while self._rest and self._step():
                pass
        if self._growth.due(sum(map(len, self._pieces))):
            self._look()

    def _look(self) -> None:
        partial = parse_partial(self.text, self._outputs.shape).value
        if isinstance(partial, dict):
            for name, value in partial.items():
                label = self._labels.get(name)
                if label is not None and label not in self._sent and not _cut(value):
                    self._know(label, value)

    # ------------------------------------------------------------------ the steps; each says whether to go on
    def _lose(self) -> bool:
        self._lost, self._rest = True, ""
        return False

    def _begin(self) -> bool:
        begun = BEGIN.match(self._rest)
        if begun is None:
            return False if MAY_BEGIN.match(self._rest) else self._lose()
        self._rest = self._rest[begun.end() :]
        self._step = self._key
        return True

    def _key(self) -> bool:
        key = KEY.match(self._rest)
        if key is None:
            return False if MAY_BE_KEY.match(self._rest) else self._lose()
        name = strict(f'"{key[2]}"') if _is_json(f'"{key[2]}"') else None
        if not isinstance(name, str):
            return self._lose()
        self._rest = self._rest[key.end() :]
        label = self._texts.get(name)
        self._label = label if label not in self._done and self._rest[0] == '"' else None
        if label is not None:
            self._done.add(label)
        if self._label is not None:
            self._rest = self._rest[1:]
            self._know(self._label, "")
            self._sent.setdefault(self._label, [])
            self._step = self._string
        else:
            self._depth, self._quoted = 0, False
            self._step = self._other
        return True

    def _string(self) -> bool:
        position = 0
        found: list[str] = []
        rest = self._rest
        while position < len(rest):
            piece = PIECE.match(rest, position)
            if piece is not None:
                found.append(piece[0])
                position = piece.end()
                continue
            if rest[position] == '"':
                after = rest[position + 1 :].lstrip()
                if not after:
                    break
                if after[0] not in ",}":
                    self._flushed(found, "")
                    return self._lose()
                self._step = self._key if after[0] == "," else self._over
                self._flushed(found, rest[position + 1 :])
                return True
            escape = ESCAPE.match(rest, position)
            if escape is None:
                self._flushed(found, rest[position:])
                return False if MAY_BE_ESCAPE.match(rest, position) else self._lose()
            value = strict(f'"{escape[0]}"')
            found.append(value if isinstance(value, str) else "")
            position = escape.end()
        self._flushed(found, rest[position:])
        return False

    def _flushed(self, found: list[str], rest: str) -> None:
        self._rest = rest
        text = self._space + "".join(found)
        # Space at the end waits: a text that the end of the reply cuts is read without it.
        kept = text if self._step != self._string else text.rstrip()
        self._space = text[len(kept) :]
        if self._label is not None:
            self._say(self._label, kept)

    def _other(self) -> bool:
        """Past a value that is no text of a field."""
        position = 0
        rest = self._rest
        while position < len(rest):
            if self._quoted:
                string = STRING_END.match(rest, position)
                if string is None or string[1] is None:
                    # A backslash at the end waits for what it escapes.
                    odd = len(rest) - len(rest.rstrip("\\"))
                    self._rest = "\\" if odd % 2 else ""
                    return False
                position = string.end()
                self._quoted = False
                continue
            mark = STRUCTURE.search(rest, position)
            if mark is None or not mark[0]:
                break
            position = mark.end()
            if mark[0] == '"':
                self._quoted = True
            elif mark[0] in "{[":
                self._depth += 1
            elif self._depth and mark[0] in "}]":
                self._depth -= 1
            elif not self._depth:
                self._rest = rest[position - 1 :]
                self._step = self._key if mark[0] == "," else self._over
                return True
        self._rest = ""
        return False

    def _over(self) -> bool:
        self._rest = ""
        return False

    @override
    def _ended(self) -> dict[str, str]:
        try:
            value, _ = read(self.text, self._outputs.shape, words=False)
        except ParseError:
            return {}
        found: dict[str, str] = {}
        for name, one in value.items() if isinstance(value, dict) else ():
            label = self._labels.get(name)
            if label is None:
                continue
            if isinstance(one, str) and self._fields[label].is_text:
                found[label] = one
            else:
                self._know(label, one)
        return found


def _is_json(text: str) -> bool:
    try:
        strict(text)
    except ValueError:
        return False
    return True


def _cut(value: JsonValue) -> bool:
    """Whether a text ends within an escape."""
    return isinstance(value, str) and MAY_BE_ESCAPE.search(value[-12:]) is not None
