"""`Program[In, Out]`: programs of one's own, variance, and the parts of a program."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, assert_type

from pydantic import BaseModel
from typing_extensions import override

from dsp import LM, ChainOfThought, Predict, Prediction, Program
from dsp.programs import Pipeline
from dsp.testing import ScriptedLM

T = TypeVar("T")


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


class Twice(Program[T, T], Generic[T]):
    """A program of whatever type its inner one has."""

    inner: Program[T, T]

    def __init__(self, inner: Program[T, T]) -> None:
        self.inner = inner

    @override
    async def forward(self, inputs: T) -> T:
        return await self.inner.acall(await self.inner.acall(inputs))


class Quote(Program[str, str]):
    @override
    def forward(self, inputs: str) -> str:
        return f"'{inputs}'"


assert_type(Twice(Quote()), Twice[str])
assert_type(Twice[str](Quote())("a"), str)
assert_type(Twice(Twice(Quote())) >> len, Pipeline[str, int])

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
        def forward(self, inputs: Question) -> Query:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return Query()

    class WrongInput(Program[Question, Answer]):
        @override
        def forward(self, inputs: Query) -> Answer:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return Answer()

    class WrongOutputAsync(Program[Question, Answer]):
        @override
        async def forward(self, inputs: Question) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return inputs.text

    class TooMany(Program[Question, Answer]):
        @override
        def forward(self, inputs: Question, k: int) -> Answer:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return Answer()

    class WrongBody(Program[Question, Answer]):
        @override
        async def forward(self, inputs: Question) -> Answer:
            return inputs  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    class NotAwaited(Program[Question, Answer]):
        @override
        async def forward(self, inputs: Question) -> Answer:
            return Searcher().acall(inputs)  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    class Misspelt(Program[Question, Answer]):
        @override
        def foward(self, inputs: Question) -> Answer:  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
            return Answer()

    searcher(Query())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Shout()("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Twice(Shout())  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    Twice(Quote())(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Twice[int](Quote())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    searcher(Question()).txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    Shout()(Text()).txet  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    takes_more: Program[Text, Answer] = searcher  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    neither: Program[Question, Query] = searcher  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def gives_less(program: Program[Question, Text]) -> Program[Question, Answer]:
        return program  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    def narrower(prediction: Prediction[BaseModel]) -> Prediction[Answer]:
        return prediction  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    searcher.set_lm(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    searcher.set_lm(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    searcher.programs()[0]  # type: ignore[index]  # pyright: ignore[reportArgumentType]
    searcher.predictors()["query"] = Predict[Question, Query]()  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    elsewhere: Shout = searcher.copy()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    searcher.forward  # the method is there
    searcher.foward  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

# -- what ran
assert searcher(Question()) == Answer(text="Paris")
assert Shout()(Question(text="a")) == "A"
assert sorted(searcher.programs()) == ["answers[0]", "query"]
assert isinstance(lm, LM)
assert all(each.instructions.endswith("Be brief.") for each in searcher.predictors().values())
