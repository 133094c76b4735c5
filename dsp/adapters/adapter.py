"""The protocol between programs and prompts, and what all adapters share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.prompt import AdapterCall, Exchange, Prompt
from dsp.adapters.report import Parsed
from dsp.adapters.response_format import completed
from dsp.adapters.stream import StreamParser
from dsp.errors import ContentFiltered, ParseError, Truncated
from dsp.messages import Request, Response, ToolSpec

if TYPE_CHECKING:
    from dsp.lm import LM
    from dsp.messages import ModelParams
    from dsp.signatures import Example, Signature

__all__ = ["Adapter", "BaseAdapter", "sent"]

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


class BaseAdapter(ABC):
    """What adapters inherit: format, one completion, parse.

    An adapter of your own writes `format` and `parse`; another way of asking goes into `ask`, so that a
    `FallbackAdapter` can still show the model its reply.
    """

    immediate: bool = True
    """Whether the adapter waits for nothing but the model, so that a sync call can begin in the caller's thread. An `ask`
    or `arun` of your own may wait for anything, and is given a running loop first, unless its class says `True` again."""

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: whatever a user's metaclass arguments are
        super().__init_subclass__(**kwargs)
        if not {"arun", "ask"}.isdisjoint(vars(cls)) and "immediate" not in vars(cls):
            cls.immediate = False

    @abstractmethod
    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        """See `Adapter.format`."""

    @abstractmethod
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        """See `Adapter.parse`."""

    def parse_stream(self, signature: Signature[I, O]) -> StreamParser[O]:
        """What reads a reply while it arrives. An adapter that does not say how gives only the final output."""
        return StreamParser(lambda reply: self.parse(signature, reply))

    async def ask(self, call: AdapterCall[I, O]) -> Exchange:
        """Format, one completion: the reply that `parse` is to read, with the request that brought it.

        Raises:
            InputError: The input is not what the signature takes.
            LMError: The model did not answer.
        """
        prompt = self.format(call.signature, call.inputs, demos=call.demos, tools=call.tools)
        if prompt.response_format is not None:
            return await sent(call.lm, prompt, call.params)
        lm = call.lm
        request = Request(lm.model, tuple(prompt.messages), call.params, None, prompt.tools)
        return Exchange(lm, request, await lm.acomplete(request))

    async def arun(self, call: AdapterCall[I, O]) -> Parsed[O]:
        """Ask, and parse. A reply that cannot be read is dropped from every cache."""
        exchange = await self.ask(call)
        try:
            parsed = self.parse(call.signature, exchange.response)
        except (ParseError, Truncated, ContentFiltered):
            await exchange.forget()
            raise
        return parsed if exchange.asked == 1 else parsed.after(exchange.asked)


async def sent(lm: LM, prompt: Prompt, params: ModelParams, *, asked: int = 1) -> Exchange:
    """One completion of a prompt; `asked` counts it and the replies before it.

    Raises:
        LMError: The model did not answer.
    """
    request = Request(lm.model, tuple(prompt.messages), params, prompt.response_format, prompt.tools)
    return Exchange(lm, *await completed(lm, request), asked)
