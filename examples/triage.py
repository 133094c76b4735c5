"""Route support tickets: one `Predict`, with demos.

Run it on the embedded model, offline:

    dsp run examples/triage.py:triage --lm embedded --input '{"subject": "Help", "body": "I cannot log in"}'
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pydantic import BaseModel, Field

import dsp


class Team(Enum):
    """Who can help."""

    BILLING = "billing"
    ACCESS = "access"
    HARDWARE = "hardware"


class Ticket(BaseModel):
    """What comes in."""

    subject: str
    body: str = Field(description="what the customer wrote")


class Triage(BaseModel):
    """Where it goes."""

    urgency: Literal["low", "normal", "high"]
    team: Team
    summary: str = Field(max_length=200, description="one sentence")


def _demo(
    subject: str, body: str, urgency: Literal["low", "normal", "high"], team: Team
) -> dsp.Example[Ticket, Triage]:
    ticket = Ticket(subject=subject, body=body)
    return dsp.Example(ticket, Triage(urgency=urgency, team=team, summary=body))


triage = dsp.Predict[Ticket, Triage](
    "Route a support ticket.",
    demos=[
        _demo("Invoice", "The invoice of May was charged to my card twice.", "normal", Team.BILLING),
        _demo("Refund", "When do I get the money for the order I returned?", "low", Team.BILLING),
        _demo("Locked out", "My password is not accepted any more and I must work now.", "high", Team.ACCESS),
        _demo("New colleague", "Please make an account for a colleague who starts in June.", "low", Team.ACCESS),
        _demo("Smoke", "There is smoke coming out of the router.", "high", Team.HARDWARE),
        _demo("Printer", "The printer leaves grey stripes on every page.", "normal", Team.HARDWARE),
    ],
)


def main() -> None:
    """Route one ticket and show what it took."""
    with dsp.context(lm="embedded"):
        prediction = triage.run(Ticket(subject="Password", body="I cannot log in, my password is not accepted."))
    print(prediction.output.model_dump_json())
    print(f"{prediction.usage.total_tokens} tokens, cost {prediction.cost}")


if __name__ == "__main__":
    main()
