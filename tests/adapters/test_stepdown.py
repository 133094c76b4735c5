"""`response_format` by what the provider takes: a schema, then any JSON object, then text; found out once for each model."""

from __future__ import annotations

import os
from typing import Any

import pytest
from pydantic import BaseModel

import dsp
from dsp.messages import Request
from dsp.testing import ScriptedLM
from dsp.testing.server import Failure, OpenAIServer


class Question(BaseModel):
    text: str = ""


class Answer(BaseModel):
    answer: str


class Open(BaseModel):
    answer: dict[str, str]


REPLY = '{"answer": "Paris"}'
SCHEMA = dsp.APIError("`json_schema` is not supported by this model", status=400)
OBJECT = dsp.APIError("Unrecognized request argument supplied: response_format", status=400)
ONE_SCHEMA = dsp.APIError(
    "Invalid schema for response_format 'X': In context=(), 'minimum' is not permitted", status=400
)


def predict(*replies: Any, **more: Any) -> tuple[dsp.Predict[Question, Answer], ScriptedLM]:
    lm = ScriptedLM(replies, **more)
    return dsp.Predict[Question, Answer](lm=lm, adapter=dsp.JSONAdapter()), lm


def forms(requests: list[Request]) -> list[str]:
    return [
        "text" if one.response_format is None else "schema" if one.response_format.strict else "object"
        for one in requests
    ]


def test_two_refusals_then_text_and_the_next_request_begins_with_text() -> None:
    program, lm = predict(SCHEMA, OBJECT, REPLY, REPLY, REPLY)
    assert program(Question()) == Answer(answer="Paris")
    assert forms(lm.requests) == ["schema", "object", "text"]
    program(Question(text="again"))
    assert dsp.Predict[Question, Open](lm=lm, adapter=dsp.JSONAdapter()).with_(lm=ScriptedLM(['{"answer": {}}']))(
        Question()
    ) == Open(answer={})
    assert forms(lm.requests)[3:] == ["text"]


@pytest.mark.parametrize(
    ("error", "stepped"),
    [
        (dsp.APIError("'response_format' of type 'json_schema' is not supported with this model.", status=400), True),
        (dsp.APIError("This response_format type is unavailable now", status=400), True),
        (dsp.APIError("This model does not support response format `json_schema`", status=400), True),
        (dsp.APIError("extra fields not permitted: response_format", status=422), True),
        (dsp.APIError("unknown field `response_format`", status=405), True),
        (dsp.APIError("json_object is not known here", status=404), True),
        (dsp.ServerError("not implemented: response_format", status=501), True),
        (dsp.APIError("the model is not found", status=404), False),
        (dsp.APIError("temperature must be below 2", status=400), False),
        (dsp.Authentication("the key may not use response_format", status=401), False),
        (dsp.RateLimited("slow down with json_schema", status=429), False),
        (dsp.Timeout("response_format"), False),
    ],
)
def test_only_a_refusal_of_the_format_is_a_reason(error: dsp.LMError, stepped: bool) -> None:
    program, lm = predict(error, REPLY, retry=None)
    if stepped:
        assert program(Question()) == Answer(answer="Paris")
        assert forms(lm.requests) == ["schema", "object"]
    else:
        with pytest.raises(type(error)):
            program(Question())
        assert forms(lm.requests) == ["schema"]


def test_a_schema_that_says_too_little_begins_with_any_object() -> None:
    lm = ScriptedLM([OBJECT, '{"answer": {"a": "b"}}'])
    assert dsp.Predict[Question, Open](lm=lm, adapter=dsp.JSONAdapter())(Question()) == Open(answer={"a": "b"})
    assert forms(lm.requests) == ["object", "text"]


def test_one_refused_schema_says_nothing_of_others() -> None:
    class Other(BaseModel):
        answer: str
        more: int | None = None

    program, lm = predict(ONE_SCHEMA, REPLY, REPLY, '{"answer": "x", "more": 1}')
    program(Question())
    program(Question(text="again"))
    dsp.Predict[Question, Other](lm=lm, adapter=dsp.JSONAdapter())(Question())
    assert forms(lm.requests) == ["schema", "object", "object", "schema"]


def test_a_refusal_of_plain_text_is_raised() -> None:
    program, lm = predict(SCHEMA, OBJECT, OBJECT, retry=None)
    with pytest.raises(dsp.APIError, match="Unrecognized"):
        program(Question())
    assert forms(lm.requests) == ["schema", "object", "text"]


def test_nothing_is_remembered_of_a_request_that_failed_for_another_reason() -> None:
    program, lm = predict(SCHEMA, dsp.Authentication("no"), REPLY, retry=None)
    with pytest.raises(dsp.Authentication):
        program(Question())
    program(Question())
    assert forms(lm.requests) == ["schema", "object", "schema"]


def test_two_servers_of_one_model_are_told_apart() -> None:
    first, one = predict(SCHEMA, REPLY, REPLY)
    second, two = predict(REPLY)
    first(Question())
    second(Question())
    first(Question())
    assert (forms(one.requests), forms(two.requests)) == (["schema", "object", "object"], ["schema"])


def test_copies_of_a_model_share_what_is_known() -> None:
    program, lm = predict(SCHEMA, REPLY, REPLY)
    program(Question())
    program.with_(lm=lm.with_(temperature=0.5))(Question())
    assert forms(lm.requests) == ["schema", "object", "object"]


def test_reset_forgets_it() -> None:
    program, lm = predict(SCHEMA, REPLY, REPLY)
    program(Question())
    dsp.reset()
    program(Question())
    assert forms(lm.requests) == ["schema", "object", "schema"]


def test_a_bad_reply_is_dropped_under_the_form_that_brought_it() -> None:
    program, lm = predict(SCHEMA, OBJECT, "no JSON", REPLY, cache=dsp.MemoryCache())
    with pytest.raises(dsp.ParseError):
        program(Question())
    assert program(Question()) == Answer(answer="Paris")
    assert forms(lm.requests) == ["schema", "object", "text", "text"]


def test_the_refused_attempts_are_in_the_account() -> None:
    run = predict(SCHEMA, OBJECT, REPLY)[0].run(Question())
    assert [call.error is None for call in run.calls] == [False, False, True]
    assert run.parse == dsp.ParseReport("json", "direct")


def test_many_models_are_remembered_within_bounds() -> None:
    from dsp.adapters import response_format

    for number in range(response_format.MOST + 40):
        lm = ScriptedLM([SCHEMA, REPLY], model=f"scripted/{number}")
        dsp.Predict[Question, Answer](lm=lm, adapter=dsp.JSONAdapter())(Question())
    assert len(response_format._refusals._levels) == response_format.MOST


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_knows_it_and_is_free() -> None:
    program, lm = predict(SCHEMA, REPLY, REPLY, SCHEMA, REPLY)
    program(Question())
    child = os.fork()
    if child == 0:
        try:
            program(Question())
            fine = forms(lm.requests)[-1] == "object"
        finally:
            os._exit(0 if fine else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0


def test_over_http() -> None:
    def reply(body: dict[str, Any]) -> Any:
        if "response_format" not in body:
            return REPLY
        kind = body["response_format"]["type"]
        return Failure(
            400, {"error": {"message": f"'response_format' of type '{kind}' is not supported", "code": None}}
        )

    with OpenAIServer(reply) as server:
        lm = dsp.LM("openai/local", base_url=server.base_url, api_key="k", cache=False)
        program = dsp.Predict[Question, Answer](lm=lm, adapter=dsp.JSONAdapter())
        assert program(Question()) == Answer(answer="Paris")
        assert program(Question()) == Answer(answer="Paris")
        kinds = [(one.body.get("response_format") or {}).get("type", "text") for one in server.requests]  # type: ignore[union-attr]
    assert kinds == ["json_schema", "json_object", "text", "text"]
