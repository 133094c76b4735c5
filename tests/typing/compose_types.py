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
    rewrite >> answer  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    rag >> question_of  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    rag >> "text"  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    rewrite >> search >> shout >> answer  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    rewrite.then(answer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    rag.then(question_of)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    rag.then(lambda given: given.txet)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownLambdaType, reportUnknownMemberType]
    shout >> rag  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    "text" >> rag  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    rag(Query())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    rag(Question()).txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    (rag >> shout)(Question()).text  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    wrong_end: Program[Question, Query] = rag  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    wrong_start: Program[Text, Answer] = rag  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    rewrite | search  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    rewrite | shout  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    (rewrite | any_text)(Query())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    both_ways: Program[Question, Answer] = rewrite | any_text  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    rag.map()(Question())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    rag.map()([Query()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    rag.map(2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    rag.map(concurrency="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    rag.map()([Question()]).append(Answer())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    rag.map()([Question()])[0].txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

# -- what ran
assert rag(Question()) == Answer(text="Paris")
assert (question_of >> rag >> trim >> shout)("Where?") == "PARIS"
assert (rewrite | any_text)(Question()) == Query(text="Paris")
assert rag.map()([Question(), Question()]) == [Answer(text="Paris")] * 2
