"""Models and settings: parameters, policies, `configure`, `context` and `copy_context`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, assert_type

import dsp
from dsp import (
    LM,
    Backend,
    Cache,
    HistoryEntry,
    Limits,
    MemoryCache,
    Message,
    ModelParams,
    Request,
    Response,
    Retry,
    StreamChunk,
)

# -- making one
lm = LM("embedded", temperature=0.0, max_tokens=100, stop=["\n\n"], timeout=30.0, rollout=2)
LM(
    "openai/gpt-4o-mini",
    api_key="key",
    base_url="http://localhost:1",
    cache=False,
    retry=None,
    limits=Limits(concurrency=4),
)
LM("openai/gpt-4o-mini", api_key=lambda: "key", backend="direct", cache=MemoryCache(), retry=Retry(attempts=2))
LM(
    "openai/o3",
    api_key="key",
    reasoning_effort="low",
    seed=1,
    top_p=0.9,
    n=1,
    extra={"user": "me", "logit_bias": {"1": 2}},
)
assert_type(lm.model, str)
assert_type(lm.backend, Backend)
assert_type(lm.params, ModelParams)
assert_type(lm.retry, Retry | None)
assert_type(lm.limits, Limits | None)
assert_type(lm.cache, Cache | bool)

# -- asking it
PROMPT = "Where is the Louvre? The Louvre is in Paris."
assert_type(lm(PROMPT), str)
assert_type(lm([Message("system", "Be brief."), Message("user", PROMPT)], temperature=0.5), str)
assert_type(lm.complete(PROMPT), Response)
assert_type(lm.complete(Request("embedded", (Message("user", PROMPT),))), Response)
assert_type(lm.stream(PROMPT), Iterator[StreamChunk])
assert_type(lm.with_(temperature=0.7), LM)


async def calls() -> None:
    assert_type(await lm.acomplete(PROMPT, max_tokens=5), Response)
    assert_type(lm.astream(PROMPT), AsyncIterator[StreamChunk])
    async for chunk in lm.astream(PROMPT):
        assert_type(chunk, StreamChunk)
    assert_type(await lm.aclose(), None)


asyncio.run(calls())

# -- policies
retry = Retry(attempts=3, base=0.5, factor=2.0, cap=10.0, deadline=60.0)
assert_type(retry.attempts, int)
assert_type(retry.deadline, float | None)
assert_type(Limits(concurrency=3).concurrency, int | None)
assert_type(len(MemoryCache(max_entries=10, max_bytes=1_000_000, ttl=3.5)), int)

# -- settings
seen: list[HistoryEntry] = []
dsp.configure(lm="embedded", adapter=dsp.ChatAdapter(), cache=False, collectors=[seen.append])
dsp.configure(lm=None, adapter=None, cache=None)
with dsp.context(lm=lm, adapter=dsp.JSONAdapter(), cache=MemoryCache()) as nothing:
    assert_type(nothing, None)
assert_type(dsp.reset(), None)
assert_type(dsp.close(), None)


@dsp.copy_context
def work(text: str, times: int = 2) -> str:
    return text * times


assert_type(work("a"), str)
assert_type(work("a", times=3), str)

# -- mistakes that both checkers find
if TYPE_CHECKING:
    LM()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LM("embedded", temprature=0.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LM("embedded", temperature="0")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", max_tokens=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", reasoning_effort="much")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", stop=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", extra={"user": object()})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    LM("embedded", backend="httpx")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", backend=object())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", cache="memory")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", limits=4)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", api_key=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LM("embedded", api_key=lambda: 3)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
    lm(PROMPT, temprature=0.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    lm(PROMPT).text  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    lm(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    lm([PROMPT])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    lm([{"role": "user", "content": PROMPT}])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    lm.complete(PROMPT).txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    lm.complete(PROMPT, max_tokens="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    lm.with_(model="other")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    lm.params["temprature"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    Message("human", PROMPT)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Message("user", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Request("embedded", PROMPT)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    Retry(attempts="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Retry(tries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    retry.attempts = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Limits(concurrency="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Limits(3.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MemoryCache(max_entries="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MemoryCache(size=10)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

    dsp.configure(lmm=lm)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.configure(lm=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.configure(adapter="chat")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.configure(cache="memory")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.configure(collectors=[print, 3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    dsp.configure(collectors=[lambda entry: entry.txet])  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    dsp.context(adaptor=dsp.ChatAdapter())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dsp.context(lm)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dsp.context(adapter=dsp.ChatAdapter)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    work(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    work("a", tmes=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    work("a").txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    dsp.copy_context(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# -- what ran
assert "Paris" in lm(PROMPT)
assert work("a", times=3) == "aaa"
