"""Ten megabytes of anything: a value or an error within seconds, in bounded memory."""

from __future__ import annotations

import time

import pytest
from pydantic import BaseModel

from dsp.errors import ParseError
from dsp.repair import parse, parse_partial


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


BIG = 10_000_000
HOSTILE = {
    "open braces": "{" * BIG,
    "open brackets": "[" * BIG,
    "open parentheses": "[" + "(" * BIG,
    "pairs": "[]" * (BIG // 2),
    "nested": "[" * (BIG // 2) + "]" * (BIG // 2),
    "wrong brackets": "[{" * (BIG // 4) + "]}" * (BIG // 4),
    "closers": "[1" + "}" * BIG,
    "keys": '{"a":' * (BIG // 5),
    "quotes": '"' * BIG,
    "array of quotes": "[" + '"' * BIG,
    "single quotes": "{'" * (BIG // 2),
    "smart quotes": "{\u201c" * (BIG // 2),
    "triple quotes": '{"a":' + '"""' * (BIG // 3),
    "comments": "[" + "/*" * (BIG // 2),
    "slashes": "{//" * (BIG // 3),
    "lines": "{\n" * (BIG // 2),
    "commas": "[1," * (BIG // 3),
    "spaces": "{" + " " * BIG,
    "fences": "```json\n" * (BIG // 8),
    "fences and braces": "```\n{" * (BIG // 5),
    "fences in a value": '{"a":' + "```" * (BIG // 3),
    "blocks": "```\na\n```\n" * (BIG // 10),
    "words": "{a " * (BIG // 3),
    "a long word": "{" + "a" * BIG,
    "bare words": "{a: " + "b, " * (BIG // 3),
    "calls": '{"a":' + 'f("' * (BIG // 3),
    "digits": "9" * BIG,
    "digits in a list": "[" + "9" * BIG + ",]",
    "backslashes": '["' + "\\" * BIG,
    "escapes": '{\\"a\\":' * (BIG // 7),
    "prose": "lorem ipsum " * (BIG // 12),
    "lines of keys": "value: 1\n" * (BIG // 9),
    "thinking": "<think>" * (BIG // 7),
    "think ends": "</think>" * (BIG // 8),
    "untidy list": "[" + "1, " * (BIG // 3) + "]",
    "string with quotes": '["' + 'a"b' * (BIG // 3) + '"]',
    "strings that may end": '{"a": "x' + '", y ' * (BIG // 5),
    "keys in a string": '{"a": "' + ', "b": ' * (BIG // 7),
    "colons": '{"a' + '":"' * (BIG // 3),
    "a string without an end": '{"a": "' + "b " * (BIG // 2) + "}",
    "one key again and again": "{" + '"a":1,' * (BIG // 6) + "}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_megabytes_of_nonsense_take_seconds(name: str) -> None:
    started = time.perf_counter()
    try:
        parse(HOSTILE[name], Tree)
    except ParseError:
        pass
    assert time.perf_counter() - started < 15


@pytest.mark.parametrize("into", [Tree, list[int], float, dict[str, str]])
def test_work_grows_with_the_length(into: type) -> None:
    def seconds(size: int) -> float:
        text = '{"a": "' + 'x "y", z: ' * size
        started = time.perf_counter()
        try:
            parse(text, into)
        except ParseError:
            pass
        return time.perf_counter() - started

    seconds(100)
    assert seconds(20_000) < 40 * seconds(2_000) + 0.5


def test_a_beginning_of_ten_megabytes_takes_seconds() -> None:
    started = time.perf_counter()
    parse_partial('{"value": "' + 'x "y" ' * (BIG // 6), Tree)
    parse_partial('{"children": [' + '{"value": 1}, ' * (BIG // 1000), Tree)
    assert time.perf_counter() - started < 15
