"""How memory grows over distinct prompts, with every bound at its default, above the state after the first 2,000.

`scripted` or `direct`, then `rss` (what the system gives the process) or `traced` (what Python objects take).
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tracemalloc
from pathlib import Path

import dsp_side
from timing import asked, report, shorter, unknown

import dsp
from dsp.testing import ScriptedLM

FIRST, BLOCK = 2_000, 1_000
TOTAL = shorter(100_000)
AT_ONCE = 64
MEGABYTE = 1e6
REPLY = "[[ ## urgency ## ]]\nhigh\n\n[[ ## summary ## ]]\nCharged twice.\n\n[[ ## completed ## ]]\n"

model, measure = asked(1), asked(2)


def taken() -> float:
    """Bytes now; on systems without /proc, the most bytes so far."""
    gc.collect()
    if measure == "traced":
        return tracemalloc.get_traced_memory()[0]
    if Path("/proc/self/statm").exists():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def scripted() -> list[float]:
    """What is taken after each block; the script's record of requests, kept for tests, is emptied with each."""
    lm = ScriptedLM([lambda _request: REPLY] * BLOCK, cache=True)
    program = dsp_side.route.with_(lm=lm)
    seen: list[float] = []
    for first in range(0, TOTAL, BLOCK):
        for i in range(first, first + BLOCK):
            program(dsp_side.ticket(i))
        lm.requests.clear()
        seen.append(taken())
    return seen


async def direct() -> list[float]:
    program = dsp_side.route.with_(lm=dsp_side.direct(cache=True))
    seen: list[float] = []

    async def work(numbers: range) -> None:
        for i in numbers:
            await program.acall(dsp_side.ticket(i))

    for first in range(0, TOTAL, BLOCK):
        await asyncio.gather(*(work(range(first + w, first + BLOCK, AT_ONCE)) for w in range(AT_ONCE)))
        seen.append(taken())
    await dsp.aclose()
    return seen


if measure == "traced":
    tracemalloc.start()
match model:
    case "scripted":
        states = scripted()
    case "direct":
        states = asyncio.run(direct())
    case side:
        raise unknown(side)
start = FIRST // BLOCK - 1
report({"dsp": (max(states[start:]) - states[start]) / MEGABYTE})
