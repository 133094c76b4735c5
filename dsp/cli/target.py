"""From `MODULE:NAME` to a program."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import dsp
from dsp.cli.exits import TargetError, WrongUsage, trace_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["load"]

# `Program[Any, Any]`: the types of a program that is found by its name are known when it is there.


def load(target: str) -> dsp.Program[Any, Any]:
    """The program that a target names.

    `MODULE` is a dotted name, found from the current folder as well, or the path of a `.py` file. `NAME` may be dotted;
    it leads to a program, to a function made by `dsp.lm_function` or `dsp.ask`, or to a class or a function that gives a
    program when it is called with nothing.

    Raises:
        WrongUsage: The text is not of this form.
        TargetError: The module cannot be imported, or there is no program of that name.
    """
    place, colon, name = target.rpartition(":")
    if not (colon and place and name):
        raise WrongUsage(
            f"{target!r} names no program: write MODULE:NAME, as in 'shop.triage:triage' or 'examples/triage.py:triage'."
        )
    module = _imported(place)
    found: object = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise TargetError(f"`{place}` has no `{name}`. {_offer(module, name)}")
        found = getattr(found, part)
    return _program(found, target, module)


def _imported(place: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    path = Path(place)
    if place.endswith(".py") and not path.is_file():
        raise TargetError(f"There is no file {place!r} in {Path.cwd()}.")
    try:
        return _from_file(path) if place.endswith(".py") else importlib.import_module(place)
    except dsp.DspError as error:
        raise TargetError(f"`{place}` cannot be imported. {type(error).__name__}: {error}") from error
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise TargetError(
                f"There is no module `{error.name}`, neither installed nor in {Path.cwd()}. "
                "Write a dotted name, or the path of a .py file."
            ) from error
        raise TargetError(f"`{place}` cannot be imported.\n{trace_of(error)}") from error
    except SystemExit as error:
        raise TargetError(f"`{place}` ended the process when it was imported, with {error.code!r}.") from error
    except Exception as error:  # whatever a user's module raises is shown whole
        raise TargetError(f"`{place}` cannot be imported.\n{trace_of(error)}") from error


def _from_file(path: Path) -> ModuleType:
    path = path.resolve()
    sys.path.insert(0, str(path.parent))
    taken = path.stem in sys.modules or path.stem in sys.stdlib_module_names
    name = f"{path.stem}_program" if taken else path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{str(path)!r} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where Pydantic and typing look the names of its classes up
    spec.loader.exec_module(module)
    return module


def _program(found: object, target: str, module: ModuleType) -> dsp.Program[Any, Any]:
    if _is_asked_by_keyword(found):
        return found.program
    if _is_program(found):
        return found
    if _is_program_class(found) or _is_function(found):
        made = _made(found, target)
        if _is_program(made):
            return made
        raise TargetError(f"`{target}` gives a value of type {type(made).__name__}, no program. {_offer(module, '')}")
    raise TargetError(f"`{target}` is of type {type(found).__name__}, no program. {_offer(module, '')}")


def _is_program(value: object) -> TypeGuard[dsp.Program[Any, Any]]:
    return isinstance(value, dsp.Program)


def _is_asked_by_keyword(value: object) -> TypeGuard[dsp.LMFunction[..., Any] | dsp.Asker[..., Any]]:
    return isinstance(value, dsp.LMFunction | dsp.Asker)


def _is_program_class(value: object) -> TypeGuard[type[dsp.Program[Any, Any]]]:
    return isinstance(value, type) and issubclass(value, dsp.Program)


def _is_function(value: object) -> TypeGuard[Callable[..., object]]:
    return inspect.isfunction(value)


def _made(factory: Callable[..., object], target: str) -> object:
    needed = [
        name
        for name, parameter in inspect.signature(factory).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed or inspect.iscoroutinefunction(factory):
        what = f"needs `{'`, `'.join(needed)}`" if needed else "is async"
        way = (
            "name an object of it: program = Name(...)"
            if isinstance(factory, type)
            else "write `@dsp.program` above it, or `@dsp.lm_function` if a model is to answer it"
        )
        raise TargetError(f"`{target}` {what}, and so cannot be called with nothing to get a program: {way}.")
    try:
        return factory()
    except dsp.DspError as error:
        raise TargetError(f"`{target}` cannot be made. {type(error).__name__}: {error}") from error
    except Exception as error:  # whatever a user's code raises is shown whole
        raise TargetError(f"`{target}` cannot be made.\n{trace_of(error)}") from error


def _offer(module: ModuleType, name: str) -> str:
    """What a misspelt name may have meant."""
    there = [
        each
        for each, value in vars(module).items()
        if _is_program(value)
        or _is_asked_by_keyword(value)
        or (_is_program_class(value) and value.__module__ == module.__name__)
    ]
    near = difflib.get_close_matches(name, there, n=1)
    if near:
        return f"Did you mean `{near[0]}`?"
    return f"Its programs: {', '.join(there)}." if there else "It has no programs."
