"""Plain values that the rooms pass to each other: what is said to a model, and what comes back."""

from dsp.messages.chunk import (
    FinishChunk,
    RefusalChunk,
    StreamChunk,
    TextChunk,
    ThinkingChunk,
    ToolCallChunk,
    UsageChunk,
    as_chunks,
    assemble,
)
from dsp.messages.message import Message, Part, RefusalPart, Role, TextPart, ThinkingPart, ToolCallPart, messages_of
from dsp.messages.request import ModelParams, Request, ResponseFormat, ToolSpec
from dsp.messages.response import FinishReason, Response, Served
from dsp.messages.stored import response_from_json, response_to_json
from dsp.usage import Usage

__all__ = [
    "FinishChunk",
    "FinishReason",
    "Message",
    "ModelParams",
    "Part",
    "RefusalChunk",
    "RefusalPart",
    "Request",
    "Response",
    "ResponseFormat",
    "Role",
    "Served",
    "StreamChunk",
    "TextChunk",
    "TextPart",
    "ThinkingChunk",
    "ThinkingPart",
    "ToolCallChunk",
    "ToolCallPart",
    "ToolSpec",
    "Usage",
    "UsageChunk",
    "as_chunks",
    "assemble",
    "messages_of",
    "response_from_json",
    "response_to_json",
]
