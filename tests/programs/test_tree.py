"""Parts of programs: found wherever they are held, copied, and named by where they are."""

from __future__ import annotations

import pickle
from collections import OrderedDict, defaultdict
from typing import Any, NamedTuple

import pytest

import dsp
from dsp.testing import ScriptedLM

from .models import Answer, Query, Question, Text, chat


def asks(*replies: str) -> dsp.Predict[Text, Answer]:
    return dsp.Predict[Text, Answer](lm=ScriptedLM([chat(text=reply) for reply in replies]))


class Pair(NamedTuple):
    first: dsp.Predict[Text, Answer]
    second: dsp.Predict[Text, Answer]


class Holder(dsp.Program[Text, Answer]):
    def __init__(self, **held: Any) -> None:
        vars(self).update(held)

    def forward(self, inputs: Text) -> Answer:
        raise AssertionError("not called")


class Slotted(dsp.Program[Text, Answer]):
    __slots__ = ("__private", "public")

    def __init__(self) -> None:
        self.public, self.__private = asks("a"), asks("b")


def test_programs_in_the_form_of_functions_are_found() -> None:
    @dsp.lm_function
    def answer(text: str) -> Answer:
        raise AssertionError

    holder = Holder(ask=dsp.ask(Question, Answer), take=[asks("a").taking(Text)], fn=answer)
    assert list(holder.programs()) == ["ask", "take[0]", "fn"]
    lm = ScriptedLM([chat(text="x")] * 3)
    twin = holder.copy()
    twin.set_lm(lm)
    assert twin.ask(text="?") == Answer(text="x")
    assert twin.fn("?") == Answer(text="x")
    assert answer.program.lm is None
    assert holder.ask.program.lm is None


def test_copies_keep_the_class_of_their_containers() -> None:
    ordered: OrderedDict[str, object] = OrderedDict(x=asks("a"))
    counted: defaultdict[str, list[object]] = defaultdict(list, y=[asks("b")])
    holder = Holder(pair=Pair(asks("c"), asks("d")), ordered=ordered, counted=counted, plain=[1, 2])
    twin = holder.copy()
    assert list(twin.programs()) == list(holder.programs())
    assert twin.pair.first is not holder.pair.first
    assert type(twin.ordered) is OrderedDict
    assert twin.counted["new"] == []
    assert "new" not in holder.counted
    twin.plain.append(3)
    assert holder.plain == [1, 2]


def test_a_container_that_holds_itself_is_copied_too() -> None:
    endless: list[Any] = [asks("a")]
    endless.append(endless)
    twin = Holder(endless=endless).copy()
    assert twin.endless[1] is twin.endless
    assert twin.endless[0] is not endless[0]


def test_private_slots_are_parts_as_well() -> None:
    assert sorted(Slotted().programs()) == ["_Slotted__private", "public"]
    assert sorted(Slotted().copy().programs()) == ["_Slotted__private", "public"]


def test_names_follow_parts_that_are_put_elsewhere() -> None:
    class Swapping(dsp.Program[Text, Answer]):
        def __init__(self) -> None:
            self.a, self.b = asks("1", "3"), asks("2", "4")

        def forward(self, inputs: Text) -> Answer:
            return self.a(inputs)

    program = Swapping()
    assert program.run(Text()).calls[0].program == "Swapping.a"
    program.a, program.b = program.b, program.a
    assert program.run(Text()).calls[0].program == "Swapping.a"


def test_a_user_class_may_have_a_label_and_a_name() -> None:
    class Labelled(dsp.Program[Text, Answer]):
        label = "positive"
        name = 5

        def __init__(self) -> None:
            self.inner = asks("a")

        def forward(self, inputs: Text) -> Answer:
            return self.inner(inputs)

    assert Labelled().run(Text()).calls[0].program == "Labelled.inner"


def test_a_predict_with_a_forward_of_its_own_runs_it() -> None:
    class Loud(dsp.Predict[Text, Answer]):
        async def forward(self, inputs: Text) -> Answer:
            return Answer(text=(await super().forward(inputs)).text.upper())

    loud = Loud(lm=ScriptedLM([chat(text="x")] * 2))
    assert loud(Text()) == Answer(text="X")
    assert len(loud.run(Text()).calls) == 1
    with pytest.raises(dsp.SignatureError, match="reasoning"):

        class Never(dsp.ChainOfThought[Text, Answer]):
            async def forward(self, inputs: Text) -> Answer:
                return await super().forward(inputs)


class First(Text): ...


class Second(Text): ...


def test_a_unions_order_is_its_own() -> None:
    one, other = dsp.Predict[Question, First | Second], dsp.Predict[Question, Second | First]
    assert one is not other
    texts = [program().render(Question())[0].text for program in (one, other)]
    assert [text.index("First") < text.index("Second") for text in texts] == [True, False]
    assert pickle.loads(pickle.dumps(other)) is other


@pytest.mark.parametrize(
    ("make", "error", "hint"),
    [
        (lambda: dsp.Predict[Question, Answer](lm=5), dsp.SettingsError, "`lm` cannot be 5"),  # type: ignore[arg-type]
        (lambda: dsp.Predict[Question, Answer](adapter=5), dsp.SettingsError, "ChatAdapter"),  # type: ignore[arg-type]
        (lambda: dsp.Predict[Question, Answer](demos=5), dsp.DemoError, "dsp.Example"),  # type: ignore[arg-type]
        (lambda: dsp.Predict[Question, Answer](signature="q -> a"), dsp.SignatureError, "Signature.of"),  # type: ignore[arg-type]
        (
            lambda: dsp.Predict[Question, Answer](signature=dsp.Signature.of(Answer, Query)),  # type: ignore[arg-type]
            dsp.SignatureError,
            "Question -> Answer, got one of Answer -> Query",
        ),
        (lambda: asks() | str, dsp.SignatureError, "no program"),  # type: ignore[operator]
        (lambda: asks() & str, dsp.SignatureError, "no program"),  # type: ignore[operator]
        (lambda: (asks() & asks()).also(3), dsp.SignatureError, "no program"),  # type: ignore[arg-type]
        (lambda: (asks() & asks()).join(3), dsp.SignatureError, "plain function"),  # type: ignore[arg-type]
    ],
)
def test_the_wrong_kind_of_thing_is_named(make: Any, error: type[Exception], hint: str) -> None:
    with pytest.raises(error, match=hint):
        make()


def test_map_takes_any_iterable() -> None:
    assert dsp.program(len).map()(word for word in ("a", "bb")) == [1, 2]  # type: ignore[arg-type]
