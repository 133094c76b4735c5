"""The default adapter: fields between `[[ ## field ## ]]` markers, which every model can write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, SchemaValidator, to_json
from pydantic_core.core_schema import list_schema, typed_dict_schema
from typing_extensions import override

from dsp.adapters.describe import described
from dsp.adapters.layout import Layout, places
from dsp.adapters.memory import DemoMemory
from dsp.adapters.outputs import OutputReader
from dsp.adapters.reply import check_finished, text_of, unreadable
from dsp.adapters.report import Parsed, ParseReport
from dsp.adapters.sections import SectionReader, holds_marker, quoted, raw_text, section_text
from dsp.adapters.stream import StreamParser
from dsp.adapters.stream_chat import ChatStream
from dsp.adapters.template import as_json, render
from dsp.adapters.templated import TemplatedAdapter
from dsp.adapters.values import typed
from dsp.errors import ParseError
from dsp.messages import Message, Response, ResponseFormat
from dsp.repair import ObjectShape, strict
from dsp.repair.shape import LinkShape, ListShape

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.outputs import OutputField
    from dsp.adapters.sections import Sections
    from dsp.repair import Shape
    from dsp.signatures import Signature, SignatureField

__all__ = ["ChatAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class ChatAdapter(TemplatedAdapter["ChatPlan"]):
    """Fields between `[[ ## field ## ]]` markers.

    Text is written as it is, everything else as JSON. A reply may spell its markers loosely; prose before the first one is
    left out, and the marker that ends the reply may be missing.

    Args:
        template: The text of the user's turn as a Jinja template, or the path of one, instead of the built-in form. It sees
            the inputs by field name: `"{{ question }}"`. It runs sandboxed and is checked against the input model when the
            adapter first meets a signature.

    Raises:
        TemplateError: The template file cannot be read.
    """

    name: ClassVar[str] = "chat"

    @override
    def _planned(self, signature: Signature[Any, Any]) -> ChatPlan:
        return ChatPlan(signature)

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        plan = self._plans.of(signature)
        text = text_of(reply)
        sections = plan.sections.read(text)
        if not sections.ended:
            check_finished(reply)
        quick = plan.quick(sections)
        if quick is not None and (accepted := plan.outputs.at_once(signature, quick[0])) is not None:
            return Parsed(accepted, _report(sections.repairs), plan.outputs.leading(quick[1]))
        values, repairs = plan.values(text, sections)
        try:
            output = signature.validate_output(values)
        except ValidationError as error:
            raise plan.outputs.refused(text, error) from error
        return Parsed(output, _report(repairs), plan.outputs.leading(values))

    @override
    def parse_stream(self, signature: Signature[I, O]) -> StreamParser[O]:
        plan = self._plans.of(signature)
        return ChatStream(lambda reply: self.parse(signature, reply), plan.outputs.fields, plan.sections)


ANY_OBJECT = typed_dict_schema({}, extra_behavior="ignore")
OBJECT = SchemaValidator(ANY_OBJECT)
"""Takes a text that is one JSON object."""
OBJECTS = SchemaValidator(list_schema(ANY_OBJECT))
"""Takes a text that is one JSON array of objects."""
DIRECT = ParseReport("chat", "direct")


def _report(repairs: Sequence[str]) -> ParseReport:
    return ParseReport("chat", "repaired", 1, tuple(dict.fromkeys(repairs))) if repairs else DIRECT


class ChatPlan:
    """What depends on a signature alone. Holds no model: it must not keep the signature alive."""

    def __init__(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        self.outputs: OutputReader = OutputReader(signature)
        labels = [field.label for field in signature.output_fields]
        first = len(signature.leading_fields)
        self.keys: tuple[tuple[OutputField, str, SchemaValidator | None], ...] = tuple(
            (field, "", None) if index < first else (field, f"{as_json(field.label)}:", _proof(field.shape))
            for index, field in enumerate(self.outputs.fields)
        )
        """Each field with the beginning of its member in JSON, empty for a leading field, and the proof of its section."""
        self.sections: SectionReader = SectionReader(labels)
        self.system: Message = Message(
            "system", render("chat/system.jinja", end=self.sections.end, **described(signature))
        )
        self.inputs: tuple[tuple[str, bool], ...] = tuple(
            (field.label, field.is_text) for field in signature.input_fields
        )
        self.turns: dict[tuple[bool, bool], Layout] = {
            (ask, marked): Layout(_user(signature.input_fields, labels, self.sections.end, ask=ask, marked=marked))
            for ask in (True, False)
            for marked in (True, False)
        }
        self.demos: DemoMemory = DemoMemory()
        self.response_format: ResponseFormat | None = None

    def turn(self, values: Mapping[str, JsonValue], *, ask: bool) -> str:
        """The user's turn."""
        texts: list[str] = []
        marked = False
        for label, is_text in self.inputs:
            value = values[label]
            text = value if is_text and isinstance(value, str) else json_text(value)
            if "[" in text and holds_marker(text):
                text = quoted(text)
                marked = True
            texts.append(text)
        return self.turns[ask, marked].fill(texts)

    def answer(self, values: Mapping[str, JsonValue]) -> str:
        """A demo's reply."""
        shown: list[dict[str, str]] = []
        for field in self.outputs.fields:
            if field.label in values:
                value = values[field.label]
                if isinstance(value, str) and (field.is_text or field.bare(value)):
                    text = section_text(value) if field.is_text else value
                else:
                    text = as_json(value)
                shown.append({"label": field.label, "value": text})
        count = [{"label": one["label"], "value": mark} for one, mark in zip(shown, places(len(shown)), strict=True)]
        layout = Layout(render("chat/answer.jinja", outputs=count, end=self.sections.end))
        return layout.fill([one["value"] for one in shown])

    def quick(self, sections: Sections) -> tuple[str, dict[str, JsonValue]] | None:
        """The output as JSON and the leading values, where every section is there, once, and as it should be written."""
        if self.outputs.by_name is None or sections.conflicts:
            return None
        members: list[str] = []
        leading: dict[str, JsonValue] = {}
        try:
            for field, key, proof in self.keys:
                section = sections.texts.get(field.label)
                if section is None:
                    return None
                value: JsonValue = None
                if field.is_text:
                    value = raw_text(section)
                    section = to_json(value).decode()
                elif section in field.members:
                    value = section
                    section = to_json(value).decode()
                # Read for the proof that it is one value and no more; Pydantic then reads the same text.
                elif proof is not None:
                    proof.validate_json(section)
                else:
                    value = strict(section)
                if key:
                    members.append(key + section)
                else:
                    leading[field.label] = value
        except ValueError:
            return None
        return "{" + ",".join(members) + "}", leading

    def values(self, text: str, sections: Sections) -> tuple[dict[str, JsonValue], list[str]]:
        """The value of each field, and what was mended.

        Raises:
            ParseError: A field is missing, appears twice, or cannot be read.
        """
        if not sections.texts:
            return self._unmarked(text)
        repairs = sections.repairs
        values: dict[str, JsonValue] = {}
        errors = [f"`{label}` appears twice, with different values." for label in sections.conflicts]
        missing: list[str] = []
        for field in self.outputs.fields:
            label = field.label
            section = sections.texts.get(label)
            if section is None or (not section and not field.is_text):
                if section is not None:
                    repairs.append(f"{label}: empty, left out")
                if field.required:
                    missing.append(label)
                    errors.append(
                        f"`{label}` is {'missing' if section is None else f'empty; expected {field.type_text}'}."
                    )
            elif field.is_text:
                values[label] = raw_text(section)
            elif section in field.members:
                values[label] = section
            else:
                try:
                    values[label], mended = typed(section, field.shape)
                except ParseError as error:
                    errors.append(f"`{label}` ({field.type_text}): {' '.join(error.errors)}")
                else:
                    repairs += [f"{label}: {one}" for one in mended]
        if errors:
            raise unreadable(text, tuple(errors), tuple(missing))
        return values, repairs

    def _unmarked(self, text: str) -> tuple[dict[str, JsonValue], list[str]]:
        """A reply without any marker is the value itself only where it can be nothing else."""
        required = tuple(field.label for field in self.outputs.fields if field.required)
        if len(self.outputs.fields) == 1 and not (field := self.outputs.fields[0]).is_text and not field.admits_text:
            try:
                value, mended = typed(text, field.shape)
            except ParseError as error:
                errors = (f"`{field.label}` ({field.type_text}): {' '.join(error.errors)}",)
                raise unreadable(text, errors, required) from error
            return {field.label: value}, [f"{field.label}: read without its marker", *mended]
        markers = ", ".join(f"`{self.sections.canonical[field.label]}`" for field in self.outputs.fields)
        raise unreadable(text, (f"The reply holds none of the markers {markers}.",), required)


def _proof(shape: Shape) -> SchemaValidator | None:
    """What proves that a section is one JSON value without making it; None where the value must be made."""
    if isinstance(shape, ListShape) and not shape.fixed:
        item = shape.items[-1]
        return OBJECTS if isinstance(item.target if isinstance(item, LinkShape) else item, ObjectShape) else None
    return OBJECT if isinstance(shape, ObjectShape) else None


def json_text(value: JsonValue) -> str:
    """An input as JSON on one line."""
    try:
        return to_json(value, inf_nan_mode="constants").decode()
    except PydanticSerializationError:
        return as_json(value)  # half of a surrogate pair, which Python can hold and UTF-8 cannot


def _user(fields: tuple[SignatureField, ...], labels: Sequence[str], end: str, *, ask: bool, marked: bool) -> str:
    inputs = [{"label": field.label, "value": mark} for field, mark in zip(fields, places(len(fields)), strict=True)]
    outputs = [{"label": label} for label in labels]
    return render("chat/user.jinja", inputs=inputs, outputs=outputs, end=end, ask=ask, quoted=marked)
