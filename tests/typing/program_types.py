"""`Program[In, Out]`: programs of one's own, variance, and the parts of a program."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_type

from pydantic import BaseModel
from typing_extensions import override

from dsp import LM, ChainOfThought, Predict, Prediction, Program
from dsp.testing import ScriptedLM


class Text(BaseModel):
    text: str = ""


class Question(Text):
    """A question."""


class Query(Text):
    """What to search for."""


class Answer(Text):
    """An answer."""


lm = ScriptedLM(["[[ ## text ## ]]\nParis\n\n[[ ## completed ## ]]"] * 20)


class Searcher(Program[Question, Answer]):
    """Built of others, async."""

    def __init__(self) -> None:
        self.query = Predict[Question, Query](lm=lm)
        self.answers = [Predict[Query, Answer](lm=lm)]

    @override
    async def forward(self, inputs: Question) -> Answer:
        query = await self.query.acall(inputs)
        assert_type(query, Query)
        return await self.answers[0].acall(query)


class Shout(Program[Text, str]):
    """A plain function, with an input of any type that is a `Text`."""

    @override
    def forward(self, inputs: Text) -> str:
        return inputs.text.upper()


class Late(Program[Question, Answer]):
    """A plain function that gives back what another program is going to say."""

    @override
    def forward(self, inputs: Question, /) -> Answer:
        return Searcher()(inputs)


searcher = Searcher()
assert_type(searcher(Question()), Answer)
assert_type(searcher.run(Question()), Prediction[Answer])
assert_type(Shout()(Question(text="a")), str)
assert_type(Late()(Question()), Answer)


async def calls() -> None:
    assert_type(await searcher.acall(Question()), Answer)
    assert_type(await Shout().acall(Text()), str)
    assert_type((await Shout().arun(Text())).output, str)


asyncio.run(calls())

# -- variance: what takes more stands for what takes less, and what gives less stands for what gives more
takes_less: Program[Question, str] = Shout()
gives_more: Program[Question, Text] = searcher
both: Program[Question, object] = Shout()
several: Sequence[Program[Question, BaseModel]] = [
    searcher,
    Predict[Question, Answer](lm=lm),
    ChainOfThought[Question, Query](lm=lm),
]
of_a_base: Prediction[BaseModel] = searcher.run(Question())

# -- the parts
assert_type(searcher.programs(), Mapping[str, Program[Any, Any]])
assert_type(searcher.predictors(), Mapping[str, Predict[Any, Any]])
assert_type(searcher.copy(), Searcher)
searcher.set_lm(lm)
Searcher().set_lm("embedded")
for name, predictor in searcher.predictors().items():
    assert_type(name, str)
    predictor.instructions = f"{predictor.instructions} Be brief."

# -- mistakes that both checkers find
if TYPE_CHECKING:

    class WrongOutput(Program[Question, Answer]):
        @override
        def forward(self, inputs: Question) -> Query:  # wrong
            return Query()

    class WrongInput(Program[Question, Answer]):
        @override
        def forward(self, inputs: Query) -> Answer:  # wrong
            return Answer()

    class WrongOutputAsync(Program[Question, Answer]):
        @override
        async def forward(self, inputs: Question) -> str:  # wrong
            return inputs.text

    class TooMany(Program[Question, Answer]):
        @override
        def forward(self, inputs: Question, k: int) -> Answer:  # wrong
            return Answer()

    class WrongBody(Program[Question, Answer]):
        @override
        async def forward(self, inputs: Question) -> Answer:
            return inputs  # wrong

    class NotAwaited(Program[Question, Answer]):
        @override
        async def forward(self, inputs: Question) -> Answer:
            return Searcher().acall(inputs)  # wrong

    class Misspelt(Program[Question, Answer]):
        @override
        def foward(self, inputs: Question) -> Answer:  # wrong
            return Answer()

    searcher(Query())  # wrong
    Shout()("a")  # wrong
    searcher(Question()).txet  # wrong
    Shout()(Text()).txet  # wrong

    takes_more: Program[Text, Answer] = searcher  # wrong
    neither: Program[Question, Query] = searcher  # wrong

    def gives_less(program: Program[Question, Text]) -> Program[Question, Answer]:
        return program  # wrong

    def narrower(prediction: Prediction[BaseModel]) -> Prediction[Answer]:
        return prediction  # wrong

    searcher.set_lm(3)  # wrong
    searcher.set_lm(None)  # wrong
    searcher.programs()[0]  # wrong
    searcher.predictors()["query"] = Predict[Question, Query]()  # wrong
    elsewhere: Shout = searcher.copy()  # wrong
    searcher.forward  # the method is there
    searcher.foward  # wrong

# -- what ran
assert searcher(Question()) == Answer(text="Paris")
assert Shout()(Question(text="a")) == "A"
assert sorted(searcher.programs()) == ["answers[0]", "query"]
assert isinstance(lm, LM)
assert all(each.instructions.endswith("Be brief.") for each in searcher.predictors().values())
