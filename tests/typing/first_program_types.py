"""What a reader writes first, whole: two models, a program, a pipeline, and the mistakes that never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_type

from pydantic import BaseModel, Field
from typing_extensions import override

import dsp
from dsp.programs import Pipeline
from dsp.testing import ScriptedLM


class Ticket(BaseModel):
    """What a customer wrote."""

    subject: str
    body: str = ""


class Triage(BaseModel):
    """Sort the ticket for the team that answers it."""

    team: Literal["billing", "shipping", "other"]
    urgent: bool = Field(description="whether it cannot wait until tomorrow")


class Reply(BaseModel):
    """Answer the customer in two sentences."""

    text: str


class Sorted(BaseModel):
    ticket: Ticket
    triage: Triage


class Helpdesk(dsp.Program[Ticket, Reply]):
    def __init__(self) -> None:
        self.triage = dsp.Predict[Ticket, Triage]()
        self.reply = dsp.ChainOfThought[Sorted, Reply]()

    @override
    async def forward(self, inputs: Ticket) -> Reply:
        triage = await self.triage.acall(inputs)
        assert_type(triage.team, Literal["billing", "shipping", "other"])
        return await self.reply.acall(Sorted(ticket=inputs, triage=triage))


TRIAGE = "[[ ## team ## ]]\nbilling\n\n[[ ## urgent ## ]]\ntrue\n\n[[ ## completed ## ]]"
REPLY = "[[ ## reasoning ## ]]\nIt is billing.\n\n[[ ## text ## ]]\nWe will look.\n\n[[ ## completed ## ]]"


def first_line(reply: Reply) -> str:
    return reply.text.splitlines()[0]


with dsp.context(lm=ScriptedLM([TRIAGE, REPLY] * 3)):
    helpdesk = Helpdesk()
    assert_type(helpdesk(Ticket(subject="Invoice")).text, str)
    assert_type(helpdesk >> first_line, Pipeline[Ticket, str])
    assert_type((helpdesk >> first_line)(Ticket(subject="Invoice")), str)
    prediction = helpdesk.run(Ticket(subject="Invoice"))
    assert_type(prediction, dsp.Prediction[Reply])
    assert_type(prediction.cost, float | None)

if TYPE_CHECKING:
    helpdesk(Triage(team="other", urgent=False))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    helpdesk(Ticket(subject="Invoice")).txt  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    dsp.Predict[Ticket, Triage]() >> helpdesk  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    dsp.Predict[Ticket, Triage](demos=[dsp.Example(Ticket(subject="a"), Reply(text="b"))])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Triage(team="sales", urgent=False)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    if helpdesk.triage(Ticket(subject="Invoice")).team == "sales":  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
        ...

assert prediction.output == Reply(text="We will look.")
assert len(prediction.calls) == 2
