"""Tagged replies in: however the tags are spelt, nested, closed or left open, and whatever stands between them."""

from __future__ import annotations

import time
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, RootModel

from dsp.adapters import XMLAdapter
from dsp.errors import ContentFiltered, ParseError, Truncated
from dsp.messages import RefusalPart, Response
from dsp.signatures import Example, Signature


class Ticket(BaseModel):
    subject: str
    parts: list[str] = []


class Answer(BaseModel):
    answer: str


class Pair(BaseModel):
    first_name: str
    answer: str


class Address(BaseModel):
    city: str
    zip: str | None = None


class Person(BaseModel):
    name: str
    address: Address | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Everything(BaseModel):
    urgency: Literal["low", "high"] = "low"
    minutes: int = 0
    sure: bool = False
    tags: list[str] = []
    people: list[Person] = []
    scores: dict[str, int] = {}
    pair: tuple[int, str] | None = None
    pet: Cat | Dog | None = None
    tree: Tree | None = None
    grid: list[list[int]] = []
    note: str | None = None
    any: Any = None


class Odd(BaseModel):
    first: str = Field(alias="first name")
    second: int = Field(alias="2nd?")
    third: list[Answer] = Field(alias="a/b")


XML = XMLAdapter()
ANSWER, PAIR, EVERYTHING, ODD = (Signature.of(Ticket, model, "x") for model in (Answer, Pair, Everything, Odd))


def test_the_prompt_reads_like_this() -> None:
    class Question(BaseModel):
        question: str
        passages: list[str] = Field(description="where to look")

    class Reply(BaseModel):
        topic: Literal["sport", "other"]
        people: list[Person]
        answer: str

    signature = Signature.of(Question, Reply, "Answer the question.")
    demo = Example(
        Question(question="Who is <b>?", passages=["She."]),
        Reply(topic="other", people=[Person(name="Ada", address=Address(city="Ghent"))], answer="a < b"),
    )
    prompt = XML.format(signature, Question(question="What?", passages=[]), demos=[demo])
    assert [(message.role, message.text) for message in prompt.messages] == [
        (
            "system",
            """Answer the question.

Inputs:
- `question` (string)
- `passages` (list of string): where to look

Outputs:
- `topic` (one of "sport", "other")
- `people` (list of Person)
- `answer` (string)

Person is an object with:
  - `name` (string)
  - `address` (Address or null, optional)

Address is an object with:
  - `city` (string)
  - `zip` (string or null, optional)

Write each output in its tags: text as it is (in <![CDATA[...]]> if it holds tags), an object as a tag for each field, a list as <item> tags, everything else as JSON:

<topic>{topic}</topic>
<people>{people}</people>
<answer>{answer}</answer>""",
        ),
        ("user", '<question><![CDATA[Who is <b>?]]></question>\n<passages>["She."]</passages>'),
        (
            "assistant",
            (
                "<topic>other</topic>\n<people>\n<item>\n<name>Ada</name>\n<address>\n<city>Ghent</city>\n<zip>null</zip>\n"
                "</address>\n</item>\n</people>\n<answer>a < b</answer>"
            ),
        ),
        (
            "user",
            "<question>What?</question>\n<passages>[]</passages>\n\nAnswer with `<topic>`, `<people>`, `<answer>`.",
        ),
    ]


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<answer>Paris</answer>", "Paris"),
        ("<answer>\n  Paris\n</answer>\n", "Paris"),
        ("Sure!\n<answer>Paris</answer>\nAnything else?", "Paris"),
        ("```xml\n<answer>Paris</answer>\n```", "Paris"),
        ("```\n<answer>Paris\n```", "Paris"),
        ('<?xml version="1.0"?>\n<response>\n  <answer>Paris</answer>\n</response>', "Paris"),
        ("<Answer>Paris</ANSWER>", "Paris"),
        ('<answer lang="fr" note="a > b">Paris</answer>', "Paris"),
        ("<answer\n  lang='fr'\n>Paris</answer >", "Paris"),
        ("<answer>Paris", "Paris"),
        ("<answer>Paris</answ", "Paris"),
        ("<answer>Paris</answer", "Paris"),
        ("<answer>Paris<", "Paris"),
        ("<answer>Paris<answer>", "Paris"),
        ("<answer>Paris</result>", "Paris"),
        ("<answer>Paris</answer></answer>", "Paris"),
        ("<answer>Paris</answer>\n<answer>Paris</answer>", "Paris"),
        ("I write it in <answer> tags.\n<answer>Paris</answer>", "Paris"),
        ("<think>In <answer>Rome</answer>?</think><answer>Paris</answer>", "Paris"),
        ("<!-- <answer>Rome</answer> --><answer>Paris</answer>", "Paris"),
        ("<answer>Paris</answer><source>[1]</source>", "Paris"),
        ("<answer/>", ""),
        ("<answer></answer>", ""),
        ("<answer>R&D, a < b && c > d</answer>", "R&D, a < b && c > d"),
        ("<answer>R&amp;D &lt;b&gt; &#65;&#x42; &quot;&apos;</answer>", "R&D <b> AB \"'"),
        ("<answer>&nbsp; &#0; &#xD800; &amp</answer>", "&nbsp; &#0; &#xD800; &amp"),
        ("<answer><p>a &lt; b</p></answer>", "<p>a &lt; b</p>"),
        ("<answer><![CDATA[<b> &amp; ]]]]><![CDATA[>]]></answer>", "<b> &amp; ]]>"),
        ("<answer>\n<![CDATA[</answer>]]>\n</answer>", "</answer>"),
        ("<answer><![CDATA[Paris</answer>", "Paris"),
        ("<answer>if a<b and c>d:\n    print('<br>')</answer>", "if a<b and c>d:\n    print('<br>')"),
        ("<answer>```xml\n<answer>x</answer>\n```</answer>", "```xml\n<answer>x</answer>\n```"),
        ("<answer><div><answer>x</answer></div></answer>", "<div><answer>x</answer></div>"),
        ("<answer>the <answer> tag</answer>", "the <answer> tag"),
        ('<answer>{"a": "&lt;"}</answer>', '{"a": "<"}'),
        ("<answer>[[ ## answer ## ]]</answer>", "[[ ## answer ## ]]"),
    ],
)
def test_a_text_is_what_stands_between_its_tags(reply: str, answer: str) -> None:
    assert XML.parse(ANSWER, reply).output.answer == answer


@pytest.mark.parametrize(
    "reply",
    [
        "<first_name>Ada<answer>x</answer>",
        "<first_name>Ada\n<answer>x",
        "<first name>Ada</first name>\n<answer>x</answer>",
        "<firstName>Ada</firstName><answer>x</answer>",
        "<first-name>Ada</first-name><answer>x</answer>",
        "<answer>x</answer><first_name>Ada</first_name>",
        "<first_name>Ada</name>\n<answer>x</answer>",
        "<first_name>Ada</answer><answer>x</answer>",
        "<pair><first_name>Ada</first_name><answer>x</answer></pair>",
    ],
)
def test_fields_are_told_apart(reply: str) -> None:
    assert XML.parse(PAIR, reply).output == Pair(first_name="Ada", answer="x")


ADA = {"name": "Ada", "address": {"city": "Ghent", "zip": "9000"}}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("<urgency>High.</urgency>", {"urgency": "high"}),
        ("<minutes> 1,200 </minutes>", {"minutes": 1200}),
        ("<minutes>30\n\nI hope this helps!</minutes>", {"minutes": 30}),
        ("<minutes><value>30</value></minutes>", {"minutes": 30}),
        ("<sure>yes</sure>", {"sure": True}),
        ("<tags><item>a</item><item>b, c</item><item></item></tags>", {"tags": ["a", "b, c", ""]}),
        ("<tags>\n  <tag>a</tag>\n  <tag>b</tag>\n</tags>", {"tags": ["a", "b"]}),
        ("<tags><item>a<item>b</tags>", {"tags": ["a", "b"]}),
        ("<tags><item><![CDATA[</item>]]></item></tags>", {"tags": ["</item>"]}),
        ("<tags>a</tags><tags>b</tags>", {"tags": ["a", "b"]}),
        ('<tags>["a", "<b>"]</tags>', {"tags": ["a", "<b>"]}),
        ("<tags>```json\n['a',]\n```</tags>", {"tags": ["a"]}),
        ("<tags></tags>", {"tags": []}),
        ("<tags/>", {"tags": []}),
        ("<tags>a</tags>", {"tags": ["a"]}),
        ("<tags>Here:\n<item>a</item></tags>", {"tags": ["a"]}),
        ("<people><item><name>Ada</name><address><city>Ghent</city><zip>9000</zip></address></item></people>", {"people": [ADA]}),
        ("<people><Person id='1'><Name>Ada</Name><address><CITY>Ghent</CITY><zip>9000</zip></address></Person></people>", {"people": [ADA]}),
        ("<people><name>Ada</name></people>", {"people": [{"name": "Ada", "address": None}]}),
        ("<people><name>Ada</name><name>Bob</name></people>", {"people": [{"name": "Ada", "address": None}, {"name": "Bob", "address": None}]}),
        ('<people><item>{"name": "Ada", "address": null}</item></people>', {"people": [{"name": "Ada", "address": None}]}),
        ("<people><item><name>Ada</name><address/></item></people>", {"people": [{"name": "Ada", "address": None}]}),
        ("<people><item><name>Ada<address><city>Ghent</city></address></item></people><minutes>1</minutes>", {"people": [{"name": "Ada", "address": {"city": "Ghent", "zip": None}}], "minutes": 1}),
        ("<people><item><name><b>Ada</b> & Co</name></item></people>", {"people": [{"name": "<b>Ada</b> & Co", "address": None}]}),
        ("<scores><math>5</math><Art>6</Art></scores>", {"scores": {"math": 5, "Art": 6}}),
        ("<scores><item><key>my art</key><value>5</value></item></scores>", {"scores": {"my art": 5}}),
        ('<scores>{"my art": 5}</scores>', {"scores": {"my art": 5}}),
        ("<pair><item>1</item><item>2</item></pair>", {"pair": (1, "2")}),
        ("<pet><kind>cat</kind><lives>9</lives></pet>", {"pet": Cat(kind="cat", lives=9)}),
        ("<pet><kind>dog</kind><tricks><item>sit</item></tricks></pet>", {"pet": Dog(kind="dog", tricks=["sit"])}),
        ("<pet><dog><kind>dog</kind><tricks/></dog></pet>", {"pet": Dog(kind="dog", tricks=[])}),
        ("<pet>null</pet>", {"pet": None}),
        ("<tree><name>a</name><children><item><name>b</name></item></children></tree>", {"tree": {"name": "a", "children": [{"name": "b", "children": []}]}}),
        ("<grid><item><item>1</item><item>2</item></item><item>[3]</item></grid>", {"grid": [[1, 2], [3]]}),
        ("<note>null</note>", {"note": None}),
        ("<note></note>", {"note": None}),
        ('<note>"null"</note>', {"note": "null"}),
        ("<note>1.50</note>", {"note": "1.50"}),
        ("<note>a <b>c</b></note>", {"note": "a <b>c</b>"}),
        ("<any><a>1</a><b><item>x</item></b></any>", {"any": {"a": 1, "b": ["x"]}}),
    ],
)  # fmt: skip
def test_typed_values_are_read(reply: str, expected: dict[str, Any]) -> None:
    assert XML.parse(EVERYTHING, reply).output == Everything.model_validate(expected)


@pytest.mark.parametrize(
    ("signature", "reply", "said"),
    [
        (ANSWER, "Paris", "none of the tags `<answer>`"),
        (ANSWER, "", "empty"),
        (PAIR, "<answer>x</answer>", "`first_name` is missing"),
        (ANSWER, "<answer>a</answer><answer>b</answer>", "twice, with different values"),
        (ANSWER, "<answer>print('</answer>')</answer>", "`answer` is closed twice"),
        (EVERYTHING, "<minutes>half an hour</minutes>", "`minutes`"),
        (EVERYTHING, "<minutes>1.5</minutes>", "`minutes`"),
        (EVERYTHING, "<urgency>not high</urgency>", "`urgency`"),
        (EVERYTHING, "<tags><a>x</a><b>y</b></tags>", "a list holds different tags|A list holds different tags"),
        (EVERYTHING, "<tags><item>a</item><item>b", "`tags` is cut"),
        (EVERYTHING, "<people><item><name>a</name><name>b</name></item></people>", "`name` has two values"),
        (EVERYTHING, "<scores><a>1</a><a>2</a></scores>", "`a` has two values"),
        (EVERYTHING, "<scores><a>high</a></scores>", "scores"),
        (EVERYTHING, "<people><item><street>x</street></item></people>", "name"),
        (EVERYTHING, "<pet><kind>cow</kind></pet>", "pet"),
        (EVERYTHING, "<tree>" * 100 + "</tree>" * 100, "tree"),
    ],
)
def test_what_cannot_be_told_is_an_error(signature: Signature[Any, Any], reply: str, said: str) -> None:
    with pytest.raises(ParseError, match=said) as caught:
        XML.parse(signature, reply)
    assert caught.value.reply == reply


def test_each_repair_is_listed() -> None:
    parsed = XML.parse(PAIR, "Well: <First_Name>Ada\n<answer>x</answer>")
    assert parsed.report.rung == "repaired"
    assert parsed.report.repairs == (
        "`first_name` is not closed",
        "`<First_Name>` read as `<first_name>`",
        "text around the tags left out",
    )
    assert XML.parse(PAIR, "<first_name>Ada</first_name><answer>x</answer>").report.rung == "direct"


def test_labels_that_are_no_names_get_tags() -> None:
    prompt = XML.format(ODD, Ticket(subject="s"))
    assert "<first_name>{first name}</first_name>\n<_2nd_>{2nd?}</_2nd_>\n<a_b>{a/b}</a_b>" in prompt.messages[0].text
    expected = Odd.model_validate({"first name": "Ada", "2nd?": 2, "a/b": [{"answer": "x"}]})
    reply = "<first_name>Ada</first_name><_2nd_>2</_2nd_><a_b><item><answer>x</answer></item></a_b>"
    assert XML.parse(ODD, reply).output == expected
    assert XML.parse(ODD, reply.replace("first_name", "first name").replace("_2nd_", "2nd")).output == expected


class Numbers(RootModel[list[int]]):
    pass


@pytest.mark.parametrize("reply", ["<output><item>1</item><item>2</item></output>", "<output>[1, 2]</output>", "[1, 2]", "<item>1</item><item>2</item>"])  # fmt: skip
def test_an_output_that_is_no_object_is_one_field(reply: str) -> None:
    assert XML.parse(Signature.of(Ticket, Numbers, "x"), reply).output == Numbers([1, 2])


def test_leading_fields_come_back_beside_the_output() -> None:
    signature = ANSWER.leading("reasoning", str, "Think first.")
    parsed = XML.parse(signature, "<reasoning>hm</reasoning><answer>x</answer>")
    assert (parsed.output, parsed.leading, parsed.report.rung) == (Answer(answer="x"), {"reasoning": "hm"}, "direct")


def test_a_cut_reply_is_truncated_unless_it_is_complete() -> None:
    for text in ("<answer>The answer is", "<answer>a</answer><answer", "I think"):
        response = Response.of_text(text, finish_reason="length")
        if text.startswith("<answer>a"):
            assert XML.parse(ANSWER, response).output == Answer(answer="a")
        else:
            with pytest.raises(Truncated):
                XML.parse(ANSWER, response)
    with pytest.raises(ContentFiltered, match="I will not"):
        XML.parse(ANSWER, Response((RefusalPart("I will not"),)))


BIG = 5_000_000


@pytest.mark.parametrize(
    "reply",
    [
        "<answer>" * (BIG // 8),
        "</answer>" * (BIG // 9),
        "<answer>" + "x" * BIG,
        "<answer>" + "<b>" * (BIG // 3) + "</answer>",
        "<answer" + " " * BIG,
        "<answer " + 'a="' * (BIG // 3),
        "<" * BIG,
        "<![CDATA[" * (BIG // 9),
        "<!--" * (BIG // 4),
        "&lt;" * (BIG // 4),
        "<answer>" + "&lt;" * (BIG // 4) + "</answer>",
        "<tags>" + "<item>" * (BIG // 6) + "</tags>",
        "<tags>" + "<item>x</item>" * 100_000 + "</tags>",
        "<tree>" + "<children><item>" * 100_000 + "</tree>",
        "<any>" + "".join(f"<t{n}>" for n in range(200_000)) + "</any>",
        "<scores>" + "<a>" * 100_000 + "</a>" * 100_000 + "</scores>",
        "<people>" + "<item><name>" * 100_000 + "</people>",
    ],
    ids=lambda reply: reply[:20].strip() or "space",
)
def test_hostile_replies_are_read_or_refused_in_seconds(reply: str) -> None:
    for signature in (ANSWER, EVERYTHING):
        started = time.perf_counter()
        try:
            XML.parse(signature, reply)
        except ParseError:
            pass
        assert time.perf_counter() - started < 15
