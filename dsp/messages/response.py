"""What a backend gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from dsp.messages.message import Part, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from dsp.usage import Usage

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["FinishReason", "Response", "Served"]

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "other"]
NOTHING = Usage()
Served: TypeAlias = Literal["model", "cache", "joined"]


def _nothing() -> dict[str, JsonValue]:
    return {}


@dataclass(frozen=True, slots=True)
class Response:
    """One reply of a model.

    Example:
        >>> Response.of_text("Paris").text
        'Paris'
    """

    parts: tuple[Part, ...]
    usage: Usage = NOTHING
    """What the reply cost when it was made, also when it now comes from a cache."""
    cost: float | None = None
    """US dollars when it was made; None when the price is unknown, never 0 for want of knowing."""
    finish_reason: FinishReason = "stop"
    model: str = ""
    provider: str = ""
    attempts: int = 1
    """How often the request was sent until this came."""
    served: Served = "model"
    """From the model, from a cache, or joined to another call's answer."""
    metadata: Mapping[str, JsonValue] = field(default_factory=_nothing)
    """What else the provider said: id, fingerprint, rate-limit headers, parameters that were not sent."""

    @classmethod
    def of_text(cls, text: str, *, usage: Usage = NOTHING, finish_reason: FinishReason = "stop") -> Response:
        """A plain reply of text."""
        return cls((TextPart(text),), usage=usage, finish_reason=finish_reason)

    @property
    def text(self) -> str:
        """The answer: all text parts, without thinking and refusals."""
        if len(self.parts) == 1 and isinstance(part := self.parts[0], TextPart):
            return part.text
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def thinking(self) -> str:
        """What the model showed of its thinking."""
        return "".join(part.text for part in self.parts if isinstance(part, ThinkingPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tools that the model wants called."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))

    @property
    def refusal(self) -> str | None:
        """Why the model would not answer, in its own words."""
        return next((part.text for part in self.parts if isinstance(part, RefusalPart)), None)
