"""A reply as JSON, and back: what caches keep on disk."""

from __future__ import annotations

import json
from math import inf
from typing import TYPE_CHECKING, Any, cast, get_args

from dsp.messages.message import Part, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from dsp.messages.response import FinishReason, Response
from dsp.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

__all__ = ["response_from_json", "response_to_json"]

VERSION = 1
FINISH_REASONS: tuple[str, ...] = get_args(FinishReason)


def response_to_json(response: Response) -> str:
    """A reply as one line of JSON, without where it was served from."""
    usage = response.usage
    return json.dumps(
        {
            "version": VERSION,
            "parts": [_part_to_json(part) for part in response.parts],
            "usage": [usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens, usage.cached_tokens],
            "cost": response.cost,
            "finish_reason": response.finish_reason,
            "model": response.model,
            "provider": response.provider,
            "attempts": response.attempts,
            "metadata": dict(response.metadata),
        },
        separators=(",", ":"),
    )


def response_from_json(text: str) -> Response:
    """The reply that `response_to_json` wrote; it says that it was served from a cache.

    Raises:
        ValueError: The text is not what `response_to_json` of this version writes.
    """
    try:
        stored = cast("dict[str, Any]", json.loads(text))  # Any: taken apart field by field below
        if stored["version"] != VERSION:
            raise ValueError(f"written as version {stored['version']!r}, and this one reads {VERSION}")
        return Response(
            parts=tuple(_part_from_json(part) for part in stored["parts"]),
            usage=_usage(stored["usage"]),
            cost=None if stored["cost"] is None else _dollars(stored["cost"]),
            finish_reason=_finish_reason(stored["finish_reason"]),
            model=_text(stored["model"]),
            provider=_text(stored["provider"]),
            attempts=_whole(stored["attempts"]),
            served="cache",
            metadata=_object(stored["metadata"]),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no stored reply: {error!r:.200}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.80} is no text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r:.80} is no number of things")
    return value


def _dollars(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < inf:
        raise TypeError(f"{value!r:.80} is no price")
    return float(value)


def _usage(value: object) -> Usage:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.80} is no usage")
    return Usage(*map(_whole, cast("list[object]", value)))


def _finish_reason(value: object) -> FinishReason:
    if value not in FINISH_REASONS:
        raise TypeError(f"{value!r:.80} is no reason to finish")
    return cast("FinishReason", value)  # one of its values, as just seen


def _object(value: object) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.80} is no object")
    return cast("dict[str, JsonValue]", value)  # it was read from JSON


def _part_to_json(part: Part) -> dict[str, str]:
    match part:
        case TextPart():
            return {"kind": "text", "text": part.text}
        case ThinkingPart():
            return {"kind": "thinking", "text": part.text}
        case RefusalPart():
            return {"kind": "refusal", "text": part.text}
        case ToolCallPart():
            return {"kind": "tool_call", "id": part.id, "name": part.name, "arguments": part.arguments}


def _part_from_json(stored: Mapping[str, object]) -> Part:
    match stored["kind"]:
        case "text":
            return TextPart(_text(stored["text"]))
        case "thinking":
            return ThinkingPart(_text(stored["text"]))
        case "refusal":
            return RefusalPart(_text(stored["text"]))
        case "tool_call":
            return ToolCallPart(_text(stored["id"]), _text(stored["name"]), _text(stored["arguments"]))
        case kind:
            raise ValueError(f"a part of the kind {kind!r:.80}")
