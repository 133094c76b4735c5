"""The benchmarks' programs, written with dsp."""

from __future__ import annotations

from typing import Literal

import order
import words
from pydantic import BaseModel, Field
from timing import URL

import dsp


class Ticket(BaseModel):
    subject: str
    body: str
    customer: str


class Triage(BaseModel):
    urgency: Literal["low", "normal", "high"]
    summary: str = Field(description="one sentence")


class Text(BaseModel):
    text: str


route = dsp.Predict[Ticket, Triage]("Route a support ticket.")
read_order = dsp.Predict[Text, order.Order]("Read the order out of a text.")


def ticket(number: int) -> Ticket:
    """A new input; the same words for every side."""
    return Ticket(subject=words.SUBJECT, body=words.body(number), customer=words.CUSTOMER)


def demos(number: int = words.DEMOS, first: int = 0) -> tuple[dsp.Example[Ticket, Triage], ...]:
    """Examples to show; the same words for every side."""
    return tuple(
        dsp.Example(ticket(first + i), Triage(urgency="low", summary=words.summary(first + i))) for i in range(number)
    )


def direct(*, cache: bool) -> dsp.LM:
    """The local server over the direct backend, with dsp's own defaults."""
    return dsp.LM("openai/bench", base_url=URL, api_key="none", cache=cache)
