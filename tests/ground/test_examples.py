"""Every example that a reader sees runs: docstrings, README.md, CONTRIBUTING.md and the pages of docs/.

The ```python blocks of one page are one program: they run from top to bottom in one namespace, in an empty folder, with
dsp as it was imported. Two comments on the line above a block mean something here:

    <!-- output -->          the block that follows is what the python block before it prints; `...` stands for anything
    <!-- no-run: reason -->  the python block that follows is shown and not run

`NOT_RUN` counts the second kind by page, so that none is skipped unseen.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
NOT_RUN: dict[str, int] = {}

FENCE = re.compile(
    r"(?:^(?P<indent> *)<!-- (?P<mark>output|no-run: [^\n]+?) -->\n\s*)?"
    r"^(?P<pad> *)(?P<fence>`{3,})(?P<language>[\w+-]*)[^\n]*\n(?P<body>.*?)^(?P=pad)(?P=fence) *$",
    re.DOTALL | re.MULTILINE,
)


@dataclass
class Block:
    line: int
    language: str
    mark: str | None
    body: str


def blocks(text: str) -> list[Block]:
    return [
        Block(
            line=text.count("\n", 0, found.start("body")) + 1,
            language=found["language"],
            mark=found["mark"],
            body=re.sub(rf"^{found['pad']}", "", found["body"], flags=re.MULTILINE),
        )
        for found in FENCE.finditer(text)
    ]


def pages() -> list[str]:
    found = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *CHECKOUT.glob("docs/**/*.md")]
    return sorted(path.relative_to(CHECKOUT).as_posix() for path in found)


def shown(page: str) -> list[Block]:
    return [
        block for block in blocks((CHECKOUT / page).read_text()) if block.language in {"python", "py"} or block.mark
    ]


def modules() -> list[str]:
    found = [path for path in CHECKOUT.glob("dsp/**/*.py") if ">>> " in path.read_text()]
    names = [path.relative_to(CHECKOUT).with_suffix("").as_posix().replace("/", ".") for path in found]
    return sorted(name.removesuffix(".__init__") for name in names)


def run_page(name: str, text: str) -> None:
    """Run the python blocks of a page as one program, and compare what it prints where the page shows it."""
    program = types.ModuleType("page")
    program.__file__ = str(CHECKOUT / name)
    sys.modules["page"] = program  # Pydantic and typing look names up in the module of a class
    printed = ""
    try:
        for block in blocks(text):
            if block.mark == "output":
                same = doctest.OutputChecker().check_output(block.body, printed, doctest.ELLIPSIS)
                assert same, f"{name}:{block.line} shows {block.body!r} and the program prints {printed!r}"
            elif block.language in {"python", "py"} and block.mark is None:
                code = compile("\n" * (block.line - 1) + block.body, program.__file__, "exec", dont_inherit=True)
                with contextlib.redirect_stdout(io.StringIO()) as stdout:
                    exec(code, program.__dict__)
                printed = stdout.getvalue()
    finally:
        del sys.modules["page"]


@pytest.mark.parametrize("module", modules())
def test_the_examples_in_docstrings_run(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module)):
        runner.run(test, out=report.write)
    assert runner.summarize(verbose=False).failed == 0, report.getvalue()


@pytest.mark.parametrize("page", [page for page in pages() if shown(page)])
def test_the_examples_on_pages_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page, (CHECKOUT / page).read_text())


def test_examples_that_do_not_run_are_counted() -> None:
    counts = {page: sum((block.mark or "").startswith("no-run") for block in shown(page)) for page in pages()}
    assert {page: count for page, count in counts.items() if count} == NOT_RUN


class TestTheReaderOfPages:
    """The collector above, on pages made for it."""

    def test_blocks_of_a_page_share_their_names(self) -> None:
        run_page("page.md", "```python\na = 1\n```\n\nText.\n\n```python\nassert a == 1\n```\n")

    def test_a_failing_block_is_told_by_page_and_line(self) -> None:
        with pytest.raises(ZeroDivisionError) as failure:
            run_page("page.md", "Text.\n\n```python\na = 1\n1 / 0\n```\n")
        assert Path(failure.traceback[-1].path) == CHECKOUT / "page.md"
        assert failure.traceback[-1].lineno == 4  # counted from nought

    def test_output_is_compared(self) -> None:
        page = "```python\nprint(6 * 7, 'ms')\n```\n\n<!-- output -->\n```text\n{}\n```\n"
        run_page("page.md", page.format("42 ms"))
        run_page("page.md", page.format("... ms"))
        with pytest.raises(AssertionError, match="the program prints '42 ms"):
            run_page("page.md", page.format("43 ms"))

    def test_a_block_that_is_marked_does_not_run(self) -> None:
        run_page("page.md", "<!-- no-run: needs a key -->\n```python\n1 / 0\n```\n")

    def test_a_block_inside_a_list_runs(self) -> None:
        with pytest.raises(ZeroDivisionError):
            run_page("page.md", "- item\n\n    ```python\n    1 / 0\n    ```\n")

    def test_other_languages_are_left_alone(self) -> None:
        run_page("page.md", "```console\n$ make demo\n```\n\n```pycon\n>>> 1 / 0\n```\n")
