from typing import Literal

from pydantic import BaseModel, Field


class Ticket(BaseModel):
    subject: str
    body: str = Field(description="what the customer wrote")


class Triage(BaseModel):
    urgency: Literal["low", "normal", "high"]
    summary: str = Field(max_length=200)


def route(ticket: Ticket) -> Triage:
    return Triage(urgency="low", summary=ticket.subject)


triage: Triage = route(Ticket(subject="Charged twice", body="Please send it back."))
print(triage.urgency, triage.summary.upper())
