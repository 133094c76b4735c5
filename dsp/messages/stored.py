"""A reply as JSON, and back: what caches keep on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from dsp.messages.message import Part, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from dsp.messages.response import FinishReason, Response
from dsp.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["response_from_json", "response_to_json"]

VERSION = 1


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
            usage=Usage(*(int(number) for number in stored["usage"])),
            cost=None if stored["cost"] is None else float(stored["cost"]),
            finish_reason=cast("FinishReason", str(stored["finish_reason"])),
            model=str(stored["model"]),
            provider=str(stored["provider"]),
            attempts=int(stored["attempts"]),
            served="cache",
            metadata=dict(stored["metadata"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no stored reply: {error!r}") from error


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


def _part_from_json(stored: Mapping[str, str]) -> Part:
    match stored["kind"]:
        case "text":
            return TextPart(stored["text"])
        case "thinking":
            return ThinkingPart(stored["text"])
        case "refusal":
            return RefusalPart(stored["text"])
        case "tool_call":
            return ToolCallPart(stored["id"], stored["name"], stored["arguments"])
        case kind:
            raise ValueError(f"a part of the kind {kind!r}")
