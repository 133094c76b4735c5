"""The protocol between programs and prompts, and what all adapters share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.prompt import AdapterCall, Prompt
from dsp.adapters.report import Parsed
from dsp.errors import ContentFiltered, ParseError, Truncated
from dsp.messages import Request, Response, ToolSpec

if TYPE_CHECKING:
    from dsp.signatures import Example, Signature

__all__ = ["Adapter", "BaseAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class Adapter(Protocol):
    """Turns a signature, examples and an input into a prompt, and a reply into an output."""

    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        """The prompt for one input.

        Raises:
            InputError: The input is not what the signature takes.
            DemoError: A demo is no example of this signature.
            TemplateError: A template does not fit the models.
        """
        ...

    async def arun(self, call: AdapterCall[I, O]) -> Parsed[O]:
        """Ask, and read the reply.

        Raises:
            ParseError: No valid output could be read.
            LMError: The model did not answer.
        """
        ...

    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        """The output that a reply holds.

        Raises:
            ParseError: No valid output can be read.
            Truncated: The reply was cut at the token limit before it was complete.
            ContentFiltered: The provider, or the model itself, refused to answer.
        """
        ...


class BaseAdapter:
    """What adapters inherit: format, one completion, parse."""

    immediate: ClassVar[bool] = True
    """Whether the adapter waits for nothing but the model, so that a sync call can begin in the caller's thread. An
    `arun` of your own may wait for anything, and is given a running loop first, unless its class says `True` again."""

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: whatever a user's metaclass arguments are
        super().__init_subclass__(**kwargs)
        if "arun" in vars(cls) and "immediate" not in vars(cls):
            cls.immediate = False

    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        """See `Adapter.format`."""
        raise NotImplementedError

    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        """See `Adapter.parse`."""
        raise NotImplementedError

    async def arun(self, call: AdapterCall[I, O]) -> Parsed[O]:
        """Format, one completion, parse. A reply that cannot be read is dropped from every cache."""
        prompt = self.format(call.signature, call.inputs, demos=call.demos, tools=call.tools)
        request = Request(
            model=call.lm.model,
            messages=tuple(prompt.messages),
            params=call.params,
            response_format=prompt.response_format,
            tools=prompt.tools,
        )
        response = await call.lm.acomplete(request)
        try:
            return self.parse(call.signature, response)
        except (ParseError, Truncated, ContentFiltered):
            await call.lm.forget(request)
            raise
