"""The direct connection and LiteLLM give the same responses and the same errors, and send each request once."""

from __future__ import annotations

import asyncio
import socket
import traceback
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from dsp import errors
from dsp.messages import (
    FinishChunk,
    Message,
    RefusalPart,
    Request,
    ResponseFormat,
    TextChunk,
    TextPart,
    ThinkingChunk,
    ThinkingPart,
    ToolCallChunk,
    ToolCallPart,
    Usage,
    UsageChunk,
)
from dsp.testing.server import Broken, Completion, Failure, Hang, Html, OpenAIServer

if TYPE_CHECKING:
    from dsp.testing.server import Reply

pytestmark = pytest.mark.filterwarnings(
    # LiteLLM reads a field of Pydantic's models in a way that Pydantic has given up.
    "ignore:Accessing the 'model_.*fields' attribute on the instance is deprecated:DeprecationWarning"
)

FULL = Completion(
    "Paris, of course.",
    thinking="The capital of France.",
    tool_calls=(ToolCallPart("call_a", "look_up", '{"city": "Paris"}'),),
    finish_reason="tool_calls",
    usage=Usage(100, 20, 8, 60),
    headers={"x-request-id": "req-7", "x-ratelimit-remaining-requests": "42", "x-other": "no"},
)


def test_a_reply_has_its_parts_usage_and_metadata(ask, make):
    with OpenAIServer(FULL) as server:
        response = ask.complete(make(server.base_url))
    assert response.parts == (
        ThinkingPart("The capital of France."),
        TextPart("Paris, of course."),
        ToolCallPart("call_a", "look_up", '{"city": "Paris"}'),
    )
    assert response.usage == Usage(100, 20, 8, 60)
    assert response.finish_reason == "tool_calls"
    assert (response.model, response.provider, response.served) == ("gpt-4o-mini", "openai", "model")
    assert response.cost is None  # nobody knows what a server of one's own costs
    assert response.metadata["id"] == "chatcmpl-local"
    assert response.metadata["system_fingerprint"] == "fp_local"
    assert response.metadata["x-request-id"] == "req-7"
    assert response.metadata["x-ratelimit-remaining-requests"] == "42"
    assert "x-other" not in response.metadata


def test_a_stream_has_the_same_parts_in_pieces(ask, make):
    with OpenAIServer(FULL) as server:
        pieces = ask.stream(make(server.base_url))
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextChunk)) == "Paris, of course."
    assert "".join(piece.text for piece in pieces if isinstance(piece, ThinkingChunk)) == "The capital of France."
    calls = [piece for piece in pieces if isinstance(piece, ToolCallChunk)]
    assert (calls[0].id, calls[0].name) == ("call_a", "look_up")
    assert "".join(call.arguments for call in calls) == '{"city": "Paris"}'
    assert pieces[-2:] == [UsageChunk(Usage(100, 20, 8, 60), None), FinishChunk("tool_calls")]
    assert sum(isinstance(piece, TextChunk) for piece in pieces) == 3


@pytest.mark.parametrize(
    ("said", "reason"), [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter")]
)
def test_why_a_reply_ended(ask, make, said, reason):
    with OpenAIServer(Completion("x", finish_reason=said)) as server:
        backend = make(server.base_url)
        assert ask.complete(backend).finish_reason == reason
        assert ask.stream(backend)[-1] == FinishChunk(reason)


def test_a_refusal_is_a_part_of_a_reply(ask, make):
    with OpenAIServer(Completion(None, refusal="I would rather not.")) as server:
        assert ask.complete(make(server.base_url)).parts == (RefusalPart("I would rather not."),)


def test_an_empty_reply_has_no_parts(ask, make):
    with OpenAIServer("") as server:
        assert ask.complete(make(server.base_url)).text == ""


def test_only_what_is_set_is_sent_and_zero_is(ask, make):
    with OpenAIServer() as server:
        backend = make(server.base_url)
        ask.complete(backend)
        ask.complete(
            backend,
            temperature=0.0,
            top_p=0.5,
            max_tokens=7,
            stop=["a", "b"],
            seed=0,
            n=1,
            rollout=3,
            timeout=9.0,
            extra={"user": "u-1"},
        )
        bare, full = (received.body for received in server.requests)
    assert set(bare) == {"model", "messages"}
    assert bare == {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    assert {name: full[name] for name in full if name not in bare} == {
        "temperature": 0.0,
        "top_p": 0.5,
        "max_tokens": 7,
        "stop": ["a", "b"],
        "seed": 0,
        "n": 1,
        "user": "u-1",
    }


def test_a_reasoning_model_gets_what_it_takes(ask, make, caplog):
    with OpenAIServer() as server:
        backend = make(server.base_url)
        for _ in range(2):
            response = ask.complete(
                backend,
                f"openai/o3-{type(backend).__name__}",
                temperature=0.2,
                top_p=0.5,
                max_tokens=7,
                reasoning_effort="low",
            )
        body = server.requests[-1].body
    assert body["max_completion_tokens"] == 7
    assert body["reasoning_effort"] == "low"
    assert not {"temperature", "top_p", "max_tokens"} & set(body)
    assert response.metadata["dropped"] == ["temperature", "top_p"]
    warned = [record for record in caplog.records if record.name == "dsp" and "temperature, top_p" in record.message]
    assert len(warned) == 1


class Weather:
    name = "weather"

    def json_schema(self):
        return {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {}}}


def test_formats_and_tools_are_sent_in_the_protocols_form(make):
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    strict = ResponseFormat("My Output!", schema, strict=True)
    loose = ResponseFormat("Out", schema, strict=False)
    with OpenAIServer() as server:
        backend = make(server.base_url)
        for form in (strict, loose):
            request = Request("openai/gpt-4o-mini", (Message("user", "hi"),), response_format=form, tools=(Weather(),))
            asyncio.run(backend.complete(request))
        first, second = (received.body for received in server.requests)
    assert first["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "My_Output_", "schema": schema, "strict": True},
    }
    assert second["response_format"] == {"type": "json_object"}
    assert first["tools"] == [{"type": "function", "function": Weather().json_schema()}]


def problem(code: str) -> dict[str, object]:
    return {"error": {"message": "m", "type": code, "code": code}}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("reply", "kind", "status"),
    [
        (Failure(400, problem("context_length_exceeded")), errors.ContextWindowExceeded, 400),
        (Failure(400, problem("content_filter")), errors.ContentFiltered, 400),
        (Failure(400), errors.APIError, 400),
        (Failure(401), errors.Authentication, 401),
        (Failure(403), errors.Authentication, 403),
        (Failure(404), errors.APIError, 404),
        (Failure(408), errors.Timeout, None),
        (Failure(429), errors.RateLimited, 429),
        (Failure(429, problem("insufficient_quota")), errors.QuotaExceeded, 429),
        (Failure(429, problem("billing_hard_limit_reached")), errors.QuotaExceeded, 429),
        (Failure(500), errors.ServerError, 500),
        (Failure(503, "<html>overloaded</html>"), errors.ServerError, 503),
        (Failure(529), errors.ServerError, 529),
        (Html(status=502), errors.ServerError, 502),
        (Broken(), errors.NetworkError, None),
        (Broken(silent=True), errors.NetworkError, None),
        (Hang(60), errors.Timeout, None),
    ],
    ids=str,
)
def test_every_failure_is_one_request_and_one_error(ask, make, reply: Reply, kind, status, streamed):
    with OpenAIServer(reply) as server:
        backend = make(server.base_url)
        with pytest.raises(errors.LMError) as caught:
            (ask.stream if streamed else ask.complete)(backend, timeout=0.5 if isinstance(reply, Hang) else 20.0)
        assert server.count == 1
        address = server.base_url.removeprefix("http://").removesuffix("/v1")
    error = caught.value
    assert type(error) is kind
    if status is not None:
        assert error.status == status
    assert (error.model, error.provider) == ("openai/gpt-4o-mini", "openai")
    assert address in str(error)
    # Neither the message nor anything that a traceback shows of the errors below holds the key.
    assert ask.key not in "".join(traceback.format_exception(error)) + repr(error) + repr(backend)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "reply",
    [
        Html(),
        Failure(200, "this is not JSON"),
        Failure(200, {"a": 1}),
        Failure(200, {"choices": []}),
        Failure(200, [1, 2]),
        Failure(200, ""),
    ],
    ids=str,
)
def test_what_is_no_completion_is_an_invalid_response(ask, make, reply):
    with OpenAIServer(reply) as server:
        with pytest.raises(errors.InvalidResponse) as caught:
            ask.complete(make(server.base_url))
        assert server.count == 1
        assert server.base_url in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"Retry-After": formatdate(0, usegmt=True)}, 0.0),
    ],
)
def test_the_wait_that_a_server_asks_for_is_kept(ask, make, headers, seconds):
    with OpenAIServer([Failure(429, headers=headers), Failure(503, headers=headers)]) as server:
        backend = make(server.base_url)
        for _ in range(2):
            with pytest.raises(errors.LMError) as caught:
                ask.complete(backend)
            assert caught.value.retry_after == seconds


def test_a_key_that_a_server_repeats_is_blotted_out(ask, make):
    with OpenAIServer(
        [Failure(401, {"error": {"message": f"wrong key {ask.key}"}}), Html(f"<p>{ask.key}</p>")]
    ) as server:
        backend = make(server.base_url)
        for _ in range(2):
            with pytest.raises(errors.LMError) as caught:
                ask.complete(backend)
            assert ask.key not in str(caught.value)


def test_the_key_is_sent_and_asked_for_at_each_request(ask, make):
    keys = iter(["first-key", "second-key"])
    with OpenAIServer() as server:
        backend = make(server.base_url, lambda: next(keys))
        ask.complete(backend)
        ask.complete(backend)
        assert [received.headers["authorization"] for received in server.requests] == [
            "Bearer first-key",
            "Bearer second-key",
        ]


def test_a_server_that_cannot_be_reached_is_named(ask, make):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers, and nobody else can take it
        port = taken.getsockname()[1]
        with pytest.raises(errors.NetworkError, match=rf"127\.0\.0\.1:{port}"):
            ask.complete(make(f"http://127.0.0.1:{port}/v1"))


def test_a_cancelled_call_leaves_the_server_and_the_next_call_works(ask, make):
    async def main(backend):
        call = asyncio.create_task(backend.complete(ask.request()))
        while server.count == 0:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await backend.complete(ask.request())

    with OpenAIServer([Hang(), "well"]) as server:
        assert asyncio.run(main(make(server.base_url))).text == "well"


def test_a_stream_that_is_left_early_ends_quietly(ask, make):
    async def first(backend):
        stream = backend.stream(ask.request())
        piece = await anext(stream)
        await stream.aclose()
        return piece

    with OpenAIServer(" ".join(["word"] * 500), pause=0.001) as server:
        backend = make(server.base_url)
        assert asyncio.run(first(backend)) == TextChunk("word")
        assert asyncio.run(first(backend)) == TextChunk("word")


def test_many_calls_run_at_the_same_time(ask, make):
    async def main(backend):
        return await asyncio.gather(*(backend.complete(ask.request()) for _ in range(40)))

    with OpenAIServer(delay=0.2) as server:
        backend = make(server.base_url)
        ask.complete(backend)
        assert len(asyncio.run(main(backend))) == 40
        assert server.peak > 20  # one after the other it would be 1; on a busy machine a few come late


def test_unicode_and_control_characters_arrive_as_they_are(ask, make):
    text = "naïve 日本 😀 \u2028 \x00 \t \"'\\ [[ ## x ## ]]"
    with OpenAIServer(lambda body: body["messages"][0]["content"]) as server:
        assert asyncio.run(make(server.base_url).complete(ask.request(text=text))).text == text


def test_the_reply_can_be_huge(ask, make):
    with OpenAIServer("x" * 10_000_000) as server:
        assert len(ask.complete(make(server.base_url)).text) == 10_000_000
