"""Replies in: markers however they are spelt, JSON however untidy, and the errors for what cannot be read."""

from __future__ import annotations

import time
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, RootModel

from dsp.adapters import ChatAdapter, JSONAdapter
from dsp.errors import ContentFiltered, ParseError, Truncated
from dsp.messages import RefusalPart, Response, TextPart, ToolCallPart, Usage
from dsp.signatures import Signature


class Team(Enum):
    BILLING = "b"
    TECH = "t"


class Ticket(BaseModel):
    subject: str


class Triage(BaseModel):
    urgency: Literal["low", "normal", "high"]
    team: Team
    minutes: int = Field(ge=0, le=480)
    summary: str
    note: str | None = None


class Answer(BaseModel):
    answer: str


class Pair(BaseModel):
    first_name: str
    answer: str


class Item(BaseModel):
    name: str


class Items(BaseModel):
    items: list[Item]


class Defaults(BaseModel):
    a: int = 0
    b: str = ""


CHAT, JSON = ChatAdapter(), JSONAdapter()
TRIAGE = Signature.of(Ticket, Triage, "Route it.")
ANSWER = Signature.of(Ticket, Answer, "Answer.")
PAIR = Signature.of(Ticket, Pair, "Answer.")
ITEMS = Signature.of(Ticket, Items, "List.")
CLEAN = """[[ ## urgency ## ]]
high

[[ ## team ## ]]
b

[[ ## minutes ## ]]
30

[[ ## summary ## ]]
Broken.
Twice.

[[ ## note ## ]]
null

[[ ## completed ## ]]"""
EXPECTED = Triage(urgency="high", team=Team.BILLING, minutes=30, summary="Broken.\nTwice.")


# ------------------------------------------------------------------ chat
def test_a_clean_reply_is_read_directly() -> None:
    parsed = CHAT.parse(TRIAGE, CLEAN)
    assert parsed.output == EXPECTED
    assert (parsed.report.adapter, parsed.report.rung, parsed.report.repairs) == ("chat", "direct", ())


@pytest.mark.parametrize(
    "marker",
    [
        "[[ ## first_name ## ]]",
        "[[## first_name ##]]",
        "[[##first_name##]]",
        "[[ ## First_Name ## ]]",
        "[[ ## FIRST NAME ## ]]",
        "[[ ## first-name ## ]]",
        "[[ ## firstname ## ]]",
        "  [[ ## first_name ## ]]",
        "**[[ ## first_name ## ]]**",
        "`[[ ## first_name ## ]]`",
        "### [[ ## first_name ## ]]",
        "[[ ## first_name ##",
        "[[ ## first_name ## ]",
        "[[ ## first_name ]]",
        "[[ ## first_name",
        "[ ## first_name ## ]",
        "[[ # first_name # ]]",
        "[[ ## first_name ## ]]:",
        "[[ ## first_name ## ]]\r",
    ],
)
@pytest.mark.parametrize("gap", ["\n", "\n\n", " "])
def test_markers_are_read_however_they_are_spelt(marker: str, gap: str) -> None:
    if marker.endswith(("first_name", "\r")) and gap == " ":
        gap = "\n"  # a marker that nothing closes stands alone on its line
    reply = (
        f"{marker}{gap}Ada\n\n{marker.replace('first_name', 'answer')}"
        if "first_name" in marker
        else f"{marker}{gap}Ada\n\n[[ ## answer ## ]]"
    )
    assert CHAT.parse(PAIR, f"{reply}{gap}yes\n\n[[ ## completed ## ]]").output == Pair(first_name="Ada", answer="yes")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("[[ ## answer ## ]]\nParis", "Paris"),
        ("[[ ## answer ## ]] Paris", "Paris"),
        ("[[ ## answer ## 123", "123"),
        ("[[ ## answer ## ]] **Paris**", "**Paris**"),
        ("Let me think.\n\n[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]\nAnything else?", "Paris"),
        ("<think>[[ ## answer ## ]] Rome?</think>\n[[ ## answer ## ]]\nParis", "Paris"),
        ("```\n[[ ## answer ## ]]\nParis\n```", "Paris"),
        ("[[ ## answer ## ]]\nParis\n[[ ## completion ## ]]", "Paris"),
        ("[[ ## answer ## ]]\nParis\n\n[[ ## answer ## ]]\nParis", "Paris"),
        ('[[ ## answer ## ]]\n"Paris"', '"Paris"'),
        ("[[ ## answer ## ]]\nsee [[ ## answer ## ]] there", "see [[ ## answer ## ]] there"),
        ("[[ ## answer ## ]]\nParis\n\n[[ ## compl", "Paris"),
        ("[[ ## answer ## ]]\nParis\n[[ #", "Paris"),
        ("[[ ## answer ## ]]\nParis\n[[ ## confl", "Paris\n[[ ## confl"),
        ("[[ ## answer ## ]]\na\n\n[[ ## other ## ]]\nb", "a"),
        ("[[ ## answer ## ]]\na\n[[ ## other ## ]] b", "a\n[[ ## other ## ]] b"),
        ("[[ ## answer ## ]]\na\n  [[ ## other ## ]]\nb", "a\n  [[ ## other ## ]]\nb"),
        ("[[ ## answer ## ]]\na\n[[## other ##]]\nb", "a\n[[## other ##]]\nb"),
        ("[[ ## answer ## ]]\n```\n[[ ## other ## ]]\n```\nb", "```\n[[ ## other ## ]]\n```\nb"),
        ("[[ ## answer ## ]]\n[[ ## answers ## ]]\nb", "[[ ## answers ## ]]\nb"),
        ("[[ ## answer ## ]]\nuse </think> and </answer>", "use </think> and </answer>"),
        ("[[ ## answer ## ]]\n> [[ ## answer ## ]]\n> quoted", "> [[ ## answer ## ]]\n> quoted"),
        ("[[ ## answer ## ]]\n\n[[ ## completed ## ]]", ""),
    ],
)
def test_a_text_is_what_stands_between_markers(reply: str, answer: str) -> None:
    assert CHAT.parse(ANSWER, reply).output.answer == answer


def test_values_are_mended_and_each_repair_is_listed() -> None:
    reply = (
        "Sure!\n[[ ## Urgency ## ]]\nHigh.\n[[ ## team ## ]]\nbilling\n[[ ## minutes ## ]]\n`0`\n[[ ## summary ## ]]\nx"
    ).replace("`0`", '"30"')
    parsed = CHAT.parse(TRIAGE, reply)
    assert parsed.output == Triage(urgency="high", team=Team.BILLING, minutes=30, summary="x")
    assert parsed.report.rung == "repaired"
    assert parsed.report.repairs == (
        "marker `[[ ## Urgency ## ]]` read as `[[ ## urgency ## ]]`",
        "text before the first marker left out",
        "urgency: 'High.' read as 'high'",
        "team: 'billing' read as 'b'",
        "minutes: the value: '30' read as a number",
    )


@pytest.mark.parametrize(
    ("field", "section", "value"),
    [
        ("minutes", "30\n\nI hope this helps!", 30),
        ("minutes", "30\n\nLet me know if you need anything else.", 30),
        ("urgency", "high\n\nThe customer cannot work.", "high"),
        ("urgency", "high\n\nIt is no longer low.", None),
        ("urgency", "high\n\nThis is not certain.", None),
        ("minutes", "30\n\nIt may take 45.", None),
        ("minutes", "about half an hour\n\nI hope this helps!", None),
    ],
)
def test_a_remark_after_a_typed_value_is_left_out_unless_it_may_be_the_value(
    field: str, section: str, value: object
) -> None:
    reply = CLEAN.replace("\nhigh\n" if field == "urgency" else "\n30\n", f"\n{section}\n")
    if value is None:
        with pytest.raises(ParseError, match=field):
            CHAT.parse(TRIAGE, reply)
    else:
        parsed = CHAT.parse(TRIAGE, reply)
        assert getattr(parsed.output, field) == value
        assert f"{field}: the remark after the value left out" in parsed.report.repairs


def test_prose_is_a_text_where_any_value_fits() -> None:
    class Free(BaseModel):
        value: Any

    signature = Signature.of(Ticket, Free, "x")
    assert CHAT.parse(signature, "[[ ## value ## ]]\n1. This\n2. That").output.value == "1. This\n2. That"
    assert CHAT.parse(signature, '[[ ## value ## ]]\n["a"]').output.value == ["a"]


def test_text_or_null_keeps_its_digits() -> None:
    reply = CLEAN.replace("[[ ## note ## ]]\nnull", "[[ ## note ## ]]\n1.50")
    assert CHAT.parse(TRIAGE, reply).output.note == "1.50"


def test_objects_and_lists_in_a_section_are_mended() -> None:
    assert CHAT.parse(ITEMS, "[[ ## items ## ]]\n```json\n[{'Name': 'x'},]\n```").output == Items(
        items=[Item(name="x")]
    )


@pytest.mark.parametrize("reply", ["```json\n[{'name': 'x'}]\n```", '[{"name": "x"}]', 'I found [{"name": "x"}].'])
def test_without_markers_one_field_that_is_no_text_is_read(reply: str) -> None:
    parsed = CHAT.parse(ITEMS, reply)
    assert parsed.output == Items(items=[Item(name="x")])
    assert parsed.report.rung == "repaired"


@pytest.mark.parametrize(
    ("signature", "reply", "missing"),
    [
        (ANSWER, "Paris", ("answer",)),
        (ANSWER, '{"answer": "Paris"}', ("answer",)),
        (PAIR, "[[ ## answer ## ]]\nx", ("first_name",)),
        (TRIAGE, "[[ ## urgency ## ]]\nhigh", ("team", "minutes", "summary")),
        (TRIAGE, CLEAN.replace("30", ""), ("minutes",)),
        (ITEMS, "I found nothing.", ("items",)),
        (ANSWER, "", ()),
        (ANSWER, " \n ", ()),
        (ANSWER, "<html><body>502 Bad Gateway</body></html>", ("answer",)),
    ],
)
def test_what_is_missing_is_named(signature: Signature[Any, Any], reply: str, missing: tuple[str, ...]) -> None:
    with pytest.raises(ParseError) as caught:
        CHAT.parse(signature, reply)
    assert caught.value.missing == missing
    assert caught.value.reply == reply
    assert all(f"`{label}`" in str(caught.value) or f"## {label} ##" in str(caught.value) for label in missing)


def test_an_empty_reply_says_so() -> None:
    for adapter in (CHAT, JSON):
        with pytest.raises(ParseError, match="The reply is empty"):
            adapter.parse(ANSWER, "")


def test_two_values_for_one_field_are_an_error() -> None:
    with pytest.raises(ParseError, match="`answer` appears twice"):
        CHAT.parse(ANSWER, "[[ ## answer ## ]]\na\n[[ ## answer ## ]]\nb")


def test_errors_name_field_type_value_and_what_was_expected() -> None:
    with pytest.raises(ParseError) as caught:
        CHAT.parse(TRIAGE, CLEAN.replace("high", "not high").replace("30", "900"))
    assert caught.value.errors == (
        '`urgency` (one of "low", "normal", "high"): got "not high"; expected \'low\', \'normal\' or \'high\'.',
        "`minutes` (integer, at least 0, at most 480): got 900; expected less than or equal to 480.",
    )


def test_fields_called_like_the_end_marker_work() -> None:
    class Done(BaseModel):
        completed: bool
        output: str
        reasoning: str

    signature = Signature.of(Ticket, Done, "x")
    prompt = CHAT.format(signature, Ticket(subject="s"))
    assert "[[ ## completed_2 ## ]]" in prompt.messages[0].text
    reply = "[[ ## completed ## ]]\ntrue\n[[ ## output ## ]]\nx\n[[ ## reasoning ## ]]\ny\n[[ ## completed_2 ## ]]"
    assert CHAT.parse(signature, reply).output == Done(completed=True, output="x", reasoning="y")


def test_leading_fields_come_back_beside_the_output() -> None:
    signature = ANSWER.leading("reasoning", str, "Think first.")
    parsed = CHAT.parse(signature, "[[ ## reasoning ## ]]\nhm\n\n[[ ## answer ## ]]\nx")
    assert (parsed.output, parsed.leading) == (Answer(answer="x"), {"reasoning": "hm"})
    parsed = JSON.parse(signature, '{"reasoning": "hm", "answer": "x"}')
    assert (parsed.output, parsed.leading, parsed.report.rung) == (Answer(answer="x"), {"reasoning": "hm"}, "direct")
    parsed = JSON.parse(signature, "{'Reasoning': 'hm', answer: 'x',}")
    assert (parsed.output, parsed.leading, parsed.report.rung) == (Answer(answer="x"), {"reasoning": "hm"}, "repaired")
    for adapter, reply in ((CHAT, "[[ ## answer ## ]]\nx"), (JSON, '{"answer": "x"}')):
        with pytest.raises(ParseError) as caught:
            adapter.parse(signature, reply)
        assert caught.value.missing == ("reasoning",)


class Numbers(RootModel[list[int]]):
    pass


@pytest.mark.parametrize(
    ("output", "value", "shown"),
    [(Numbers, Numbers([1, 2]), "[1, 2]"), (Answer | Item, Item(name="x"), '{"name": "x"}')],
)
def test_outputs_that_are_no_object_are_one_field(output: Any, value: object, shown: str) -> None:
    signature: Signature[Any, Any] = Signature.of(Ticket, output, "x")
    assert CHAT.parse(signature, f"[[ ## output ## ]]\n{shown}\n[[ ## completed ## ]]").output == value
    assert JSON.parse(signature, f'{{"output": {shown}}}').output == value


# ------------------------------------------------------------------ json
def test_a_clean_object_is_read_directly() -> None:
    parsed = JSON.parse(TRIAGE, EXPECTED.model_dump_json())
    assert parsed.output == EXPECTED
    assert (parsed.report.adapter, parsed.report.rung) == ("json", "direct")


@pytest.mark.parametrize(
    "reply",
    [
        '```json\n{"answer": "x"}\n```',
        'Here: {"answer": "x"} Bye.',
        "{'answer': 'x',}",
        '{"Answer": "x"}',
        '{"output": {"answer": "x"}}',
        '{"Answer": {"answer": "x"}}',
        '{"answer": "x", "confidence": 0.9}',
        '[{"answer": "x"}]',
        '<think>{"answer": "y"}</think>{"answer": "x"}',
    ],
)
def test_untidy_objects_are_mended(reply: str) -> None:
    parsed = JSON.parse(ANSWER, reply)
    assert parsed.output == Answer(answer="x")
    assert parsed.report.rung == "repaired"
    assert parsed.report.repairs


@pytest.mark.parametrize(
    "reply", ["{}", "[]", "42", '"x"', "null", "Paris", '{"error": "no"}', '{"answer": ', '{"answer": ["x", "y"]}', '{"answer": "x"} {"answer": "y"}', "<html></html>"]
)  # fmt: skip
def test_what_is_no_such_object_is_an_error(reply: str) -> None:
    with pytest.raises(ParseError) as caught:
        JSON.parse(ANSWER, reply)
    assert caught.value.reply == reply
    assert caught.value.errors


def test_a_model_of_defaults_does_not_swallow_a_wrong_reply() -> None:
    signature = Signature.of(Ticket, Defaults, "x")
    with pytest.raises(ParseError, match="none of the keys"):
        JSON.parse(signature, '{"error": "I cannot"}')
    assert JSON.parse(signature, '{"A": 1}').output == Defaults(a=1)


# ------------------------------------------------------------------ responses
@pytest.mark.parametrize(
    ("adapter", "text"),
    [
        (CHAT, "[[ ## answer ## ]]\nThe answer is long and"),
        (JSON, '{"answer": "The answer is'),
        (JSON, '```json\n{"answer": "x"}\n```\n{"an'),
        (CHAT, ""),
        (JSON, ""),
    ],
)
def test_a_cut_reply_is_truncated(adapter: Any, text: str) -> None:
    response = Response.of_text(text, usage=Usage(completion_tokens=7), finish_reason="length")
    with pytest.raises(Truncated, match=r"after 7 tokens.*`max_tokens`"):
        adapter.parse(ANSWER, response)


@pytest.mark.parametrize(
    ("adapter", "text"), [(CHAT, "[[ ## answer ## ]]\nx\n[[ ## completed ## ]]\nand"), (JSON, '{"answer": "x"}')]
)
def test_a_cut_reply_that_is_complete_is_read(adapter: Any, text: str) -> None:
    assert adapter.parse(ANSWER, Response.of_text(text, finish_reason="length")).output == Answer(answer="x")


@pytest.mark.parametrize("adapter", [CHAT, JSON])
def test_refusals_are_content_filtered(adapter: Any) -> None:
    with pytest.raises(ContentFiltered, match="I will not"):
        adapter.parse(ANSWER, Response((RefusalPart("I will not"),)))
    with pytest.raises(ContentFiltered):
        adapter.parse(ANSWER, Response((), finish_reason="content_filter"))
    with pytest.raises(ParseError, match="only calls `search`"):
        adapter.parse(ANSWER, Response((ToolCallPart("1", "search", "{}"),), finish_reason="tool_calls"))


@pytest.mark.parametrize("adapter", [CHAT, JSON])
def test_a_response_is_read_like_its_text(adapter: Any) -> None:
    text = "[[ ## answer ## ]]\nx\n[[ ## completed ## ]]" if adapter is CHAT else '{"answer": "x"}'
    assert adapter.parse(ANSWER, Response((TextPart(text),))).output == Answer(answer="x")


# ------------------------------------------------------------------ size
BIG = 10_000_000


@pytest.mark.parametrize(
    "reply",
    [
        "x" * BIG,
        "[" * BIG,
        " " * BIG + "x",
        "\n" * BIG + "x",
        "[[ ## answer ## ]]\n" * (BIG // 19),
        "[[ ## answer ## ]]\n" + "x" * BIG,
        "[[ ## answer ## ]]\n```\n" + "[[ ## x ## ]]\n" * (BIG // 14),
        "[[ ## answer ## ]]\n" + "[[ ## end ## ]]\n" * (BIG // 16) + "x",
        "[[ ## answer ## ]]\nx\n" + "[[ ## x ## ]]\n" * (BIG // 14),
        '[[ ## answer ## ]]\n"' + '\\"' * (BIG // 2) + '"',
        "[[ ##" * (BIG // 5),
        "[[ ## a\n" * (BIG // 8),
        "**" * (BIG // 2),
        "\t[[ " * (BIG // 4),
        "<think>" * (BIG // 7),
        '{"answer": "' + "x" * BIG + '"}',
        "{'answer': '" + "x" * BIG + "',}",
        '{"answer": "x", ' * (BIG // 16),
        "```json\n{" * (BIG // 9),
    ],
    ids=lambda reply: reply[:20].strip() or "space",
)
def test_ten_megabytes_are_read_or_refused_in_seconds(reply: str) -> None:
    for adapter in (CHAT, JSON):
        started = time.perf_counter()
        try:
            adapter.parse(ANSWER, reply)
        except ParseError:
            pass
        assert time.perf_counter() - started < 15
