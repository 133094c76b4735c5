"""Provider-native structured output: instructor writes the request, our model performs it, repair reads the reply."""

from __future__ import annotations

import copy
import gc
import logging
import pickle
import subprocess
import sys
import weakref
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel

import dsp
from dsp.messages import RefusalPart, Response, TextPart, ToolCallPart, Usage
from dsp.testing import ScriptedLM
from dsp.testing.server import Completion, Failure, OpenAIServer


class Ticket(BaseModel):
    subject: str = "Down!"


class Item(BaseModel):
    name: str


class Triage(BaseModel):
    urgency: Literal["low", "high"] = Field(description="high when down")
    items: list[Item]


class Open(BaseModel):
    words: dict[str, int]


REPLY = '{"urgency": "high", "items": [{"name": "web"}]}'
HIGH = Triage(urgency="high", items=[Item(name="web")])
NAME = "Ticket_Triage"
SCHEMA = dsp.APIError("`json_schema` is not supported by this model", status=400)
TOOLS = dsp.APIError("registry/model does not support tools", status=400)


def call(arguments: str, name: str = NAME, ident: str = "c1") -> ToolCallPart:
    return ToolCallPart(ident, name, arguments)


def called(*calls: ToolCallPart, text: str = "", finish: Any = "tool_calls") -> Response:
    parts = (*((TextPart(text),) if text else ()), *calls)
    return Response(parts, usage=Usage(10, 5), finish_reason=finish)


def predict(mode: Any, *replies: Any, **more: Any) -> tuple[dsp.Predict[Ticket, Triage], ScriptedLM]:
    lm = ScriptedLM(replies, **more)
    return dsp.Predict[Ticket, Triage]("Route it.", lm=lm, adapter=dsp.StructuredAdapter(mode)), lm


class TestModes:
    def test_json_schema_puts_the_schema_into_the_response_format(self) -> None:
        program, lm = predict("json_schema", REPLY)
        assert program(Ticket()) == HIGH
        (request,) = lm.requests
        assert request.response_format is not None
        assert request.response_format.strict
        assert request.response_format.schema == program.signature.json_schema().schema
        assert request.tools == ()
        assert request.params == {}

    def test_tools_gives_one_tool_that_must_be_called(self) -> None:
        program, lm = predict("tools", called(call(REPLY)))
        assert program(Ticket()) == HIGH
        (request,) = lm.requests
        assert request.response_format is None
        (tool,) = request.tools
        wire = tool.json_schema()
        assert wire["name"] == tool.name == NAME
        parameters = wire["parameters"]
        assert isinstance(parameters, dict)
        schema = program.signature.json_schema().schema
        assert parameters["properties"] == schema["properties"]
        assert parameters["$defs"] == schema["$defs"]
        assert request.params == {"extra": {"tool_choice": {"type": "function", "function": {"name": NAME}}}}

    @pytest.mark.parametrize(("mode", "form"), [("json_object", False), ("markdown", None)])
    def test_the_other_modes_put_the_schema_into_the_prompt(self, mode: str, form: bool | None) -> None:
        program, lm = predict(mode, f"```json\n{REPLY}\n```")
        assert program(Ticket()) == HIGH
        (request,) = lm.requests
        assert (request.response_format.strict if request.response_format else None) is form
        assert "high when down" in request.messages[0].text
        assert '"$defs"' in request.messages[0].text

    @pytest.mark.parametrize("mode", ["auto", "json_schema", "tools", "json_object", "markdown"])
    def test_what_is_rendered_is_what_is_sent(self, mode: str) -> None:
        program, lm = predict(mode, REPLY)
        demo = dsp.Example(Ticket(subject="{{ x }} {% if %}"), HIGH)
        program = program.with_(demos=[demo])
        program(Ticket(subject="{{ 7 * 7 }}"))
        assert program.render(Ticket(subject="{{ 7 * 7 }}")) == list(lm.requests[0].messages)
        assert "{{ 7 * 7 }}" in lm.requests[0].messages[-1].text

    def test_an_unknown_mode_is_refused_at_once(self) -> None:
        with pytest.raises(dsp.SettingsError, match=r"mode='xml' is none of auto, json_schema, tools"):
            dsp.StructuredAdapter("xml")  # type: ignore[arg-type]


class TestAuto:
    def test_a_strict_schema_goes_as_a_schema(self) -> None:
        program, lm = predict("auto", REPLY)
        assert program.run(Ticket()).parse == dsp.ParseReport("structured", "direct")
        assert lm.requests[0].response_format is not None

    def test_an_open_schema_goes_as_a_tool(self) -> None:
        lm = ScriptedLM([called(call('{"words": {"a": 1}}', "Ticket_Open"))])
        program = dsp.Predict[Ticket, Open](lm=lm, adapter=dsp.StructuredAdapter())
        assert program(Ticket()) == Open(words={"a": 1})
        assert lm.requests[0].tools[0].name == "Ticket_Open"

    def test_what_a_provider_refuses_is_not_asked_again(self) -> None:
        program, lm = predict("auto", SCHEMA, TOOLS, REPLY, REPLY)
        assert program(Ticket()) == HIGH
        assert program(Ticket(subject="again")) == HIGH
        shapes = [(one.response_format is not None, len(one.tools)) for one in lm.requests]
        assert shapes == [(True, 0), (False, 1), (False, 0), (False, 0)]

    def test_other_errors_are_raised(self) -> None:
        program, lm = predict("auto", dsp.Authentication("the key may not use tools", status=401))
        with pytest.raises(dsp.Authentication):
            program(Ticket())
        assert len(lm.requests) == 1

    def test_a_mode_that_was_named_is_kept(self) -> None:
        program, lm = predict("tools", TOOLS)
        with pytest.raises(dsp.APIError, match="does not support tools"):
            program(Ticket())
        assert len(lm.requests) == 1


class TestReading:
    @pytest.mark.parametrize(
        ("reply", "rung"),
        [
            (called(call(REPLY)), "direct"),
            (called(call(REPLY), text="I call the tool."), "direct"),
            (called(call(REPLY, name="made_up")), "direct"),
            (called(call(REPLY), call(REPLY, ident="c2")), "direct"),
            (called(call("{'urgency': 'HIGH', items: [{name: 'web'},]}")), "repaired"),
            (called(call("The arguments: " + REPLY)), "repaired"),
            (Response.of_text(REPLY), "direct"),
            (Response.of_text(f"Sure:\n```json\n{REPLY}\n```"), "repaired"),
        ],
    )
    def test_a_tools_arguments_are_mended_like_any_reply(self, reply: Response, rung: str) -> None:
        run = predict("tools", reply)[0].run(Ticket())
        assert run.output == HIGH
        assert run.parse is not None
        assert (run.parse.adapter, run.parse.rung) == ("structured", rung)

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (called(call('{"urgency": "high"}')), dsp.ParseError),
            (called(call('{"urgency": "never", "items": []}')), dsp.ParseError),
            (called(call(REPLY), call(REPLY.replace("high", "low"), ident="c2")), dsp.ParseError),
            (called(call("")), dsp.ParseError),
            (Response.of_text(""), dsp.ParseError),
            (Response.of_text("I will not call it."), dsp.ParseError),
            (called(call(REPLY[:-20]), finish="length"), dsp.Truncated),
            (Response((), finish_reason="content_filter"), dsp.ContentFiltered),
            (Response((RefusalPart("no"),)), dsp.ContentFiltered),
            (dsp.Timeout("late"), dsp.Timeout),
        ],
    )
    @pytest.mark.parametrize("mode", ["tools", "json_schema"])
    def test_what_cannot_be_read_is_a_typed_error_and_asked_for_once(
        self, mode: str, reply: Any, error: type[dsp.RunError]
    ) -> None:
        program, lm = predict(mode, reply, called(call(REPLY)), retry=None, cache=dsp.MemoryCache())
        with pytest.raises(error) as caught:
            program(Ticket())
        assert type(caught.value) is error
        assert len(lm.requests) == len(caught.value.calls) == 1
        assert program(Ticket()) == HIGH  # the bad reply is in no cache

    def test_the_arguments_are_the_reply_that_an_error_shows(self) -> None:
        program, _ = predict("tools", called(call('{"urgency": "high"}')))
        with pytest.raises(dsp.ParseError) as caught:
            program(Ticket())
        assert caught.value.reply == '{"urgency": "high"}'
        assert caught.value.missing == ("items",)

    def test_an_output_that_is_no_object(self) -> None:
        class Words(RootModel[list[str]]): ...

        for mode, reply in (("tools", '{"output": ["a"]}'), ("json_schema", '{"output": ["a"]}')):
            lm = ScriptedLM([reply])
            program = dsp.Predict[Ticket, Words](lm=lm, adapter=dsp.StructuredAdapter(mode))  # type: ignore[arg-type]
            assert program(Ticket()) == Words(["a"])

    def test_reasoning_comes_first_in_the_schema_and_apart(self) -> None:
        lm = ScriptedLM([called(call('{"reasoning": "r", ' + REPLY[1:]))])
        program = dsp.ChainOfThought[Ticket, Triage](lm=lm, adapter=dsp.StructuredAdapter("tools"))
        run = program.run(Ticket())
        assert (run.output, run.reasoning) == (HIGH, "r")
        parameters: Any = lm.requests[0].tools[0].json_schema()["parameters"]
        assert next(iter(parameters["properties"])) == "reasoning"


class TestOneAccount:
    def test_retries_usage_and_history_are_the_models_own(self) -> None:
        program, lm = predict("tools", dsp.ServerError("again", status=500), called(call(REPLY)))
        run = program.run(Ticket())
        assert len(lm.requests) == 2
        (entry,) = run.calls
        assert len(entry.attempts) == 2
        assert run.usage == Usage(10, 5)

    def test_a_known_reply_comes_from_the_cache(self) -> None:
        program, lm = predict("tools", called(call(REPLY)), cache=dsp.MemoryCache())
        assert program(Ticket()) == program(Ticket()) == HIGH
        assert program.run(Ticket()).cached
        assert len(lm.requests) == 1

    def test_what_the_model_passes_on_stays(self) -> None:
        lm = ScriptedLM([called(call(REPLY))], extra={"user": "me"}, temperature=0.5)
        dsp.Predict[Ticket, Triage](lm=lm, adapter=dsp.StructuredAdapter("tools"), top_p=0.1)(Ticket())
        params = lm.requests[0].params
        assert (params["temperature"], params["top_p"], params["extra"]["user"]) == (0.5, 0.1, "me")
        assert "tool_choice" in params["extra"]

    def test_on_a_ladder_the_repair_turn_answers_the_tool_call(self) -> None:
        lm = ScriptedLM([called(call('{"urgency": "high"}')), called(call(REPLY))])
        adapter = dsp.FallbackAdapter(dsp.StructuredAdapter("tools"), dsp.JSONAdapter())
        run = dsp.Predict[Ticket, Triage](lm=lm, adapter=adapter).run(Ticket())
        assert run.output == HIGH
        assert run.parse == dsp.ParseReport("structured", "reasked", 2)
        first, second = lm.requests
        assert (second.tools, second.params) == (first.tools, first.params)
        said, told = second.messages[-2:]
        assert said.tool_calls == (call('{"urgency": "high"}'),)
        assert (told.role, told.tool_call_id) == ("tool", "c1")
        assert "`items` is missing." in told.text

    def test_a_programmers_error_comes_out_as_it_is(self) -> None:
        def broken(_: dsp.Request) -> str:
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            predict("tools", broken)[0](Ticket())

    def test_nothing_is_printed_or_logged_of_a_failure(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with caplog.at_level(logging.INFO):
            for reply in (dsp.Timeout("late"), Response.of_text("prose"), called(call("{}"), finish="length")):
                with pytest.raises(dsp.RunError):
                    predict("tools", reply, retry=None)[0](Ticket())
        assert [record for record in caplog.records if record.name.startswith("instructor")] == []
        assert capfd.readouterr() == ("", "")


class TestOverHttp:
    def test_tools_on_the_wire(self) -> None:
        with OpenAIServer(Completion(None, tool_calls=(call(REPLY),), finish_reason="tool_calls")) as server:
            lm = dsp.LM("openai/local", base_url=server.base_url, api_key="k", cache=False)
            run = dsp.Predict[Ticket, Triage](lm=lm, adapter=dsp.StructuredAdapter("tools")).run(Ticket())
            (received,) = server.requests
        assert run.output == HIGH
        assert len(run.calls) == 1
        body: Any = received.body
        assert body["tool_choice"] == {"type": "function", "function": {"name": NAME}}
        assert body["tools"][0]["function"]["name"] == NAME

    def test_a_server_that_takes_neither_schema_nor_tools(self) -> None:
        def reply(body: dict[str, Any]) -> Any:
            if "response_format" in body:
                return Failure(400, {"error": {"message": "response_format json_schema is not supported"}})
            if "tools" in body:
                return Failure(400, {"error": {"message": "this model does not support tools"}})
            return "Sure!\n" + REPLY

        with OpenAIServer(reply) as server:
            lm = dsp.LM("openai/local", base_url=server.base_url, api_key="k", cache=False)
            program = dsp.Predict[Ticket, Triage](lm=lm, adapter=dsp.StructuredAdapter())
            assert program(Ticket()) == program(Ticket()) == HIGH
            assert server.count == 4

    @pytest.mark.parametrize("mode", ["auto", "json_schema", "tools", "json_object", "markdown"])
    def test_every_mode(self, mode: Any) -> None:
        def reply(body: dict[str, Any]) -> Any:
            if "tools" in body:
                return Completion(None, tool_calls=(call(REPLY),), finish_reason="tool_calls")
            return REPLY

        with OpenAIServer(reply) as server:
            lm = dsp.LM("openai/local", base_url=server.base_url, api_key="k", cache=False)
            assert dsp.Predict[Ticket, Triage](lm=lm, adapter=dsp.StructuredAdapter(mode))(Ticket()) == HIGH
            assert server.count == 1


class TestItself:
    def test_instructor_is_loaded_by_the_first_request(self) -> None:
        code = (
            "import sys, dsp\nfrom dsp.testing import ScriptedLM\nfrom pydantic import BaseModel\n"
            "class A(BaseModel):\n    a: int\n"
            "p = dsp.Predict[A, A](lm=ScriptedLM(['{\"a\": 1}']), adapter=dsp.StructuredAdapter())\n"
            "assert not {'instructor', 'openai'} & set(sys.modules)\n"
            "assert p(A(a=2)).a == 1\n"
            "assert {'instructor', 'openai'} <= set(sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=50)

    def test_copies_keep_the_mode(self) -> None:
        adapter = dsp.StructuredAdapter("tools", template="{{ subject }}")
        for made in (pickle.loads(pickle.dumps(adapter)), copy.deepcopy(adapter)):
            assert (made.mode, made.template) == ("tools", "{{ subject }}")

    def test_what_it_remembers_goes_with_the_signature(self) -> None:
        adapter = dsp.StructuredAdapter("tools")

        def used() -> list[weakref.ref[Any]]:
            class Own(BaseModel):
                urgency: str

            signature = dsp.Signature.of(Ticket, Own)
            adapter.format(signature, Ticket())
            adapter.parse(signature, '{"urgency": "x"}')
            return [weakref.ref(Own), weakref.ref(signature)]

        references = used()
        for _ in range(3):
            gc.collect()
        assert [reference() for reference in references] == [None, None]

    def test_a_field_of_any_name_is_fine(self) -> None:
        class Strange(BaseModel):
            messages: str
            model: str
            response_model: str = Field(alias="Größe (cm)")

        reply = '{"messages": "m", "model": "n", "Größe (cm)": "o"}'
        for mode in ("tools", "json_schema"):
            lm = ScriptedLM([reply])
            made = dsp.Predict[Ticket, Strange](lm=lm, adapter=dsp.StructuredAdapter(mode))(Ticket())  # type: ignore[arg-type]
            assert made.response_model == "o"


@given(
    st.one_of(
        st.text(max_size=40).map(Response.of_text),
        st.lists(st.builds(call, st.text(max_size=40), st.sampled_from([NAME, "other"])), max_size=3).map(
            lambda calls: called(*calls)
        ),
    ),
    st.sampled_from(["tools", "json_schema", "auto"]),
)
def test_whatever_the_reply_is_only_typed_errors_come_out(reply: Response, mode: str) -> None:
    program, lm = predict(mode, reply)
    try:
        assert isinstance(program(Ticket()), Triage)
    except dsp.RunError:
        pass
    assert len(lm.requests) == 1
