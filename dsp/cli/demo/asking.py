"""Screen 1: questions to the Python manual, each answer with the words that it rests on."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

import dsp
from dsp.cli.demo.corpus import manual
from dsp.cli.demo.programs import Answer, InventedQuote, Question, ask_manual
from dsp.cli.demo.section import Section, opened

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["QUESTIONS", "ask"]

TITLE = "Ask the Python manual"
QUESTIONS = (
    "Can a lambda contain statements?",
    "When are default parameter values evaluated?",
    "What does the pass statement do?",
    "What does continue do in a loop?",
    "Which exception is raised when a name is not found at all?",
    "Are strings immutable?",
    "What does the power operator yield?",
    "What is a coroutine function?",
    "What do imaginary literals yield?",
    "When is the optional else clause of a try statement executed?",
)

INVENTED = """\
[[ ## answer ## ]]
Yes: a lambda may hold any statement.

[[ ## topic ## ]]
lambda

[[ ## quote ## ]]
A lambda may hold any statement.

[[ ## completed ## ]]"""


def ask(console: Console, lm: dsp.LM) -> Section:
    """Ask ten questions, the first of them twice; then see that a made-up quote is caught."""
    if find_spec("pydoc_data") is None:  # some systems ship Python without it
        with opened(console, 1, TITLE, "The language reference inside Python.") as section:
            console.print(
                "This Python comes without pydoc_data: install the whole standard library to see this screen."
            )
        return section
    about = (
        f"The language reference inside this Python, {len(manual().entries):,} paragraphs, is searched for each question; "
        "the model answers from the five best and quotes them. A quote that stands in none is an error."
    )
    with opened(console, 1, TITLE, about) as section, dsp.context(lm=lm):
        for number, question in enumerate(QUESTIONS, 1):
            _ask_one(console, f"{number:>2}", question)
        _ask_one(console, " 1", QUESTIONS[0])
    _catch_an_invented_quote(console)
    return section


def _ask_one(console: Console, number: str, question: str) -> None:
    console.print(Text.assemble((f"{number} ", "cyan"), (question, "bold")))
    try:
        prediction = ask_manual.run(Question(text=question))
    except (InventedQuote, dsp.ParseError) as error:
        console.print(
            Padding(Text(f"No answer: {type(error).__name__}: {error}", style="red"), (0, 0, 0, 3), expand=False)
        )
        return
    call = prediction.calls[-1]
    facts = f"topic {prediction.output.topic!r} · {call.model} · {call.latency * 1000:,.1f} ms · " + (
        "from the cache" if prediction.cached else "asked the model"
    )
    for line in _words(prediction.output):
        console.print(Padding(line, (0, 0, 0, 3), expand=False))
    console.print(Padding(Text(facts, style="dim"), (0, 0, 0, 3), expand=False))


def _words(answer: Answer) -> list[Text]:
    quote = " ".join(answer.quote.split())
    if quote == " ".join(answer.answer.split()):
        return [Text(f"“{quote}”", style="green")]  # the answer is the quote
    return [Text(answer.answer), Text(f"“{quote}”", style="green")]


def _catch_an_invented_quote(console: Console) -> None:
    from dsp.testing import ScriptedLM

    console.print()
    console.print(Text("The same program on a model that is told to make its quote up:", style="dim"))
    console.print(Text.assemble((" 1 ", "cyan"), (QUESTIONS[0], "bold")))
    try:
        with dsp.context(lm=ScriptedLM([INVENTED])):
            ask_manual(Question(text=QUESTIONS[0]))
    except InventedQuote as error:
        console.print(Padding(Text(f"caught: InventedQuote: {error}", style="red"), (0, 0, 0, 3), expand=False))
