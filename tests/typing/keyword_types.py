"""Programs called by keyword, each field checked: `taking`, `ask`, `lm_function`; and functions made programs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, assert_type

from pydantic import BaseModel

import dsp
from dsp import Predict, Prediction, Program, ask, lm_function, program
from dsp.programs import Pipeline, Step
from dsp.testing import ScriptedLM


class Ticket(BaseModel):
    subject: str
    body: str = ""
    urgent: bool = False


class Triage(BaseModel):
    text: str = ""


lm = ScriptedLM(["[[ ## text ## ]]\nsales\n\n[[ ## completed ## ]]"] * 20)
dsp.configure(lm=lm)

# -- a program, called with the fields of its input
triage = Predict[Ticket, Triage](lm=lm)
by_field = triage.taking(Ticket)
assert_type(by_field(subject="Invoice"), Triage)
assert_type(by_field(subject="Invoice", body="It is wrong.", urgent=True).text, str)
assert_type(by_field.program, Program[Any, Triage])
upper = triage.then(lambda made: made.text.upper()).taking(Ticket)
assert_type(upper(subject="Invoice"), str)

# -- the same in one step
asked = ask(Ticket, Triage, "Sort the ticket.")
assert_type(asked(subject="Invoice", urgent=True), Triage)


# -- a function that a model answers
@lm_function
def sort(subject: str, limit: int = 3) -> Triage:
    """Sort the ticket."""
    raise NotImplementedError


assert_type(sort("Invoice"), Triage)
assert_type(sort(subject="Invoice", limit=2).text, str)
assert_type(sort.program, Predict[Any, Any])


async def calls() -> None:
    assert_type(await by_field.acall(subject="Invoice"), Triage)
    assert_type(await asked.acall(subject="Invoice"), Triage)
    assert_type(await sort.acall("Invoice", limit=1), Triage)


asyncio.run(calls())


# -- a function as a program
@program
def count(text: str) -> int:
    return len(text)


@program
async def trim(text: str) -> str:
    return text.strip()


assert_type(count, Step[str, int])
assert_type(count("four"), int)
assert_type(count.run("four"), Prediction[int])
assert_type(trim, Step[str, str])
assert_type(trim(" four "), str)
assert_type(trim >> count, Pipeline[str, int])
as_program: Program[str, int] = count

# -- mistakes that both checkers find
if TYPE_CHECKING:
    by_field(subjcet="Invoice")  # wrong
    by_field(subject=3)  # wrong
    by_field()  # wrong
    by_field("Invoice")  # wrong
    by_field(Ticket(subject="Invoice"))  # wrong
    by_field(subject="Invoice", urgent="yes")  # wrong
    by_field(subject="Invoice").txet  # wrong
    triage.taking(Triage)  # wrong
    triage.taking(Ticket(subject="Invoice"))  # wrong

    asked(subject="Invoice", more=1)  # wrong
    asked(body="It is wrong.")  # wrong
    asked(subject="Invoice").txet  # wrong
    ask(Ticket, int)  # wrong
    ask(int, Triage)  # wrong
    ask(Ticket, Triage, 3)  # wrong

    sort(3)  # wrong
    sort()  # wrong
    sort("Invoice", limit="2")  # wrong
    sort(subjcet="Invoice")  # wrong
    sort("Invoice", 3, 4)  # wrong
    sort("Invoice").txet  # wrong

    @lm_function  # wrong
    def no_model(subject: str) -> int:
        raise NotImplementedError

    count(3)  # wrong
    count("four").txet  # wrong
    count >> trim  # wrong
    program(3)  # wrong

    @program  # wrong
    def two_arguments(text: str, number: int) -> str:
        return text * number

    async def awaited() -> None:
        await sort("Invoice")  # wrong
        await by_field.acall(subject=3)  # wrong
        await sort.acall(3)  # wrong


# -- what ran
assert by_field(subject="Invoice") == Triage(text="sales")
assert upper(subject="Invoice") == "SALES"
assert sort("Invoice", limit=2).text == "sales"
assert (trim >> count)(" four ") == 4
