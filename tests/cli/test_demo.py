"""`dsp demo`: its parts, and the whole of it from beginning to end."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

import dsp
from dsp.cli.demo import asking, checking, guessing, programs
from dsp.cli.demo.asking import QUESTIONS
from dsp.cli.demo.corpus import Index, manual
from dsp.cli.demo.mistakes import MISTAKES, planted
from dsp.cli.demo.programs import InventedQuote, Module, Passage, Passages, Question, ask_manual, find, plan
from dsp.cli.demo.rows import halves, in_turn, wilson
from dsp.cli.demo.show import show
from dsp.testing import OpenAIServer, ScriptedLM

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Ended


def shown(**options: int) -> str:
    console = Console(width=80, record=True, file=io.StringIO(), highlight=False)
    show(console=console, **options)
    return console.export_text()


def test_the_demo_from_beginning_to_end() -> None:
    text = shown(most_rows=24)
    assert max(map(len, text.splitlines())) <= 80
    assert "on the model embedded: offline, without a key" in text
    assert all(question in text for question in QUESTIONS)
    assert text.count("from the cache") == 1
    assert text.count("asked the model") == 10
    assert "No answer" not in text
    assert "caught: InventedQuote" in text
    assert "embedded is asked about 24 of these" in " ".join(text.split())
    assert "6 of 6 mistakes found; no errors anywhere else." in text
    assert "programs.py" in text
    assert re.search(r"Whose docstring is this\? +72 +0 ", text), "three times 24 rows, none from the cache"
    assert re.search(r"Ask the Python manual +11 +1 ", text)
    assert "export DSP_MODEL=openai/gpt-4o-mini" in text


def test_examples_help_beyond_doubt() -> None:
    learn, test = halves()
    shares = {}
    with dsp.context(lm="embedded", cache=False):
        for demos in (0, 64):
            guess = programs.origin.with_(demos=in_turn(learn, demos))
            shares[demos] = wilson(sum(programs.is_right(row, guess(row.inputs)) for row in test), len(test))
    assert shares[0][1] < shares[64][0]


def test_the_demo_on_a_model_behind_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def reply(body: dict[str, object]) -> str:
        asked = str(body["messages"])
        if "## module ##" in asked:
            return "[[ ## module ## ]]\nasyncio\n\n[[ ## completed ## ]]"
        return "[[ ## answer ## ]]\nYes.\n\n[[ ## topic ## ]]\nx\n\n[[ ## quote ## ]]\nno such words\n\n[[ ## completed ## ]]"

    with OpenAIServer(reply) as server:
        monkeypatch.setenv("DSP_MODEL", "openai/some-model")
        monkeypatch.setenv("DSP_BASE_URL", server.base_url)
        text = shown()
        assert server.count == 10 + 3 * 40
    assert "openai/some-model is asked about 40 of these" in " ".join(text.split())
    assert text.count("No answer: InventedQuote") == 11
    assert "The intervals of 0 and 64 examples overlap" in text


def test_the_command_writes_to_stdout_also_where_that_is_no_terminal(process: Callable[..., Ended]) -> None:
    ended = process("demo", "--lm", "embedded", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert ended.code == 0, ended.stderr
    assert ended.stderr == ""
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert "do not overlap" in ended.stdout
    assert "\x1b" not in ended.stdout


def test_a_made_up_quote_is_caught() -> None:
    reply = "[[ ## answer ## ]]\nYes.\n\n[[ ## topic ## ]]\nx\n\n[[ ## quote ## ]]\n{}\n\n[[ ## completed ## ]]"
    inputs = Passages(question="?", passages=[Passage(topic="x", text="One two three.")])
    with dsp.context(lm=ScriptedLM([reply.format("one two"), reply.format("two\n  three")])):
        with pytest.raises(InventedQuote, match="'one two' stands in no passage") as caught:
            programs.Grounded()(inputs)
        assert len(caught.value.calls) == 1
        assert programs.Grounded()(inputs).topic == "x"


def test_every_question_finds_something() -> None:
    for question in QUESTIONS:
        assert len(find(plan(Question(text=question))).passages) == 5
    assert ask_manual.predictors().keys() == {"steps[2].answer"}


def test_the_search_puts_the_closest_first() -> None:
    index = Index([("a", "the cat sat"), ("b", "a dog sat on a cat and a cat"), ("c", "nothing of this kind")])
    assert [title for title, _ in index.search(["cat"], 5)] == ["b", "a"]
    assert index.search(["zebra"], 5) == []


def test_the_manual_is_split_into_paragraphs() -> None:
    entries = manual().entries
    assert len(entries) > 500
    assert all(60 <= len(text) <= 700 for _, text in entries)
    assert max(Counter(text for _, text in entries).values()) == 1


def test_rows_are_the_same_every_time_and_give_nothing_away() -> None:
    learn, test = halves()
    assert (learn, test) == halves()
    assert len(learn) + len(test) >= 300
    assert min(len(learn), len(test)) >= 120
    for row in (*learn, *test):
        assert 20 <= len(row.inputs.text) <= 400
        for module in Module:
            assert not re.search(rf"\b{module.value}\b", row.inputs.text, re.IGNORECASE)
    assert not {row.inputs.text for row in learn} & {row.inputs.text for row in test}


def test_near_duplicates_are_on_one_side() -> None:
    def triples(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return set(zip(words, words[1:], words[2:], strict=False))

    learn, test = ([triples(row.inputs.text) for row in half] for half in halves())
    close = [(a, b) for a in learn for b in test if len(a & b) and len(a & b) >= 0.5 * min(len(a), len(b))]
    assert close == []


def test_rows_in_turn_give_every_module_its_share() -> None:
    learn, _ = halves()
    counts = Counter(row.expected.module for row in in_turn(learn, 16))
    assert set(counts.values()) == {2}
    assert len(counts) == len(Module)


# Figures of Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3.
@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=5e-5)
    assert wilson(of - right, of) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_each_mistake_is_on_a_line_of_its_own() -> None:
    source = Path(programs.__file__).read_text()
    wrong, places = planted(source)
    assert len(places) == len(MISTAKES) == 6
    changed = [
        number for number, (a, b) in enumerate(zip(source.split("\n"), wrong.split("\n"), strict=True), 1) if a != b
    ]
    assert changed == sorted(places)


def test_a_mistake_that_does_not_fit_the_source_is_told() -> None:
    with pytest.raises(ValueError, match="0 times in the source"):
        planted("nothing")


def test_without_mypy_the_demo_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checking, "find_spec", lambda name: None)
    section = checking.check(Console(width=80))
    assert "pip install mypy" in capsys.readouterr().out
    assert section.calls == []


def test_without_the_manual_the_demo_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asking, "find_spec", lambda name: None)
    section = asking.ask(Console(width=80), dsp.LM("embedded"))
    assert "pydoc_data" in capsys.readouterr().out
    assert section.calls == []


def test_without_docstrings_the_demo_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guessing, "halves", lambda: ([], []))
    section = guessing.guess(Console(width=80), dsp.LM("embedded"), most=None)
    assert "without -OO" in capsys.readouterr().out
    assert section.calls == []


def test_replies_that_cannot_be_read_are_counted_as_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    guessing.guess(Console(width=80), ScriptedLM(["I would not know."] * 24 * 3), most=8)
    shown = capsys.readouterr().out
    assert "24 replies could not be had or read" in shown
    assert "overlap: more rows" in " ".join(shown.split())


def test_a_mypy_that_fails_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checking, "OPTIONS", ("--no-such-option",))
    checking.check(Console(width=80))
    shown = capsys.readouterr().out
    assert "no-such-option" in shown
    assert "0 of 6 mistakes found" in shown


def test_the_demo_loads_no_package_of_a_provider(process: Callable[..., Ended], shop: Path) -> None:
    (shop / "watch.py").write_text(
        "import sys, dsp\n"
        "@dsp.program\n"
        "def loaded(_: str) -> list[str]:\n"
        "    import dsp.cli.demo.show\n"
        "    return sorted({'litellm', 'openai'} & set(sys.modules))\n"
    )
    assert process("run", "watch:loaded", "-i", "x").json == []
    assert sys.version_info >= (3, 11)
