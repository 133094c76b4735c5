"""Values out of messy text: what is mended, what is refused, and that nothing else ever comes out."""

from __future__ import annotations

import json
import time
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dsp.errors import ParseError
from dsp.repair import align, loads, parse, read


class Colour(Enum):
    RED = "r"
    DARK_BLUE = "db"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Item(BaseModel):
    name: str
    count: int = 1


class Order(BaseModel):
    first_name: str = Field(alias="firstName")
    items: list[Item]
    colour: Colour | None = None


class Lenient(BaseModel):
    a: int = 0
    b: str = ""


class Wrapped(BaseModel):
    item: Item


class Basket(BaseModel):
    items: list[Item]


def few(item: Item) -> Item:
    if item.count > 100:
        raise ValueError("too many")
    return item


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tail: bool


# ------------------------------------------------------------------ syntax
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("  [1, 2]  ", [1, 2]),
        ("\ufeff[1]", [1]),
        ("```json\n[1]\n```", [1]),
        ("```\n{'a': 1}\n```", {"a": 1}),
        ("```json\n42\n```", 42),
        ("Here you are:\n```json\n[1]\n```\nAnything else?", [1]),
        ('Sure! {"a": [1, 2]} Enjoy.', {"a": [1, 2]}),
        ('<think>{"a": 1} or {"a": 2}?</think>{"a": 2}', {"a": 2}),
        ('hmm, {"a": 1}?</think>{"a": 2}', {"a": 2}),
        ("[1, 2,]", [1, 2]),
        ('{"a": 1,}', {"a": 1}),
        ("{'a': 'it''s'}".replace("''", "'"), {"a": "it's"}),
        ("{'a': True, 'b': None, 'c': False}", {"a": True, "b": None, "c": False}),
        ("{“a”: “b”}", {"a": "b"}),
        ('{"a": 1 // one\n, /* two */ "b": 2 # three\n}', {"a": 1, "b": 2}),
        ("{a: 1, b_c: 2}", {"a": 1, "b_c": 2}),
        ("{a: hello there}", {"a": "hello there"}),
        ('{"a": "x" "b": 2}'.replace('"x" ', '"x"\n'), {"a": "x", "b": 2}),
        ('{"a": "say "hi" to"}', {"a": 'say "hi" to'}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{"a": """x "y" z"""}', {"a": 'x "y" z'}),
        ('{"a": "C:\\dir"}', {"a": "C:\\dir"}),
        ('{"a": 1_000, "b": .5, "c": +3}', {"a": 1000, "b": 0.5, "c": 3}),
        ("{'url': 'http://x.y/z'}", {"url": "http://x.y/z"}),
        ("{'smile': '\\ud83d\\ude00'}", {"smile": "😀"}),
        ("Hello {{name}}, here: {'a': 1}", {"a": 1}),
        ('{"a": 1', {"a": 1}),
        ('{"a": {"b": 1}, "c": ', {"a": {"b": 1}}),
        ('["a", "b', ["a", "b"]),
        ('```json\n{"a": [1, 2\n```\nThat is all.', {"a": [1, 2]}),
        ('["x", "y"}', ["x", "y"]),
        ('{"a": [1, 2}', {"a": [1, 2]}),
        ('[{"a": ["x"}, {"a": ["y"]}]', [{"a": ["x"]}, {"a": ["y"]}]),
        ('{"a": 1}}', {"a": 1}),
        ('{"a": "first, "b": "second"}', {"a": "first", "b": "second"}),
        ('{"a": "first, b: "second"}', {"a": "first", "b": "second"}),
        ('{"a": "say "hi}', {"a": 'say "hi'}),
        ('{"a": ""b"}', {"a": "b"}),
        ('{a": 1, "b: "c"}', {"a": 1, "b": "c"}),
        ('["one "two", and also "three""]', ['one "two", and also "three"']),
        ('{"a": "use {"b": 1}, or not.", "c": 2}', {"a": 'use {"b": 1}, or not.', "c": 2}),
        ('{"a": "print("x")"\n}', {"a": 'print("x")'}),
        ('{"a" "b", "c": 1}', {"a": "b", "c": 1}),
        ('{"a": "b"; "c": 1}', {"a": "b", "c": 1}),
        ("{'a' => 1, b = 2}", {"a": 1, "b": 2}),
        ('{"a": "b" "c": 1}', {"a": "b", "c": 1}),
        ('["a" "b"]', ["a", "b"]),
        ("{,'a': 1}", {"a": 1}),
        ("{a: f(x, y): z, b: 1}", {"a": "f(x, y): z", "b": 1}),
        ("{at: 12:30, url: https://x.y/z?a=1}", {"at": "12:30", "url": "https://x.y/z?a=1"}),
        ("{price: 1,234, b: 2}", {"price": "1,234", "b": 2}),
        ("{zip: 01234}", {"zip": "01234"}),
        ("```json\n(1, 2)\n```", [1, 2]),
        ('{"a": (1), "b": (1, 2)}', {"a": 1, "b": [1, 2]}),
        ('{"a": ObjectId("x"), "b": Decimal(2)}', {"a": "x", "b": 2}),
        ("{'a': 'b' +\n 'c'}", {"a": "bc"}),
        ('{\\"a\\": \\"b\\"}', {"a": "b"}),
        ('{"a": ```js x.js\n  f();\n```\n}', {"a": "f();"}),
        ('{"a": """\n    def f():\n        pass\n    """}', {"a": "def f():\n    pass"}),
        ('{"a": 1, "b": 2 /* never closed', {"a": 1, "b": 2}),
        ("callback({'a': 1});", {"a": 1}),
        ('{"a": ["x", "y"}, "b": ["z"]}', {"a": ["x", "y"], "b": ["z"]}),
        ("[1 2 3]", [1, 2, 3]),
        ("[1 234]", ["1 234"]),
        ('["a" "b" "c" 1', ["a", "b", "c", 1]),
        ("['a' 'b']", ["a", "b"]),
        ('{"a": "b""c": 1}', {"a": "b", "c": 1}),
        ('{""a"": ""b c"", "d": 1}', {"a": "b c", "d": 1}),
        (
            '{"code": "if (a == "b") { return "c"; }", "lang": "js"}',
            {"code": 'if (a == "b") { return "c"; }', "lang": "js"},
        ),
        ('{"code": "print("a", "b")", "lang": "py"}', {"code": 'print("a", "b")', "lang": "py"}),
        ("{'a': 'don't', 'b': 'can't'}", {"a": "don't", "b": "can't"}),
        ('{"html": "<a href="x">y</a>", "n": 1}', {"html": '<a href="x">y</a>', "n": 1}),
        ('{"q": "He said: "go, now", ok?", "n": 1}', {"q": 'He said: "go, now", ok?', "n": 1}),
        ('{"size": "27" monitor", "b": 1}', {"size": '27" monitor', "b": 1}),
        ('{"key": ["a", "b"], NOTE "c": 1}', {"key": ["a", "b"], "c": 1}),
        ("{«a»: «b»}", {"a": "b"}),
    ],
)
def test_untidy_json_is_read(text: str, value: object) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "no json at all",
        "Null",
        '{"a": 1}{"a": 2}',  # two answers that differ
        'first {"a": 1}, then {"a": 2}',
        "[1, ...]",
        "{'a': 1, 'a': 2}",  # two values for one key
        '{"a": 1, "a": 2}',
        '[{"a": 1, "b": {"c": 1, "c": 2}}]',
        '{"a": "first, b: 1}',  # a quote is missing, and nobody knows where
        '{"a": "first, "b": 2}',
        '{"a": "x" | "b": "y"}',
        '{"a": }',
        '{"a", "b"}',
        "{1, 2}",
        "[,]",
        "[1,,2]",
        "{:1}",
        '["x, y]',
        '{"a": b: c, d: e}',
        '{"a": "x (y, "b": "3"}',
        '{"a": "b" , "c"}',
    ],
)
def test_what_cannot_be_told_is_an_error(text: str) -> None:
    with pytest.raises(ParseError):
        loads(text)


def test_the_same_value_twice_is_one_value() -> None:
    assert loads('I say {"a": 1}. Again: {"a": 1}') == {"a": 1}


def test_a_part_of_a_broken_value_is_not_the_value() -> None:
    with pytest.raises(ParseError):
        parse('{"value": 1, "children": [{"value": 2}], oops}', Tree)


def test_the_error_holds_the_reply_and_says_what_was_wrong() -> None:
    with pytest.raises(ParseError) as caught:
        parse('{"name": "x", "count": "many"}', Item)
    assert caught.value.reply == '{"name": "x", "count": "many"}'
    assert caught.value.errors == (
        '`count`: got "many"; expected a valid integer, unable to parse string as an integer.',
    )


# ------------------------------------------------------------------ alignment
@pytest.mark.parametrize(
    ("text", "into", "value"),
    [
        ("high", Literal["low", "high"], "high"),
        ("High.", Literal["low", "high"], "high"),
        ('"HIGH"', Literal["low", "high"], "high"),
        ("**high**", Literal["low", "high"], "high"),
        ("very high", Literal["VERY_HIGH", "LOW"], "VERY_HIGH"),
        ("r", Colour, Colour.RED),
        ("RED", Colour, Colour.RED),
        ("dark blue", Colour, Colour.DARK_BLUE),
        ("2", Level, Level.HIGH),
        ("high", Level, Level.HIGH),
        ("café", Literal["cafe", "tea"], "cafe"),
        ("yes", bool, True),
        ("No.", bool, False),
        ("True", bool, True),
        ("1,234", int, 1234),
        ('"12"', int, 12),
        ("42.0", int, 42),
        ("1,234.5", float, 1234.5),
        ("12.50", Decimal, Decimal("12.50")),
        ("2024-05-06", date, date(2024, 5, 6)),
        ("null", int | None, None),
        ("None", str | None, None),
        ("just text", str | None, "just text"),
        ("a text", str, "a text"),
        ('"quoted"', str, '"quoted"'),
        ('["a"]', set[str], {"a"}),
        ('"a"', list[str], ["a"]),
        ('{"name": "x"}', list[Item], [Item(name="x")]),
        ('[{"name": "x"}]', Item, Item(name="x")),
        ('{"Item": {"name": "x"}}', Item, Item(name="x")),
        ('{"output": {"name": "x"}}', Item, Item(name="x")),
        ('{"output": [1]}', list[int], [1]),
        ('{"Name": "x", "COUNT": "2"}', Item, Item(name="x", count=2)),
        ('{"first name": "A", "items": []}', Order, Order(firstName="A", items=[])),
        ('{"first_name": "A", "items": []}', Order, Order(firstName="A", items=[])),
        ('{"firstName": "A", "items": [{"name": 7}], "colour": "Red"}', Order, Order(firstName="A", items=[Item(name="7")], colour=Colour.RED)),
        ('{"firstName": "A", "items": "[{\\"name\\": \\"x\\"}]"}', Order, Order(firstName="A", items=[Item(name="x")])),
        ('{"kind": "Cat", "lives": "9"}', Cat | Dog, Cat(kind="cat", lives=9)),
        ('{"kind": "dog", "tail": "yes"}', Annotated[Cat | Dog, Field(discriminator="kind")], Dog(kind="dog", tail=True)),
        ('{"Red": 1, "db": 2}', dict[Colour, int], {Colour.RED: 1, Colour.DARK_BLUE: 2}),
        ('{"VALUE": 1, "children": [{"value": "2"}]}', Tree, Tree(value=1, children=[Tree(value=2)])),
        ("[1, 2]", tuple[int, int], (1, 2)),
        ("The answer is high.", Literal["low", "high"], "high"),
        ("**Answer:** `low`, since nothing is broken", Literal["low", "high"], "low"),
        ("low is fine! high is better. I would take high!", Literal["low", "high"], "high"),
        ("A) it is the first", Literal["A", "B"], "A"),
        ("The answer is B", Literal["A", "B"], "B"),
        ('["r"]', Colour, Colour.RED),
        ('{"colour": "red"}', Colour, Colour.RED),
        ("Yes, because it fits.", bool, True),
        ("The claim is false.", bool, False),
        ("It is True", list[bool], [True]),
        ("$1,234.50", float, 1234.5),
        ("95%", int, 95),
        ("1/4", float, 0.25),
        ("1 1/2", float, 1.5),
        ("1e3", int, 1000),
        ("\u22125", int, -5),
        ("1.234.567", int, 1234567),
        ("1.234,56 EUR".removesuffix(" EUR"), float, 1234.56),
        ("12,34,567", int, 1234567),
        ("42 apples", int, 42),
        ("Confidence (0.95)", float, 0.95),
        ("May 6, 2024", date, date(2024, 5, 6)),
        ("6th of May 2024", date, date(2024, 5, 6)),
        ("2024/5/6", date, date(2024, 5, 6)),
        ('{"name": "a"} and {"name": "b"}', list[Item], [Item(name="a"), Item(name="b")]),
        ('{"name": "a", "count": 1}', Wrapped, Wrapped(item=Item(name="a", count=1))),
        ('[{"name": "a"}]', Basket, Basket(items=[Item(name="a")])),
        ('{"things": [{"name": "a"}]}', list[Item], [Item(name="a")]),
        ('{"items": "[{\'name\': \'x\',}]", "first_name": "A"}', Order, Order(firstName="A", items=[Item(name="x")])),
        ('"{\\"name\\": \\"x\\"}"', Item, Item(name="x")),
        ('{"náme": "x"}', Item, Item(name="x")),
        ("name: x\ncount: 2", Item, Item(name="x", count=2)),
        ("Here it is:\n\n- **Name**: x\n- **Count**: 1,000\n", Item, Item(name="x", count=1000)),
        ("firstName: A\nitems: [{name: x}]", Order, Order(firstName="A", items=[Item(name="x")])),
        ('Tool {"x": 1} says {"name": "low", "count": 500}, so {"name": "ok", "count": 5}', Annotated[Item, AfterValidator(few)], Item(name="ok", count=5)),
    ],
)  # fmt: skip
def test_form_is_brought_to_the_type(text: str, into: Any, value: object) -> None:
    assert parse(text, into).value == value


@pytest.mark.parametrize(
    ("text", "into"),
    [
        ("not positive", Literal["positive", "negative"]),
        ("positive or negative", Literal["positive", "negative"]),
        ("high", Literal["HIGH", "High"]),
        ("11", Literal["1.1", "1-2"]),
        ("42.7", int),
        ("about 12", int),
        ("maybe", bool),
        ("[1, 2, 3]", tuple[int, int]),
        ('"a, b"', list[str]),
        ("null", list[int]),
        ('{"x": 1}', Lenient),
        ('{"error": "I cannot do that"}', Lenient),
        ('{"name": "x", "Name": "y", "NAME": "z", "count": "?"}', Item),
        ('{"kind": "bird", "lives": 9}', Cat | Dog),
        ('{"items": []}', Order),
        ("{}", Item),
        ("I could not find it.", Item),
        ("It isn't positive", Literal["positive", "negative"]),
        ("non-positive", Literal["positive", "negative"]),
        ("the opposite of positive", Literal["positive", "negative"]),
        ("far from positive", Literal["positive", "negative"]),
        ("positive? no, negative", Literal["positive", "negative"]),
        ("positive\n\nThis is not certain.", Literal["positive", "negative"]),
        ("Is it positive?", Literal["positive", "negative"]),
        ("A good question", Literal["A", "B"]),
        ("The answer is true or false", bool),
        ("not true", bool),
        ("Yes, but no", bool),
        ("about 12.5", float),
        ("5-10", int),
        ("5 to 10", int),
        ("5 million", int),
        ("10k", int),
        ("3rd", int),
        ("minus 5", int),
        ("1,5", float),
        ("1/3", int),
        ("$42.50", int),
        ("06/05/2024", date),
        ("February 30, 2024", date),
        ('{"count": 3, "name"', Item),
        ('{"error": 1}', int),
        ('{"status": 1, "message": "x"}', Literal[1, 2]),
        ('{"name": "a, "count": 3}', Item),
        ('{"name": "a"; "count" }', Item),
        ('[{"name": "a"}, {"name": "b"}]', Item),
        ('["hello", ["a"]]', Order),
        ('{"properties": {"name": {"type": "string"}}}', Item),
        ("name: x\nname: y", Item),
        ("I think that the name: x", Item),
        ("plain text", Wrapped),
        ('"x"', Wrapped),
    ],
)
def test_meaning_is_never_made_up(text: str, into: Any) -> None:
    with pytest.raises(ParseError):
        parse(text, into)


def test_two_loose_spellings_of_one_key_that_differ_are_an_error() -> None:
    with pytest.raises(ParseError, match="two values"):
        parse('{"NAME": "a", "Name": "b"}', Item)


def test_a_clean_value_is_not_repaired_and_each_repair_is_listed() -> None:
    assert parse('{"name": "x", "count": 2}', Item).repairs == ()
    repaired = parse("Sure: {'Name': 'x', count: '1,000', colour: 'red',}", Item)
    assert repaired.value == Item(name="x", count=1000)
    assert repaired.repairs == (
        "taken out of the text around it (at character 6)",
        "quotes replaced by double quotes (at character 7, and 3 more)",
        "quotes added to a key (at character 20, and 1 more)",
        "trailing comma removed (at character 49)",
        "name: key `Name` read as `name`",
        "count: '1,000' read as a number",
        "colour: unknown key dropped",
    )


def test_places_are_told_in_the_text_that_was_given() -> None:
    text = "<think>hm</think>\n```json\n{'a': 1}\n```"
    assert "quotes replaced by double quotes (at character 27)" in parse(text, dict[str, int]).repairs
    assert text[27] == "'"


def test_keys_are_kept_where_the_model_or_a_validator_takes_them() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        a: int = 0

    class Early(BaseModel):
        area: int

        @model_validator(mode="before")
        @classmethod
        def from_sides(cls, data: Any) -> Any:
            return {"area": data["w"] * data["h"]} if isinstance(data, dict) and "w" in data else data

    assert parse('{"a": 1, "z": 2}', Open).value.model_extra == {"z": 2}
    assert parse('{"w": 2, "h": 3}', Early).value.area == 6
    assert parse("{w: 2, h: 3,}", Early).value.area == 6


def test_the_type_chooses_among_several_values() -> None:
    text = 'I used {"tool": "search"} and found {"name": "x", "count": 2}.'
    assert parse(text, Item).value == Item(name="x", count=2)
    with pytest.raises(ParseError, match="2 values that fit and differ"):
        parse('{"name": "x"} or {"name": "y"}', Item)


def test_a_fenced_value_wins_over_one_in_prose() -> None:
    assert parse('Like {"name": "example"}:\n```json\n{"name": "x"}\n```', Item).value == Item(name="x")


def test_read_and_align_prepare_for_validation() -> None:
    assert read("RED", Colour) == ("r", ("'RED' read as 'r'",))
    assert align({"NAME": "x"}, Item) == ({"name": "x"}, ("name: key `NAME` read as `name`",))
    with pytest.raises(ParseError, match="none of the keys"):
        align({"x": 1}, Lenient)


# ------------------------------------------------------------------ nothing but ParseError
KINDS: list[Any] = [Item, Order, Tree, Lenient, list[int], dict[str, Item], Colour, Literal["a", "b"], int, bool, float, str, Cat | Dog, Any, int | str | None, tuple[int, str], date]  # fmt: skip
PIECES = ['{"name": "x"}', "{", "}", "[", "]", '"', "'", ":", ",", "```json\n", "```", "\\", "//", "/*", "*/", "#", "name", "value", "1", "null", "True", "“", "”", "</think>", "<think>", "\n", "\ud800", "\0", "...", "=", "`"]  # fmt: skip
messy = st.one_of(
    st.text(st.characters(), max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
)


@settings(max_examples=400, deadline=None)
@given(messy, st.sampled_from(KINDS))
def test_whatever_comes_in_only_a_value_or_a_parse_error_comes_out(text: str, into: Any) -> None:
    try:
        parse(text, into)
    except ParseError as error:
        told = error.errors
    else:
        return
    assert told


@settings(max_examples=200, deadline=None)
@given(messy)
def test_loads_gives_json_or_a_parse_error(text: str) -> None:
    try:
        value = loads(text)
    except ParseError:
        return
    json.dumps(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(json_values, st.sampled_from([None, 2]))
def test_valid_json_is_read_as_it_is(value: Any, indent: int | None) -> None:
    assert loads(json.dumps(value, indent=indent)) == value
    assert loads(json.dumps(value, indent=indent, ensure_ascii=False)) == value


@settings(max_examples=200, deadline=None)
@given(
    st.lists(json_values, min_size=1, max_size=3),
    st.sampled_from(["Here: {}", "```json\n{}\n```", "Sure.\n```\n{}\n```\nDone."]),
)
def test_valid_json_is_found_in_prose_and_fences(value: list[Any], around: str) -> None:
    assert loads(around.replace("{}", json.dumps(value))) == value


def test_deep_values_are_refused_and_do_not_overflow() -> None:
    deep = '{"value": 1, "children": [' * 150 + "]}" * 150
    with pytest.raises(ParseError):
        parse(deep, Tree)
    with pytest.raises(ParseError, match="nested"):
        loads("{'a':" * 500 + "1" + "}" * 500)


def test_unions_in_unions_take_time_that_grows_with_the_value_alone() -> None:
    class Node(BaseModel):
        left: Node | Leaf
        right: Node | Leaf | None = None

    class Leaf(BaseModel):
        number: int

    Node.model_rebuild(_types_namespace={"Leaf": Leaf, "Node": Node})
    text = '{"left":' * 60 + '{"number": "1,000"}' + "}" * 60
    assert "1,000" in text
    started = time.perf_counter()
    node = parse(text, Node).value
    assert time.perf_counter() - started < 5
    while isinstance(node.left, Node):
        node = node.left
    assert node.left == Leaf(number=1000)
