"""What is written beside the code agrees with the code."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
PAGES = sorted(
    path.relative_to(CHECKOUT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "typings/**/*.md", "benchmarks/*.md")
    for path in CHECKOUT.glob(pattern)
)
NOT_COMMITTED = {".git", ".venv", "build", "dist", "site", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def committed() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    if (CHECKOUT / ".git").exists():
        git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(git, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split("\0")
        return [CHECKOUT / name for name in names if name and (CHECKOUT / name).is_file()]
    return [
        path
        for path in CHECKOUT.rglob("*")
        if path.is_file() and not NOT_COMMITTED.intersection(path.relative_to(CHECKOUT).parts)
    ]


def plain(requirement: str) -> str:
    """The name in a requirement, as package indexes compare them."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return name[0].lower().replace("_", "-")


def argued_for(heading: str) -> set[str]:
    """The packages that one section of docs/dependencies.md has a line for."""
    page = (CHECKOUT / "docs" / "dependencies.md").read_text()
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert section, f"docs/dependencies.md has no section {heading!r}"
    return set(re.findall(r"^\| `([\w-]+)` \|", section[1], re.MULTILINE))


def pins(name: str) -> dict[str, str]:
    lines = (CHECKOUT / "constraints" / name).read_text().splitlines()
    return {plain(line): line for line in lines if not line.startswith("#")}


def test_each_dependency_is_argued_for_and_no_other() -> None:
    assert argued_for("At run time") == {plain(line) for line in PROJECT["project"]["dependencies"]}


@pytest.mark.parametrize(("group", "heading"), [("dev", "For work on dsp"), ("docs", "For the documentation")])
def test_each_tool_is_argued_for_and_no_other(group: str, heading: str) -> None:
    assert argued_for(heading) == {plain(line) for line in PROJECT["dependency-groups"][group]}


def test_constraints_pin_every_dependency() -> None:
    runtime = {plain(line) for line in PROJECT["project"]["dependencies"]}
    tools = {plain(line) for group in PROJECT["dependency-groups"].values() for line in group}
    assert runtime <= set(pins("runtime.txt"))
    assert runtime | tools <= set(pins("dev.txt"))


def test_constraints_are_versions_and_nothing_else() -> None:
    for name in ("runtime.txt", "dev.txt"):
        odd = [line for line in pins(name).values() if not re.fullmatch(r"[\w.-]+==[\w.+!]+", line)]
        assert not odd, f"constraints/{name}: {odd}"


def test_the_runtime_is_pinned_alike_in_both_files() -> None:
    dev = pins("dev.txt")
    assert {name: line for name, line in pins("runtime.txt").items() if dev.get(name) != line} == {}


def test_no_file_names_a_path_of_one_machine() -> None:
    machine = re.compile(rb"(?<![\w.~-])/(?:work|root|tmp)" + rb"/")
    found = [path.relative_to(CHECKOUT).as_posix() for path in committed() if machine.search(path.read_bytes())]
    assert found == []


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    text = re.sub(r"^(`{3,}).*?^\1`*$", "", (CHECKOUT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    relative = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert [target for target in relative if not (CHECKOUT / page).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("room", PROJECT["tool"]["importlinter"]["contracts"][0]["layers"])
def test_every_room_has_its_page(room: str) -> None:
    page = (CHECKOUT / "docs" / "design" / f"{room}.md").read_text()
    for heading in ("## What it knows", "## What it must not know", "## Where a change goes"):
        assert heading in page


def test_the_change_log_names_the_version_in_the_code() -> None:
    import dsp

    assert f"[{dsp.__version__}]" in (CHECKOUT / "CHANGELOG.md").read_text()


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name for page in PAGES for name in re.findall(r"[`$ ]make ([a-z]+)\b[^`\n]*[`#]", (CHECKOUT / page).read_text())
    }
    assert named
    assert named <= targets
