"""Tagged fields, read while they arrive."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.stream import FieldStream, Growth
from dsp.adapters.stream_chat import Thinking
from dsp.adapters.xml_tags import WRONG, begins
from dsp.adapters.xml_text import CDATA, ENTITY, TAGLIKE, plain_text
from dsp.errors import ParseError

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.outputs import OutputField
    from dsp.adapters.report import Parsed
    from dsp.adapters.xml_tags import TagReader
    from dsp.messages import Response
    from dsp.repair import Shape

__all__ = ["XMLStream"]

O = TypeVar("O", bound=BaseModel)

LONGEST_TAG = 600
"""Characters of a tag that are waited for."""
ENTITY_BEGINS = re.compile(r"&[#\w]{0,8}\Z")
LAST_CLOSE = re.compile(r".*</[^<>]+>", re.DOTALL)


class XMLStream(FieldStream[O]):
    """Cuts a reply at the tags of its fields, as `TagReader` cuts the whole; waits where only the end can tell."""

    def __init__(
        self,
        parse: Callable[[str | Response], Parsed[O]],
        fields: tuple[OutputField, ...],
        reader: TagReader,
        read: Callable[[str, Shape], JsonValue],
    ) -> None:
        super().__init__(parse, fields)
        self._reader = reader
        self._read = read
        self._thinking = None if reader.thinks else Thinking()
        self._reply = ""
        self._at: int = 0
        """Up to where the reply has been cut."""
        self._sought = 0
        """Up to where the end of CDATA or of a comment has been looked for."""
        self._label: str | None = None
        self._start = 0
        """Where the open field's content begins."""
        self._depth = 0
        self._safe: int | None = None
        """Up to where its text can be told; None while nothing stands in the way."""
        self._told_to = 0
        self._verbatim = False
        self._seen: set[str] = set()
        self._stalled = False
        self._growth = Growth()

    @override
    def _take(self, text: str) -> None:
        if self._thinking is not None:
            text = self._thinking.take(text)
        if not text:
            return
        self._reply += text
        while not self._stalled and self._next():
            pass
        if self._label is not None and not self._stalled:
            self._grown(self._label)

    def _next(self) -> bool:
        """One tag further; False where more must come first."""
        tag = self._reader.search(self._reply, self._at)
        if tag is None:
            # A tag that is not complete may still become one.
            opened = self._reply.rfind("<", max(self._at, len(self._reply) - LONGEST_TAG))
            self._at = opened if opened >= 0 else len(self._reply)
            return False
        start, end, label, kind = tag
        if kind == "wait":
            self._at = start
            return False
        if kind == "skip":
            closing = "]]>" if self._reply.startswith(CDATA, start) else "-->"
            close = self._reply.find(closing, max(end, self._sought))
            if close < 0:
                self._at, self._sought = start, max(end, len(self._reply) - 2)
                first = closing == "]]>" and not self._reply[self._start : start].strip()
                if not self._verbatim and self._safe is None and not first:
                    self._safe = start  # whether it begins anything shows when it ends, or does not
                return False
            self._at = close + 3
            return True
        self._at = end
        if self._label is None:
            if kind == "open":
                if not begins(self._reply, start):
                    self._stalled = True  # perhaps only a word about the tag
                    return False
                self._label, self._start, self._told_to, self._depth = label, end, end, 0
                self._safe, self._verbatim = None, False
                self._growth = Growth()
            elif kind == "empty" and self._fields[label].is_text:
                self._know(label, "")
            return True
        if label == self._label and kind == "close" and not self._depth:
            self._closed(start)
        else:
            if label == self._label:
                self._depth += 1 if kind == "open" else -1 if kind == "close" else 0
            self._safe = start if self._safe is None else self._safe
        return True

    def _grown(self, label: str) -> None:
        """Say what is known of the open field."""
        content_end = len(self._reply) if self._safe is None else self._safe
        if not self._fields[label].is_text:
            if self._growth.due(len(self._reply) - self._start):
                self._typed(label, self._reply[self._start :])
            return
        if label in self._seen or label in self._values:
            return
        begun = self._reply[self._start : self._start + len(CDATA) + 200].lstrip()
        if CDATA.startswith(begun[: len(CDATA)]):
            self._cdata(label)
            return
        text = self._reply[self._told_to : content_end]
        if self._safe is None:
            text = _without_begun(text)
        if (wrong := WRONG.search(text)) is not None:
            text = text[: wrong.start()]  # perhaps the field's own closing tag, by a wrong name
        entity = ENTITY.search(text) or ENTITY_BEGINS.search(text)
        if entity is not None and not TAGLIKE.search(self._reply, self._start, self._told_to + entity.start()):
            if entity[0].endswith(";"):
                self._safe = self._told_to + entity.start()  # what it means depends on whether markup follows
            text = text[: entity.start()]
        if not self._sent.get(label):
            stripped = text.lstrip()
            self._told_to += len(text) - len(stripped)
            text = stripped
        text = text.rstrip()
        self._told_to += len(text)
        self._say(label, text)

    def _cdata(self, label: str) -> None:
        if not self._verbatim:
            place = self._reply.find(CDATA, self._start)
            if place < 0:
                return
            self._verbatim = True
            self._told_to = place + len(CDATA)
        if self._safe is not None and self._safe < self._told_to:
            return
        end = self._reply.find("]]>", self._told_to)
        if end < 0:
            # Its own closing tag may be text here, or the end of a field whose CDATA nobody ends.
            text = self._untagged(self._reply[self._told_to :])
            text = text[: -2 if text.endswith("]]") else -1 if text.endswith(("]", "<")) else len(text)].rstrip()
        else:
            text = self._reply[self._told_to : end]
            self._safe = self._told_to  # what follows is told when the field is complete
        self._told_to += len(text)
        self._say(label, text)
        if end >= 0:
            self._safe = self._told_to - 1

    def _untagged(self, text: str) -> str:
        """A text up to the first own tag in it."""
        position = 0
        while (tag := self._reader.search(text, position)) is not None:
            if tag[3] != "skip":
                return text[: tag[0]]
            position = tag[1]
        return _without_begun(text)

    def _closed(self, end: int) -> None:
        label = self._label
        if label is None:
            return
        raw = self._reply[self._start : end]
        self._label = None
        if not self._fields[label].is_text:
            self._typed(label, raw)
        elif label not in self._seen:
            text = plain_text(raw)
            sent = "".join(self._sent.get(label, ()))
            if text.startswith(sent):
                self._say(label, text[len(sent) :])
            if not text:
                self._know(label, "")
        self._seen.add(label)

    def _typed(self, label: str, raw: str) -> None:
        closed = self._label is None
        if not closed:
            if raw.lstrip()[:1] in ("{", "[", "`"):
                self._guess(label, raw)
                return
            last = LAST_CLOSE.match(raw)
            if last is None:
                return
            raw = last[0]
        try:
            self._know(label, self._read(raw, self._fields[label].shape))
        except ParseError:
            return

    @override
    def _ended(self) -> dict[str, str]:
        tagged = self._reader.read(self.text)
        found: dict[str, str] = {}
        for label, raws in tagged.texts.items():
            field = self._fields[label]
            if field.is_text:
                found[label] = plain_text(raws[0])
            else:
                try:
                    self._know(label, self._read(raws[0], field.shape))
                except ParseError:
                    self._values.pop(label, None)
        return found


def _without_begun(text: str) -> str:
    """A text without the tag that its end may have begun."""
    opened = text.rfind("<", max(0, len(text) - LONGEST_TAG))
    return text[:opened] if opened >= 0 and ">" not in text[opened:] else text
