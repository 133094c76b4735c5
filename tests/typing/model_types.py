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
    LM()  # wrong
    LM("embedded", temprature=0.0)  # wrong
    LM("embedded", temperature="0")  # wrong
    LM("embedded", max_tokens=1.5)  # wrong
    LM("embedded", reasoning_effort="much")  # wrong
    LM("embedded", stop=3)  # wrong
    LM("embedded", extra={"user": object()})  # wrong
    LM("embedded", backend="httpx")  # wrong
    LM("embedded", backend=object())  # wrong
    LM("embedded", cache="memory")  # wrong
    LM("embedded", retry=3)  # wrong
    LM("embedded", limits=4)  # wrong
    LM("embedded", api_key=3)  # wrong
    LM("embedded", api_key=lambda: 3)  # wrong
    lm(PROMPT, temprature=0.0)  # wrong
    lm(PROMPT).text  # wrong
    lm(3)  # wrong
    lm([PROMPT])  # wrong
    lm([{"role": "user", "content": PROMPT}])  # wrong
    lm.complete(PROMPT).txet  # wrong
    lm.complete(PROMPT, max_tokens="5")  # wrong
    lm.with_(model="other")  # wrong
    lm.params["temprature"]  # wrong
    Message("human", PROMPT)  # wrong
    Message("user", 3)  # wrong
    Request("embedded", PROMPT)  # wrong

    Retry(attempts="3")  # wrong
    Retry(tries=3)  # wrong
    retry.attempts = 5  # wrong
    Limits(concurrency="3")  # wrong
    Limits(3.5)  # wrong
    MemoryCache(max_entries="10")  # wrong
    MemoryCache(size=10)  # wrong

    dsp.configure(lmm=lm)  # wrong
    dsp.configure(lm=3)  # wrong
    dsp.configure(adapter="chat")  # wrong
    dsp.configure(cache="memory")  # wrong
    dsp.configure(collectors=[print, 3])  # wrong
    dsp.configure(collectors=[lambda entry: entry.txet])  # wrong
    dsp.context(adaptor=dsp.ChatAdapter())  # wrong
    dsp.context(lm)  # wrong
    dsp.context(adapter=dsp.ChatAdapter)  # wrong

    work(3)  # wrong
    work("a", tmes=3)  # wrong
    work("a").txet  # wrong
    dsp.copy_context(3)  # wrong

# -- what ran
assert lm(PROMPT) == "The Louvre is in Paris."
assert work("a", times=3) == "aaa"
