"""The ladder: what the first adapter cannot read is read by the others, mended by the model, or asked anew."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import dsp
from dsp.adapters import AdapterCall, FieldDelta, XMLAdapter, current_adapter
from dsp.messages import RefusalPart, Response, ToolCallPart, Usage
from dsp.testing import ScriptedLM
from dsp.testing.server import Failure, OpenAIServer


class Question(BaseModel):
    text: str = ""


class Answer(BaseModel):
    answer: str
    score: int = Field(ge=0, le=10)


PARIS = Answer(answer="Paris", score=7)
CHAT = "[[ ## answer ## ]]\nParis\n\n[[ ## score ## ]]\n7\n\n[[ ## completed ## ]]"
JSON = '{"answer": "Paris", "score": 7}'
TOO_MUCH = CHAT.replace("7", "70")
PROSE = "I would say that it is Paris."
CUT = Response.of_text("[[ ## answer ## ]]\nPar", finish_reason="length")
REFUSED = Response((RefusalPart("I cannot say that."),))


def ladder(reask: int = 1) -> dsp.FallbackAdapter:
    return dsp.FallbackAdapter(dsp.ChatAdapter(), dsp.JSONAdapter(), reask=reask)


def asking(
    *replies: Any, adapter: dsp.Adapter | None = None, **more: Any
) -> tuple[dsp.Predict[Question, Answer], ScriptedLM]:
    lm = ScriptedLM(replies, retry=None, **more)
    return dsp.Predict[Question, Answer](lm=lm, adapter=adapter or ladder()), lm


class TestRungs:
    @pytest.mark.parametrize(
        ("replies", "rung", "adapter", "attempts"),
        [
            ([CHAT], "direct", "chat", 1),
            (["Sure!\n" + CHAT], "repaired", "chat", 1),
            ([JSON], "reread", "json", 1),
            (["Here it is:\n" + JSON], "reread", "json", 1),
            ([PROSE, CHAT], "reasked", "chat", 2),
            (["", CHAT], "reasked", "chat", 2),
            ([TOO_MUCH, CHAT], "reasked", "chat", 2),
            ([PROSE, JSON], "reasked", "json", 2),
            ([PROSE, PROSE, JSON], "next_adapter", "json", 3),
            ([PROSE, TOO_MUCH, "```json\n" + JSON + "\n```"], "next_adapter", "json", 3),
            ([PROSE, PROSE, CHAT], "next_adapter", "chat", 3),
        ],
    )
    def test_the_report_says_which_rung_won(self, replies: list[str], rung: str, adapter: str, attempts: int) -> None:
        program, lm = asking(*replies)
        run = program.run(Question())
        assert run.output == PARIS
        assert run.parse is not None
        assert (run.parse.rung, run.parse.adapter, run.parse.attempts) == (rung, adapter, attempts)
        assert len(lm.requests) == len(run.calls) == attempts

    def test_repairs_are_told_on_every_rung(self) -> None:
        program, _ = asking(PROSE, "Sure!\n" + CHAT)
        report = program.run(Question()).parse
        assert report is not None
        assert report.rung == "reasked"
        assert report.repairs == ("text before the first marker left out",)

    def test_the_next_adapter_asks_in_its_own_form(self) -> None:
        program, lm = asking(PROSE, PROSE, JSON)
        program(Question(text="Where?"))
        first, second, third = lm.requests
        assert first.response_format is None
        assert third.response_format is not None
        assert list(third.messages) == dsp.JSONAdapter().format(program.signature, Question(text="Where?")).messages
        assert second.messages[: len(first.messages)] == first.messages

    def test_parameters_are_sent_with_every_attempt(self) -> None:
        lm = ScriptedLM([PROSE, PROSE, JSON])
        dsp.Predict[Question, Answer](lm=lm, adapter=ladder(), temperature=0.25)(Question())
        assert [request.params for request in lm.requests] == [{"temperature": 0.25}] * 3

    def test_reasoning_comes_through_every_rung(self) -> None:
        for replies in (['{"reasoning": "r", ' + JSON[1:]], [PROSE, "[[ ## reasoning ## ]]\nr\n" + CHAT]):
            run = dsp.ChainOfThought[Question, Answer](lm=ScriptedLM(replies), adapter=ladder()).run(Question())
            assert (run.output, run.reasoning) == (PARIS, "r")


class TestRereading:
    def test_another_form_inside_a_field_is_data(self) -> None:
        quoted = f"[[ ## answer ## ]]\nThey wrote {JSON}\n\n[[ ## score ## ]]\n70\n\n[[ ## completed ## ]]"
        program, _ = asking(quoted, CHAT)
        assert program.run(Question()).parse == dsp.ParseReport("chat", "reasked", 2)
        missing = f"[[ ## answer ## ]]\nThey wrote {JSON}\n\n[[ ## completed ## ]]"
        program, _ = asking(missing, CHAT)
        assert program.run(Question()).parse == dsp.ParseReport("chat", "reasked", 2)

    def test_a_model_of_defaults_takes_only_a_whole_reply_in_another_form(self) -> None:
        class Defaults(BaseModel):
            answer: str = "none"
            score: int = 0

        lm = ScriptedLM([JSON, f"I read {JSON} in a log.", "[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]"])
        program = dsp.Predict[Question, Defaults](lm=lm, adapter=ladder())
        assert program.run(Question()).parse == dsp.ParseReport("json", "reread")
        assert program(Question()) == Defaults(answer="yes")


class TestTheRepairTurn:
    def test_the_model_sees_its_reply_and_what_was_wrong(self) -> None:
        program, lm = asking(TOO_MUCH, CHAT)
        program(Question())
        reply, told = lm.requests[1].messages[-2:]
        assert (reply.role, reply.text) == ("assistant", TOO_MUCH)
        assert (told.role, told.text) == (
            "user",
            (
                "Your reply could not be used: `score` (integer, at least 0, at most 10): got 70; expected less than or "
                "equal to 10.\nGive the whole reply again, corrected, in the form that was asked for and with nothing else."
            ),
        )

    def test_several_errors_are_a_list(self) -> None:
        program, lm = asking("[[ ## answer ## ]]\na\n[[ ## answer ## ]]\nb\n[[ ## completed ## ]]", CHAT)
        program(Question())
        assert lm.requests[1].messages[-1].text.splitlines()[:3] == [
            "Your reply could not be used:",
            "- `answer` appears twice, with different values.",
            "- `score` is missing.",
        ]

    def test_an_empty_reply_is_not_shown(self) -> None:
        program, lm = asking("", CHAT)
        program(Question())
        assert [message.role for message in lm.requests[1].messages] == ["system", "user", "user"]
        assert lm.requests[1].messages[-1].text.startswith("Your reply could not be used: The reply is empty.")

    def test_a_call_of_a_tool_that_was_not_offered_is_not_answered(self) -> None:
        program, lm = asking(Response((ToolCallPart("c1", "search", "{}"),), finish_reason="tool_calls"), CHAT)
        assert program(Question()) == PARIS
        assert [message.role for message in lm.requests[1].messages] == ["system", "user", "user"]
        assert "it only calls `search`" in lm.requests[1].messages[-1].text

    def test_what_the_reply_holds_is_data(self) -> None:
        nasty = "{{ 7 * 7 }} {% for %} \0 1 \0"
        program, lm = asking(nasty, CHAT)
        program(Question())
        assert lm.requests[1].messages[-2].text == nasty

    def test_a_conversation_grows_with_each_turn(self) -> None:
        program, lm = asking(PROSE, TOO_MUCH, CHAT, adapter=ladder(reask=2))
        run = program.run(Question())
        assert run.parse == dsp.ParseReport("chat", "reasked", 3)
        assert [message.role for message in lm.requests[2].messages] == ["system", "user"] + ["assistant", "user"] * 2

    def test_a_thousand_errors_are_told_in_few_words(self) -> None:
        class Many(BaseModel):
            items: list[int]

        lm = ScriptedLM([f"[[ ## items ## ]]\n{['x' * 100] * 1000}".replace("'", '"'), "[[ ## items ## ]]\n[1]"])
        assert dsp.Predict[Question, Many](lm=lm, adapter=ladder())(Question()) == Many(items=[1])
        assert len(lm.requests[1].messages[-1].text) < 6000


class TestBudgets:
    @pytest.mark.parametrize(
        ("reask", "calls"), [(0, ["chat", "json"]), (1, ["chat", "chat", "json"]), (3, ["chat"] * 4 + ["json"])]
    )
    def test_repair_turns_and_next_adapters_are_counted_apart(self, reask: int, calls: list[str]) -> None:
        program, lm = asking(*[PROSE] * 9, adapter=ladder(reask))
        with pytest.raises(dsp.ParseError):
            program(Question())
        assert ["json" if request.response_format else "chat" for request in lm.requests] == calls

    @pytest.mark.parametrize(
        ("replies", "error", "calls"),
        [
            ([CUT], dsp.Truncated, 1),
            ([REFUSED], dsp.ContentFiltered, 1),
            ([dsp.Authentication("no")], dsp.Authentication, 1),
            ([dsp.ContextWindowExceeded("long")], dsp.ContextWindowExceeded, 1),
            ([PROSE, CUT], dsp.Truncated, 2),
            ([PROSE, REFUSED], dsp.ContentFiltered, 2),
            ([PROSE, dsp.QuotaExceeded("spent")], dsp.QuotaExceeded, 2),
            ([PROSE, PROSE, CUT], dsp.Truncated, 3),
            ([PROSE, PROSE, dsp.Timeout("late")], dsp.Timeout, 3),
        ],
    )
    def test_what_another_try_would_not_help_ends_the_ladder(
        self, replies: list[Any], error: type[dsp.RunError], calls: int
    ) -> None:
        program, lm = asking(*replies)
        with pytest.raises(error) as caught:
            program(Question())
        assert len(lm.requests) == len(caught.value.calls) == calls

    def test_a_conversation_too_long_for_a_repair_turn_goes_to_the_next_adapter(self) -> None:
        program, _ = asking(PROSE, dsp.ContextWindowExceeded("long"), JSON)
        assert program.run(Question()).parse == dsp.ParseReport("json", "next_adapter", 3)

    def test_a_limit_holds_for_the_whole_ladder(self) -> None:
        program, lm = asking(PROSE, PROSE, JSON)
        with pytest.raises(dsp.LimitExceeded), dsp.UsageLimits(calls=2):
            program(Question())
        assert len(lm.requests) == 2


class TestAccounts:
    def test_the_usage_of_every_attempt_is_summed(self) -> None:
        replies = [Response.of_text(text, usage=Usage(10, n)) for n, text in enumerate([PROSE, PROSE, JSON], 1)]
        run = asking(*replies)[0].run(Question())
        assert (run.usage.prompt_tokens, run.usage.completion_tokens) == (30, 6)

    def test_the_error_carries_reply_errors_and_usage(self) -> None:
        replies = [Response.of_text(text, usage=Usage(10, 1)) for text in (TOO_MUCH, PROSE, '{"answer": 5}')]
        program, _ = asking(*replies)
        with pytest.raises(dsp.ParseError) as caught:
            program(Question())
        error = caught.value
        assert error.reply == '{"answer": 5}'
        assert error.usage.prompt_tokens == 30
        assert len(error.calls) == 3
        assert "got 70" in error.errors[0]
        assert any("none of the markers" in one for one in error.errors)
        assert error.missing == ("score",)
        assert "in 3 replies" in str(error)
        assert "Chat, asked again: " in str(error)
        assert "Json: " in str(error)

    def test_a_single_failure_is_raised_as_it_is(self) -> None:
        adapter = dsp.FallbackAdapter(dsp.ChatAdapter(), reask=0)
        with pytest.raises(dsp.ParseError) as whole:
            asking(PROSE, adapter=adapter)[0](Question())
        with pytest.raises(dsp.ParseError) as alone:
            asking(PROSE, adapter=dsp.ChatAdapter())[0](Question())
        assert str(whole.value) == str(alone.value)

    def test_rungs_are_counted_by_program(self) -> None:
        adapter = ladder()
        program, _ = asking(CHAT, CHAT, JSON, PROSE, CHAT, PROSE, PROSE, PROSE, adapter=adapter)
        other, _ = asking(CHAT, adapter=adapter)
        for _ in range(4):
            program(Question())
        with pytest.raises(dsp.ParseError):
            program(Question())
        other(Question())
        nothing = {"repaired": 0, "next_adapter": 0}
        assert adapter.counts(program.signature) == {**nothing, "direct": 2, "reread": 1, "reasked": 1, "failed": 1}
        assert adapter.counts(other.signature)["direct"] == 1

    def test_counts_go_with_the_program(self) -> None:
        adapter = ladder()
        program, _ = asking(CHAT, adapter=adapter)
        program(Question())
        signature = weakref.ref(program.signature)
        del program
        gc.collect()
        gc.collect()
        assert signature() is None


class TestCaches:
    def test_a_reply_that_nobody_can_read_is_not_served_again(self) -> None:
        program, lm = asking(PROSE, PROSE, PROSE, CHAT, cache=dsp.MemoryCache())
        with pytest.raises(dsp.ParseError):
            program(Question())
        assert program(Question()) == PARIS
        assert len(lm.requests) == 4

    def test_a_reply_that_another_adapter_reads_is_kept(self) -> None:
        program, lm = asking(JSON, cache=dsp.MemoryCache())
        assert program(Question()) == program(Question()) == PARIS
        assert program.run(Question()).cached
        assert len(lm.requests) == 1

    def test_a_repair_turn_is_answered_by_the_model_and_then_remembered(self) -> None:
        program, lm = asking(PROSE, CHAT, PROSE, cache=dsp.MemoryCache())
        assert program(Question()) == PARIS
        assert program.run(Question()).parse == dsp.ParseReport("chat", "reasked", 2)
        assert len(lm.requests) == 3  # the bad reply was dropped and asked for again; the turn after it was kept

    def test_a_bad_reply_to_a_repair_turn_is_dropped_too(self) -> None:
        program, lm = asking(PROSE, TOO_MUCH, PROSE, PROSE, CHAT, cache=dsp.MemoryCache())
        with pytest.raises(dsp.ParseError):
            program(Question())
        assert program.run(Question()).parse == dsp.ParseReport("chat", "reasked", 2)
        assert len(lm.requests) == 5

    @pytest.mark.parametrize("cut", [CUT, REFUSED])
    def test_a_reply_that_was_cut_or_refused_is_asked_for_again(self, cut: Response) -> None:
        program, _ = asking(cut, CHAT, cache=dsp.MemoryCache())
        with pytest.raises(dsp.LMError):
            program(Question())
        assert program(Question()) == PARIS


class TestItself:
    def test_it_is_the_default(self) -> None:
        assert repr(current_adapter()) == "FallbackAdapter(ChatAdapter(), JSONAdapter(), reask=1)"
        lm = ScriptedLM([PROSE, PROSE, JSON])
        assert dsp.Predict[Question, Answer](lm=lm)(Question()) == PARIS

    def test_it_needs_adapters_and_a_budget(self) -> None:
        with pytest.raises(dsp.SettingsError, match="needs adapters"):
            dsp.FallbackAdapter()
        with pytest.raises(dsp.SettingsError, match="reask=-1"):
            dsp.FallbackAdapter(dsp.ChatAdapter(), reask=-1)

    def test_copies_keep_adapters_and_budget(self) -> None:
        adapter = dsp.FallbackAdapter(dsp.JSONAdapter(), dsp.ChatAdapter(), reask=3)
        for made in (pickle.loads(pickle.dumps(adapter)), copy.deepcopy(adapter)):
            assert repr(made) == repr(adapter)

    def test_it_formats_as_its_first_and_parses_as_all(self) -> None:
        signature = dsp.Signature.of(Question, Answer)
        assert ladder().format(signature, Question()) == dsp.ChatAdapter().format(signature, Question())
        assert ladder().parse(signature, CHAT).report == dsp.ParseReport("chat", "direct")
        assert ladder().parse(signature, JSON).report == dsp.ParseReport("json", "reread")
        with pytest.raises(dsp.ParseError, match="markers"):
            ladder().parse(signature, PROSE)

    def test_a_sync_call_stays_in_its_thread(self) -> None:
        program, _ = asking(PROSE, CHAT)
        assert program(Question()) == PARIS
        assert asyncio.run(asking(PROSE, CHAT)[0].acall(Question())) == PARIS


def test_over_http() -> None:
    replies = [Failure(500), PROSE, TOO_MUCH, JSON]
    with OpenAIServer(replies) as server:
        lm = dsp.LM("openai/local", base_url=server.base_url, api_key="k", retry=dsp.Retry(base=0.0))
        program = dsp.Predict[Question, Answer](lm=lm, adapter=ladder())
        run = program.run(Question(text="Where?"))
        assert run.parse == dsp.ParseReport("json", "next_adapter", 3)
        assert server.count == 4
        assert [len(call.attempts) for call in run.calls] == [2, 1, 1]
        assert run.usage == sum((call.usage for call in run.calls), Usage())
        turns: Any = server.requests[2].body["messages"]
        assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
        assert turns[2]["content"] == PROSE


def test_many_at_once_keep_their_own_ladders() -> None:
    def reply(request: dsp.Request) -> str:
        asked = request.messages[-1].text
        return PROSE if asked.startswith("[[ ##") else CHAT

    program, _ = asking(*[reply] * 100)

    async def all_of_them() -> list[dsp.Prediction[Answer]]:
        return list(await asyncio.gather(*(program.arun(Question(text=str(n))) for n in range(50))))

    runs = asyncio.run(all_of_them())
    assert {run.parse for run in runs} == {dsp.ParseReport("chat", "reasked", 2)}
    assert {len(run.calls) for run in runs} == {2}
    assert program.adapter.counts(program.signature)["reasked"] == 50  # type: ignore[union-attr]


class Whole(dsp.BaseAdapter):
    """Asks in a way of its own, and only in one piece."""

    def format(self, signature: Any, inputs: Any, **more: Any) -> dsp.Prompt:
        return dsp.ChatAdapter().format(signature, inputs, **more)

    def parse(self, signature: Any, reply: Any) -> Any:
        return dsp.ChatAdapter().parse(signature, reply)

    async def arun(self, call: AdapterCall[Any, Any]) -> Any:
        return await dsp.ChatAdapter().arun(call)


class TestAdaptersThatAskInAWayOfTheirOwn:
    @pytest.mark.parametrize(
        ("replies", "rung", "adapter", "attempts"),
        [
            ([CHAT], "direct", "chat", 1),
            ([JSON], "reread", "json", 1),
            ([PROSE, JSON], "next_adapter", "json", 2),
        ],
    )
    def test_they_are_reread_and_not_asked_again(
        self, replies: list[str], rung: str, adapter: str, attempts: int
    ) -> None:
        program, _ = asking(*replies, adapter=dsp.FallbackAdapter(Whole(), dsp.JSONAdapter()))
        assert program.run(Question()).parse == dsp.ParseReport(adapter, rung, attempts)  # type: ignore[arg-type]

    def test_they_may_come_next(self) -> None:
        program, _ = asking(PROSE, CHAT, adapter=dsp.FallbackAdapter(dsp.JSONAdapter(), Whole(), reask=0))
        assert program.run(Question()).parse == dsp.ParseReport("chat", "next_adapter", 2)


REPLIES = st.one_of(
    st.sampled_from([CHAT, JSON, PROSE, TOO_MUCH, "", CUT, REFUSED]),
    st.builds(lambda: dsp.Timeout("late")),
    st.builds(lambda: dsp.ContextWindowExceeded("long")),
    st.builds(lambda: dsp.APIError("response_format is unknown", status=400)),
    st.text(alphabet='[]# answer{}":,score7\n`', max_size=60),
    st.builds(
        lambda name, arguments: Response((ToolCallPart("c", name, arguments),), finish_reason="tool_calls"),
        st.sampled_from(["Question_Answer", "other"]),
        st.sampled_from([JSON, "{}", "", CHAT]),
    ),
)
KINDS: dict[str, Callable[[], dsp.Adapter]] = {
    "chat": dsp.ChatAdapter,
    "json": dsp.JSONAdapter,
    "xml": XMLAdapter,
    "structured": dsp.StructuredAdapter,
    "tools": lambda: dsp.StructuredAdapter("tools"),
    "whole": Whole,
}


@given(
    st.lists(REPLIES, min_size=20, max_size=20),
    st.integers(0, 3),
    st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4),
)
def test_whatever_the_replies_are_only_typed_errors_come_out_and_no_budget_is_exceeded(
    replies: list[Any], reask: int, kinds: list[str]
) -> None:
    adapter = dsp.FallbackAdapter(*(KINDS[kind]() for kind in kinds), reask=reask)
    program, lm = asking(*replies, adapter=adapter)
    try:
        run = program.run(Question())
        calls = run.calls
        assert run.parse is not None
        assert run.parse.attempts <= len(calls)
    except dsp.RunError as error:
        calls = error.calls
    assert len(calls) == len(lm.requests)
    refused = sum(isinstance(reply, dsp.APIError) for reply in replies[: len(lm.requests)])
    assert len(lm.requests) - refused <= 1 + reask + len(kinds) - 1
    assert sum(adapter.counts(program.signature).values()) <= 1


class TestStreams:
    @pytest.mark.parametrize(
        ("adapter", "reply"),
        [
            (ladder(), CHAT),
            (ladder(), JSON),
            (dsp.FallbackAdapter(dsp.JSONAdapter(), dsp.ChatAdapter()), JSON),
            (dsp.TwoStepAdapter(), CHAT),
            (dsp.StructuredAdapter(), JSON),
        ],
    )
    def test_the_end_of_a_stream_is_what_parse_gives(self, adapter: dsp.BaseAdapter, reply: str) -> None:
        signature = dsp.Signature.of(Question, Answer)
        parser = adapter.parse_stream(signature)
        events = [event for piece in reply for event in parser.feed(piece)] + parser.flush()
        assert parser.text == reply
        assert parser.finish() == adapter.parse(signature, reply)
        told = "".join(event.text for event in events if isinstance(event, FieldDelta) and event.field == "answer")
        assert told == ("Paris" if reply == CHAT or adapter.parse(signature, reply).report.rung == "direct" else "")
