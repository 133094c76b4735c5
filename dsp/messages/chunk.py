"""What a backend streams: a union, told apart by class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dsp.messages.message import Part, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from dsp.messages.response import FinishReason, Response
from dsp.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "FinishChunk",
    "RefusalChunk",
    "StreamChunk",
    "TextChunk",
    "ThinkingChunk",
    "ToolCallChunk",
    "UsageChunk",
    "as_chunks",
    "assemble",
]

PIECE = re.compile(r"\s*\S+|\s+")
"""A word with the space before it."""


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingChunk:
    """A piece of the thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """A piece of a tool call: the first of an `index` brings id and name, the others more of the arguments."""

    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class RefusalChunk:
    """A piece of the model's words for not answering."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """What the reply cost; once, near the end."""

    usage: Usage
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class FinishChunk:
    """The end, and why."""

    reason: FinishReason


StreamChunk: TypeAlias = TextChunk | ThinkingChunk | ToolCallChunk | RefusalChunk | UsageChunk | FinishChunk


def as_chunks(response: Response) -> Iterator[StreamChunk]:
    """A whole reply as the stream that would have brought it: words one by one, then usage and end."""
    calls = 0
    for part in response.parts:
        match part:
            case TextPart():
                yield from (TextChunk(piece) for piece in PIECE.findall(part.text))
            case ThinkingPart():
                yield from (ThinkingChunk(piece) for piece in PIECE.findall(part.text))
            case ToolCallPart():
                yield ToolCallChunk(calls, part.id, part.name, part.arguments)
                calls += 1
            case RefusalPart():
                yield RefusalChunk(part.text)
    yield UsageChunk(response.usage, response.cost)
    yield FinishChunk(response.finish_reason)


def assemble(chunks: Iterable[StreamChunk], *, model: str = "") -> Response:
    """The whole reply that a stream brought. One that broke off has the finish reason `other`."""
    text: list[str] = []
    thinking: list[str] = []
    refusal: list[str] = []
    calls: dict[int, list[str]] = {}
    usage, cost = Usage(), None
    finish: FinishReason = "other"
    for chunk in chunks:
        match chunk:
            case TextChunk():
                text.append(chunk.text)
            case ThinkingChunk():
                thinking.append(chunk.text)
            case RefusalChunk():
                refusal.append(chunk.text)
            case ToolCallChunk():
                known = calls.setdefault(chunk.index, [chunk.id, chunk.name, ""])
                known[2] += chunk.arguments
            case UsageChunk():
                usage, cost = chunk.usage, chunk.cost
            case FinishChunk():
                finish = chunk.reason
    parts: list[Part] = []
    if thinking:
        parts.append(ThinkingPart("".join(thinking)))
    if text:
        parts.append(TextPart("".join(text)))
    parts.extend(ToolCallPart(*calls[index]) for index in sorted(calls))
    if refusal:
        parts.append(RefusalPart("".join(refusal)))
    provider = model.partition("/")[0]
    return Response(tuple(parts), usage=usage, cost=cost, finish_reason=finish, model=model, provider=provider)
