"""A model as a signature sees it: its fields in order, and the nested types that they name."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from dsp.errors import SignatureError
from dsp.signatures.field import SignatureField, TypeDefinition
from dsp.signatures.reading import (
    CLASS,
    VALUES,
    Node,
    Reading,
    Side,
    annotations_of,
    bare,
    contains_itself,
    fields_of,
    is_list,
    is_node,
    key_of,
    label_of,
    members_of,
    read,
)
from dsp.signatures.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue
    from pydantic.fields import FieldInfo
    from typing_extensions import TypeIs

__all__ = ["ModelView", "docstring_of", "is_object", "single_field", "title_of", "view_of"]


@dataclass(frozen=True)
class ModelView:
    """What a signature knows of one of its two models."""

    is_object: bool
    """False for a `RootModel` and for a union: then the whole value is shown as one field."""
    fields: tuple[SignatureField, ...]
    definitions: tuple[TypeDefinition, ...]
    root: Mapping[str, JsonValue]
    """The JSON schema of the model, keyed by labels, without its definitions."""
    nested: Mapping[str, Mapping[str, JsonValue]]
    """The definitions that `root` refers to."""


def is_object(annotation: Any) -> TypeIs[type[BaseModel]]:
    """Whether a model is shown field by field."""
    # Asked of the class: importing `RootModel` alone would take a tenth of the time that `import dsp` does.
    return isinstance(annotation, type) and issubclass(annotation, BaseModel) and not annotation.__pydantic_root_model__


def title_of(annotation: Any) -> str:
    """What to call a model in messages: `Ticket`, `Cat | Dog`."""
    if (members := members_of(annotation)) is not None:
        return " | ".join(title_of(member) for member in members)
    return getattr(annotation, "__name__", None) or repr(annotation)


def docstring_of(annotation: Any) -> str:
    """A class' own docstring; not one that it inherits."""
    own = vars(annotation).get("__doc__") if isinstance(annotation, type) else None
    return inspect.cleandoc(own).strip() if isinstance(own, str) else ""


def view_of(annotation: Any, side: Side) -> ModelView:
    """Reads a model, a `RootModel` or a union of models.

    Raises:
        SignatureError: A type in it that JSON cannot say, or two fields with one label.
    """
    reading = read(annotation, title_of(annotation))
    builder = _Builder(reading, side)
    if is_object(annotation):
        fields = builder.fields(reading.resolve(reading.root))
        _check_labels(annotation, fields)
    else:
        fields = (builder.whole(side, annotation, reading.root),)
    root = reading.resolve(reading.root) if is_object(annotation) else reading.root
    return ModelView(
        is_object=is_object(annotation),
        fields=fields,
        definitions=builder.definitions(fields_root=reading.root, whole=not is_object(annotation)),
        root=bare(builder.relabelled(root, spoken=True)),
        nested=builder.nested(),
    )


def single_field(name: str, annotation: Any, description: str) -> tuple[SignatureField, ModelView]:
    """A field that belongs to no model, with a view that holds its type."""
    reading = read(annotation, name)
    builder = _Builder(reading, "output")
    field = builder.field(name, name, {**reading.root, "description": description}, annotation, required=True)
    view = ModelView(
        is_object=False,
        fields=(field,),
        definitions=builder.definitions(fields_root=reading.root, whole=True),
        root=bare(builder.relabelled(reading.root, spoken=True)),
        nested=builder.nested(),
    )
    return field, view


def _check_labels(model: type[BaseModel], fields: tuple[SignatureField, ...]) -> None:
    seen: dict[str, str] = {}
    for field in fields:
        if (other := seen.setdefault(field.label, field.name)) != field.name:
            raise SignatureError(
                f"`{model.__name__}.{other}` and `{model.__name__}.{field.name}` are both called {field.label!r} in a prompt, so "
                "no reply could tell them apart: give one of them another alias."
            )


class _Builder:
    """Makes fields and definitions out of one reading."""

    def __init__(self, reading: Reading, side: Side) -> None:
        self._reading = reading
        self._side: Side = side
        self._names = _names(reading)
        self._words = Words(reading, self._names.get)

    def field(self, name: str, label: str, node: Node, annotation: Any, *, required: bool) -> SignatureField:
        return SignatureField(
            name=name,
            label=label,
            annotation=annotation,
            description=self._description(node),
            type_text=self._words.text(node),
            constraints=self._words.constraints(node),
            required=required,
            default=cast("JsonValue | None", node.get("default")),
            has_default="default" in node,
            is_text=self._words.is_text(node),
            schema=self._whole_schema(node),
        )

    def _whole_schema(self, node: Node) -> dict[str, JsonValue]:
        """A schema that stands alone: with every definition that it refers to."""
        schema = bare(self.relabelled(node))
        if needed := self._reachable(node):
            schema["$defs"] = {
                key: cast("JsonValue", bare(self.relabelled(self._reading.definitions[key]))) for key in needed
            }
        return schema

    def nested(self) -> dict[str, dict[str, JsonValue]]:
        """All definitions, as a provider's schema refers to them."""
        return {key: bare(self.relabelled(node, spoken=True)) for key, node in self._reading.definitions.items()}

    def fields(self, node: Node) -> tuple[SignatureField, ...]:
        """The fields of an object's schema, in the order of their declaration."""
        cls = self._reading.class_of(node)
        infos, annotations = fields_of(cls), annotations_of(cls)
        properties = cast("dict[str, Node]", node.get("properties", {}))
        required = set(cast("list[str]", node.get("required", ())))
        return tuple(
            self.field(
                name,
                label_of(name, infos.get(name), self._side),
                properties.get(name, {}),
                annotations.get(name, object),
                required=infos[name].is_required() if name in infos else name in required,
            )
            for name in dict.fromkeys((*infos, *properties))
            if not self._hidden(infos.get(name))
        )

    def whole(self, name: str, annotation: Any, node: Node) -> SignatureField:
        """The one field that stands for a value which is no object."""
        node = dict(node)
        if node.get("description") == docstring_of(annotation):
            del node["description"]  # the instructions say it
        return self.field(name, name, node, annotation, required=True)

    def definitions(self, *, fields_root: Node, whole: bool) -> tuple[TypeDefinition, ...]:
        """The named types in the order in which a reader meets them; the root itself only if it is named again."""
        start: Node = fields_root if whole else self._reading.resolve(fields_root)
        return tuple(self._definition(key) for key in self._reachable(start) if key in self._names)

    def _reachable(self, start: Node) -> list[str]:
        ordered: dict[str, None] = {}
        pending = list(self._references(start))
        while pending:
            key = pending.pop(0)
            if key not in ordered:
                ordered[key] = None
                pending[:0] = [
                    inner for inner in self._references(self._reading.definitions[key]) if inner not in ordered
                ]
        return list(ordered)

    def _definition(self, key: str) -> TypeDefinition:
        node = self._reading.definitions[key]
        description = str(node.get("description", ""))
        if "properties" in node:
            return TypeDefinition(self._names[key], description, self.fields(node))
        return TypeDefinition(self._names[key], description, (), self._words.text(self._reading.resolve(node)))

    def relabelled(self, node: Node, *, spoken: bool = False) -> Node:
        """The same schema with labels in the place of names; what the side does not show is left out.

        With `spoken`, what the notes know is said in the descriptions.
        """
        return cast("Node", self._relabelled(node, spoken))

    def _relabelled(self, value: Any, spoken: bool) -> Any:
        if is_list(value):
            return [self._relabelled(inner, spoken) for inner in value]
        if not is_node(value):
            return value
        node = value
        result = {key: inner if key in VALUES else self._relabelled(inner, spoken) for key, inner in node.items()}
        if spoken and (note := self._words.note(node)):
            result["description"] = f"{node.get('description', '')} {note}".strip()
        infos = fields_of(self._reading.class_of(node))
        if not infos or "properties" not in node:
            return result
        labels = {
            name: label_of(name, infos.get(name), self._side)
            for name in cast("dict[str, Node]", node["properties"])
            if not self._hidden(infos.get(name))
        }
        properties = cast("dict[str, Node]", result["properties"])
        result["properties"] = {label: properties[name] for name, label in labels.items()}
        if "required" in node:
            result["required"] = [labels[name] for name in cast("list[str]", node["required"]) if name in labels]
        return result

    def _hidden(self, info: FieldInfo | None) -> bool:
        return self._side == "input" and info is not None and info.exclude is True

    def _description(self, node: Node) -> str:
        text = node.get("description")
        examples = node.get("examples")
        if text is None and isinstance(ref := node.get("$ref"), str) and key_of(ref) not in self._names:
            text = self._reading.resolve(node).get("description")
        shown = f"for example {', '.join(json.dumps(one, ensure_ascii=False) for one in examples)}" if examples else ""
        if text and shown:
            return f"{text} ({shown})"
        return str(text or shown)

    def _references(self, value: Any) -> Iterator[str]:
        """Keys of the definitions that a schema refers to, what a prompt does not show left out."""
        if is_list(value):
            for inner in value:
                yield from self._references(inner)
        elif is_node(value):
            node = value
            if isinstance(ref := node.get("$ref"), str):
                yield key_of(ref)
            infos = fields_of(self._reading.class_of(node))
            for key, inner in node.items():
                if key == "properties" and CLASS in node:
                    for name, part in cast("dict[str, Node]", inner).items():
                        if not self._hidden(infos.get(name)):
                            yield from self._references(part)
                elif key not in VALUES and key != "discriminator":
                    yield from self._references(inner)


def _names(reading: Reading) -> dict[str, str]:
    """What definitions are called: objects, and other types that contain themselves. The rest is spelt out in place."""
    named = [
        key
        for key, node in reading.definitions.items()
        if "properties" in node
        or (node.get("type") == "object" and CLASS in node)
        or contains_itself(reading.definitions, key)
    ]
    titles = [str(reading.definitions[key].get("title", key)) for key in named]
    return {key: title if titles.count(title) == 1 else key for key, title in zip(named, titles, strict=True)}
