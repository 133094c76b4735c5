"""Whether a call costs more when more went before it: `calls`, `programs` or `demos`. Median wall time of single calls."""

from __future__ import annotations

from itertools import count, cycle

import dsp_side
from pydantic import create_model
from timing import asked, each, report, shorter, unknown

import dsp
from dsp.testing import ScriptedLM

REPLY = "[[ ## urgency ## ]]\nhigh\n\n[[ ## summary ## ]]\nCharged twice.\n\n[[ ## completed ## ]]\n"
BLOCK = 1_000
OTHERS = 1_000

numbers = count()
lm = ScriptedLM([lambda _request: REPLY] * BLOCK * 60, cache=True)
program = dsp_side.route.with_(lm=lm)


def call() -> None:
    """A new prompt; the cache is asked, and told the reply."""
    program(dsp_side.ticket(next(numbers)))


def after_many_calls() -> dict[str, float]:
    for _ in range(100):
        call()
    early = each(call, 500)
    for _ in range(shorter(50_000) - next(numbers)):
        call()
    return {"dsp": each(call, 500), "early": early}


def beside_many_programs() -> dict[str, float]:
    for _ in range(BLOCK):
        call()
    early = each(call, BLOCK)
    others: list[object] = []
    for i in range(OTHERS):
        taken = create_model(f"Taken{i}", __base__=dsp_side.Ticket)
        given = create_model(f"Given{i}", __base__=dsp_side.Triage)
        other = dsp.Predict.of(taken, given, f"Route ticket {i}.").with_(lm=lm)
        other(taken.model_validate(dsp_side.ticket(i).model_dump()))
        others.append(other)
    late = each(call, BLOCK)
    return {"dsp": late, "early": early} if len(others) == OTHERS else {}


def between_other_demos() -> dict[str, float]:
    shown = program.with_(demos=dsp_side.demos())
    others = cycle([program.with_(demos=dsp_side.demos(first=10 * i)) for i in range(1, 65)])

    def ask(asked_program: dsp.Predict[dsp_side.Ticket, dsp_side.Triage]) -> None:
        asked_program(dsp_side.ticket(next(numbers)))

    def itself() -> None:
        for _ in range(8):
            ask(shown)

    def eight_others() -> None:
        for _ in range(8):
            ask(next(others))

    itself()
    early = each(lambda: ask(shown), BLOCK, between=itself)
    eight_others()
    return {"dsp": each(lambda: ask(shown), BLOCK, between=eight_others), "early": early}


match asked():
    case "calls":
        report(after_many_calls())
    case "programs":
        report(beside_many_programs())
    case "demos":
        report(between_other_demos())
    case side:
        raise unknown(side)
