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
    by_field(subjcet="Invoice")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    by_field(subject=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    by_field()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    by_field("Invoice")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    by_field(Ticket(subject="Invoice"))  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]
    by_field(subject="Invoice", urgent="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    by_field(subject="Invoice").txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    triage.taking(Triage)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    triage.taking(Ticket(subject="Invoice"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    asked(subject="Invoice", more=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    asked(body="It is wrong.")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    asked(subject="Invoice").txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    ask(Ticket, int)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    ask(int, Triage)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ask(Ticket, Triage, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    sort(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sort()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    sort("Invoice", limit="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sort(subjcet="Invoice")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    sort("Invoice", 3, 4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    sort("Invoice").txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    @lm_function  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    def no_model(subject: str) -> int:
        raise NotImplementedError

    @lm_function  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    async def asynchronous(subject: str) -> Triage:
        raise NotImplementedError

    count(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    count("four").txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    count >> trim  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    program(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

    @program  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def two_arguments(text: str, number: int) -> str:
        return text * number

    async def awaited() -> None:
        await sort("Invoice")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
        await by_field.acall(subject=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await sort.acall(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# -- what ran
assert by_field(subject="Invoice") == Triage(text="sales")
assert upper(subject="Invoice") == "SALES"
assert sort("Invoice", limit=2).text == "sales"
assert (trim >> count)(" four ") == 4
