"""Parts and chunks are unions that a `match` can exhaust; responses say what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never, assert_type

from dsp import (
    FinishChunk,
    Message,
    Part,
    RefusalChunk,
    RefusalPart,
    Response,
    StreamChunk,
    TextChunk,
    TextPart,
    ThinkingChunk,
    ThinkingPart,
    ToolCallChunk,
    ToolCallPart,
    Usage,
    UsageChunk,
)
from dsp.errors import Reason
from dsp.messages import as_chunks


def shown(part: Part) -> str:
    match part:
        case TextPart() | ThinkingPart():
            return part.text
        case ToolCallPart():
            return f"{part.name}({part.arguments})"
        case RefusalPart():
            return part.text
        case _:
            assert_never(part)


def piece(chunk: StreamChunk) -> str:
    match chunk:
        case TextChunk() | ThinkingChunk() | RefusalChunk():
            return chunk.text
        case ToolCallChunk():
            return chunk.arguments
        case UsageChunk():
            assert_type(chunk.usage, Usage)
            assert_type(chunk.cost, float | None)
            return ""
        case FinishChunk():
            return chunk.reason
        case _:
            assert_never(chunk)


def finished(response: Response) -> bool:
    match response.finish_reason:
        case "stop" | "tool_calls":
            return True
        case "length" | "content_filter" | "other":
            return False
        case _:
            assert_never(response.finish_reason)


response = Response.of_text("Paris", usage=Usage(prompt_tokens=3, completion_tokens=1))
assert_type(response, Response)
assert_type(response.text, str)
assert_type(response.thinking, str)
assert_type(response.refusal, str | None)
assert_type(response.tool_calls, tuple[ToolCallPart, ...])
assert_type(response.parts, tuple[Part, ...])
assert_type(response.served, Literal["model", "cache", "joined"])
assert_type(response.usage.total_tokens, int)
assert_type(Message("user", "Where?").text, str)
assert_type(
    Message("assistant", (TextPart("Paris"), ToolCallPart("1", "look", "{}"))).tool_calls, tuple[ToolCallPart, ...]
)

if TYPE_CHECKING:

    def forgets_refusals(part: Part) -> str:
        match part:
            case TextPart() | ThinkingPart():
                return part.text
            case ToolCallPart():
                return part.name
            case _:
                assert_never(part)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def forgets_the_end(chunk: StreamChunk) -> str:
        match chunk:
            case TextChunk() | ThinkingChunk() | RefusalChunk():
                return chunk.text
            case ToolCallChunk() | UsageChunk():
                return ""
            case _:
                assert_never(chunk)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def forgets_a_reason(reason: Reason) -> bool:
        match reason:
            case "timeout" | "network_error":
                return True
            case _:
                assert_never(reason)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def no_text(part: Part, chunk: StreamChunk) -> None:
        part.text  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        chunk.text  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    response.refusal.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    response.parts[0].text  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    response.text = "Rome"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    response.finish_reason == "stopped"  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison, reportUnusedExpression]
    Response("Paris")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Response.of_text("Paris", finish_reason="done")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    FinishChunk("done")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    UsageChunk(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Usage(tokens=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Message("assistant", ("Paris",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    not_a_chunk: StreamChunk = TextPart("Paris")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    not_a_part: Part = TextChunk("Paris")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

assert shown(TextPart("a")) == "a"
assert [piece(chunk) for chunk in as_chunks(response)] == ["Paris", "", "stop"]
assert finished(response)
