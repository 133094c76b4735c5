"""Values in and out: from an instance to what a prompt shows, and from what a reply says to an instance.

What depends on the model alone is prepared once, so that a call costs little more than Pydantic does.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic import AliasChoices, AliasPath, BaseModel, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, PydanticSerializationError, SchemaSerializer, from_json, to_json

from dsp.errors import InputError
from dsp.signatures.ordering import has_sets, with_sets_in_order
from dsp.signatures.reading import Side, fields_of, is_list, is_node, label_of, members_of
from dsp.signatures.view import is_object, title_of

if TYPE_CHECKING:
    from pydantic import JsonValue
    from pydantic.fields import FieldInfo

    from dsp.signatures.field import SignatureField

__all__ = ["Dumper", "Loader"]

M = TypeVar("M", bound=BaseModel)


class Dumper(Generic[M]):
    """Writes instances of one model as JSON values, by label, declared fields only."""

    def __init__(self, annotation: Any, fields: Sequence[SignatureField], side: Side) -> None:
        members = members_of(annotation) or (annotation,)
        self._annotation = annotation
        self._side: Side = side
        self._fields = fields
        self._is_object = is_object(annotation)
        self._classes = cast("tuple[type[BaseModel], ...]", members)
        self._writers = tuple(_serializer(member, side).to_python for member in self._classes)
        self._write = self._writers[0]
        self._labels = tuple(field.label for field in fields)
        self._choices = _choices(self._classes[0], side) if self._is_object else ()
        self._sets = tuple((field.label, field.schema) for field in fields if has_sets(field.schema))

    def dump(self, value: M) -> dict[str, JsonValue]:
        """The declared fields of an instance, a subclass' too.

        Raises:
            InputError: No instance of the model, a value that does not fit its field, or a field without a value.
        """
        if not isinstance(value, self._classes):
            raise self._foreign(value)
        if not self._is_object:
            whole = self._whole(value)
            return {self._side: with_sets_in_order(whole, self._sets[0][1]) if self._sets else whole}
        try:
            written: dict[str, JsonValue] = self._write(
                value, mode="json", by_alias=True, exclude_computed_fields=True, warnings="error"
            )
        except ValueError as error:
            raise self._misfit(value, error) from error
        if tuple(written) != self._labels:
            written = self._in_order(written)
        for label, name, allowed in self._choices:
            if written[label] not in allowed:
                raise self._unfit(name, getattr(value, name))
        for label, schema in self._sets:
            written[label] = with_sets_in_order(written[label], schema)
        return written

    def _whole(self, value: BaseModel) -> JsonValue:
        exact = [index for index, cls in enumerate(self._classes) if cls is type(value)]
        index = exact[0] if exact else next(i for i, cls in enumerate(self._classes) if isinstance(value, cls))
        write, cls = self._writers[index], self._classes[index]
        try:
            written = write(value, mode="json", by_alias=True, exclude_computed_fields=True, warnings="error")
        except ValueError as error:
            raise InputError(
                f"`{cls.__name__}` holds a value that does not fit: {_detail(error)}. Build it through Pydantic, which checks: "
                f"`{cls.__name__}.model_validate(...)`."
            ) from error
        if not cls.__pydantic_root_model__:
            for name in fields_of(cls):
                if name not in value.__dict__:
                    raise self._absent(cls, name)
        return cast("JsonValue", written)

    def _in_order(self, written: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Declared fields in declared order, whatever order and extras the instance has."""
        for field in self._fields:
            if field.label not in written:
                raise self._absent(self._classes[0], field.name)
        return {label: written[label] for label in self._labels}

    def _foreign(self, value: object) -> InputError:
        title = title_of(self._annotation)
        made = self._classes[0].__name__
        if isinstance(value, Mapping):
            return InputError(
                f"expected an instance of `{title}`, got a {type(cast('object', value)).__name__}: write `{made}(**values)`."
            )
        if isinstance(value, type):
            return InputError(
                f"expected an instance of `{title}`, got the class `{value.__name__}`: write `{made}(...)`."
            )
        return InputError(f"expected an instance of `{title}`, got {_shown(value)}: write `{made}(...)`.")

    def _absent(self, cls: type[BaseModel], name: str) -> InputError:
        return InputError(
            f"`{cls.__name__}.{name}` has no value: the instance was made without validation. Write `{cls.__name__}(...)` with all "
            "its fields."
        )

    def _misfit(self, value: BaseModel, error: ValueError) -> InputError:
        for field in self._fields:
            if field.name not in value.__dict__:
                continue
            try:
                self._write(value, mode="json", include={field.name}, exclude_computed_fields=True, warnings="error")
            except ValueError as own:
                return self._unfit(field.name, value.__dict__[field.name], own)
        return InputError(f"`{self._classes[0].__name__}` holds a value that does not fit: {_detail(error)}.")

    def _unfit(self, name: str, value: object, error: ValueError | None = None) -> InputError:
        cls = self._classes[0].__name__
        field = next(field for field in self._fields if field.name == name)
        scalar = value is None or isinstance(value, str | int | float)
        detail = f" ({_detail(error)})" if error is not None and not scalar else ""
        return InputError(
            f"`{cls}.{name}` should be {field.type_text}, got {_shown(value)}{detail}. Build it through Pydantic, which checks: "
            f"`{cls}.model_validate(...)`."
        )


class Loader(Generic[M]):
    """Reads JSON values into instances of one model, by label and by name."""

    def __init__(self, annotation: Any, leading: frozenset[str]) -> None:
        self._title = title_of(annotation)
        self._is_object = is_object(annotation)
        self._leading = leading
        self._renamed: dict[str, str] = {}
        self._by_name = True
        self._known: frozenset[str] | None = None
        self._direct = self._is_object and not leading
        # A model's adapter hands out the model's own validator.
        adapter: TypeAdapter[M] = TypeAdapter(annotation)
        self._validator = adapter.validator
        if is_object(annotation):
            self._prepare(annotation)

    def _prepare(self, model: type[BaseModel]) -> None:
        labels = {name: label_of(name, field, "output") for name, field in model.model_fields.items()}
        taken = {label for name, label in labels.items() if label != name}
        if taken & labels.keys():
            # One field's name is another's alias: read by alias alone, or a value could end up in the wrong field.
            self._by_name = False
            self._renamed = {name: label for name, label in labels.items() if name not in labels.values()}
            self._direct = False
        extra = model.model_config.get("extra", "ignore")
        if extra != "allow":
            known = {key for name, field in model.model_fields.items() for key in (name, *_keys(field))}
            self._known = frozenset(known) - self._leading
        if extra == "forbid":
            self._direct = False

    def load(self, values: Mapping[str, JsonValue] | str) -> M:
        """An instance of the model, checked by Pydantic as if it had read the JSON itself.

        Raises:
            ValidationError: Pydantic's own, where the values do not fit.
        """
        if isinstance(values, str):
            if self._direct:
                return self._validated(values)
            return self._load_text(values)
        if not self._is_object:
            if "output" not in values:
                raise ValidationError.from_exception_data(
                    self._title, [{"type": "missing", "loc": ("output",), "input": dict(values)}], input_type="json"
                )
            return self._checked(values["output"])
        if self._known is not None:
            return self._checked({self._renamed.get(key, key): values[key] for key in values if key in self._known})
        return self._checked({self._renamed.get(key, key): values[key] for key in values if key not in self._leading})

    def _load_text(self, text: str) -> M:
        try:
            values = from_json(text)
        except ValueError:
            return self._validated(text)  # raises, with Pydantic's words
        if not isinstance(values, dict):
            raise ValidationError.from_exception_data(
                self._title,
                [{"type": "model_type", "loc": (), "input": values, "ctx": {"class_name": self._title}}],
                input_type="json",
            )
        return self.load(cast("dict[str, JsonValue]", values))

    def _checked(self, values: JsonValue) -> M:
        try:
            text = to_json(values, inf_nan_mode="constants")
        except PydanticSerializationError:
            # Half of a surrogate pair, which Python can hold and JSON cannot.
            return cast("M", self._validator.validate_python(values, by_alias=True, by_name=self._by_name))
        return self._validated(text)

    def _validated(self, text: str | bytes) -> M:
        return cast("M", self._validator.validate_json(text, by_alias=True, by_name=self._by_name))


def _keys(field: FieldInfo) -> list[str]:
    """The first keys under which Pydantic looks for a field."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    firsts = [choice.path[0] if isinstance(choice, AliasPath) else choice for choice in choices]
    return [first for first in firsts if isinstance(first, str)]


def _serializer(model: type[BaseModel], side: Side) -> SchemaSerializer:
    """The model's own serializer, unless it writes other keys or fields than the prompt shows."""
    schema = cast("dict[str, Any]", model.__pydantic_core_schema__)
    changed = _shown_schema(schema, side, whole=model.__pydantic_root_model__)
    if changed is schema:
        return model.__pydantic_serializer__
    # Prebuilt serializers of nested models would bring the old keys back.
    return SchemaSerializer(cast("CoreSchema", changed), None, _use_prebuilt=False)


def _shown_schema(schema: dict[str, Any], side: Side, *, whole: bool) -> dict[str, Any]:
    top = None if whole else _model_schema(schema)

    def changed(value: Any) -> Any:
        if is_list(value):
            old = value
            new = [changed(inner) for inner in old]
            return new if any(a is not b for a, b in zip(old, new, strict=True)) else old
        if not is_node(value):
            return cast("object", value)
        part = value
        copy = {key: inner if key in _OPAQUE else changed(inner) for key, inner in part.items()}
        touched = any(copy[key] is not inner for key, inner in part.items())
        if part is top and "serialization" in part:
            del copy["serialization"]  # a prompt shows the fields, not what the model makes of them for others
            touched = True
        if part.get("type") in _FIELDS:
            touched = _show(part, copy, side) or touched
        return copy if touched else part

    shown: dict[str, Any] = changed(schema)
    return shown


def _show(part: dict[str, Any], copy: dict[str, Any], side: Side) -> bool:
    """Writes a field whatever its value is, and an output field under the key that replies use.

    What the model keeps out of its dumps for good is no part of a prompt's input, but a reply has to give it.
    """
    touched = copy.pop("serialization_exclude_if", None) is not None
    if side == "input":
        return touched
    if (label := _label(part.get("validation_alias"))) != part.get("serialization_alias"):
        touched = True
        if label is None:
            del copy["serialization_alias"]
        else:
            copy["serialization_alias"] = label
    return copy.pop("serialization_exclude", None) is not None or touched


_FIELDS = {"model-field", "dataclass-field", "typed-dict-field"}
_OPAQUE = {"metadata", "default", "expected", "members", "cls", "function", "config", "ref", "type"}


def _label(alias: object) -> str | None:
    if isinstance(alias, str) or alias is None:
        return alias
    paths = cast("list[Any]", alias)
    if paths and not isinstance(paths[0], list):
        paths = [paths]
    return next((path[0] for path in paths if len(path) == 1 and isinstance(path[0], str)), None)


def _model_schema(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The part of a model's schema that is the model itself: behind definitions, references and validators."""
    definitions: dict[str, dict[str, Any]] = {}
    while schema.get("type") != "model":
        if schema["type"] == "definitions":
            definitions = {one["ref"]: one for one in schema["definitions"] if "ref" in one}
        following = (
            definitions.get(schema["schema_ref"]) if schema["type"] == "definition-ref" else schema.get("schema")
        )
        if following is None:
            return None
        schema = following
    return schema


def _choices(model: type[BaseModel], side: Side) -> tuple[tuple[str, str, tuple[JsonValue, ...]], ...]:
    """Label, name and members of each `Literal` field: the one type that Pydantic's serializer does not check."""
    found: list[tuple[str, str, tuple[JsonValue, ...]]] = []
    part = _model_schema(cast("dict[str, Any]", model.__pydantic_core_schema__))
    inner: dict[str, Any] = part["schema"] if part is not None else {}
    while inner.get("type", "model-fields") != "model-fields":
        inner = inner.get("schema", {})
    for name, field in inner.get("fields", {}).items():
        schema = field["schema"]
        while schema["type"] == "default" and "serialization" not in schema:
            schema = schema["schema"]
        info = model.model_fields[name]
        plain = all(isinstance(one, str | int | None) for one in schema.get("expected", ()))
        hidden = side == "input" and info.exclude is True
        if schema["type"] == "literal" and "serialization" not in schema and plain and not hidden:
            found.append((label_of(name, info, side), name, tuple(schema["expected"])))
    return tuple(found)


def _detail(error: ValueError) -> str:
    """The one line of a serializer's message that says what was wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    line = lines[1] if len(lines) > 1 else lines[0]
    return line.removeprefix("PydanticSerializationUnexpectedValue(").removesuffix(")").rstrip(".")


def _shown(value: object) -> str:
    return f"{reprlib.repr(value)} ({type(value).__name__})"
