"""One call's way down the ladder, rung by rung."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from dsp.adapters.adapter import Adapter, BaseAdapter
from dsp.adapters.reask import reasked
from dsp.errors import ContentFiltered, ContextWindowExceeded, ParseError, Truncated

if TYPE_CHECKING:
    from dsp.adapters.prompt import AdapterCall, Exchange
    from dsp.adapters.report import Parsed, Rung
    from dsp.messages import Response
    from dsp.signatures import Signature

__all__ = ["Descent", "asking", "reread"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class Descent(Generic[I, O]):
    """The way down for one call."""

    adapters: Sequence[Adapter]
    reask: int
    """How many repair turns are left."""
    call: AdapterCall[I, O]
    asked: int
    """How many replies were asked for."""
    failures: list[tuple[str, ParseError]]
    """Who could not read a reply, and why."""

    def __init__(self, adapters: Sequence[Adapter], reask: int, call: AdapterCall[I, O]) -> None:
        self.adapters = adapters
        self.reask = reask
        self.call = call
        self.asked = 0
        self.failures = []

    async def all(self) -> Parsed[O]:
        """From the first adapter on.

        Raises:
            ParseError: No adapter got an output.
            LMError: The model did not answer.
        """
        return await self._from(0)

    async def after(self, exchange: Exchange, error: ParseError) -> Parsed[O]:
        """From a reply on that the first adapter could not read.

        Raises:
            ParseError: No adapter got an output.
            LMError: The model did not answer.
        """
        found = await self._further(0, exchange, error, "reread")
        return found or await self._from(1)

    async def without(self, error: ParseError) -> Parsed[O]:
        """From the second adapter on: the first one's way of asking failed before there was a reply to read.

        Raises:
            ParseError: No adapter got an output.
            LMError: The model did not answer.
        """
        self._fault(self.adapters[0], error)
        return await self._from(1)

    async def _from(self, position: int) -> Parsed[O]:
        for index in range(position, len(self.adapters)):
            adapter = self.adapters[index]
            two_steps = asking(adapter)
            found = await (self._whole(index, adapter) if two_steps is None else self._asked(index, two_steps))
            if found is not None:
                return found
        raise self._failed()

    async def _whole(self, index: int, adapter: Adapter) -> Parsed[O] | None:
        """Run an adapter that asks in a way of its own."""
        rung: Rung | None = "next_adapter" if index else None
        try:
            parsed = await adapter.arun(self.call)
        except ParseError as error:
            self._fault(adapter, error)
            found = reread(self.adapters, adapter, self.call.signature, error.reply, error)
            return None if found is None else found.after(self.asked, rung=rung or "reread")
        self.asked += parsed.report.attempts
        return parsed.after(self.asked, rung=rung)

    async def _asked(self, index: int, adapter: BaseAdapter) -> Parsed[O] | None:
        """Ask in an adapter's form."""
        try:
            exchange = await adapter.ask(self.call)
        except ParseError as error:
            self._fault(adapter, error)
            return None
        read = await self._read(adapter, exchange)
        if isinstance(read, ParseError):
            return await self._further(index, exchange, read, "next_adapter" if index else "reread")
        self.asked += exchange.asked
        return read.after(self.asked, rung="next_adapter" if index else None)

    def _fault(self, adapter: Adapter, error: ParseError) -> None:
        self.asked += 1
        self.failures.append((_name(adapter), error))

    async def _further(self, index: int, exchange: Exchange, error: ParseError, rung: Rung) -> Parsed[O] | None:
        """What the other adapters, and then the repair turns, make of a reply that could not be read."""
        adapter = self.adapters[index]
        before = self.asked
        said = _name(adapter)
        while True:
            self.asked = before + exchange.asked
            self.failures.append((said, error))
            found = reread(self.adapters, adapter, self.call.signature, exchange.response, error)
            if found is not None:
                return found.after(self.asked, rung=rung)
            await exchange.forget()
            if index or not self.reask:
                return None
            self.reask -= 1
            rung, said = "reasked", f"{_name(adapter)}, asked again"
            try:
                exchange = await reasked(exchange, error)
            except ContextWindowExceeded:
                self.asked += 1
                return None  # the repair turn is what made it too long
            read = await self._read(adapter, exchange)
            if not isinstance(read, ParseError):
                return read.after(before + exchange.asked, rung=rung)
            error = read

    async def _read(self, adapter: Adapter, exchange: Exchange) -> Parsed[O] | ParseError:
        try:
            return adapter.parse(self.call.signature, exchange.response)
        except ParseError as error:
            return error
        except (Truncated, ContentFiltered):
            await exchange.forget()
            raise

    def _failed(self) -> ParseError:
        _, last = self.failures[-1]
        if len(self.failures) == 1:
            return last
        told = " ".join(f"{name.capitalize()}: {' '.join(error.errors) or error}" for name, error in self.failures)
        errors = tuple(dict.fromkeys(one for _, error in self.failures for one in error.errors))
        failed = ParseError(
            f"No valid output in {self.asked} replies. {told}", reply=last.reply, missing=last.missing, errors=errors
        )
        failed.__cause__ = last
        return failed


def reread(
    adapters: Sequence[Adapter], failed: Adapter, signature: Signature[Any, O], reply: str | Response, error: ParseError
) -> Parsed[O] | None:  # Any: whatever its inputs
    """What another adapter reads in a reply; None if none can.

    Where the one that failed saw something of its own form, a field's text may hold another form as data: then only a reply that is
    in the other form as it stands is taken.
    """
    required = {field.label for field in signature.output_fields if field.required}
    strange = bool(required) and required <= set(error.missing)
    for adapter in adapters:
        if adapter is not failed:
            try:
                found = adapter.parse(signature, reply)
            except (ParseError, Truncated, ContentFiltered):
                continue
            if strange or found.report.rung == "direct":
                return found
    return None


def asking(adapter: Adapter) -> BaseAdapter | None:
    """The adapter, if it asks and parses in two steps, between which others may read the reply."""
    if isinstance(adapter, BaseAdapter) and type(adapter).arun is BaseAdapter.arun:
        return adapter
    return None


def _name(adapter: Adapter) -> str:
    name = getattr(adapter, "name", None)
    return name if isinstance(name, str) else type(adapter).__name__
