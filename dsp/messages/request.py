"""What a backend is asked to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, cast

from dsp.messages.message import Message

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["ModelParams", "Request", "ResponseFormat", "ToolSpec"]


class ModelParams(TypedDict, total=False):
    """What may be set for a model. What is not set is not sent; 0 is sent."""

    temperature: float
    max_tokens: int
    top_p: float
    stop: Sequence[str]
    seed: int
    n: int
    timeout: float
    """Seconds for the whole call, every attempt and every wait included."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"]
    rollout: int | str
    """Part of the cache key only: another value is another sample of the same prompt."""
    extra: Mapping[str, JsonValue]
    """Passed on to the provider as it is."""


class ToolSpec(Protocol):
    """What an adapter and a backend need to know of a tool."""

    @property
    def name(self) -> str:
        """The name by which the model calls it."""
        ...

    def json_schema(self) -> dict[str, JsonValue]:
        """`{"name": ..., "description": ..., "parameters": {JSON Schema}}`."""
        ...


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form of the reply that a provider is asked to hold the model to."""

    name: str
    schema: Mapping[str, JsonValue]
    """A JSON Schema."""
    strict: bool
    """Whether the schema says all that strict mode needs; if not, a provider is asked for any JSON object."""
    _digest: bytes | None = field(default=None, init=False, repr=False, compare=False, hash=False)

    @property
    def digest(self) -> bytes:
        """A hash of the format, the same in every process; made once."""
        if self._digest is None:
            text = json.dumps([self.name, self.strict, self.schema], sort_keys=True, ensure_ascii=False, default=dict)
            object.__setattr__(self, "_digest", blake2b(text.encode(), digest_size=16).digest())
        return cast("bytes", self._digest)  # set the line above


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model, the same for every provider."""

    model: str
    """`provider/model`."""
    messages: tuple[Message, ...]
    params: ModelParams = field(default_factory=lambda: ModelParams())  # noqa: PLW0108 - the class itself is not typed as a factory
    response_format: ResponseFormat | None = None
    tools: tuple[ToolSpec, ...] = ()

    @property
    def rollout(self) -> int | str | None:
        """Which sample of this prompt is wanted; part of the cache key, never sent."""
        return self.params.get("rollout")
