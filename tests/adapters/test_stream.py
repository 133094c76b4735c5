"""Replies read while they arrive: no marker leaks wherever the stream is cut, and the end is what an unstreamed reading gives."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from dsp.adapters import BaseAdapter, ChatAdapter, FieldDelta, FieldSnapshot, JSONAdapter, Parsed, XMLAdapter
from dsp.errors import ParseError, Truncated
from dsp.messages import Response
from dsp.signatures import Example, Signature

from .shapes import Given, cases, texts


class Question(BaseModel):
    question: str


class Item(BaseModel):
    name: str
    count: int = 1


class Answer(BaseModel):
    reasoning: str
    urgency: Literal["low", "high"]
    items: list[Item]
    answer: str


class Loose(BaseModel):
    reasoning: str = ""
    urgency: Literal["low", "high"] = "low"
    items: list[Item] = []
    answer: str = ""


CHAT, JSON, XML = ChatAdapter(), JSONAdapter(), XMLAdapter()
ADAPTERS = [CHAT, JSON, XML]
LOOSE = Signature.of(Question, Loose, "Answer.")
SIGNATURE = Signature.of(Question, Answer, "Answer.")
GIVEN = Given(text="t", things=[])
OUTPUT = Answer(
    reasoning="First this,\n\nthen [that].",
    urgency="high",
    items=[Item(name="a", count=2), Item(name="b")],
    answer="It is 5 < 6.",
)


def stream(adapter: Any, signature: Any, pieces: list[str]) -> tuple[dict[str, str], list[dict[str, Any]], Any]:
    parser = adapter.parse_stream(signature)
    told: dict[str, str] = {}
    shots: list[dict[str, Any]] = []
    for events in [*map(parser.feed, pieces), parser.flush()]:
        for event in events:
            if isinstance(event, FieldDelta):
                assert event.text
                told[event.field] = told.get(event.field, "") + event.text
            else:
                assert isinstance(event, FieldSnapshot)
                shots.append(dict(event.values))
    return told, shots, parser


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places})
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def demo(adapter: Any, signature: Any, inputs: Any, output: Any) -> str:
    return adapter.format(signature, inputs, demos=[Example(inputs, output)]).messages[2].text


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
def test_fields_are_told_as_they_arrive(adapter: Any, size: int) -> None:
    reply = demo(adapter, SIGNATURE, Question(question="?"), OUTPUT)
    told, shots, parser = stream(adapter, SIGNATURE, [reply[n : n + size] for n in range(0, len(reply), size)])
    assert told == {"reasoning": OUTPUT.reasoning, "answer": OUTPUT.answer}
    assert shots[-1] == OUTPUT.model_dump()
    assert parser.finish().output == OUTPUT
    if size == 1:
        assert len(shots) > 20
        assert any(shot.get("items") not in (None, [], OUTPUT.model_dump()["items"]) for shot in shots)
        assert next(list(shot) for shot in shots if "urgency" in shot) == ["reasoning", "urgency"]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=cases(), places=st.lists(st.integers(0, 10_000), max_size=12), every=st.booleans())
def test_the_deltas_of_a_text_are_the_text_for_any_cut(
    adapter: Any, case: tuple[Signature[Any, Any], Any], places: list[int], every: bool
) -> None:
    signature, expected = case
    reply = demo(adapter, signature, GIVEN, expected)
    told, shots, parser = stream(adapter, signature, list(reply) if every else cut(reply, places))
    values = signature.dump_output(expected)
    texts = {field.label: values[field.label] for field in signature.output_fields if field.is_text}
    assert told == {label: text for label, text in texts.items() if text}
    assert shots[-1] == values
    assert parser.finish().output == expected


PIECES = [
    "[[ ## reasoning ## ]]", "[[ ## urgency ## ]]\nhigh\n", "[[ ## items ## ]]\n[]\n", "[[ ## answer ## ]]\n", "[[ ## completed ## ]]", "[[ ## completion ## ]]",
    "[[ ## other ## ]]\n", "**[[ ## Answer ## ]]**", "[[ ##", "<reasoning>", "</reasoning>", "<urgency>high</urgency>", "<items></items>", "<Answer>", "</answer>", "<answer",
    "<![CDATA[", "]]>", "<!--", "-->", '{"reasoning": "', '", "urgency": "high", "items": [', '], "answer": "', '"}', "\\u00e9", "\\ud83d\\ude00", "\\", "```\n", "```json\n",
    "<think>", "</think>", "\n", "\n\n", " ", "&lt;", "text", "<b>", '"',
]  # fmt: skip


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
@settings(max_examples=400, deadline=None)
@given(
    reply=st.lists(st.sampled_from(PIECES) | texts, max_size=14).map("".join),
    places=st.lists(st.integers(0, 10_000), max_size=12),
    every=st.booleans(),
)
def test_what_is_told_of_any_reply_is_the_beginning_of_what_is_read(
    adapter: Any, reply: str, places: list[int], every: bool
) -> None:
    told, _, parser = stream(adapter, LOOSE, list(reply) if every else cut(reply, places))
    try:
        expected = adapter.parse(LOOSE, reply)
    except ParseError:
        with pytest.raises(ParseError):
            parser.finish()
        return
    assert parser.finish() == expected
    if adapter is JSON and expected.report.repairs:
        return  # how broken JSON is mended shows only at its end
    for label, text in told.items():
        assert getattr(expected.output, label) == text


@pytest.mark.parametrize(
    ("adapter", "pieces"),
    [
        (CHAT, ["[[ ## answer ## ]]\nParis\n\n[[", " ## comp", "leted ## ]]"]),
        (CHAT, ["```\n[[ ## ", "answer ## ]]", "\nParis", "\n`", "``"]),
        (CHAT, ["<thi", "nk>[[ ## answer ## ]] no</th", "ink>[[ ## answer ## ]] ", "Paris"]),
        (CHAT, ["[[ ## answer ## ]]\nPa", "ris\n[[ ## oth", "er ## ]]\nx"]),
        (CHAT, ["**[[ ## Answer", " ## ]]*", "*\nParis\n##", "# [[ ## completed ## ]]"]),
        (XML, ["<ans", "wer>Par", "is</ans", "wer>"]),
        (XML, ["I use <answer> tags. <answer>", "Paris</answer>"]),
        (XML, ["<answer><![CDA", "TA[Pa", "ris]", "]", "></answer>"]),
        (XML, ["<answer>Pa", "ris"]),
        (JSON, ['```json\n{"ans', 'wer": "Pa', 'r\\u00', '69s"', "}\n```"]),
        (JSON, ["{'answer': ", "'Paris',}"]),
    ],
)  # fmt: skip
def test_no_marker_leaks(adapter: Any, pieces: list[str]) -> None:
    class Short(BaseModel):
        answer: str

    told, shots, parser = stream(adapter, Signature.of(Question, Short, "x"), pieces)
    assert told == {"answer": "Paris"}
    assert shots[-1] == {"answer": "Paris"}
    assert parser.finish().output == Short(answer="Paris")


def test_an_adapter_that_does_not_say_how_gives_the_final_output() -> None:
    class Plain(BaseAdapter):
        def format(self, signature: Any, inputs: Any, **more: Any) -> Any:
            return CHAT.format(signature, inputs, **more)

        def parse(self, signature: Any, reply: Any) -> Any:
            return CHAT.parse(signature, reply)

    parser = Plain().parse_stream(SIGNATURE)
    reply = demo(CHAT, SIGNATURE, Question(question="?"), OUTPUT)
    assert parser.feed(reply[:30]) == parser.feed(reply[30:]) == parser.flush() == []
    parsed = parser.finish()
    assert isinstance(parsed, Parsed)
    assert parsed.output == OUTPUT


def test_the_final_reply_says_why_it_ended() -> None:
    parser = CHAT.parse_stream(SIGNATURE)
    parser.feed("[[ ## reasoning ## ]]\nx")
    with pytest.raises(Truncated):
        parser.finish(Response.of_text("[[ ## reasoning ## ]]\nx", finish_reason="length"))


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
def test_a_long_reply_in_small_pieces_is_read_in_time(adapter: Any) -> None:
    import time

    output = OUTPUT.model_copy(
        update={"answer": "word [and] <b> more\n" * 20_000, "items": [Item(name=f"n{n}") for n in range(2000)]}
    )
    reply = demo(adapter, SIGNATURE, Question(question="?"), output)
    started = time.perf_counter()
    told, _, _ = stream(adapter, SIGNATURE, [reply[n : n + 16] for n in range(0, len(reply), 16)])
    assert told["answer"] == output.answer
    assert time.perf_counter() - started < 20
