"""`ChainOfThought[I, O]` stands wherever a `Predict[I, O]` or a `Program[I, O]` does, and its runs have a reasoning."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_type

from pydantic import BaseModel

from dsp import ChainOfThought, Example, Predict, Prediction, Program, Reasoned
from dsp.testing import ScriptedLM


class Question(BaseModel):
    text: str = ""


class Answer(BaseModel):
    text: str = ""


class Other(BaseModel):
    number: int = 0


REPLY = "[[ ## reasoning ## ]]\nIt is known.\n\n[[ ## text ## ]]\nParis\n\n[[ ## completed ## ]]"
lm = ScriptedLM([REPLY] * 20)

answer = ChainOfThought[Question, Answer]("Answer.", lm=lm, demos=[Example(Question(), Answer())])
assert_type(answer, ChainOfThought[Question, Answer])
assert_type(answer(Question()), Answer)
assert_type(answer.run(Question()), Reasoned[Answer])
assert_type(answer.run(Question()).reasoning, str)
assert_type(answer.run(Question()).output, Answer)
assert_type(answer.with_(temperature=1.0), ChainOfThought[Question, Answer])


async def calls() -> None:
    assert_type(await answer.acall(Question()), Answer)
    assert_type(await answer.arun(Question()), Reasoned[Answer])
    assert_type((await answer.arun(Question())).reasoning, str)


asyncio.run(calls())

# -- a drop-in
as_predict: Predict[Question, Answer] = answer
as_program: Program[Question, Answer] = answer
wider: Program[Question, BaseModel] = answer
assert_type(answer.run(Question()).usage.total_tokens, int)
plain: Prediction[Answer] = answer.run(Question())


def use(program: Predict[Question, Answer]) -> str:
    return program(Question()).text


assert_type(use(answer), str)


class Careful(ChainOfThought[Question, Answer]):
    """Think twice."""


assert_type(Careful(lm=lm).run(Question()).reasoning, str)

# -- mistakes that both checkers find
if TYPE_CHECKING:
    answer(Question()).reasoning  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    answer.run(Question()).reasonning  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    Predict[Question, Answer]().run(Question()).reasoning  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    def as_predict_only(program: Predict[Question, Answer]) -> None:
        program.run(Question()).reasoning  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    answer(Answer())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    answer.run(Question()).output.number  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    ChainOfThought[Question, str]()  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]
    ChainOfThought[Question, Answer](demos=[Example(Question(), Other())])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bare = ChainOfThought()  # type: ignore[var-annotated]  # pyright: ignore[reportUnknownVariableType]
    other: Predict[Question, Other] = answer  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    back: ChainOfThought[Question, Answer] = Predict[Question, Answer]()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

# -- what ran
assert answer.run(Question()).reasoning == "It is known."
assert answer(Question()) == Answer(text="Paris")
assert isinstance(plain, Reasoned)
