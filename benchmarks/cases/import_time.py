"""Milliseconds of `import dsp` or `import dspy`, in this fresh interpreter."""

from __future__ import annotations

import sys
from importlib import import_module
from time import perf_counter

side = {"dsp": "dsp", "DSPy": "dspy"}[sys.argv[1]]
HEAVY = ("litellm", "instructor", "openai", "aiohttp", "numpy", "rich")

start = perf_counter()
import_module(side)
took = (perf_counter() - start) * 1e3

from timing import report  # noqa: E402 - what it imports must not be loaded before the clock starts

loaded = [name for name in HEAVY if name in sys.modules]
report({sys.argv[1]: took}, wrong=f"`import dsp` loads {', '.join(loaded)}" if loaded and side == "dsp" else "")
