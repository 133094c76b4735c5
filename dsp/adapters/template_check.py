"""Whether a template fits an input model: every name, and every attribute of nested models, without rendering."""

from __future__ import annotations

import types
import typing
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, meta, nodes
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2 import Environment

    from dsp.signatures import Signature

__all__ = ["problems"]


def problems(
    environment: Environment, source: str, signature: Signature[Any, Any]
) -> list[str]:  # Any: whatever models
    """What is wrong with a template, a sentence each; empty when it fits.

    Args:
        environment: Where the template will run.
        source: The template.
        signature: Whose inputs it is to show.
    """
    try:
        tree = environment.parse(source)
        environment.compile(source)
    except TemplateSyntaxError as error:
        return [f"line {error.lineno} does not compile: {error.message}."]
    model = getattr(signature.input, "__name__", str(signature.input))
    types_of: dict[str, object] = {}
    for field in signature.input_fields:
        types_of[field.label] = types_of[field.name] = field.annotation
    known = {*types_of, *environment.globals}
    found = [
        f"`{name}` is not a field of `{model}`{_help(name, types_of)}"
        for name in sorted(meta.find_undeclared_variables(tree) - known)
    ]
    found += _attributes(tree, types_of)
    return found


def _attributes(tree: nodes.Template, types_of: dict[str, object]) -> Iterator[str]:
    known = {**types_of, **_loop_types(tree, types_of)}
    said: set[str] = set()
    for node in tree.find_all(nodes.Getattr):
        path = _path(node)
        if path is None or path[0] not in known:
            continue
        annotation: object = known[path[0]]
        for step in path[1:]:
            model = _model(annotation)
            if model is None:
                break
            if step not in model.model_fields:
                # Methods, properties and computed fields of the model's own are the template writer's to use.
                if not hasattr(model, step) and (text := ".".join(path)) not in said:
                    said.add(text)
                    yield f"`{text}`: `{model.__name__}` has no field `{step}`{_help(step, model.model_fields)}"
                break
            annotation = model.model_fields[step].annotation


def _loop_types(tree: nodes.Template, types_of: dict[str, object]) -> dict[str, object]:
    """What each loop variable is, `object` where that cannot be told; a loop variable hides a field of its name."""
    loops: dict[str, object] = {}
    for loop in tree.find_all(nodes.For):
        names = [loop.target] if isinstance(loop.target, nodes.Name) else list(loop.target.find_all(nodes.Name))
        item: object = object
        if isinstance(loop.target, nodes.Name) and isinstance(loop.iter, nodes.Name):
            item = _item(types_of.get(loop.iter.name, loops.get(loop.iter.name)))
        for name in names:
            loops[name.name] = item if name.name not in loops else object
    for assigned in tree.find_all(nodes.Assign):
        for target in [assigned.target, *assigned.target.find_all(nodes.Name)]:
            if isinstance(target, nodes.Name):
                loops[target.name] = object
    return loops


def _path(node: nodes.Getattr) -> list[str] | None:
    path: list[str] = []
    current: nodes.Node = node
    while isinstance(current, nodes.Getattr):
        path.insert(0, current.attr)
        current = current.node
    return [current.name, *path] if isinstance(current, nodes.Name) else None


def _plain(annotation: object) -> object:
    """A type without its metadata, and without `| None`."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [one for one in typing.get_args(annotation) if one is not type(None)]
        return _plain(members[0]) if len(members) == 1 else annotation
    return annotation


def _model(annotation: object) -> type[BaseModel] | None:
    plain = _plain(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None


def _item(annotation: object) -> object:
    plain = _plain(annotation)
    arguments = typing.get_args(plain)
    if typing.get_origin(plain) in (list, set, frozenset) and len(arguments) == 1:
        return arguments[0]
    return object


def _help(name: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    near = get_close_matches(name, names, n=1)
    listed = ", ".join(f"`{one}`" for one in names)
    return f" (its fields: {listed}){f'; did you mean `{near[0]}`?' if near else '.'}"
