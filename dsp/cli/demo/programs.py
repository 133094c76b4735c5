"""The programs that the demo runs, and that the type checker reads in its third screen."""

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel, Field
from typing_extensions import override

import dsp
from dsp.cli.demo.corpus import manual, words_of

__all__ = [
    "Answer",
    "Docstring",
    "Grounded",
    "InventedQuote",
    "Module",
    "Origin",
    "Passage",
    "Passages",
    "Question",
    "Search",
    "ask_manual",
    "example",
    "is_right",
    "origin",
]

# ---------------------------------------------------------------------- ask the Python manual


class Question(BaseModel):
    """Something that a reader of the manual wants to know."""

    text: str


class Search(BaseModel):
    """What to look for."""

    question: str
    words: list[str]


class Passage(BaseModel):
    """A paragraph of the manual."""

    topic: str
    text: str


class Passages(BaseModel):
    """What was found."""

    question: str
    passages: list[Passage]


class Answer(BaseModel):
    """An answer that shows where it stands."""

    answer: str = Field(description="one or two sentences, from the passages alone")
    topic: str = Field(description="the topic of the passage that holds the answer")
    quote: str = Field(min_length=1, description="the words of that passage that say so, copied exactly")


class InventedQuote(dsp.RunError):
    """An answer rests on words that stand in no passage."""


@dsp.program
def plan(question: Question) -> Search:
    """The words of a question that are worth looking for."""
    return Search(question=question.text, words=words_of(question.text))


@dsp.program
def find(search: Search) -> Passages:
    """The five paragraphs that have most to do with them."""
    found = [Passage(topic=topic, text=text) for topic, text in manual().search(search.words, 5)]
    return Passages(question=search.question, passages=found)


class Grounded(dsp.Program[Passages, Answer]):
    """Answers from passages, and lets no quote through that stands in none of them."""

    answer: dsp.Predict[Passages, Answer]

    def __init__(self) -> None:
        self.answer = dsp.Predict[Passages, Answer]("Answer a question about Python from passages of its reference.")

    @override
    async def forward(self, inputs: Passages) -> Answer:
        """The answer, if its quote is real."""
        answer = await self.answer.acall(inputs)
        quote = " ".join(answer.quote.split())
        if not any(quote in passage.text for passage in inputs.passages):
            raise InventedQuote(f"The quote {answer.quote!r} stands in no passage.")
        return answer


ask_manual: dsp.Program[Question, Answer] = plan >> find >> Grounded()


# ---------------------------------------------------------------------- whose docstring is this?


class Module(Enum):
    """Modules of the standard library with many documented functions."""

    ASYNCIO = "asyncio"
    DATETIME = "datetime"
    DECIMAL = "decimal"
    EMAIL = "email"
    LOGGING = "logging"
    PATHLIB = "pathlib"
    STATISTICS = "statistics"
    UNITTEST = "unittest"


class Docstring(BaseModel):
    """A docstring of the standard library."""

    text: str = Field(description="a function's docstring; names that give it away are masked")


class Origin(BaseModel):
    """Where it is from."""

    module: Module


origin: dsp.Predict[Docstring, Origin] = dsp.Predict[Docstring, Origin](
    "Say which module of Python's standard library a docstring is from."
)


def example(text: str, module: Module) -> dsp.Example[Docstring, Origin]:
    """A docstring with the module that it is from."""
    return dsp.Example(Docstring(text=text), Origin(module=module))


def is_right(row: dsp.Example[Docstring, Origin], answer: Origin) -> bool:
    """Whether a guess names the module that the docstring is from."""
    return answer.module is row.expected.module
