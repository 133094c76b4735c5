"""The public face: what `import dsp` offers, and what it does not load."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import dsp

CHECKOUT = Path(__file__).parents[2]
MODULES = sorted(path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("dsp/**/*.py"))
HEAVY = ("litellm", "instructor", "openai", "aiohttp", "numpy", "rich", "typer", "jinja2")


def listed(tree: ast.Module) -> list[str] | None:
    """What a module's `__all__` says, when it has one made of plain strings."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return [str(name) for name in ast.literal_eval(value)]
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value):
                return [str(name) for name in ast.literal_eval(value)]
    return None


def order(name: str) -> tuple[int, str]:
    """The order that ruff writes `__all__` in: CONSTANTS, Classes, functions."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_for_and_what_it_offers(module: str) -> None:
    tree = ast.parse((CHECKOUT / module).read_text())
    assert ast.get_docstring(tree), f"{module} has no docstring"
    if module.endswith("__main__.py") or (Path(module).name.startswith("_") and not module.endswith("__init__.py")):
        return
    names = listed(tree)
    assert names is not None, f"{module} has no __all__"
    assert len(set(names)) == len(names), f"{module} lists a name twice"


@pytest.mark.parametrize("module", [module for module in MODULES if not module.endswith("__main__.py")])
def test_every_name_that_a_module_offers_is_there(module: str) -> None:
    loaded = importlib.import_module(module.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    missing = [name for name in getattr(loaded, "__all__", []) if not hasattr(loaded, name)]
    assert not missing, f"{module} lists what it does not have: {missing}"


def test_the_face_is_in_order() -> None:
    assert list(dsp.__all__) == sorted(dsp.__all__, key=order)


def test_dir_shows_the_whole_face() -> None:
    assert set(dsp.__all__) <= set(dir(dsp))


def test_a_name_that_dsp_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Predicct"):
        _ = dsp.Predicct  # type: ignore[attr-defined]  # the misspelling is the test


def test_import_dsp_loads_nothing_heavy() -> None:
    program = f"import sys, dsp; print(*sorted({{name.split('.')[0] for name in sys.modules}} & set({HEAVY})))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
