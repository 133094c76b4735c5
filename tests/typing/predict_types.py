"""`Predict[I, O]`: what goes in and what comes out, however the program is made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar, assert_type

from pydantic import BaseModel, RootModel

import dsp
from dsp import Example, Predict, Prediction, Signature
from dsp.testing import ScriptedLM


class Question(BaseModel):
    text: str = ""


class LongQuestion(Question):
    background: str = ""


class Answer(BaseModel):
    text: str = ""


class Refusal(BaseModel):
    why: str = ""


class Other(BaseModel):
    number: int = 0


T = TypeVar("T", bound=BaseModel)

ANSWER = "[[ ## text ## ]]\nParis\n\n[[ ## completed ## ]]"
lm = ScriptedLM([ANSWER] * 20)

# -- making one
answer = Predict[Question, Answer]("Answer in one word.", lm=lm, temperature=0.0, max_tokens=20)
assert_type(answer, Predict[Question, Answer])
assert_type(answer.signature, Signature[Question, Answer])
assert_type(answer.instructions, str)
assert_type(answer.lm, dsp.LM | str | None)
assert_type(answer.adapter, dsp.Adapter | None)
assert_type(answer.params, dsp.ModelParams)

# -- calling it, in four ways
assert_type(answer(Question(text="Where is the Louvre?")), Answer)
assert_type(answer(Question()).text, str)
assert_type(answer(LongQuestion()), Answer)
assert_type(answer.run(Question()), Prediction[Answer])
assert_type(answer.run(Question()).output.text, str)


async def calls() -> None:
    assert_type(await answer.acall(Question()), Answer)
    assert_type(await answer.arun(Question()), Prediction[Answer])
    assert_type((await answer.arun(Question())).output, Answer)


asyncio.run(calls())
assert_type(answer.render(Question()), list[dsp.Message])

# -- demos are examples of these models
demo = Example(Question(text="2 + 2?"), Answer(text="4"))
assert_type(demo, Example[Question, Answer])
assert_type(Predict[Question, Answer](demos=[demo]).demos, tuple[Example[Question, Answer], ...])
changed = answer.with_(instructions="Answer at length.", demos=[demo], lm=lm, temperature=1.0)
assert_type(changed, Predict[Question, Answer])
answer.instructions = "Answer."
answer.demos = (demo,)
answer.lm = "embedded"

# -- types that are known at run time only
assert_type(Predict.of(Question, Answer), Predict[Question, Answer])
assert_type(Predict.of(Question, Answer, "Answer."), Predict[Question, Answer])


def to(output: type[T]) -> Predict[Question, T]:
    return Predict.of(Question, output)


assert_type(to(Answer), Predict[Question, Answer])
assert_type(Predict[Question, Answer](signature=Signature.of(Question, Answer)), Predict[Question, Answer])


# -- subclasses
class QA(Predict[Question, Answer]):
    """All types bound."""

    def shout(self, inputs: Question) -> str:
        return self(inputs).text.upper()


class To(Predict[Question, T], Generic[T]):
    """One type bound."""


class Deep(To[Answer]):
    """The other one bound below."""


assert_type(QA("Answer.", lm=lm)(Question()), Answer)
assert_type(QA(lm=lm).with_(temperature=1.0), QA)
assert_type(QA(lm=lm).copy(), QA)
assert_type(QA(lm=lm).shout(Question()), str)
assert_type(To[Answer](lm=lm)(Question()), Answer)
assert_type(Deep(lm=lm).run(Question()), Prediction[Answer])

# -- a union, and a value without fields
either = Predict[Question, Answer | Refusal](lm=lm)
Names = RootModel[list[str]]
names = Predict[Question, Names](lm=lm)
if TYPE_CHECKING:
    assert_type(either(Question()), Answer | Refusal)
    assert_type(names(Question()).root, list[str])

# -- mistakes that both checkers find
if TYPE_CHECKING:
    answer(Answer())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    answer("Where is the Louvre?")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    answer()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    answer(text="Where is the Louvre?")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    answer.run(Other())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    answer(Question()).txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    answer.run(Question()).txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    answer.run(Question()).output.number  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    either(Question()).text  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    Predict[int, Answer]()  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]
    Predict[Question, str]()  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]
    Predict[Question]()  # type: ignore[misc]  # pyright: ignore[reportInvalidTypeArguments]
    bare = Predict()  # type: ignore[var-annotated]  # pyright: ignore[reportUnknownVariableType]
    swapped: Predict[Answer, Question] = answer  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    wider: Predict[Question, BaseModel] = answer  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    Predict[Question, Answer](["Answer."])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](instruction="Answer.")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Predict[Question, Answer](temperature="hot")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](lm=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](adapter="chat")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](demos=[Example(Question(), Other())])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](demos=[Question()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Predict[Question, Answer](signature=Signature.of(Question, Other))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    answer.with_(demos=[Example(Other(), Answer())])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    answer.with_(temprature=0.5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    answer.demos = (Example(Question(), Other()),)  # type: ignore[arg-type]  # pyright: ignore[reportAttributeAccessIssue]
    answer.instructions = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

    Predict.of(Question, int)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    Predict.of(Question(), Answer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    to(str)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    To[Answer]()(Answer())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deep()(Question()).number  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    QA[Question, Answer]  # type: ignore[misc]  # pyright: ignore[reportInvalidTypeArguments]

    async def awaited() -> None:
        await answer(Question())  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
        (await answer.acall(Question())).txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        await answer.acall(Other())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        answer.acall(Question()).text  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


# -- what ran
assert answer.render(Question(text="Where?"))[-1].role == "user"
assert changed.demos == (demo,) and changed.params.get("temperature") == 1.0
assert Deep(lm=lm)(Question()) == Answer(text="Paris")
