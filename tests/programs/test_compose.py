"""Programs made of programs: `>>`, `&`, `|`, `.map`, functions, and classes of one's own."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import Any

import pytest

import dsp
from dsp.testing import ScriptedLM
from dsp.tracing import CallEnded, Event, ProgramEnded, ProgramStarted, listening

from .models import Answer, Query, Question, Text, chat


def asks(*replies: Any, **options: Any) -> dsp.Predict[Text, Answer]:
    return dsp.Predict[Text, Answer](
        lm=ScriptedLM([r if not isinstance(r, str) else chat(text=r) for r in replies], **options)
    )


def shout(answer: Answer) -> str:
    return answer.text.upper()


async def whisper(answer: Answer) -> str:
    await asyncio.sleep(0)
    return answer.text.lower()


class TestPipelines:
    def test_the_output_of_one_is_the_input_of_the_next(self) -> None:
        first, second = asks("first"), asks("second")
        assert (first >> second)(Text(text="?")) == Answer(text="second")
        assert "first" in second.lm.requests[0].messages[-1].text  # type: ignore[union-attr]

    @pytest.mark.parametrize("fn", [shout, whisper, lambda a: a.text], ids=["plain", "async", "lambda"])
    def test_functions_are_steps(self, fn: Any) -> None:
        assert (asks("Paris") >> fn)(Text()) in ("PARIS", "paris", "Paris")
        assert asyncio.run((asks("Paris").then(fn)).acall(Text())) in ("PARIS", "paris", "Paris")

    def test_a_function_may_come_first(self) -> None:
        def to_text(words: str) -> Text:
            return Text(text=words)

        assert (to_text >> asks("Paris"))("Where?") == Answer(text="Paris")

    def test_long_pipelines_are_flat(self) -> None:
        pipeline = asks("a") >> asks("b") >> shout >> len
        assert list(pipeline.programs()) == ["steps[0]", "steps[1]", "steps[2]", "steps[3]"]
        assert repr(pipeline).endswith("shout >> len")

    def test_usage_is_summed_once(self) -> None:
        pipeline = (asks("a b c") >> asks("d")) >> asks("e")
        prediction = pipeline.run(Text(text="?"))
        assert [call.program for call in prediction.calls] == [f"Pipeline.steps[{n}]" for n in range(3)]
        assert prediction.usage.completion_tokens == sum(call.usage.completion_tokens for call in prediction.calls)
        assert prediction.parse is None

    def test_a_failure_carries_what_was_spent_before_it(self) -> None:
        pipeline = asks("a") >> asks(dsp.Authentication("no key"))
        with pytest.raises(dsp.Authentication) as caught:
            pipeline(Text())
        assert len(caught.value.calls) == 2
        assert caught.value.usage == caught.value.calls[0].usage != dsp.Usage()

    def test_a_mistake_in_a_function_passes_through(self) -> None:
        def broken(_: Answer) -> str:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            (asks("a") >> broken)(Text())

    def test_what_is_no_step_is_refused(self) -> None:
        with pytest.raises(dsp.SignatureError, match="no program and no function"):
            asks("a").then("a string")  # type: ignore[call-overload]


class TestFans:
    def test_arms_get_the_same_input_and_run_at_once(self) -> None:
        started = time.monotonic()
        fan = (asks("a", delay=0.2) & asks("b", delay=0.2)).also(asks("c", delay=0.2))
        assert [answer.text for answer in fan(Text(text="?"))] == ["a", "b", "c"]
        assert time.monotonic() - started < 0.5

    def test_a_function_joins_the_outputs(self) -> None:
        joined = (asks("a") & asks("b")).join(lambda first, second: first.text + second.text)
        assert joined(Text()) == "ab"

    def test_and_pairs_and_never_flattens(self) -> None:
        (a, b), c = ((asks("a") & asks("b")) & asks("c"))(Text())
        assert (a.text, b.text, c.text) == ("a", "b", "c")

    def test_the_first_failure_cancels_the_other_arms_and_is_raised_itself(self) -> None:
        slow = asks("never", delay=30)
        spent = asks("spent")
        fan = (slow & spent).also(asks(dsp.Authentication("no key"), delay=0.1))
        started = time.monotonic()
        with pytest.raises(dsp.Authentication) as caught:
            fan(Text())
        assert time.monotonic() - started < 5
        assert {call.usage.completion_tokens for call in caught.value.calls} == {0, 11}
        assert caught.value.usage.completion_tokens == 11

    def test_cancelling_cancels_every_arm(self) -> None:
        fan = asks("a", delay=30) & asks("b", delay=30)

        async def main() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(fan.acall(Text()), 0.05)

        started = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - started < 5


class TestEither:
    def test_the_second_answers_when_the_first_fails(self) -> None:
        either = asks(dsp.Authentication("no key")) | asks("b")
        prediction = either.run(Text())
        assert prediction.output == Answer(text="b")
        assert len(prediction.calls) == 2

    def test_a_reply_that_cannot_be_read_counts_as_a_failure(self) -> None:
        first = dsp.Predict[Text, Answer](lm=ScriptedLM(["garbage"]), adapter=dsp.ChatAdapter())
        assert (first | asks("b"))(Text()) == Answer(text="b")

    def test_when_all_fail_the_last_error_tells_of_the_others(self) -> None:
        either = asks(dsp.Authentication("first")) | asks(dsp.QuotaExceeded("second")) | asks(dsp.Truncated("third"))
        with pytest.raises(dsp.Truncated, match="third") as caught:
            either(Text())
        assert len(caught.value.calls) == 3
        assert [("first" in note, "second" in note) for note in caught.value.__notes__] == [
            (True, False),
            (False, True),
        ]

    def test_a_programmers_error_is_raised_at_once(self) -> None:
        second = asks("b")
        for wrong in (ZeroDivisionError("a bug"), dsp.SettingsError("a slip")):
            with pytest.raises(type(wrong)):
                (asks(wrong) | second)(Text())
        assert second.lm.requests == []  # type: ignore[union-attr]


class TestMap:
    def test_order_is_kept_and_concurrency_bounded(self) -> None:
        busy, most = 0, 0
        lock = threading.Lock()

        async def work(number: int) -> int:
            nonlocal busy, most
            with lock:
                busy += 1
                most = max(most, busy)
            await asyncio.sleep(0.01 if number % 2 else 0.02)
            with lock:
                busy -= 1
            return number * 2

        assert dsp.program(work).map(concurrency=3)(range(10)) == [n * 2 for n in range(10)]
        assert most == 3

    def test_nothing_gives_nothing(self) -> None:
        assert asks().map()([]) == []

    def test_no_concurrency_is_refused(self) -> None:
        with pytest.raises(dsp.SettingsError, match="concurrency"):
            asks().map(concurrency=0)

    def test_the_first_failure_ends_it(self) -> None:
        program = asks("a", dsp.Authentication("no key"), "c").map(concurrency=1)
        with pytest.raises(dsp.Authentication) as caught:
            program([Text()] * 3)
        assert len(caught.value.calls) == 2

    def test_maps_nest(self) -> None:
        assert dsp.program(len).map().map()([["a", "bb"], ["ccc"]]) == [[1, 2], [3]]


class Plain(dsp.Program[Question, Answer]):
    def __init__(self) -> None:
        self.search = dsp.Predict[Question, Query]()
        self.answer = dsp.ChainOfThought[Query, Answer]()

    def forward(self, inputs: Question) -> Answer:
        return self.answer(self.search(inputs))


class Async(Plain):
    async def forward(self, inputs: Question) -> Answer:  # type: ignore[override]
        return await self.answer.acall(await self.search.acall(inputs))


class Returns(Plain):
    def forward(self, inputs: Question) -> Any:
        return self.answer.acall(Query(text=inputs.text))


SCRIPT = [chat(text="query"), chat(reasoning="because", text="Paris")]


class TestClassesOfOnesOwn:
    @pytest.mark.parametrize("cls", [Plain, Async])
    def test_forward_may_be_plain_or_async_and_so_may_the_call(self, cls: type[Plain]) -> None:
        for call in (lambda program: program(Question()), lambda program: asyncio.run(program.acall(Question()))):
            program = cls()
            program.set_lm(ScriptedLM(SCRIPT))
            assert call(program) == Answer(text="Paris")

    def test_a_forward_may_return_a_coroutine(self) -> None:
        program = Returns()
        program.set_lm(ScriptedLM(SCRIPT[1:]))
        assert program(Question()) == Answer(text="Paris")

    @pytest.mark.parametrize("cls", [Plain, Async])
    @pytest.mark.parametrize("delay", [0.0, 0.001])
    def test_calls_are_counted_and_named_by_where_the_programs_are_held(self, cls: type[Plain], delay: float) -> None:
        program = cls()
        program.set_lm(ScriptedLM(SCRIPT * 2, delay=delay))
        for prediction in (program.run(Question()), asyncio.run(program.arun(Question()))):
            assert [call.program for call in prediction.calls] == [f"{cls.__name__}.search", f"{cls.__name__}.answer"]
            assert prediction.usage.total_tokens == sum(call.usage.total_tokens for call in prediction.calls) > 0

    def test_without_forward_it_says_so(self) -> None:
        class Empty(dsp.Program[Question, Answer]): ...

        with pytest.raises(dsp.StateError, match="forward"):
            Empty()(Question())

    def test_programs_in_programs_in_containers(self) -> None:
        inner = Plain()

        class Holder(dsp.Program[Question, Answer]):
            def __init__(self) -> None:
                self.one = inner
                self.many = [asks("a"), {"x": (asks("b"), [asks("c")])}]
                self.again = inner
                self.me = self
                self.other = "text"

        assert list(Holder().programs()) == [
            "one",
            "one.search",
            "one.answer",
            "many[0]",
            "many[1]['x'][0]",
            "many[1]['x'][1][0]",
        ]
        assert list(Holder().predictors()) == [path for path in Holder().programs() if path != "one"]

    def test_a_dataclass_can_be_a_program(self) -> None:
        @dataclass
        class Holder(dsp.Program[Text, Answer]):
            steps: list[dsp.Predict[Text, Answer]] = field(default_factory=lambda: [asks("a")])

            def forward(self, inputs: Text) -> Answer:
                return self.steps[0](inputs)

        (call,) = Holder().run(Text()).calls
        assert call.program.endswith("Holder.steps[0]")

    def test_a_copy_has_parts_of_its_own_and_shares_models(self) -> None:
        program = Plain()
        lm = ScriptedLM(SCRIPT)
        program.set_lm(lm)
        twin = program.copy()
        twin.search.instructions = "changed"
        twin.answer.lm = "embedded"
        assert program.search.instructions != "changed"
        assert program.answer.lm is twin.search.lm is lm
        assert type(twin) is Plain

    def test_a_program_that_is_gone_is_forgotten(self) -> None:
        program = Plain()
        program.set_lm(ScriptedLM(SCRIPT))
        program(Question())
        gone = weakref.ref(program)
        del program
        gc.collect()
        assert gone() is None

    def test_programs_made_on_the_way_are_named_by_their_class(self) -> None:
        class Maker(dsp.Program[Text, Answer]):
            def forward(self, inputs: Text) -> Answer:
                return asks("a")(inputs)

        (call,) = Maker().run(Text()).calls
        assert call.program == "Maker.Predict[Text, Answer]"


class TestKeywordCalls:
    def test_taking_the_fields_of_the_input_model(self) -> None:
        program = asks("a", "b")
        asker = program.taking(Text)
        assert asker(text="?") == Answer(text="a")
        assert asyncio.run(asker.acall(text="?")) == Answer(text="b")

    def test_ask(self) -> None:
        with dsp.context(lm=ScriptedLM([chat(text="Paris")])):
            assert dsp.ask(Question, Answer, "Answer.")(text="Where?") == Answer(text="Paris")

    @pytest.mark.parametrize(
        ("fields", "hint"), [({"txt": "?"}, "text"), ({"text": 5}, "text"), ({"text": "?", "x": 1}, "no field `x`")]
    )
    def test_wrong_fields_cost_nothing(self, fields: dict[str, Any], hint: str) -> None:
        program = asks("a")
        with pytest.raises(dsp.InputError, match=hint):
            program.taking(Text)(**fields)
        assert program.lm.requests == []  # type: ignore[union-attr]


@dsp.lm_function
def capital(country: str, *, language: str = "English") -> Answer:
    """Name the capital."""
    raise AssertionError("the body is never run")


class TestLMFunctions:
    def test_the_model_answers_in_place_of_the_body(self) -> None:
        lm = ScriptedLM([chat(text="Paris")] * 2)
        with dsp.context(lm=lm):
            assert capital("France") == Answer(text="Paris")
            assert asyncio.run(capital.acall("France", language="French")) == Answer(text="Paris")
        assert lm.requests[0].messages[0].text.startswith("Name the capital.")
        assert "English" in lm.requests[0].messages[-1].text
        assert "French" in lm.requests[1].messages[-1].text

    def test_it_keeps_its_name_and_its_words(self) -> None:
        assert (capital.__name__, capital.__doc__) == ("capital", "Name the capital.")
        assert capital.program.signature.output is Answer

    @pytest.mark.parametrize(("args", "kwargs"), [((), {}), (("a", "b"), {}), (("a",), {"tongue": "x"}), ((5,), {})])
    def test_wrong_arguments_cost_nothing(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        lm = ScriptedLM([chat(text="Paris")])
        with dsp.context(lm=lm), pytest.raises(dsp.InputError):
            capital(*args, **kwargs)
        assert lm.requests == []

    def test_functions_that_no_prompt_can_be_made_of(self) -> None:
        def no_return(a: str): ...
        def no_type(a) -> Answer: ...  # type: ignore[empty-body]
        def star(*args: str) -> Answer: ...  # type: ignore[empty-body]
        def no_model(a: str) -> int: ...  # type: ignore[empty-body]

        for fn, hint in ((no_return, "return type"), (no_type, "`a`"), (star, "names"), (no_model, "int")):
            with pytest.raises(dsp.SignatureError, match=hint):
                dsp.lm_function(fn)  # type: ignore[type-var]


class TestRunContext:
    def test_events_tell_of_programs_and_calls_in_order(self) -> None:
        program = Async()
        program.set_lm(ScriptedLM(SCRIPT))
        events: list[Event] = []
        with listening(events.append):
            program(Question())
        assert [(type(event), getattr(event, "program", None)) for event in events] == [
            (ProgramStarted, "Async"),
            (ProgramStarted, "Async.search"),
            (CallEnded, None),
            (ProgramEnded, "Async.search"),
            (ProgramStarted, "Async.answer"),
            (CallEnded, None),
            (ProgramEnded, "Async.answer"),
            (ProgramEnded, "Async"),
        ]

    def test_a_failed_program_ends_with_its_error(self) -> None:
        events: list[Event] = []
        with listening(events.append), pytest.raises(dsp.Authentication):
            asks(dsp.Authentication("no key"))(Text())
        assert isinstance(events[-1], ProgramEnded)
        assert isinstance(events[-1].error, dsp.Authentication)

    def test_tracking_counts_all_inside_in_tasks_and_threads(self) -> None:
        program = asks("a", "b", "c", "d", delay=0.001)

        async def main() -> None:
            await asyncio.gather(program.acall(Text()), (dsp.program(lambda x: program(x))).acall(Text()))

        with dsp.track() as spent:
            program(Text())
            asyncio.run(main())
            thread = threading.Thread(target=dsp.copy_context(lambda: program(Text())))
            thread.start()
            thread.join()
        assert len(spent.calls) == 4
        assert spent.usage.completion_tokens == 4 * 11
        assert spent.cost == 0.0

    def test_history_links_calls_to_their_program_run(self) -> None:
        events: list[Event] = []
        with listening(events.append):
            prediction = asks("a").run(Text())
        assert isinstance(events[0], ProgramStarted)
        assert prediction.calls[0].parent_id == events[0].id
        assert dsp.history(1) == [prediction.calls[0]]

    @pytest.mark.parametrize(
        ("limits", "allowed_calls", "name"),
        [
            ({"calls": 2}, 2, "calls"),
            ({"tokens": 1}, 0, "tokens"),
            ({"tokens": 0}, 0, "tokens"),
            ({"calls": 0}, 0, "calls"),
        ],
    )
    def test_limits_hold_for_all_programs_inside(self, limits: dict[str, Any], allowed_calls: int, name: str) -> None:
        program = asks(*"abcd")
        with dsp.UsageLimits(**limits):
            for _ in range(allowed_calls):
                program(Text())
            with pytest.raises(dsp.LimitExceeded) as caught:
                program(Text())
        assert caught.value.limit == name
        program(Text())

    def test_an_inner_limit_is_not_the_outer_ones_limit(self) -> None:
        program = asks(*"abcd")
        with dsp.UsageLimits(calls=2) as outer:
            with dsp.UsageLimits(calls=1), pytest.raises(dsp.LimitExceeded):
                (program >> program)(Text())
            program(Text())
            with pytest.raises(dsp.LimitExceeded):
                program(Text())
        assert len(outer.calls) == 2

    def test_hits_do_not_count(self) -> None:
        lm = ScriptedLM([chat(text="a")], cache=dsp.MemoryCache())
        program = dsp.Predict[Text, Answer](lm=lm)
        program(Text())
        with dsp.UsageLimits(calls=1, tokens=1) as spent:
            program(Text())
        assert spent.cached

    def test_a_time_limit_reaches_the_running_call(self) -> None:
        for limits, delay in ((dsp.UsageLimits(seconds=0.05), 30), (dsp.UsageLimits(seconds=0), 0)):
            with limits, pytest.raises(dsp.LimitExceeded, match=r"used up.*UsageLimits\(seconds=") as caught:
                asks("a", delay=delay)(Text())
            assert (caught.value.limit, caught.value.allowed) == ("seconds", limits.seconds)
            assert caught.value.value >= caught.value.allowed

    def test_a_negative_limit_is_refused(self) -> None:
        with pytest.raises(dsp.SettingsError, match="calls=-1"):
            dsp.UsageLimits(calls=-1)


class TestManyAtOnce:
    def test_thousands_in_gather(self) -> None:
        program = dsp.Predict[Text, Answer](lm=ScriptedLM([lambda _: chat(text="a")] * 3_000))

        async def main() -> int:
            return len(await asyncio.gather(*(program.acall(Text(text=str(n))) for n in range(3_000))))

        assert asyncio.run(main()) == 3_000

    def test_a_thousand_plain_programs_at_once_three_levels_deep(self) -> None:
        predict = dsp.Predict[Text, Answer](lm=ScriptedLM([lambda _: chat(text="a")] * 1_000, delay=0.01))

        @dsp.program
        def inner(inputs: Text) -> Answer:
            return predict(inputs)

        @dsp.program
        def middle(inputs: Text) -> Answer:
            return inner(inputs)

        @dsp.program
        def outer(inputs: Text) -> Answer:
            return middle(inputs)

        async def main() -> int:
            return len(await asyncio.gather(*(outer.acall(Text(text=str(n))) for n in range(1_000))))

        assert asyncio.run(main()) == 1_000

    def test_a_hundred_loops_one_after_the_other(self) -> None:
        program = dsp.Predict[Text, Answer](lm=ScriptedLM([chat(text="a")] * 100, delay=0.0001))
        for _ in range(100):
            assert asyncio.run(program.acall(Text())) == Answer(text="a")
