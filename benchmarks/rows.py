"""What is measured: a row for each promise, the processes that measure it, and how far off the peer it may be."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROWS", "Case", "Limit", "Row"]


@dataclass(frozen=True)
class Case:
    """One measuring process: a script of `cases/` and its arguments. It prints a figure for each column it knows."""

    script: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Limit:
    """How large dsp's figure may be."""

    at_most: float
    against: str | None = None
    """The column whose figure is the unit; None for an absolute bound in the row's unit."""


@dataclass(frozen=True)
class Row:
    """One line of the issue's table. The processes of `cases` run in turn, `rounds` times."""

    name: str
    what: str
    unit: str
    """Of every figure in the row."""
    cases: tuple[Case, ...]
    limits: tuple[Limit, ...]
    rounds: int = 5


def beside(script: str, *sides: str, more: tuple[str, ...] = ()) -> tuple[Case, ...]:
    """A case for each side, dsp's among them; peers and dsp alternate."""
    return tuple(Case(script, (side, *more)) for side in sides)


ROWS = (
    Row(
        "import",
        "`import dsp` beside `import dspy`; none of litellm, instructor, openai, aiohttp, numpy, rich is loaded",
        "ms",
        beside("import_time", "DSPy", "dsp"),
        (Limit(150.0), Limit(1 / 3, "DSPy")),
        rounds=15,
    ),
    Row(
        "mypy",
        "`mypy --strict`, cold, of a program of 20 lines, beside the same file without dsp",
        "s",
        beside("check_time", "no dsp", "dsp"),
        (Limit(3.0, "no dsp"),),
    ),
    Row(
        "hit",
        "sync call answered from the memory cache",
        "µs",
        beside("hit", "DSPy", "dsp"),
        (Limit(1 / 5, "DSPy"),),
    ),
    Row(
        "format",
        "format a prompt with 4 demos",
        "µs",
        beside("format_prompt", "DSPy", "dsp"),
        (Limit(1 / 10, "DSPy"),),
    ),
    Row(
        "parse-chat",
        "parse a clean chat reply with 20 nested items",
        "µs",
        beside("parse_reply", "DSPy", "dsp", more=("chat",)),
        (Limit(1 / 2, "DSPy"),),
    ),
    Row(
        "parse-json",
        "parse a clean JSON reply with 20 nested items; Pydantic is `model_validate_json` alone",
        "µs",
        beside("parse_reply", "DSPy", "dsp", "Pydantic", more=("json",)),
        (Limit(1 / 2, "DSPy"), Limit(2.5, "Pydantic")),
    ),
    Row(
        "async",
        "async call, direct backend, 64 at once: CPU per call; aiohttp is a bare post and its JSON",
        "µs",
        beside("concurrent_calls", "DSPy", "dsp", "aiohttp"),
        (Limit(1 / 4, "DSPy"), Limit(4.0, "aiohttp")),
    ),
    Row(
        "sync",
        "sync call, direct backend: wall time",
        "µs",
        beside("sync_call", "DSPy", "dsp"),
        (Limit(1 / 2, "DSPy"),),
    ),
    Row(
        "litellm",
        "call through LiteLLM: CPU per call; LiteLLM is a bare `litellm.acompletion`",
        "µs",
        (Case("through_litellm", ()),),
        (Limit(1.1, "LiteLLM"),),
    ),
    *(
        Row(
            f"memory-{model}-{measure}",
            f"memory over 100,000 distinct prompts above the first 2,000: {model} backend, {by}",
            "MB",
            (Case("memory", (model, measure)),),
            (Limit(10.0),),
            rounds=1,
        )
        for model in ("scripted", "direct")
        for measure, by in (("rss", "resident set"), ("traced", "Python objects (tracemalloc)"))
    ),
    Row(
        "growth-calls",
        "a call after 50,000 calls, beside one after 100",
        "µs",
        (Case("growth", ("calls",)),),
        (Limit(1.25, "early"),),
        rounds=3,
    ),
    Row(
        "growth-programs",
        "a call beside 1,000 other living programs, beside one without them",
        "µs",
        (Case("growth", ("programs",)),),
        (Limit(1.25, "early"),),
        rounds=3,
    ),
    Row(
        "growth-demos",
        "a call with 4 demos between calls of 64 other programs with demos, beside one between its own calls",
        "µs",
        (Case("growth", ("demos",)),),
        (Limit(1.25, "early"),),
        rounds=3,
    ),
)
