"""How a case measures itself. Each case runs in a process of its own and prints one JSON object: column -> figure."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter, process_time

QUICK = os.environ.get("BENCH_QUICK") == "1"
"""Whether this is a run for the impression only: fewer repetitions, noisier figures."""
URL = os.environ.get("BENCH_URL", "")
"""Where the local server is, up to and with `/v1`."""
MICRO = 1e6


def asked(position: int = 1) -> str:
    """An argument of this process: which side is measured."""
    return sys.argv[position]


def unknown(side: str) -> SystemExit:
    """Raised for a side that a case does not know."""
    return SystemExit(f"{sys.argv[0]} does not know {side!r}")


def report(figures: dict[str, float], *, wrong: str = "") -> None:
    """Print the figures; `wrong` is a fault that no ratio would show."""
    print(json.dumps({"figures": figures, "wrong": wrong}))


def shorter(number: int) -> int:
    """A number of repetitions, cut down for a quick run."""
    return max(1, number // 5) if QUICK else number


def per_call(call: Callable[[], object], number: int, batches: int = 7) -> float:
    """Microseconds of wall time per call: the median of the batches, after one batch to warm up."""
    number = shorter(number)
    times: list[float] = []
    for _ in range(batches + 1):
        start = perf_counter()
        for _ in range(number):
            call()
        times.append((perf_counter() - start) / number)
    return median(times[1:]) * MICRO


def each(call: Callable[[], object], number: int, between: Callable[[], object] | None = None) -> float:
    """Microseconds of wall time of one call: the median of single calls; `between` runs untimed before each."""
    times: list[float] = []
    for _ in range(number):
        if between is not None:
            between()
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times) * MICRO


async def cpu_per_call(call: Callable[[int], Awaitable[object]], number: int, at_once: int, batches: int = 5) -> float:
    """Microseconds of CPU, of all threads of this process, per call of `call(i)`; every `i` is given once.

    `at_once` workers make `number` calls in each batch. The median of the batches, after one to warm up.
    """
    number = shorter(number)
    share = max(1, number // at_once)
    times: list[float] = []
    given = 0
    for _ in range(batches + 1):

        async def work(first: int) -> None:
            for i in range(first, first + share):
                await call(i)

        start = process_time()
        await asyncio.gather(*(work(given + worker * share) for worker in range(at_once)))
        times.append((process_time() - start) / (share * at_once))
        given += share * at_once
    return median(times[1:]) * MICRO
