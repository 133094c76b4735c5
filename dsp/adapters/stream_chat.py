"""`[[ ## field ## ]]` sections, read while they arrive."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.sections import ALONE, FENCES, NOTHING, raw_text, thinking, thinking_end
from dsp.adapters.stream import FieldStream, Growth

if TYPE_CHECKING:
    from dsp.adapters.outputs import OutputField
    from dsp.adapters.report import Parsed
    from dsp.adapters.sections import SectionReader
    from dsp.messages import Response

__all__ = ["ChatStream", "Thinking"]

O = TypeVar("O", bound=BaseModel)

TAG = re.compile(r"[\ufeff\u200b\s]*(?:<[A-Za-z]{0,20})?\Z")
"""A reply so far that may begin with thinking."""
MAY_BE = re.compile(r"[ \t]{0,8}(?:#{1,6}[ \t]{0,4})?[*_`]{0,3}[ \t]{0,4}(?:\[\[?[ \t]{0,4}(?:#[^\n]*)?)?\Z")
"""A line so far that may become a marker."""
SETTLED = 8
"""Characters behind a marker after which nothing that follows can make it another one."""
STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"\s*[^\s\"]", re.DOTALL)
"""A text that begins with a quotation, and is no JSON string."""
QUOTATION = 5_000
"""Characters of a quotation that are waited for."""


class Thinking:
    """Leaves out the block of thinking that a reply begins with."""

    def __init__(self) -> None:
        self._head: str | None = ""

    def take(self, text: str) -> str:
        """What of the reply is to be read: nothing while it may still be thinking."""
        if self._head is None:
            return text
        seen, self._head = len(self._head), self._head + text
        thought = thinking(self._head)
        if thought is not None:
            closing = f"</{thought[1]}>"
            if closing not in self._head[max(0, seen - len(closing)) :]:
                return ""
            end = thinking_end(self._head, thought)
            if end is None:
                return ""
            text = self._head[end:]
        else:
            if TAG.match(self._head):
                return ""
            text = self._head
        self._head = None
        return text


class ChatStream(FieldStream[O]):
    """Cuts a reply at its markers line by line, as `SectionReader` cuts the whole."""

    def __init__(
        self,
        parse: Callable[[str | Response], Parsed[O]],
        fields: tuple[OutputField, ...],
        reader: SectionReader,
    ) -> None:
        super().__init__(parse, fields)
        self._reader = reader
        self._longest = 100 + 5 * max(len(label) for label in reader.canonical)
        self._thinking = Thinking()
        self._line = ""
        self._inside = False
        self._maybe: str | None = None
        self._label: str | None = None
        self._seen: set[str] = set()
        self._begun = self._fenced = self._done = False
        self._before = ""
        self._section: list[str] = []
        self._held: str = ""
        self._fences = 0
        self._growth = Growth()

    @override
    def _take(self, text: str) -> None:
        if not (text := self._thinking.take(text)):
            return
        for line in _lines(text):
            self._part(line)
        self._partial()

    def _part(self, text: str) -> None:
        """Take a line, or a piece of one."""
        if self._done:
            return
        if self._maybe is not None:
            self._waiting(text)
            return
        complete = text.endswith("\n")
        if self._inside:
            self._text(text)
            self._inside = not complete
            return
        self._line += text
        marker = self._reader.marker.match(self._line)
        if marker is not None and (complete or len(self._line) - marker.end() >= SETTLED):
            line, self._line = self._line, ""
            self._inside = not complete
            self._marked(marker, line)
        elif complete or len(self._line) > self._longest or not MAY_BE.match(self._line):
            line, self._line = self._line, ""
            self._inside = not complete
            self._fences += FENCES.match(line) is not None
            self._text(line)

    def _marked(self, marker: re.Match[str], line: str) -> None:
        name = self._reader.by_text.get(marker[0])
        if name is None and marker["name"] is not None:
            name = self._reader.meant(marker["name"])
            if name is None:
                self._maybe = line  # it ends the reply if nothing follows
                self._line = line[: marker.end()]
                self._waiting("")
                return
        self._turn(marker, name, line)

    def _waiting(self, text: str) -> None:
        line = (self._maybe or "") + text
        marker = self._line
        if NOTHING.match(line, len(marker)):
            self._maybe = line
            return
        self._maybe, self._line = None, ""
        if self._foreign(marker):
            self._close()
            self._label = None
            line = line[len(marker) :]
            marker = ""
        # What follows is read as if it had just come; the marker itself is text.
        lines = _lines(line)
        for index, one in enumerate(lines):
            if index == 0:
                self._text(one)
                self._inside = not one.endswith("\n")
            else:
                self._part(one)

    def _foreign(self, marker: str) -> bool:
        blank = not (self._sent.get(self._label or "") or self._held.strip() or any(map(str.strip, self._section)))
        return self._label is not None and ALONE.match(marker) is not None and not blank and self._fences % 2 == 0

    def _turn(self, marker: re.Match[str], name: str | None, line: str) -> None:
        if name is None:
            if not self._foreign(marker[0]):
                self._text(line)
                return
            self._close()
            self._label = None
            return
        if self._label is not None:
            self._close()
        elif not self._begun:
            before = self._before.strip()
            self._fenced = before.startswith("```") and "\n" not in before
        self._begun, self._before = True, ""
        if name == self._reader.end:
            self._done = True
            return
        self._label = name
        self._fences = 0
        self._growth = Growth()
        self._text(line[marker.end() :])

    def _text(self, text: str) -> None:
        """Text of the open section."""
        if self._label is None:  # before the first marker, or where nobody asked
            if not self._begun and len(self._before) < 1000:
                self._before += text
            return
        if self._label in self._seen:
            return  # said before; the final reading compares the two
        if not self._fields[self._label].is_text:
            self._section.append(text)
            return
        text = self._held + text
        if not self._sent.get(self._label):
            text = text.lstrip()
            if text.startswith('"') and (len(text) > QUOTATION or not STRING.match(text)):
                self._held = text
                return
        kept = text.rstrip().rstrip("`").rstrip() if self._fenced else text.rstrip()
        self._held = text[len(kept) :]
        self._say(self._label, kept)

    def _close(self) -> None:
        label = self._label
        if label is not None and label not in self._seen:
            self._seen.add(label)
            if self._fields[label].is_text:
                text = self._held.rstrip()
                self._say(label, text if self._sent.get(label) else raw_text(text))
                if not self._sent.get(label):
                    self._know(label, "")
            else:
                self._known(label, "".join(self._section).strip())
        self._held, self._section, self._fences = "", [], 0

    def _partial(self) -> None:
        if self._label is not None and self._section and self._growth.due(sum(map(len, self._section))):
            text = "".join(self._section)
            self._section = [text]
            self._guess(self._label, text)

    @override
    def _ended(self) -> dict[str, str]:
        sections = self._reader.read(self.text)
        found: dict[str, str] = {}
        for label, text in sections.texts.items():
            if label in sections.conflicts:
                continue
            if self._fields[label].is_text:
                found[label] = raw_text(text)
            elif text:
                self._known(label, text)
        return found


def _lines(text: str) -> list[str]:
    """The lines of a text with their ends; only a line feed ends a line."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
