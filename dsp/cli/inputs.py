"""What `--input` says, as an input of a program."""

from __future__ import annotations

import difflib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import from_json

import dsp
from dsp.programs import Either, Fan, Joined, Mapped, Pipeline, Step
from dsp.programs.typed import type_arguments, type_name

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["input_type", "input_value"]

# `Any` in this module: a program's input type is known only when the program is, and types have no type.


def input_value(argument: str, into: Any) -> Any:
    """The input that `JSON`, `@FILE` or `-` (stdin) holds.

    Where the program takes a `str`, text that is no JSON string is taken as it is.

    Raises:
        InputError: There is no such file, its text is not JSON, or it does not fit the program's input.
    """
    text = _text(argument)
    if into is str:
        return _string(text)
    try:
        value: JsonValue = from_json(text)
    except ValueError as error:
        raise dsp.InputError(
            f"The input is not JSON: {error}. Got {text!r:.80}; write --input '{{\"field\": ...}}', or @FILE, or - for stdin."
        ) from None
    _check_names(value, into)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(into)
    except PydanticSchemaGenerationError:
        raise dsp.InputError(
            f"The program takes a `{type_name(into)}`, which cannot be made of JSON: give it a Pydantic model as input."
        ) from None
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        lines = [
            f"`{'.'.join(map(str, each['loc'])) or type_name(into)}`: {each['msg']}, got {each['input']!r:.80}"
            for each in error.errors(include_url=False)
        ]
        raise dsp.InputError(f"The input is no `{type_name(into)}`: {'; '.join(lines)}. Nothing was sent.") from None


def input_type(program: dsp.Program[Any, Any]) -> Any:
    """What a program takes; `Any` where its code does not say."""
    match program:
        case dsp.Predict():
            return program.signature.input
        case Pipeline():
            return input_type(program.steps[0])
        case Fan():
            return input_type(program.arms[0])
        case Joined():
            return input_type(program.fan)
        case Either():
            return input_type(program.choices[0])
        case Mapped():
            return list[input_type(program.inner)]  # type: ignore[misc]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - a type made at run time
        case Step():
            return _first_parameter(program.fn)
        case _:
            try:
                taken = type_arguments(type(program), dsp.Program)[0]
            except dsp.SignatureError:
                return _first_parameter(program.forward)
            return taken


def _first_parameter(fn: Any) -> Any:
    called = fn if inspect.isroutine(fn) else fn.__call__
    try:
        hints = get_type_hints(called, include_extras=True)
        first = next(iter(inspect.signature(called).parameters))
    except (NameError, TypeError, ValueError, StopIteration):  # nothing that says the type
        return Any
    return hints.get(first, Any)


def _text(argument: str) -> str:
    try:
        if argument == "-":
            return sys.stdin.read()
        if argument.startswith("@"):
            return Path(argument[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise dsp.InputError(f"The input cannot be read from {argument[1:]!r}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise dsp.InputError(f"The input is not UTF-8 text: {error}.") from None
    return argument


def _string(text: str) -> str:
    try:
        value: JsonValue = from_json(text)
    except ValueError:
        value = None
    return value if isinstance(value, str) else text.removesuffix("\n")


def _check_names(value: JsonValue, into: Any) -> None:
    """Pydantic drops keys that it does not know; here they are a slip of the pen."""
    if not (isinstance(value, dict) and isinstance(into, type) and issubclass(into, BaseModel)):
        return
    if into.model_config.get("extra") == "allow" or into.__pydantic_root_model__:
        return
    aliases = [field.validation_alias for field in into.model_fields.values()]
    if any(not isinstance(alias, str | None) for alias in aliases):
        return  # paths and choices say more than names
    known = {*into.model_fields, *(alias for alias in aliases if isinstance(alias, str))}
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(sorted(known))}."
            raise dsp.InputError(f"`{into.__name__}` has no field `{name}`: {hint}")
