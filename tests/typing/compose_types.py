"""Programs made of programs: `>>`, `then`, `|` and `map`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_type

from pydantic import BaseModel

from dsp import Predict, Prediction, Program
from dsp.programs import Either, Mapped, Pipeline
from dsp.testing import ScriptedLM


class Text(BaseModel):
    text: str = ""


class Question(Text):
    """A question."""


class Query(Text):
    """What to search for."""


class Passages(Text):
    """What was found."""


class Answer(Text):
    """An answer."""


lm = ScriptedLM(["[[ ## text ## ]]\nParis\n\n[[ ## completed ## ]]"] * 60)
rewrite = Predict[Question, Query](lm=lm)
search = Predict[Query, Passages](lm=lm)
answer = Predict[Passages, Answer](lm=lm)
any_text = Predict[Text, Answer](lm=lm)


async def trim(given: Answer) -> Answer:
    return Answer(text=given.text.strip())


def shout(given: Text) -> str:
    return given.text.upper()


def question_of(text: str) -> Question:
    return Question(text=text)


async def found_question(number: int) -> Question:
    return Question(text=str(number))


# -- one after the other
rag = rewrite >> search >> answer
assert_type(rag, Pipeline[Question, Answer])
assert_type(rag(Question()), Answer)
assert_type(rag.run(Question()), Prediction[Answer])
assert_type(rag.steps[0].label(), str)
assert_type(rewrite >> any_text, Pipeline[Question, Answer])

# -- functions as steps, plain and async, at both ends
assert_type(rag >> trim, Pipeline[Question, Answer])
assert_type(rag >> trim >> shout, Pipeline[Question, str])
assert_type(rag >> shout >> len, Pipeline[Question, int])
assert_type(question_of >> rag, Pipeline[str, Answer])
assert_type((question_of >> rag >> shout)("Where?"), str)

# -- `then` says the same; a lambda has its argument's type there
assert_type(rewrite.then(search).then(answer), Pipeline[Question, Answer])
assert_type(rag.then(trim), Pipeline[Question, Answer])
assert_type(rag.then(shout), Pipeline[Question, str])
assert_type(rag.then(lambda given: len(given.text)), Pipeline[Question, int])

# -- one or the other
assert_type(answer | any_text, Either[Passages, Answer])
assert_type(rewrite | any_text, Either[Question, Query | Answer])
assert_type((rewrite | any_text)(Question()), Query | Answer)
assert_type((rewrite | any_text) >> shout, Pipeline[Question, str])

# -- on many
assert_type(rag.map(), Mapped[Question, Answer])
assert_type(rag.map(concurrency=2)([Question(), Question()]), Sequence[Answer])
assert_type(rag.map().run((Question(),)), Prediction[Sequence[Answer]])
many: Program[Sequence[Question], Sequence[Text]] = rag.map()


async def calls() -> None:
    assert_type(await rag.acall(Question()), Answer)
    assert_type(await rag.map().acall([Question()]), Sequence[Answer])
    assert_type((await (rewrite | any_text).arun(Question())).output, Query | Answer)


asyncio.run(calls())

# -- mistakes that both checkers find
if TYPE_CHECKING:
    rewrite >> answer  # wrong
    rag >> question_of  # wrong
    rag >> "text"  # wrong
    rewrite >> search >> shout >> answer  # wrong
    rewrite.then(answer)  # wrong
    rag.then(question_of)  # wrong
    rag.then(lambda given: given.txet)  # wrong
    shout >> rag  # wrong
    "text" >> rag  # wrong
    rag(Query())  # wrong
    rag(Question()).txet  # wrong
    (rag >> shout)(Question()).text  # wrong
    wrong_end: Program[Question, Query] = rag  # wrong
    wrong_start: Program[Text, Answer] = rag  # wrong

    rewrite | search  # wrong
    rewrite | shout  # wrong
    (rewrite | any_text)(Query())  # wrong
    both_ways: Program[Question, Answer] = rewrite | any_text  # wrong

    rag.map()(Question())  # wrong
    rag.map()([Query()])  # wrong
    rag.map(2)  # wrong
    rag.map(concurrency="2")  # wrong
    rag.map()([Question()]).append(Answer())  # wrong
    rag.map()([Question()])[0].txet  # wrong

# -- what ran
assert rag(Question()) == Answer(text="Paris")
assert (question_of >> rag >> trim >> shout)("Where?") == "PARIS"
assert (rewrite | any_text)(Question()) == Query(text="Paris")
assert rag.map()([Question(), Question()]) == [Answer(text="Paris")] * 2
