"""What an adapter makes of an input, and what it is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from dsp.messages import Message, ModelParams, Request, Response, ResponseFormat, ToolSpec

if TYPE_CHECKING:
    from dsp.lm import LM
    from dsp.signatures import Example, Signature

__all__ = ["AdapterCall", "Exchange", "Prompt"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


@dataclass(frozen=True)
class Prompt:
    """All that is sent to a model for one input."""

    messages: list[Message]
    """System message, demos as pairs, then the input."""
    response_format: ResponseFormat | None = None
    """The form that the provider is asked to hold the model to."""
    tools: tuple[ToolSpec, ...] = ()
    """The tools that the model may call."""


@dataclass(frozen=True)
class AdapterCall(Generic[I, O]):
    """What one ask needs."""

    signature: Signature[I, O]
    inputs: I
    lm: LM
    demos: Sequence[Example[I, O]] = ()
    tools: Sequence[ToolSpec] = ()
    params: ModelParams = field(default_factory=lambda: ModelParams())  # noqa: PLW0108 - a TypedDict is no typed factory
    """What this call sets beyond the model's own parameters."""


class Exchange(NamedTuple):
    """A question to a model with its reply."""

    lm: LM
    request: Request
    response: Response
    asked: int = 1
    """How many replies were asked for until this one came, this one included."""

    async def forget(self) -> None:
        """Drop the reply from every cache: it could not be read, and must not be served again."""
        await self.lm.forget(self.request)
