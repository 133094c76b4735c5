"""The values that rooms pass to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

import dsp
from dsp.messages import Role, as_chunks, assemble, messages_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
USAGE = st.builds(dsp.Usage, *[st.integers(0, 10**6)] * 4)


@st.composite
def responses(draw: st.DrawFn) -> dsp.Response:
    """Replies as providers give them: thinking, then text, then tool calls, then a refusal; each at most once."""
    parts: list[dsp.Part] = []
    if draw(st.booleans()):
        parts.append(dsp.ThinkingPart(draw(TEXT)))
    if draw(st.booleans()):
        parts.append(dsp.TextPart(draw(TEXT)))
    parts += draw(st.lists(st.builds(dsp.ToolCallPart, id=TEXT, name=TEXT, arguments=TEXT), max_size=3))
    if draw(st.booleans()):
        parts.append(dsp.RefusalPart(draw(TEXT)))
    cost = draw(st.none() | st.floats(0, 10))
    return dsp.Response(tuple(parts), draw(USAGE), cost, draw(st.sampled_from(["stop", "length", "tool_calls"])))


@given(responses())
def test_a_reply_in_pieces_makes_the_same_reply(response: dsp.Response) -> None:
    again = assemble(as_chunks(response))
    assert (again.parts, again.usage, again.cost, again.finish_reason) == (
        response.parts,
        response.usage,
        response.cost,
        response.finish_reason,
    )


def test_a_stream_that_broke_off_has_no_reason() -> None:
    assert assemble([dsp.TextChunk("hal")]).finish_reason == "other"


def test_tool_calls_come_together_from_their_pieces() -> None:
    chunks = [
        dsp.ToolCallChunk(1, "b", "second", "{"),
        dsp.ToolCallChunk(0, "a", "first", '{"x"'),
        dsp.ToolCallChunk(0, "", "", ": 1}"),
        dsp.ToolCallChunk(1, "", "", "}"),
    ]
    assert assemble(chunks).tool_calls == (
        dsp.ToolCallPart("a", "first", '{"x": 1}'),
        dsp.ToolCallPart("b", "second", "{}"),
    )


def test_the_parts_of_a_reply_by_kind() -> None:
    response = dsp.Response(
        (dsp.ThinkingPart("hm"), dsp.TextPart("a"), dsp.TextPart("b"), dsp.ToolCallPart("1", "f", "{}"))
    )
    assert (response.text, response.thinking, response.refusal) == ("ab", "hm", None)
    assert [call.name for call in response.tool_calls] == ["f"]
    assert dsp.Response((dsp.RefusalPart("no"),)).refusal == "no"


@given(USAGE, USAGE)
def test_usage_adds_up(one: dsp.Usage, two: dsp.Usage) -> None:
    assert (one + two).total_tokens == one.total_tokens + two.total_tokens
    assert (one + two).reasoning_tokens == one.reasoning_tokens + two.reasoning_tokens


class TestMessages:
    def test_a_text_is_one_user_message(self) -> None:
        assert messages_of("hi") == (dsp.Message("user", "hi"),)

    def test_the_provider_form(self) -> None:
        call = dsp.ToolCallPart("1", "f", "{}")
        assert dsp.Message("assistant", (dsp.TextPart("a"), call)).to_openai() == {
            "role": "assistant",
            "content": "a",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }
        assert dsp.Message("tool", "4", tool_call_id="1").to_openai() == {
            "role": "tool",
            "content": "4",
            "tool_call_id": "1",
        }

    @given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), TEXT), min_size=2, max_size=2))
    def test_digests_are_equal_exactly_when_messages_are(self, two: list[tuple[Role, str]]) -> None:
        one, other = (dsp.Message(role, text) for role, text in two)
        assert (one.digest == other.digest) == (one == other)

    def test_parts_and_ids_are_part_of_the_digest(self) -> None:
        variants = [
            dsp.Message("user", "a"),
            dsp.Message("user", (dsp.TextPart("a"),)),
            dsp.Message("user", (dsp.ThinkingPart("a"),)),
            dsp.Message("tool", "a"),
            dsp.Message("tool", "a", tool_call_id="1"),
            dsp.Message("user", "\ud800"),
        ]
        assert len({message.digest for message in variants}) == len(variants)


def test_response_formats_have_a_digest_of_all_they_say() -> None:
    variants = [
        dsp.ResponseFormat("a", {"type": "object"}, strict=True),
        dsp.ResponseFormat("a", {"type": "object"}, strict=False),
        dsp.ResponseFormat("b", {"type": "object"}, strict=True),
        dsp.ResponseFormat("a", {"type": "array"}, strict=True),
    ]
    assert len({each.digest for each in variants}) == 4
    assert variants[0].digest == dsp.ResponseFormat("a", {"type": "object"}, strict=True).digest


class Tool:
    name = "search"

    def __init__(self, description: str) -> None:
        self.description = description

    def json_schema(self) -> dict[str, JsonValue]:
        return {"name": self.name, "description": self.description, "parameters": {"type": "object"}}


def test_tools_and_formats_make_another_cache_key() -> None:
    messages = (dsp.Message("user", "hi"),)
    form = dsp.ResponseFormat("a", {"type": "object"}, strict=True)
    requests = [
        dsp.Request("m", messages),
        dsp.Request("m", messages, response_format=form),
        dsp.Request("m", messages, tools=(Tool("one"),)),
        dsp.Request("m", messages, tools=(Tool("two"),)),
        dsp.Request("n", messages),
        dsp.Request("m", messages, {"rollout": 1}),
    ]
    keys = [dsp.CacheKey("b", "e", request) for request in requests]
    keys += [dsp.CacheKey("c", "e", requests[0]), dsp.CacheKey("b", "f", requests[0])]
    assert len({key.digest for key in keys}) == len(keys)
    assert requests[5].rollout == 1


@pytest.mark.parametrize(
    "error", [dsp.Timeout, dsp.RateLimited, dsp.Truncated, dsp.BudgetExceeded, dsp.UnexpectedResult]
)
def test_each_reason_has_an_error_of_its_own(error: type[dsp.LMError]) -> None:
    raised = error("words", model="m", provider="p", status=500, retry_after=1.5, attempts=2)
    assert isinstance(raised, dsp.RunError)
    assert (raised.reason, raised.status, raised.retry_after, raised.attempts) == (error.default_reason, 500, 1.5, 2)
    assert (raised.usage, raised.calls) == (dsp.Usage(), ())
