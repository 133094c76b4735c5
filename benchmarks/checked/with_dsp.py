from typing import Literal

from pydantic import BaseModel, Field

import dsp


class Ticket(BaseModel):
    subject: str
    body: str = Field(description="what the customer wrote")


class Triage(BaseModel):
    urgency: Literal["low", "normal", "high"]
    summary: str = Field(max_length=200)


route = dsp.Predict[Ticket, Triage]("Route a support ticket.", lm="embedded")
triage: Triage = route(Ticket(subject="Charged twice", body="Please send it back."))
print(triage.urgency, triage.summary.upper())
