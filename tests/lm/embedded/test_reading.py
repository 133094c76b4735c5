"""The parts that read: types in words, patterns, and how near texts are."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.lm.backends.embedded.nearest import Index
from dsp.lm.backends.embedded.pattern import example_of, fits
from dsp.lm.backends.embedded.shape import Bounds, Shape, shape_of
from dsp.lm.backends.embedded.words import cut, dates, durations, numbers, sentences, times


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("string", Shape("string")),
        ("string, at least 2 characters, at most 9 characters", Shape("string", size=Bounds(2, 9))),
        ("string, matching ^a, b or c$", Shape("string", pattern="^a, b or c$")),
        (
            "string, an ISO 8601 date, not before 2020-01-01",
            Shape("string", form="date", bounds=Bounds(first="2020-01-01")),
        ),
        ("string, an ISO 8601 date, before 2020-01-01", Shape("string", form="date", bounds=Bounds(last="2019-12-31"))),
        ("string, a UUID", Shape("string", form="uuid")),
        ("integer, at least 0, less than 5", Shape("integer", bounds=Bounds(low=0, below=5))),
        ("number, more than 0.5, a multiple of 2", Shape("number", bounds=Bounds(above=0.5, step=2))),
        ("true or false", Shape("boolean")),
        ('one of "a, b", "c (d)", 3', Shape("choice", options=("a, b", "c (d)", 3), names=("", "", ""))),
        ("one of 1 (LOW), 2 (HIGH)", Shape("choice", options=(1, 2), names=("LOW", "HIGH"))),
        ('exactly "x"', Shape("choice", options=("x",), names=("",))),
        ("null", Shape("null")),
        ("any JSON value", Shape("any")),
        ("Item", Shape("model", name="Item")),
        ("`Page[Item]`", Shape("model", name="Page[Item]")),
        ("empty list", Shape("list", items=(Shape("any"),), size=Bounds(high=0))),
        (
            "list of string, at most 5 characters, at least 1 items",
            Shape("list", items=(Shape("string", size=Bounds(high=5)),), size=Bounds(low=1)),
        ),
        (
            "list of (string or null) without repeats",
            Shape("list", items=(Shape("union", items=(Shape("string"), Shape("null"))),), unique=True),
        ),
        (
            "list of exactly 2: (integer, at least 1), string",
            Shape("tuple", items=(Shape("integer", bounds=Bounds(low=1)), Shape("string"))),
        ),
        ("object with string keys and integer values", Shape("map", items=(Shape("integer"),))),
        (
            'object with "a": integer, "b": (true or false)',
            Shape("model", parts=(("a", Shape("integer")), ("b", Shape("boolean")))),
        ),
        (
            "Cat or Dog or null",
            Shape("union", items=(Shape("model", name="Cat"), Shape("model", name="Dog"), Shape("null"))),
        ),
        ("?!", Shape("string")),
    ],
    ids=str,
)
def test_a_type_in_words_is_read_back(text, shape):
    assert shape_of(text) == shape


@given(st.text(max_size=100))
def test_any_words_are_some_type(text):
    assert isinstance(shape_of(text), Shape)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[a-z]+$", r"^[^a-z]{3}$", r"^\d{4}-\d\d$", r"^(?:foo|bar)+$", r"^(?P<x>a)b?c*$", r"^\w+@\w+\.com$", r"^[\]\-x]$", r"^[]x]$",
        r"^.{5,}$", r"^a{2,3}?$", r"^y$|^[x]$", r"^[a-]{2}$", r"^\bword\b$", r"^\S\s\D\W$", r"^[\d_]+$", "", r"^\{\}$", r"^[^-a-zA-Z0-9_]$",
    ],
)  # fmt: skip
def test_a_text_is_made_that_fits_a_pattern(pattern):
    assert fits(pattern, example_of(pattern))


@given(st.text(alphabet="ab()[]{}|*+?^$\\d-,12.", max_size=30))
def test_any_pattern_gets_some_text(pattern):
    assert isinstance(example_of(pattern), str)
    assert isinstance(fits(pattern, "a"), bool)


@pytest.mark.parametrize("pattern", [r"(?=x)x", "(", "a" * 5_000])
def test_a_pattern_that_cannot_be_tested_fits_nothing(pattern):
    assert not fits(pattern, "x")


def test_the_same_text_is_nearest_and_a_strange_one_is_far():
    index = Index(["the invoice was charged twice", "the app crashes on start", ""])

    same = index.similarities("The app  crashes on START")
    strange = index.similarities("zzz qqq")

    assert same[1] == pytest.approx(1.0)
    assert same[1] > same[0] > same[2] == 0.0
    assert max(strange) == 0.0


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6), st.text(max_size=60))
def test_similarities_are_shares(texts, text):
    assert all(0.0 <= value <= 1.0 for value in Index(texts).similarities(text))


@given(st.text(max_size=300))
def test_sentences_are_in_order_and_hold_every_word(text):
    spans = list(sentences(text))

    def bare(piece: str) -> str:
        return re.sub(r"[\s\"'”’)\]]", "", piece)

    assert all(left.end <= right.start for left, right in pairwise(spans))
    assert "".join(bare(text[span.start : span.end]) for span in spans) == bare(text)
    assert all(text[span.start : span.end].strip() == text[span.start : span.end] != "" for span in spans)


@pytest.mark.parametrize(
    ("reader", "text", "found"),
    [
        (numbers, "1,234.5 and -3, 2024-05-01, v1.2, 12:30, three", [1234.5, -3.0, 3.0]),
        (
            dates,
            "2024-03-12, 1 May 2023, Sept. 3rd, 2022; 31 June 2020, 12/03/2024",
            ["2024-03-12", "2023-05-01", "2022-09-03"],
        ),
        (times, "at 9:05 or 23:59:58, not 24:00", ["09:05:00", "23:59:58"]),
        (durations, "2 weeks, 90 min and 5 s", ["P14D", "PT90M", "PT5S"]),
    ],
)
def test_values_are_found_in_text(reader, text, found):
    assert [value for value, _ in reader(text)] == found


@given(st.text(max_size=80), st.integers(0, 90))
def test_a_cut_text_is_short_enough(text, size):
    assert len(cut(text, size)) <= size
