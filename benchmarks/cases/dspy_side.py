"""The same programs, written with DSPy."""

from __future__ import annotations

from typing import Literal

import dspy
import order
import words
from timing import URL


class Route(dspy.Signature):
    """Route a support ticket."""

    subject: str = dspy.InputField()
    body: str = dspy.InputField()
    customer: str = dspy.InputField()
    urgency: Literal["low", "normal", "high"] = dspy.OutputField()
    summary: str = dspy.OutputField(desc="one sentence")


class ReadOrder(dspy.Signature):
    """Read the order out of a text."""

    text: str = dspy.InputField()
    customer: str = dspy.OutputField()
    items: list[order.Item] = dspy.OutputField()


# Memory only, as on the other side: a disk cache would cost DSPy a write for each call.
dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=True)
route = dspy.Predict(Route)


def ticket(number: int) -> dict[str, str]:
    """A new input; the same words for every side."""
    return {"subject": words.SUBJECT, "body": words.body(number), "customer": words.CUSTOMER}


def demos(number: int = words.DEMOS) -> list[dspy.Example]:
    """Examples to show; the same words for every side."""
    return [dspy.Example(**ticket(i), urgency="low", summary=words.summary(i)) for i in range(number)]


def direct(*, cache: bool) -> dspy.LM:
    """The local server over DSPy's own engine: what `engine="auto"` takes for this model. Retries are off."""
    return dspy.LM("openai/bench", api_base=URL, api_key="none", cache=cache, num_retries=0)
