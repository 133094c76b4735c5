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
    answer(Answer())  # wrong
    answer("Where is the Louvre?")  # wrong
    answer()  # wrong
    answer(text="Where is the Louvre?")  # wrong
    answer.run(Other())  # wrong
    answer(Question()).txet  # wrong
    answer.run(Question()).txet  # wrong
    answer.run(Question()).output.number  # wrong
    either(Question()).text  # wrong

    Predict[int, Answer]()  # wrong
    Predict[Question, str]()  # wrong
    Predict[Question]()  # wrong
    bare = Predict()  # wrong
    swapped: Predict[Answer, Question] = answer  # wrong
    wider: Predict[Question, BaseModel] = answer  # wrong

    Predict[Question, Answer](["Answer."])  # wrong
    Predict[Question, Answer](instruction="Answer.")  # wrong
    Predict[Question, Answer](temperature="hot")  # wrong
    Predict[Question, Answer](lm=3)  # wrong
    Predict[Question, Answer](adapter="chat")  # wrong
    Predict[Question, Answer](demos=[Example(Question(), Other())])  # wrong
    Predict[Question, Answer](demos=[Question()])  # wrong
    Predict[Question, Answer](signature=Signature.of(Question, Other))  # wrong
    answer.with_(demos=[Example(Other(), Answer())])  # wrong
    answer.with_(temprature=0.5)  # wrong
    answer.demos = (Example(Question(), Other()),)  # wrong
    answer.instructions = None  # wrong

    Predict.of(Question, int)  # wrong
    Predict.of(Question(), Answer)  # wrong
    to(str)  # wrong
    To[Answer]()(Answer())  # wrong
    Deep()(Question()).number  # wrong
    QA[Question, Answer]  # wrong

    async def awaited() -> None:
        await answer(Question())  # wrong
        (await answer.acall(Question())).txet  # wrong
        await answer.acall(Other())  # wrong
        answer.acall(Question()).text  # wrong


# -- what ran
assert answer.render(Question(text="Where?"))[-1].role == "user"
assert changed.demos == (demo,) and changed.params.get("temperature") == 1.0
assert Deep(lm=lm)(Question()) == Answer(text="Paris")
