"""Jinja, on first use: the templates that ship with dsp, and those that a user writes for the user's turn."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import to_json

from dsp.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment, Template

    from dsp.signatures import Signature, SignatureField

__all__ = ["UserTemplate", "render"]

HERE = Path(__file__).parent / "templates"


@cache
def own_environment() -> Environment:
    """The environment of the templates that ship with dsp; each is compiled once in a process."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        autoescape=False,  # noqa: S701 - prompts are text, not HTML
    )
    environment.filters["folded"] = folded
    environment.filters["otherwise"] = otherwise
    environment.filters["json"] = as_json
    return environment


def render(name: str, **values: object) -> str:
    """A template that ships with dsp, rendered."""
    return own_environment().get_template(name).render(values).strip("\n")


def folded(text: str) -> str:
    """A description on one line."""
    return " ".join(text.split())


def otherwise(field: SignatureField) -> str:
    """What a field's type line adds when the field may be left out."""
    if field.required:
        return ""
    if not field.has_default or field.default is None:
        return ", optional"
    return f", optional, default {as_json(field.default)}"


def as_json(value: object) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


@cache
def user_environment() -> Environment:
    """Where users' templates run: sandboxed, and strict about names."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, finalize=shown, keep_trailing_newline=False
    )


def shown(value: object) -> object:
    """What `{{ value }}` writes: text as it is, everything else as JSON."""
    if isinstance(value, str) and type(value) is str:
        return value
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        return value  # StrictUndefined raises, with the name, when it is written
    return to_json(value, inf_nan_mode="constants", fallback=str).decode()


class UserTemplate:
    """A template for the text of the user's turn, with the inputs by field name or label."""

    def __init__(self, template: str | Path) -> None:
        """Reads the template.

        Raises:
            TemplateError: The file cannot be read.
        """
        self.where: str = f"the template `{template}`" if isinstance(template, Path) else "the template"
        if isinstance(template, Path):
            try:
                self.source: str = template.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise TemplateError(f"The template file `{template}` cannot be read: {error}.") from error
        else:
            self.source = template
        self._compiled: Template | None = None

    def check(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        """Find names that the input model does not have, before anything is sent.

        Raises:
            TemplateError: The template does not compile, or names a field that is not there.
        """
        from dsp.adapters.template_check import problems

        found = problems(user_environment(), self.source, signature)
        if found:
            raise TemplateError(f"In {self.where}: {' '.join(found)}")
        self._template()

    def _template(self) -> Template:
        if self._compiled is None:
            self._compiled = user_environment().from_string(self.source)
        return self._compiled

    def render(self, values: Mapping[str, object]) -> str:
        """The text for one input.

        Raises:
            TemplateError: The template fails on this input.
        """
        from jinja2 import TemplateError as JinjaError

        try:
            return self._template().render(values)
        except (JinjaError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise TemplateError(f"{self.where.capitalize()} fails on this input: {error}") from error


def values_of(signature: Signature[Any, Any], inputs: BaseModel) -> dict[str, object]:  # Any: whatever its models
    """What a user's template sees: the inputs by label and by name."""
    if not signature.input_is_object:
        return {signature.input_fields[0].name: getattr(inputs, "root", inputs)}
    values: dict[str, object] = {}
    for field in signature.input_fields:
        values[field.label] = getattr(inputs, field.name)
    for field in signature.input_fields:
        values[field.name] = getattr(inputs, field.name)
    return values
