"""The OpenAI chat protocol: a `Request` as its body, its reply as a `Response`, its chunks as `StreamChunk`s."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from pydantic_core import from_json, to_json

from dsp.lm.backends.reasoning import is_reasoning, refused
from dsp.messages import (
    RefusalChunk,
    RefusalPart,
    Response,
    TextChunk,
    TextPart,
    ThinkingChunk,
    ThinkingPart,
    ToolCallChunk,
    ToolCallPart,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from dsp.messages import FinishReason, Part, Request, ResponseFormat, StreamChunk, ToolSpec

__all__ = ["ChunkReader", "NotACompletion", "body_of", "parameters_of", "read_json", "response_of", "usage_of"]

FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
PLAIN = ("temperature", "top_p", "seed", "n", "reasoning_effort")
NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class NotACompletion(ValueError):
    """JSON that is no reply of the protocol; the message says what is missing."""


# ------------------------------------------------------------------------------------------------ what is sent


def body_of(request: Request, model: str, *, stream: bool = False) -> tuple[dict[str, JsonValue], tuple[str, ...]]:
    """The body to send, and the names of the parameters that the model would refuse and that are not in it.

    The messages' dicts are shared, not copied: the body is for serialising only.
    """
    messages: list[JsonValue] = [message.to_openai() for message in request.messages]
    body: dict[str, JsonValue] = {"model": model, "messages": messages}
    parameters, dropped = parameters_of(request, model)
    body.update(parameters)
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    if extra := request.params.get("extra"):
        body.update(extra)
    return body, dropped


def parameters_of(request: Request, model: str) -> tuple[dict[str, JsonValue], tuple[str, ...]]:
    """What the request sets beside model and messages, and the names that the model would refuse; `extra` left out."""
    body: dict[str, JsonValue] = {}
    dropped: tuple[str, ...] = ()
    params = request.params
    if params:
        dropped = refused(model, params)
        values = cast("Mapping[str, JsonValue]", params)  # a TypedDict cannot be asked for a name in a variable
        for name in PLAIN:
            if name in values and name not in dropped:
                body[name] = values[name]
        if "max_tokens" in params:
            body["max_completion_tokens" if is_reasoning(model) else "max_tokens"] = params["max_tokens"]
        if "stop" in params and "stop" not in dropped:
            stop = params["stop"]
            body["stop"] = stop if isinstance(stop, str) else list(stop)
    if request.response_format is not None:
        body["response_format"] = _format(request.response_format)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    return body, dropped


def _format(form: ResponseFormat) -> JsonValue:
    if not form.strict:
        return {"type": "json_object"}
    name = NOT_A_NAME.sub("_", form.name)[:64] or "output"
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(form.schema), "strict": True}}


def _tool(tool: ToolSpec) -> JsonValue:
    return {"type": "function", "function": tool.json_schema()}


# ------------------------------------------------------------------------------------------------ what comes back


def read_json(text: bytes) -> JsonValue:
    r"""JSON as servers write it: raw control characters and halves of surrogate pairs are let through.

    A half of a pair becomes U+FFFD, because no text that holds one can be written or sent again.

    Raises:
        ValueError: It is no JSON at all.
    """
    try:
        return cast("JsonValue", from_json(text))  # from_json gives Any
    except ValueError:
        try:
            lenient = json.loads(text.decode("utf-8", "replace"), strict=False)
            return cast("JsonValue", from_json(to_json(_whole(lenient))))
        except (RecursionError, OverflowError) as error:
            raise ValueError(str(error)) from error


def _whole(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {LONE_SURROGATE.sub("\ufffd", key): _whole(item) for key, item in value.items()}
    return value


def response_of(
    reply: Mapping[str, JsonValue], *, provider: str, cost: float | None, usage: Usage, metadata: dict[str, JsonValue]
) -> Response:
    """The reply as a `Response`. What the provider says beside the answer is added to `metadata`.

    Raises:
        NotACompletion: There is no message in it.
    """
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        raise NotACompletion("it has no `choices`.")
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise NotACompletion("its first choice has no `message`.")
    for name in ("id", "system_fingerprint", "service_tier"):
        if isinstance(value := reply.get(name), str):
            metadata[name] = value
    if len(choices) > 1:
        metadata["alternatives"] = [_alternative(other) for other in choices[1:]]
    model = reply.get("model")
    return Response(
        _parts(message),
        usage=usage,
        cost=cost,
        finish_reason=_finish(choice.get("finish_reason")),
        model=model if isinstance(model, str) else "",
        provider=provider,
        metadata=metadata,
    )


def _parts(message: Mapping[str, JsonValue]) -> tuple[Part, ...]:
    parts: list[Part] = []
    if thinking := _thinking(message):
        parts.append(ThinkingPart(thinking))
    content = message.get("content")
    if text := content if isinstance(content, str) else _joined(content):
        parts.append(TextPart(text))
    if calls := message.get("tool_calls"):
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            parts.append(_call(call, position))
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        parts.append(RefusalPart(refusal))
    return tuple(parts)


def _thinking(message: Mapping[str, JsonValue]) -> str:
    for name in ("reasoning_content", "reasoning"):  # DeepSeek and vLLM; OpenRouter
        if isinstance(text := message.get(name), str) and text:
            return text
    return ""


def _joined(content: JsonValue) -> str:
    """Content as a list of parts: the text of them."""
    if content is None:
        return ""
    if not isinstance(content, list):
        raise NotACompletion("its `content` is neither text nor a list of parts.")
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _call(call: JsonValue, position: int) -> ToolCallPart:
    function = call.get("function") if isinstance(call, dict) else None
    if (
        not isinstance(call, dict)
        or not isinstance(function, dict)
        or not isinstance(name := function.get("name"), str)
    ):
        raise NotACompletion("it has a tool call without a function's name.")
    arguments = function.get("arguments")
    ident = call.get("id")
    return ToolCallPart(
        ident if isinstance(ident, str) and ident else f"call_{position}",
        name,
        arguments if isinstance(arguments, str) else json.dumps({} if arguments is None else arguments),
    )


def _alternative(choice: JsonValue) -> JsonValue:
    message = choice.get("message") if isinstance(choice, dict) else None
    return message.get("content") if isinstance(message, dict) else None


def _finish(reason: JsonValue) -> FinishReason:
    return FINISH.get(reason, "other") if isinstance(reason, str) else "other"


def usage_of(reply: Mapping[str, JsonValue]) -> Usage | None:
    """The tokens that a reply or a chunk reports; None if it reports none."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    return Usage(
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
        _count(usage.get("completion_tokens_details"), "reasoning_tokens"),
        _count(usage.get("prompt_tokens_details"), "cached_tokens") or _count(usage, "prompt_cache_hit_tokens"),
    )


def _count(of: JsonValue, name: str) -> int:
    number = of.get(name) if isinstance(of, dict) else None
    return int(number) if isinstance(number, int | float) else 0


class ChunkReader:
    """Turns the protocol's stream objects into `StreamChunk`s; what comes last is kept until the end is known."""

    finish: FinishReason | None
    """Why the reply ended; None until the server says so."""
    usage: Usage | None
    model: str
    tier: str | None

    def __init__(self) -> None:
        self.finish = None
        self.usage = None
        self.model = ""
        self.tier = None
        self._calls: set[int] = set()

    def read(self, chunk: Mapping[str, JsonValue]) -> list[StreamChunk]:
        """The pieces in one stream object.

        Raises:
            NotACompletion: It is no object of a stream.
        """
        self.usage = usage_of(chunk) or self.usage
        if isinstance(model := chunk.get("model"), str) and model:
            self.model = model
        if isinstance(tier := chunk.get("service_tier"), str):
            self.tier = tier
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            raise NotACompletion("a piece of the stream has no `choices`.")
        pieces: list[StreamChunk] = []
        for choice in choices:
            if not isinstance(choice, dict) or choice.get("index") not in (0, None):
                continue
            if isinstance(delta := choice.get("delta"), dict):
                self._delta(delta, pieces)
            if (reason := choice.get("finish_reason")) is not None:
                self.finish = _finish(reason)
        return pieces

    def _delta(self, delta: Mapping[str, JsonValue], pieces: list[StreamChunk]) -> None:
        if thinking := _thinking(delta):
            pieces.append(ThinkingChunk(thinking))
        content = delta.get("content")
        if text := content if isinstance(content, str) else _joined(content):
            pieces.append(TextChunk(text))
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            pieces.append(RefusalChunk(refusal))
        calls = delta.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if not isinstance(call, dict):
                continue
            function = call.get("function")
            index = call.get("index")
            number = index if isinstance(index, int) else position
            ident = _text(call, "id")
            if not ident and number not in self._calls:
                ident = f"call_{number}"
            self._calls.add(number)
            pieces.append(ToolCallChunk(number, ident, _text(function, "name"), _text(function, "arguments")))


def _text(of: JsonValue, name: str) -> str:
    text = of.get(name) if isinstance(of, dict) else None
    return text if isinstance(text, str) else ""
