"""`Predict` and `ChainOfThought`: one question to a model."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import weakref
from typing import Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, Field, RootModel, create_model

import dsp
from dsp.testing import ScriptedLM

from .models import Answer, Query, Question, Text, chat

T = TypeVar("T", bound=BaseModel)


class Named(dsp.Predict[Question, Answer]):
    """Named."""


class To(dsp.Predict[Question, T], Generic[T]):
    """Half bound."""


class Deep(To[Answer]):
    """Bound through a half-bound parent."""


class Refusal(BaseModel):
    why: str


class TestTypesAtRunTime:
    @pytest.mark.parametrize("cls", [dsp.Predict[Question, Answer], Named, To[Answer], Deep])
    def test_a_class_knows_its_models(self, cls: type[dsp.Predict[Question, Answer]]) -> None:
        signature = cls().signature
        assert (signature.input, signature.output) == (Question, Answer)

    def test_a_bound_class_is_made_once(self) -> None:
        assert dsp.Predict[Question, Answer] is dsp.Predict[Question, Answer]
        assert dsp.Predict[Question, Answer].__name__ == "Predict[Question, Answer]"
        assert isinstance(Named(), dsp.Predict)

    @pytest.mark.parametrize("make", [dsp.Predict, To, dsp.ChainOfThought])
    def test_a_bare_class_says_what_to_write(self, make: type) -> None:
        with pytest.raises(dsp.SignatureError, match=r"\[Input, Output\]"):
            make()

    @pytest.mark.parametrize("wrong", [int, "Question", list[Question], None, Question | None])
    def test_what_is_no_model_is_refused_at_the_subscription(self, wrong: object) -> None:
        with pytest.raises(dsp.SignatureError, match="Pydantic models"):
            dsp.Predict[wrong, Answer]  # type: ignore[valid-type]

    def test_programs_survive_pickle_and_deepcopy(self) -> None:
        demo = dsp.Example(Question(text="q"), Answer(text="a"))
        for program in (dsp.Predict[Question, Answer]("be brief", demos=[demo]), Deep("be brief", demos=[demo])):
            for again in (pickle.loads(pickle.dumps(program)), copy.deepcopy(program)):
                assert type(again) is type(program)
                assert (again.instructions, again.demos) == ("be brief", (demo,))
                assert again.signature == program.signature
        assert pickle.loads(pickle.dumps(dsp.Predict[Question, Answer])) is dsp.Predict[Question, Answer]

    def test_ten_thousand_dynamic_models_give_their_memory_back(self) -> None:
        lm = ScriptedLM([lambda _: chat(text="x")] * 300)
        alive: list[weakref.ref[type]] = []
        for number in range(300):
            made = create_model(f"Made{number}", text=(str, ...))
            program = dsp.Predict.of(made, made)
            if number % 10 == 0:
                program.with_(lm=lm)(made(text="x"))
            alive += [weakref.ref(made), weakref.ref(type(program))]
        del made, program
        dsp.reset()
        lm.requests.clear()
        gc.collect()
        # typing keeps the last 128 subscriptions of each generic class.
        assert sum(ref() is not None for ref in alive) <= 2 * 128 + 8


class TestAsking:
    def test_a_reply_becomes_an_output(self) -> None:
        program = dsp.Predict[Question, Answer]("Answer.", lm=ScriptedLM([chat(text="Paris")]))
        assert program(Question(text="Where?")) == Answer(text="Paris")

    def test_a_run_says_what_it_took(self) -> None:
        lm = ScriptedLM([dsp.Response.of_text(chat(text="Paris"), usage=dsp.Usage(10, 5, 2, 1))])
        prediction = dsp.Predict[Question, Answer](lm=lm).run(Question(text="?"))
        assert prediction.output == Answer(text="Paris")
        assert prediction.usage == dsp.Usage(10, 5, 2, 1)
        assert prediction.cost is None
        assert prediction.latency > 0
        assert [call.program for call in prediction.calls] == ["Predict[Question, Answer]"]
        assert prediction.parse is not None
        assert (prediction.parse.adapter, prediction.parse.rung) == ("chat", "direct")
        assert not prediction.cached

    def test_async_gives_the_same(self) -> None:
        program = dsp.Predict[Question, Answer](lm=ScriptedLM([chat(text="1"), chat(text="2")]))

        async def main() -> tuple[Answer, dsp.Prediction[Answer]]:
            return await program.acall(Question()), await program.arun(Question())

        output, prediction = asyncio.run(main())
        assert (output.text, prediction.output.text) == ("1", "2")

    def test_a_hit_spends_nothing(self) -> None:
        lm = ScriptedLM([chat(text="Paris")], cache=dsp.MemoryCache())
        program = dsp.Predict[Question, Answer](lm=lm)
        first, second = program.run(Question(text="?")), program.run(Question(text="?"))
        assert (first.cached, second.cached) == (False, True)
        assert (second.usage, second.cost) == (dsp.Usage(), 0.0)
        assert second.calls[0].response is not None
        assert second.calls[0].response.usage == first.usage

    def test_a_reply_that_cannot_be_read_is_asked_for_again_next_time(self) -> None:
        lm = ScriptedLM(["no markers", chat(text="Paris")], cache=dsp.MemoryCache())
        program = dsp.Predict[Question, Answer](lm=lm, adapter=dsp.ChatAdapter())
        with pytest.raises(dsp.ParseError) as caught:
            program(Question(text="?"))
        assert caught.value.reply == "no markers"
        assert "[[ ## text ## ]]" in caught.value.errors[0]
        assert len(caught.value.calls) == 1
        assert caught.value.usage.total_tokens > 0
        assert program(Question(text="?")) == Answer(text="Paris")

    def test_constraints_hold(self) -> None:
        class Score(BaseModel):
            score: int = Field(ge=0, le=10)

        program = dsp.Predict[Question, Score](lm=ScriptedLM([chat(score=99)]), adapter=dsp.ChatAdapter())
        with pytest.raises(dsp.ParseError, match="score"):
            program(Question())

    @pytest.mark.parametrize(
        "wrong", [{"text": "?"}, "?", None, Answer(text="?"), Question.model_construct(text=5)], ids=repr
    )
    def test_a_wrong_input_costs_nothing(self, wrong: object) -> None:
        lm = ScriptedLM([chat(text="Paris")])
        with pytest.raises(dsp.InputError):
            dsp.Predict[Question, Answer](lm=lm)(wrong)  # type: ignore[arg-type]
        assert lm.requests == []

    def test_only_the_declared_fields_of_a_subclass_are_sent(self) -> None:
        class Secret(Question):
            password: str

        lm = ScriptedLM([chat(text="Paris")])
        dsp.Predict[Question, Answer](lm=lm)(Secret(text="Where?", password="hunter2"))
        assert "hunter2" not in "".join(message.text for message in lm.requests[0].messages)

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (dsp.Response.of_text("[[ ## text ## ]]\nPar", finish_reason="length"), dsp.Truncated),
            (dsp.Response((dsp.RefusalPart("I will not"),)), dsp.ContentFiltered),
            (dsp.Response(()), dsp.ParseError),
            ("", dsp.ParseError),
        ],
        ids=["cut", "refused", "no parts", "empty"],
    )
    def test_a_reply_that_is_none_is_an_error_of_its_kind(
        self, reply: dsp.Response | str, error: type[dsp.RunError]
    ) -> None:
        lm = ScriptedLM([reply, chat(text="Paris")], cache=dsp.MemoryCache())
        program = dsp.Predict[Question, Answer](lm=lm, adapter=dsp.ChatAdapter())
        with pytest.raises(error):
            program(Question())
        assert program(Question()) == Answer(text="Paris")

    def test_a_huge_reply_is_read(self) -> None:
        text = "x" * 10_000_000
        program = dsp.Predict[Question, Answer](lm=ScriptedLM([chat(text=text)]))
        assert program(Question()).text == text

    def test_no_model_says_what_to_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DSP_MODEL", raising=False)
        with pytest.raises(dsp.NotConfigured, match=r"dsp\.configure.*DSP_MODEL"):
            dsp.Predict[Question, Answer]()(Question())

    def test_parameters_reach_the_request(self) -> None:
        lm = ScriptedLM([chat(text="x")] * 2, temperature=1.0)
        program = dsp.Predict[Question, Answer](lm=lm, temperature=0.0, max_tokens=5)
        program(Question())
        program.with_(max_tokens=9)(Question())
        assert [request.params for request in lm.requests] == [
            {"temperature": 0.0, "max_tokens": 5},
            {"temperature": 0.0, "max_tokens": 9},
        ]

    def test_an_unknown_parameter_is_refused(self) -> None:
        with pytest.raises(dsp.SettingsError, match="temperature"):
            dsp.Predict[Question, Answer](temprature=0.0)  # type: ignore[call-arg]

    def test_a_union_of_models(self) -> None:
        program = dsp.Predict[Question, Answer | Refusal](lm=ScriptedLM([chat(output='{"why": "no"}')]))
        assert program(Question()) == Refusal(why="no")

    def test_a_root_model(self) -> None:
        class Tags(RootModel[list[str]]): ...

        program = dsp.Predict[Question, Tags](lm=ScriptedLM([chat(output='["a", "b"]')]))
        assert program(Question()).root == ["a", "b"]

    def test_field_names_are_free(self) -> None:
        names = ["completed", "reasoning", "output", "lm", "signature", "instructions", "größe", "text"]
        fields = dict.fromkeys(names, (str, ...))
        model = create_model("Odd", **fields)  # type: ignore[call-overload]
        values = {name: f"value of {name}" for name in names}
        for adapter, reply in (
            (dsp.ChatAdapter(), "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in values.items())),
            (dsp.JSONAdapter(), __import__("json").dumps(values)),
        ):
            program = dsp.Predict.of(model, model).with_(lm=ScriptedLM([reply]), adapter=adapter)
            assert program(model(**values)).model_dump() == values


class TestCopies:
    def test_with_changes_a_copy(self) -> None:
        program = dsp.Predict[Question, Answer]("one")
        demo = dsp.Example(Question(text="q"), Answer(text="a"))
        changed = program.with_(instructions="two", demos=[demo], lm="embedded", adapter=dsp.JSONAdapter())
        assert (program.instructions, program.demos, program.lm, program.adapter) == ("one", (), None, None)
        assert (changed.instructions, changed.demos, changed.lm) == ("two", (demo,), "embedded")
        assert type(changed) is type(program)

    def test_a_demo_of_another_program_is_refused(self) -> None:
        wrong = dsp.Example(Question(), Query())
        for make in (
            lambda: dsp.Predict[Question, Answer](demos=[wrong]),  # type: ignore[list-item]
            lambda: dsp.Predict[Question, Answer]().with_(demos=[wrong]),  # type: ignore[list-item]
            lambda: dsp.Predict[Question, Answer](demos=["no demo"]),  # type: ignore[list-item]
        ):
            with pytest.raises(dsp.DemoError):
                make()

    def test_instructions_can_be_set(self) -> None:
        program = dsp.Predict[Question, Answer]("one")
        program.instructions = "two"
        assert program.signature.instructions == "two"
        assert program.render(Question())[0].text.startswith("two")

    def test_rendering_makes_no_call(self) -> None:
        lm = ScriptedLM([chat(text="x")])
        program = dsp.Predict[Question, Answer](lm=lm)
        messages = program.render(Question(text="Where?"))
        assert lm.requests == []
        program(Question(text="Where?"))
        assert list(lm.requests[0].messages) == messages


class Thought(BaseModel):
    reasoning: str
    label: Literal["a", "b"]


class TestChainOfThought:
    def test_the_output_is_what_predict_would_give(self) -> None:
        program = dsp.ChainOfThought[Question, Answer](lm=ScriptedLM([chat(reasoning="because", text="Paris")]))
        assert program(Question()) == Answer(text="Paris")
        assert type(program.with_(lm=ScriptedLM([chat(reasoning="x", text="y")]))(Question())) is Answer

    def test_a_run_has_the_reasoning(self) -> None:
        program = dsp.ChainOfThought[Question, Answer](lm=ScriptedLM([chat(reasoning="because", text="Paris")] * 2))
        assert program.run(Question()).reasoning == "because"
        assert asyncio.run(program.arun(Question())).reasoning == "because"

    def test_reasoning_is_asked_for_first(self) -> None:
        system = dsp.ChainOfThought[Question, Answer]().render(Question())[0].text
        assert -1 < system.index("[[ ## reasoning ## ]]") < system.index("[[ ## text ## ]]\n{")

    def test_a_field_of_that_name_is_used(self) -> None:
        program = dsp.ChainOfThought[Question, Thought](lm=ScriptedLM([chat(reasoning="because", label="a")]))
        prediction = program.run(Question())
        assert prediction.output == Thought(reasoning="because", label="a")
        assert prediction.reasoning == "because"

    def test_missing_reasoning_is_not_made_up(self) -> None:
        program = dsp.ChainOfThought[Question, Answer](lm=ScriptedLM([chat(text="Paris")]), adapter=dsp.ChatAdapter())
        with pytest.raises(dsp.ParseError, match="reasoning"):
            program(Question())

    def test_demos_are_kept(self) -> None:
        demo = dsp.Example(Text(text="q"), Answer(text="shown answer"))
        rendered = dsp.ChainOfThought[Text, Answer](demos=[demo]).render(Text())
        assert any("shown answer" in message.text for message in rendered)
