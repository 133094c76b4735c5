"""`python benchmarks/tokens.py`: how many tokens a prompt costs beside DSPy's, less the input values, over ten signatures.

Run it with the benchmarks' own environment (`benchmarks/.venv/bin/python`), which holds both. The tokenizer is tiktoken's
`o200k_base`; its table is the one that LiteLLM ships, so that nothing is fetched.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"
os.environ.setdefault("DSPY_CACHEDIR", mkdtemp())
_litellm = find_spec("litellm")
assert _litellm is not None
assert _litellm.origin is not None
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(_litellm.origin).parent / "litellm_core_utils" / "tokenizers")

import dspy  # noqa: E402
import tiktoken  # noqa: E402
from pydantic import BaseModel, Field  # noqa: E402

import dsp  # noqa: E402

AT_MOST = 0.7


class Team(Enum):
    BILLING = "billing"
    TECH = "tech"
    SALES = "sales"


class Question(BaseModel):
    question: str


class Answer(BaseModel):
    answer: str


class Passages(BaseModel):
    context: list[str] = Field(description="passages that may hold the answer")
    question: str


class ShortAnswer(BaseModel):
    answer: str = Field(description="often between 1 and 5 words")
    confidence: float = Field(ge=0, le=1)


class Review(BaseModel):
    text: str


class Sentiment(BaseModel):
    sentiment: Literal["positive", "negative", "neutral"]


class Ticket(BaseModel):
    subject: str
    body: str = Field(description="what the customer wrote")
    customer: str


class Triage(BaseModel):
    urgency: Literal["low", "normal", "high"]
    team: Team
    minutes: int = Field(ge=0, le=480, description="estimated work")
    summary: str = Field(max_length=200, description="one sentence")


class Mail(BaseModel):
    mail: str


class Event(BaseModel):
    title: str
    day: date
    attendees: list[str]
    place: str | None = None


class Page(BaseModel):
    page: str


class Person(BaseModel):
    name: str = Field(description="as it is written")
    born: int | None = None
    roles: list[str] = []


class People(BaseModel):
    people: list[Person] = Field(description="everyone who is named")


class Text(BaseModel):
    text: str


class Size(BaseModel):
    width: float
    height: float
    unit: Literal["cm", "in"] = "cm"


class Line(BaseModel):
    """One line of an order."""

    article: str
    quantity: int = Field(ge=1)
    price: float = Field(ge=0, description="per piece")
    size: Size | None = None
    tags: list[str] = []


class Address(BaseModel):
    street: str
    city: str
    country: str = Field(min_length=2, max_length=2, description="ISO 3166 code")


class Order(BaseModel):
    customer: str
    ship_to: Address
    bill_to: Address | None = None
    lines: list[Line] = Field(min_length=1)


class Source(BaseModel):
    code: str
    language: Literal["python", "go", "rust"]


class Finding(BaseModel):
    line: int = Field(ge=1)
    kind: Literal["bug", "style", "security"]
    message: str
    fix: str | None = Field(default=None, description="the line to write instead")


class CodeReview(BaseModel):
    summary: str
    findings: list[Finding]
    score: int = Field(ge=0, le=10)
    metrics: dict[str, float] = Field(description="name of the measure to its value")


class Claim(BaseModel):
    claim: str
    documents: dict[str, str] = Field(description="document by name")


class Quote(BaseModel):
    document: str
    text: str


class Evidence(BaseModel):
    quote: Quote
    supports: bool


class Step(BaseModel):
    thought: str
    evidence: list[Evidence]


class Verdict(BaseModel):
    steps: list[Step]
    verdict: Literal["true", "false", "unknown"]


class Company(BaseModel):
    report: str
    year: int


class Employee(BaseModel):
    name: str
    title: str
    email: str = Field(pattern=r"^\S+@\S+$")


class Department(BaseModel):
    name: str
    head: Employee
    staff: list[Employee] = []
    budget: float | None = Field(default=None, description="in thousand euros")


class Site(BaseModel):
    address: Address
    departments: list[Department]


class Organisation(BaseModel):
    name: str
    sites: list[Site]
    figures: dict[str, float]
    risks: list[Literal["legal", "market", "staff"]]


CASES: list[tuple[str, type[BaseModel], type[BaseModel], dict[str, Any]]] = [
    ("Answer the question.", Question, Answer, {"question": "Who wrote it?"}),
    ("Answer from the passages.", Passages, ShortAnswer, {"context": ["One.", "Two."], "question": "Who?"}),
    ("Classify the review.", Review, Sentiment, {"text": "It works."}),
    ("Route a support ticket.", Ticket, Triage, {"subject": "Help", "body": "It broke.", "customer": "Ada"}),
    ("Find the event in the mail.", Mail, Event, {"mail": "We meet on Monday."}),
    ("List the people on the page.", Page, People, {"page": "Ada met Bob."}),
    ("Read the order out of the text.", Text, Order, {"text": "Two boards, please."}),
    ("Review the code.", Source, CodeReview, {"code": "x = 1", "language": "python"}),
    ("Check the claim against the documents.", Claim, Verdict, {"claim": "It is so.", "documents": {"a": "It is."}}),
    ("Describe the company from its report.", Company, Organisation, {"report": "We grew.", "year": 2024}),
]


def dspy_signature(instructions: str, inputs: type[BaseModel], outputs: type[BaseModel]) -> Any:
    fields: dict[str, Any] = {}
    for model, make in ((inputs, dspy.InputField), (outputs, dspy.OutputField)):
        for name, info in model.model_fields.items():
            said: dict[str, Any] = (
                {} if info.is_required() else {"default": info.get_default(call_default_factory=True)}
            )
            for one in info.metadata:
                known = ("ge", "le", "gt", "lt", "min_length", "max_length", "multiple_of")
                said |= {key: getattr(one, key) for key in known if getattr(one, key, None) is not None}
            if info.description:
                said["desc"] = info.description
            fields[name] = (info.annotation, make(**said))
    return dspy.Signature(fields, instructions)


def main() -> int:
    encoding = tiktoken.get_encoding("o200k_base")

    def count(text: str) -> int:
        return len(encoding.encode(text, disallowed_special=()))

    missed = False
    for name, ours, theirs in (
        ("chat", dsp.ChatAdapter(), dspy.ChatAdapter()),
        ("json", dsp.JSONAdapter(), dspy.JSONAdapter()),
        ("xml", dsp.XMLAdapter(), dspy.XMLAdapter()),
    ):
        sums = [0, 0]
        for instructions, inputs, outputs, values in CASES:
            spent = sum(count(value if isinstance(value, str) else json.dumps(value)) for value in values.values())
            prompt = ours.format(dsp.Signature.of(inputs, outputs, instructions), inputs(**values))
            mine = sum(count(message.text) for message in prompt.messages) - spent
            messages = theirs.format(dspy_signature(instructions, inputs, outputs), demos=[], inputs=values)
            other = sum(count(message["content"]) for message in messages) - spent
            print(f"{name}  {outputs.__name__:14} dsp {mine:5}   DSPy {other:5}   {mine / other:4.0%}")
            sums[0] += mine
            sums[1] += other
        ratio = sums[0] / sums[1]
        print(f"{name}  {'all':14} dsp {sums[0]:5}   DSPy {sums[1]:5}   {ratio:4.0%}\n")
        missed = missed or (name != "xml" and ratio > AT_MOST)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
