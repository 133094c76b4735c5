"""CPU of an async call through LiteLLM, one after the other, every prompt another one, no cache.

Both sides run in one process, block by block in turn: a call takes milliseconds of LiteLLM's own work, and a bound this
tight needs the two close together in time, on the same LiteLLM with the same settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from statistics import median
from time import process_time

import dsp_side
import litellm
import prompt
from timing import MICRO, URL, report, shorter

import dsp

BLOCKS, BLOCK, WARM = shorter(50), 10, 3

numbers = count()
litellm.suppress_debug_info = True
program = dsp_side.route.with_(lm=dsp.LM("openai/bench", backend="litellm", base_url=URL, api_key="none", cache=False))


async def ours(number: int) -> object:
    return await program.acall(dsp_side.ticket(number))


async def theirs(number: int) -> object:
    return await litellm.acompletion(
        model="openai/bench",
        api_base=URL,
        api_key="none",
        messages=prompt.messages(number),
        max_retries=0,
        num_retries=0,
    )


async def block(call: Callable[[int], Awaitable[object]]) -> float:
    """CPU per call of a few calls, with the work that they leave to be done after them."""
    start = process_time()
    for _ in range(BLOCK):
        await call(next(numbers))
    await asyncio.sleep(0.02)  # LiteLLM logs after the reply, in a task of its own
    return (process_time() - start) / BLOCK


async def measure() -> dict[str, float]:
    pairs = [(await block(ours), await block(theirs)) for _ in range(WARM + BLOCKS)][WARM:]
    return {"dsp": median(pair[0] for pair in pairs) * MICRO, "LiteLLM": median(pair[1] for pair in pairs) * MICRO}


report(asyncio.run(measure()))
