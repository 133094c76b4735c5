"""Backends, caches and adapters of one's own: what fits the protocols, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, TypeVar, assert_type

from pydantic import BaseModel
from typing_extensions import override

import dsp
from dsp import (
    LM,
    Adapter,
    AdapterCall,
    Backend,
    Cache,
    CacheKey,
    ChatAdapter,
    DiskCache,
    Example,
    FinishChunk,
    JSONAdapter,
    MemoryCache,
    Parsed,
    ParseReport,
    Predict,
    Prompt,
    Request,
    Response,
    Signature,
    StreamChunk,
    TextChunk,
    ToolSpec,
)
from dsp.adapters import BaseAdapter

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class Question(BaseModel):
    text: str = ""


class Answer(BaseModel):
    text: str = ""


class Echo:
    """A backend."""

    name = "echo"

    async def complete(self, request: Request) -> Response:
        return Response.of_text(request.messages[-1].text)

    async def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
        yield TextChunk(request.messages[-1].text)
        yield FinishChunk("stop")


class Kept:
    """A cache."""

    def __init__(self) -> None:
        self.replies: dict[bytes, Response] = {}

    async def get(self, key: CacheKey) -> Response | None:
        return self.replies.get(key.digest)

    async def put(self, key: CacheKey, response: Response) -> None:
        self.replies[key.digest] = response

    async def delete(self, key: CacheKey) -> None:
        self.replies.pop(key.digest, None)

    async def clear(self) -> None:
        self.replies.clear()


class Loud(BaseAdapter):
    """An adapter that inherits how to ask."""

    @override
    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        history: None = None,
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        return Prompt([dsp.Message("user", "LOUD")])

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        text = reply if isinstance(reply, str) else reply.text
        return Parsed(signature.validate_output({"text": text}), ParseReport("loud", "direct"))


class Quiet(ChatAdapter):
    """The chat adapter with other words."""

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        parsed = super().parse(signature, reply)
        assert_type(parsed, Parsed[O])
        return parsed


class Bare:
    """An adapter."""

    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        history: None = None,
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        return Prompt([dsp.Message("user", str(signature.dump_inputs(inputs)))])

    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        text = reply if isinstance(reply, str) else reply.text
        return Parsed(signature.validate_output({"text": text}), ParseReport("bare", "direct"))

    async def arun(self, call: AdapterCall[I, O]) -> Parsed[O]:
        prompt = self.format(call.signature, call.inputs, demos=call.demos)
        response = await call.lm.acomplete(prompt.messages)
        assert_type(response, Response)
        return self.parse(call.signature, response)


backend: Backend = Echo()
cache: Cache = Kept()
memory: Cache = MemoryCache()
disk: Cache = DiskCache("replies", max_bytes=1_000_000, ttl=60.0)
adapters: list[Adapter] = [Bare(), Loud(), Quiet(), ChatAdapter(), JSONAdapter()]

lm = LM("echo/one", backend=Echo(), cache=Kept())
with dsp.context(lm=lm, adapter=Bare(), cache=Kept()):
    assert_type(Predict[Question, Answer](adapter=Bare())(Question(text="Hello")), Answer)

signature = Signature.of(Question, Answer)
assert_type(Bare().parse(signature, "Hello"), Parsed[Answer])
assert_type(ChatAdapter().format(signature, Question()), Prompt)
assert_type(ChatAdapter().parse(signature, "[[ ## text ## ]]\nHello").output, Answer)
assert_type(JSONAdapter().parse(signature, '{"text": "Hello"}').report, ParseReport)


async def calls() -> None:
    assert_type(await Bare().arun(AdapterCall(signature, Question(), lm)), Parsed[Answer])
    if TYPE_CHECKING:
        assert_type((await ChatAdapter().arun(AdapterCall(signature, Question(), lm))).output, Answer)


asyncio.run(calls())

if TYPE_CHECKING:

    class Plain:
        """A backend that is not async."""

        name = "plain"

        def complete(self, request: Request) -> Response:
            return Response.of_text("")

        async def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
            yield FinishChunk("stop")

    class OfText:
        """A backend that streams text."""

        name = "text"

        async def complete(self, request: Request) -> Response:
            return Response.of_text("")

        async def stream(self, request: Request) -> AsyncIterator[str]:
            yield "text"

    class Nameless:
        """A backend without a name."""

        async def complete(self, request: Request) -> Response:
            return Response.of_text("")

        async def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
            yield FinishChunk("stop")

    class ByText:
        """A cache with keys of its own."""

        async def get(self, key: str) -> Response | None:
            return None

        async def put(self, key: str, response: Response) -> None: ...

        async def delete(self, key: str) -> None: ...

        async def clear(self) -> None: ...

    class WriteOnly:
        """A cache that lacks half."""

        async def put(self, key: CacheKey, response: Response) -> None: ...

    class HalfAdapter:
        """An adapter that reads only."""

        def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
            return Parsed(signature.validate_output("{}"), ParseReport("half", "direct"))

    class OneModel:
        """An adapter for one output only."""

        def format(
            self,
            signature: Signature[I, O],
            inputs: I,
            *,
            demos: Sequence[Example[I, O]] = (),
            history: None = None,
            tools: Sequence[ToolSpec] = (),
        ) -> Prompt:
            return Prompt([])

        def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[Answer]:
            return Parsed(Answer(), ParseReport("one", "direct"))

        async def arun(self, call: AdapterCall[I, O]) -> Parsed[O]:
            raise NotImplementedError

    class LoudForOne(BaseAdapter):
        """An adapter that inherits how to ask, and gives the bare output."""

        @override
        def parse(self, signature: Signature[I, O], reply: str | Response) -> O:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return signature.validate_output("{}")

    LM("plain/one", backend=Plain())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("text/one", backend=OfText())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("nameless/one", backend=Nameless())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("echo/one", backend=Echo)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("echo/one", cache=ByText())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("echo/one", cache=WriteOnly())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("echo/one", cache=Kept)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DiskCache()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    DiskCache("replies", ttl="60")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](adapter=HalfAdapter())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](adapter=OneModel())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.configure(adapter=HalfAdapter())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.configure(cache=WriteOnly())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    Bare().format(signature, Answer())  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    Bare().format(signature, Question(), demos=[Example(Answer(), Answer())])  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    Bare().parse(signature, "Hello").output.txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    ChatAdapter().parse(signature, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ChatAdapter(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ParseReport("bare", "guessed")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AdapterCall(signature, Answer(), lm)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]

assert Predict[Question, Answer](lm=lm, adapter=Bare())(Question(text="Hello")).text == "{'text': 'Hello'}"
assert lm("Hello") == "Hello"
assert [type(chunk) for chunk in lm.stream("Hello")][-1] is FinishChunk
assert Predict[Question, Answer](lm=lm, adapter=Loud())(Question()).text == "LOUD"
