"""Several adapters as one: a reply that one of them cannot read is read by the others, mended by the model, or asked anew."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.adapter import Adapter, BaseAdapter
from dsp.adapters.descent import Descent, asking, reread
from dsp.adapters.memory import SignatureMemory
from dsp.adapters.stream import StreamParser
from dsp.adapters.stream_through import ThroughStream
from dsp.adapters.tally import Outcome, Tally
from dsp.errors import ContentFiltered, ParseError, SettingsError, Truncated

if TYPE_CHECKING:
    from dsp.adapters.prompt import AdapterCall, Prompt
    from dsp.adapters.report import Parsed
    from dsp.messages import Response, ToolSpec
    from dsp.signatures import Example, Signature

__all__ = ["FallbackAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class FallbackAdapter(BaseAdapter):
    """The ladder: what one adapter cannot read is not given up.

    | rung | what happens | costs |
    |---|---|---|
    | `direct`, `repaired` | the first adapter reads the reply, as it stands or mended | one call |
    | `reread` | the other adapters read the same reply | nothing |
    | `reasked` | the model sees its reply and what was wrong with it, and answers again in the same form | a call each, at most `reask` |
    | `next_adapter` | the next adapter asks anew, in its own form | one call each |

    Then a `ParseError` with the last reply and all that was wrong. A reply that was cut or filtered, and a model that does not answer,
    end the ladder at once: neither another form nor another try would help.

    Args:
        *adapters: In order; the first one writes the prompt.
        reask: How many repair turns one call may take, in all.

    Raises:
        SettingsError: There is no adapter, or `reask` is below 0.
    """

    name = "fallback"
    adapters: tuple[Adapter, ...]
    """In the order in which they are asked."""
    reask: int
    """How many repair turns one call may take."""
    immediate: bool
    """Whether all of the adapters wait for nothing but the model."""

    def __init__(self, *adapters: Adapter, reask: int = 1) -> None:
        if not adapters:
            raise SettingsError("A fallback needs adapters: write FallbackAdapter(ChatAdapter(), JSONAdapter()).")
        if reask < 0:
            raise SettingsError(f"reask={reask} is no number of repair turns: give 0 or more.")
        self.adapters = adapters
        self.reask = reask
        self.immediate = all(getattr(adapter, "immediate", False) for adapter in adapters)
        self._first = asking(adapters[0])
        self._tallies: SignatureMemory[Tally] = SignatureMemory(lambda _: Tally())

    @override
    def __repr__(self) -> str:
        return f"FallbackAdapter({', '.join(map(repr, self.adapters))}, reask={self.reask})"

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return _made, (self.adapters, self.reask)

    def counts(self, signature: Signature[Any, Any]) -> Mapping[Outcome, int]:  # Any: whatever its models
        """How often each rung gave the output of one program, and how often none did.

        Args:
            signature: The program's: `adapter.counts(program.signature)`.
        """
        return self._tallies.of(signature).read()

    @override
    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        return self.adapters[0].format(signature, inputs, demos=demos, tools=tools)

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        first = self.adapters[0]
        try:
            return first.parse(signature, reply)
        except ParseError as error:
            found = reread(self.adapters, first, signature, reply, error)
            if found is None:
                raise
        return found.after(1, rung="reread")

    @override
    def parse_stream(self, signature: Signature[I, O]) -> StreamParser[O]:
        """Told as the first adapter tells it; at the end, the others may read what it cannot."""
        first = self.adapters[0]
        if not isinstance(first, BaseAdapter):
            return super().parse_stream(signature)
        return ThroughStream(first.parse_stream(signature), lambda reply: self.parse(signature, reply))

    @override
    async def arun(self, call: AdapterCall[I, O]) -> Parsed[O]:
        tally = self._tallies.of(call.signature)
        first = self._first
        if first is None:
            return await _counted(tally, Descent(self.adapters, 0, call).all())
        try:
            exchange = await first.ask(call)
        except ParseError as error:
            return await _counted(tally, Descent(self.adapters, 0, call).without(error))
        try:
            parsed = first.parse(call.signature, exchange.response)
        except ParseError as error:
            return await _counted(tally, Descent(self.adapters, self.reask, call).after(exchange, error))
        except (Truncated, ContentFiltered):
            await exchange.forget()
            raise
        tally.add(parsed.report.rung)
        return parsed if exchange.asked == 1 else parsed.after(exchange.asked)


async def _counted(tally: Tally, descending: Coroutine[Any, Any, Parsed[O]]) -> Parsed[O]:  # Any: never sent anything
    try:
        parsed = await descending
    except ParseError:
        tally.add("failed")
        raise
    tally.add(parsed.report.rung)
    return parsed


def _made(adapters: tuple[Adapter, ...], reask: int) -> FallbackAdapter:
    return FallbackAdapter(*adapters, reask=reask)
