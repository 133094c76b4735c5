"""A stream that one adapter reads for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.stream import StreamEvent, StreamParser

if TYPE_CHECKING:
    from dsp.adapters.report import Parsed
    from dsp.messages import Response

__all__ = ["ThroughStream"]

O = TypeVar("O", bound=BaseModel)


class ThroughStream(StreamParser[O]):
    """What arrives is told as the inner parser tells it; the end is read by the adapter around it."""

    def __init__(self, inner: StreamParser[O], parse: Callable[[str | Response], Parsed[O]]) -> None:
        super().__init__(parse)
        self._inner = inner

    @property
    @override
    def text(self) -> str:
        return self._inner.text

    @override
    def feed(self, text: str) -> list[StreamEvent]:
        return self._inner.feed(text)

    @override
    def flush(self) -> list[StreamEvent]:
        return self._inner.flush()
