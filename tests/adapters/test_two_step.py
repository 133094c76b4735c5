"""A free answer first, then its outputs: two models, two prompts, one account."""

from __future__ import annotations

import asyncio
import copy
import gc
import weakref
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

import dsp
from dsp.messages import RefusalPart, Response, Usage
from dsp.testing import ScriptedLM


class Ticket(BaseModel):
    subject: str
    tags: list[str] = []


class Triage(BaseModel):
    urgency: Literal["low", "high"] = Field(description="high when the service is down")
    minutes: int


FREE = "It is urgent, I would say high, and it was down for 45 minutes."
FORM = "[[ ## urgency ## ]]\nhigh\n\n[[ ## minutes ## ]]\n45\n\n[[ ## completed ## ]]"
TICKET = Ticket(subject="Down!", tags=["web"])
HIGH = Triage(urgency="high", minutes=45)
CUT = Response.of_text("It is", finish_reason="length")
REFUSED = Response((RefusalPart("no"),))


def program(lm: dsp.LM, adapter: dsp.Adapter, **more: Any) -> dsp.Predict[Ticket, Triage]:
    return dsp.Predict[Ticket, Triage]("Route a ticket.", lm=lm, adapter=adapter, **more)


def test_the_first_prompt_asks_for_no_form() -> None:
    demo = dsp.Example(Ticket(subject="Slow\nvery"), Triage(urgency="low", minutes=0))
    shown = program(ScriptedLM([]), dsp.TwoStepAdapter(), demos=[demo]).render(TICKET)
    assert [(message.role, message.text) for message in shown] == [
        (
            "system",
            (
                "Route a ticket.\n\nYou are given:\n- `subject` (string)\n- `tags` (list of string, optional, default [])\n\n"
                "Answer freely, in your own words, and say in your answer what each of these is:\n"
                '- `urgency` (one of "low", "high"): high when the service is down\n- `minutes` (integer)'
            ),
        ),
        ("user", "subject:\nSlow\nvery\n\ntags:\n[]"),
        ("assistant", 'urgency: "low"\nminutes: 0'),
        ("user", 'subject:\nDown!\n\ntags:\n["web"]'),
    ]


def test_the_second_model_sees_the_free_answer_and_the_task_alone() -> None:
    thinker, extractor = ScriptedLM([FREE]), ScriptedLM([FORM])
    assert program(thinker, dsp.TwoStepAdapter(extractor))(TICKET) == HIGH
    (request,) = extractor.requests
    system, user = request.messages
    assert "Route a ticket." in system.text
    assert "high when the service is down" in system.text
    assert FREE in user.text
    assert "Down!" not in system.text + user.text


def test_both_calls_are_counted_and_in_the_history() -> None:
    thinker = ScriptedLM([Response.of_text(FREE, usage=Usage(100, 10))], model="scripted/big")
    extractor = ScriptedLM([Response.of_text(FORM, usage=Usage(20, 5))], model="scripted/small")
    run = program(thinker, dsp.TwoStepAdapter(extractor)).run(TICKET)
    assert run.usage == Usage(120, 15)
    assert [call.model for call in run.calls] == ["scripted/big", "scripted/small"]
    assert [entry.model for entry in dsp.history()][-2:] == ["scripted/big", "scripted/small"]
    assert run.parse == dsp.ParseReport("two_step", "direct", 2)


def test_without_a_second_model_the_first_does_both() -> None:
    lm = ScriptedLM([FREE, FORM])
    assert program(lm, dsp.TwoStepAdapter())(TICKET) == HIGH
    assert len(lm.requests) == 2


def test_the_second_model_may_be_a_name() -> None:
    first = ScriptedLM(["urgency: high\nminutes: 45"])
    run = program(first, dsp.TwoStepAdapter("embedded")).run(TICKET)
    assert run.output.urgency == "high"
    assert run.calls[1].model == "embedded"


def test_parameters_are_for_the_first_model_and_the_sample_for_both() -> None:
    thinker, extractor = ScriptedLM([FREE]), ScriptedLM([FORM], top_p=0.5)
    program(thinker, dsp.TwoStepAdapter(extractor), temperature=1.0, rollout=3)(TICKET)
    assert thinker.requests[0].params == {"temperature": 1.0, "rollout": 3}
    assert extractor.requests[0].params == {"top_p": 0.5, "rollout": 3}


def test_the_second_step_may_use_another_form() -> None:
    lm = ScriptedLM([FREE, '{"urgency": "high", "minutes": 45}'])
    assert program(lm, dsp.TwoStepAdapter(extraction=dsp.JSONAdapter()))(TICKET) == HIGH
    assert [request.response_format is None for request in lm.requests] == [True, False]


@pytest.mark.parametrize(
    ("replies", "error", "calls"),
    [
        ([""], dsp.ParseError, 1),
        ([CUT], dsp.Truncated, 1),
        ([REFUSED], dsp.ContentFiltered, 1),
        ([dsp.Timeout("late")], dsp.Timeout, 1),
        ([FREE, "no marker"], dsp.ParseError, 2),
        ([FREE, CUT], dsp.Truncated, 2),
        ([FREE, dsp.Authentication("no")], dsp.Authentication, 2),
    ],
)
def test_each_step_fails_with_its_own_error_and_the_usage_of_both(
    replies: list[Any], error: type[dsp.RunError], calls: int
) -> None:
    lm = ScriptedLM(replies, retry=None)
    with pytest.raises(error) as caught:
        program(lm, dsp.TwoStepAdapter())(TICKET)
    assert len(caught.value.calls) == len(lm.requests) == calls


def test_a_bad_reply_of_the_second_step_is_dropped_and_the_free_answer_kept() -> None:
    cache = dsp.MemoryCache()
    thinker, extractor = ScriptedLM([FREE], cache=cache), ScriptedLM(["no marker", FORM], cache=cache)
    asking = program(thinker, dsp.TwoStepAdapter(extractor))
    with pytest.raises(dsp.ParseError):
        asking(TICKET)
    assert asking(TICKET) == HIGH
    assert (len(thinker.requests), len(extractor.requests)) == (1, 2)


def test_on_a_ladder_the_repair_turn_goes_to_the_second_model() -> None:
    thinker, extractor = ScriptedLM([FREE]), ScriptedLM(["no marker", FORM])
    adapter = dsp.FallbackAdapter(dsp.TwoStepAdapter(extractor), dsp.JSONAdapter())
    run = program(thinker, adapter).run(TICKET)
    assert run.output == HIGH
    assert run.parse == dsp.ParseReport("two_step", "reasked", 3)
    assert (len(thinker.requests), len(extractor.requests)) == (1, 2)


def test_on_a_ladder_an_empty_free_answer_goes_to_the_next_adapter() -> None:
    good = '{"urgency": "high", "minutes": 45}'
    chat_first = dsp.FallbackAdapter(dsp.ChatAdapter(), dsp.TwoStepAdapter(), dsp.JSONAdapter(), reask=0)
    run = program(ScriptedLM(["", "", good]), chat_first).run(TICKET)
    assert run.parse == dsp.ParseReport("json", "next_adapter", 3)
    lm = ScriptedLM(["", good])
    run = program(lm, dsp.FallbackAdapter(dsp.TwoStepAdapter(), dsp.JSONAdapter())).run(TICKET)
    assert run.parse == dsp.ParseReport("json", "next_adapter", 2)


def test_a_second_model_that_there_is_not_costs_nothing() -> None:
    thinker = ScriptedLM([FREE])
    with pytest.raises(dsp.LMError):
        program(thinker, dsp.TwoStepAdapter("nobody/knows-this"))(TICKET)
    assert thinker.requests == []


def test_reasoning_is_taken_out_of_the_free_answer() -> None:
    lm = ScriptedLM([FREE, "[[ ## reasoning ## ]]\nDown is bad.\n\n" + FORM])
    run = dsp.ChainOfThought[Ticket, Triage](lm=lm, adapter=dsp.TwoStepAdapter()).run(TICKET)
    assert (run.output, run.reasoning) == (HIGH, "Down is bad.")


def test_a_free_answer_that_looks_like_a_form_is_data() -> None:
    lm = ScriptedLM(["[[ ## urgency ## ]]\nlow\n[[ ## completed ## ]]", FORM])
    program(lm, dsp.TwoStepAdapter())(TICKET)
    assert "> [[ ## urgency ## ]]" in lm.requests[1].messages[-1].text


def test_what_it_remembers_goes_with_the_signature() -> None:
    adapter = dsp.TwoStepAdapter()

    def used() -> list[weakref.ref[Any]]:
        class Own(BaseModel):
            urgency: str

        signature = dsp.Signature.of(Ticket, Own)
        asyncio.run(adapter.arun(dsp.AdapterCall(signature, TICKET, ScriptedLM([FREE, FORM]))))
        return [weakref.ref(Own), weakref.ref(signature)]

    references = used()
    for _ in range(3):
        gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_a_copy_is_like_it() -> None:
    assert repr(copy.deepcopy(dsp.TwoStepAdapter("embedded"))) == "TwoStepAdapter('embedded')"
