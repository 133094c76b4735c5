"""A reply read while it arrives: what each field says by now."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.values import typed
from dsp.errors import ParseError
from dsp.repair import parse_partial

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.outputs import OutputField
    from dsp.adapters.report import Parsed
    from dsp.messages import Response

__all__ = ["FieldDelta", "FieldSnapshot", "FieldStream", "StreamEvent", "StreamParser"]

O = TypeVar("O", bound=BaseModel)

LONGEST = 200_000
"""Characters of a field up to which snapshots show its partial value."""


@dataclass(frozen=True)
class FieldDelta:
    """More of a field's text."""

    field: str
    """The field's label."""
    text: str
    """What is to be put behind the text of the field so far; never a part of a marker or a tag."""


@dataclass(frozen=True)
class FieldSnapshot:
    """All that is known by now."""

    values: Mapping[str, JsonValue]
    """Values by label, as JSON; a text or a list may still grow, and a field that has not begun is not there."""


StreamEvent: TypeAlias = FieldDelta | FieldSnapshot
"""What a reply that arrives tells."""


class StreamParser(Generic[O]):
    r"""Takes a reply piece by piece. This one waits for the end; adapters that can tell more do.

    The deltas of a field, put together, are the field's text in the final output, wherever the reply is cut into pieces. Only
    JSON that is broken and has to be mended may end otherwise than it was told.

    Example:
        >>> from dsp import ChatAdapter, Signature
        >>> class Question(BaseModel):
        ...     question: str
        >>> class Answer(BaseModel):
        ...     answer: str
        >>> parser = ChatAdapter().parse_stream(Signature.of(Question, Answer))
        >>> parser.feed("[[ ## answer ## ]]\nPar")[0]
        FieldDelta(field='answer', text='Par')
        >>> parser.feed("is\n\n[[ ## compl")[0]
        FieldDelta(field='answer', text='is')
        >>> parser.finish().output
        Answer(answer='Paris')
    """

    def __init__(self, parse: Callable[[str | Response], Parsed[O]]) -> None:
        self._parse = parse
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """All that has arrived."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def feed(self, text: str) -> list[StreamEvent]:
        """Take the next piece of the reply, and say what is new."""
        self._pieces.append(text)
        return []

    def flush(self) -> list[StreamEvent]:
        """Say what was held back, once the reply has ended: what might have become a marker, and did not."""
        return []

    def finish(self, reply: str | Response | None = None) -> Parsed[O]:
        """The final output: what `parse` gives for the whole reply.

        Args:
            reply: The whole reply, which says why it ended; what has arrived, when left out.

        Raises:
            ParseError: No valid output can be read.
            Truncated: The reply was cut at the token limit before it was complete.
            ContentFiltered: The provider, or the model itself, refused to answer.
        """
        return self._parse(self.text if reply is None else reply)


class FieldStream(StreamParser[O], ABC):
    """What parsers of fields share: the values so far, and when to show them."""

    def __init__(self, parse: Callable[[str | Response], Parsed[O]], fields: tuple[OutputField, ...]) -> None:
        super().__init__(parse)
        self._fields = {field.label: field for field in fields}
        self._sent: dict[str, list[str]] = {}
        self._values: dict[str, JsonValue] = {}
        self._events: list[StreamEvent] = []
        self._size = 0
        self._shown = 0
        self._stale = False

    @override
    def feed(self, text: str) -> list[StreamEvent]:
        """Take the next piece of the reply, and say what is new."""
        if text:
            self._pieces.append(text)
            self._take(text)
        return self._told()

    @override
    def flush(self) -> list[StreamEvent]:
        """Say what was held back, once the reply has ended."""
        for label, text in self._ended().items():
            sent = "".join(self._sent.get(label, ()))
            if text.startswith(sent):
                self._say(label, text[len(sent) :])
                if not text:
                    self._know(label, text)
        self._stale = True
        return self._told(last=True)

    @abstractmethod
    def _take(self, text: str) -> None:
        """Read the next piece, and note what is new."""

    @abstractmethod
    def _ended(self) -> dict[str, str]:
        """The text of each text field in the whole reply; what cannot be read is left out."""

    def _say(self, label: str, text: str) -> None:
        if text:
            self._sent.setdefault(label, []).append(text)
            self._events.append(FieldDelta(label, text))
            self._size += len(text)
            # The more text there is, the rarer it is shown again as a whole.
            self._stale = self._stale or self._size - self._shown > self._shown // 32

    def _know(self, label: str, value: JsonValue) -> None:
        if label not in self._values or self._values[label] != value:
            self._values[label] = value
            self._stale = True

    def _known(self, label: str, text: str) -> None:
        """Note the value of a field whose text is complete."""
        try:
            self._know(label, typed(text, self._fields[label].shape)[0])
        except ParseError:
            self._values.pop(label, None)

    def _guess(self, label: str, text: str) -> None:
        """Note what is known of a value that is not complete."""
        if text.lstrip()[:1] in ("{", "[", "`"):
            partial = parse_partial(text, self._fields[label].shape).value
            if partial is not None:
                self._know(label, partial)

    def _told(self, *, last: bool = False) -> list[StreamEvent]:
        events, self._events = self._events, []
        if self._stale and (self._size <= LONGEST or last):
            self._stale = False
            self._shown = self._size
            texts = {label: "".join(pieces) for label, pieces in self._sent.items()}
            values = {**self._values, **texts}
            events.append(FieldSnapshot({label: values[label] for label in self._fields if label in values}))
        return events


class Growth:
    """When a text that grows is to be looked at again, so that all looks together stay in proportion to its length."""

    def __init__(self) -> None:
        self._due = 1

    def due(self, size: int) -> bool:
        """Whether it has grown enough since the last look."""
        if size < self._due or size > LONGEST:
            return False
        self._due = size + 1 + size // 16
        return True
