"""The adapter for fields between tags: `<answer>Paris</answer>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ValidationError
from typing_extensions import override

from dsp.adapters.describe import described
from dsp.adapters.layout import Layout, places
from dsp.adapters.memory import DemoMemory
from dsp.adapters.outputs import OutputReader
from dsp.adapters.reply import check_finished, text_of, unreadable
from dsp.adapters.report import Parsed, ParseReport
from dsp.adapters.stream import StreamParser
from dsp.adapters.stream_xml import XMLStream
from dsp.adapters.template import as_json, render
from dsp.adapters.templated import TemplatedAdapter
from dsp.adapters.xml_elements import ElementReader, Tags
from dsp.adapters.xml_tags import TagReader
from dsp.adapters.xml_text import plain_text, tag_names, tagged_text
from dsp.adapters.xml_writing import written
from dsp.errors import ParseError
from dsp.messages import Message, Response, ResponseFormat
from dsp.repair import align
from dsp.repair.shape import LinkShape, ListShape

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.outputs import OutputField
    from dsp.adapters.xml_tags import Tagged
    from dsp.repair import Shape
    from dsp.signatures import Signature

__all__ = ["XMLAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class XMLAdapter(TemplatedAdapter["XMLPlan"]):
    """Fields between tags: `<answer>Paris</answer>`.

    Text stands between its tags as it is, or as CDATA where it holds markup; a nested model is a tag for each field, a list
    is `<item>` tags, everything else is JSON. A reply may escape its text or not, spell tags loosely, give them attributes,
    leave some of them open, or write JSON where tags were asked for. A label that is no name in XML gets a tag with `_` in
    the place of what a name cannot hold.

    Args:
        template: The text of the user's turn as a Jinja template, or the path of one; see `ChatAdapter`.

    Raises:
        TemplateError: The template file cannot be read.
    """

    name: ClassVar[str] = "xml"

    @override
    def _planned(self, signature: Signature[Any, Any]) -> XMLPlan:
        return XMLPlan(signature)

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        plan = self._plans.of(signature)
        text = text_of(reply)
        tagged = plan.tags.read(text)
        if tagged.cut is not None or not tagged.texts:
            check_finished(reply)
        values, repairs = plan.values(text, tagged)
        if not repairs and (accepted := plan.outputs.accepted(signature, values)) is not None:
            return Parsed(accepted, DIRECT, plan.outputs.leading(values))
        values, more = plan.aligned(text, values)
        repairs += more
        try:
            output = signature.validate_output(values)
        except ValidationError as error:
            check_finished(reply)
            raise plan.outputs.refused(text, error) from error
        report = ParseReport("xml", "repaired", 1, tuple(dict.fromkeys(repairs))) if repairs else DIRECT
        return Parsed(output, report, plan.outputs.leading(values))

    @override
    def parse_stream(self, signature: Signature[I, O]) -> StreamParser[O]:
        plan = self._plans.of(signature)
        return XMLStream(lambda reply: self.parse(signature, reply), plan.outputs.fields, plan.tags, plan.read)


DIRECT = ParseReport("xml", "direct")


class XMLPlan:
    """What depends on a signature alone. Holds no model: it must not keep the signature alive."""

    def __init__(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        self.outputs: OutputReader = OutputReader(signature)
        names = tag_names(field.label for field in signature.output_fields)
        self.tags: TagReader = TagReader(names)
        self.system: Message = Message("system", render("xml/system.jinja", tags=names, **described(signature)))
        self.response_format: ResponseFormat | None = None
        self.demos: DemoMemory = DemoMemory()
        self.inputs: tuple[tuple[str, bool], ...] = tuple(
            (field.label, field.is_text) for field in signature.input_fields
        )
        given = tag_names(label for label, _ in self.inputs)
        shown = [
            {"tag": given[label], "value": mark}
            for (label, _), mark in zip(self.inputs, places(len(self.inputs)), strict=True)
        ]
        self._turns = {
            ask: Layout(render("xml/user.jinja", inputs=shown, outputs=list(names.values()), ask=ask))
            for ask in (True, False)
        }
        self._elements = Tags()

    def turn(self, values: Mapping[str, JsonValue], *, ask: bool) -> str:
        """The user's turn."""
        texts: list[str] = []
        for label, is_text in self.inputs:
            value = values[label]
            texts.append(tagged_text(value if is_text and isinstance(value, str) else as_json(value)))
        return self._turns[ask].fill(texts)

    def answer(self, values: Mapping[str, JsonValue]) -> str:
        """A demo's reply."""
        fields = [field for field in self.outputs.fields if field.label in values]
        shown = [
            {"tag": self.tags.names[field.label], "value": mark}
            for field, mark in zip(fields, places(len(fields)), strict=True)
        ]
        texts = [
            tagged_text(value)
            if field.is_text and isinstance(value := values[field.label], str)
            else written(values[field.label], field.shape, self._elements)
            for field in fields
        ]
        return Layout(render("xml/answer.jinja", outputs=shown)).fill(texts)

    def values(self, text: str, tagged: Tagged) -> tuple[dict[str, JsonValue], list[str]]:
        """The value of each field, and what was mended.

        Raises:
            ParseError: A field is missing, stands there twice, or cannot be read.
        """
        if not tagged.texts and not tagged.errors:
            return self._untagged(text)
        repairs = tagged.repairs
        errors = list(tagged.errors)
        missing: list[str] = []
        values: dict[str, JsonValue] = {}
        for field in self.outputs.fields if not errors else ():
            label = field.label
            raws = tagged.texts.get(label)
            if raws is None:
                if field.required:
                    missing.append(label)
                    errors.append(f"`{label}` is missing.")
                continue
            try:
                found, mended = self._value(field, raws)
            except ParseError as error:
                errors.append(f"`{label}` ({field.type_text}): {' '.join(error.errors)}")
                continue
            if found == "" and not raws[0].strip() and not field.is_text and "" not in field.members:
                repairs.append(f"{label}: empty, left out")
                if field.required:
                    missing.append(label)
                    errors.append(f"`{label}` is empty; expected {field.type_text}.")
                continue
            if tagged.cut == label and isinstance(found, dict | list) and "<" in raws[-1]:
                errors.append(f"`{label}` is cut: the reply ends before its closing tag.")
                continue
            values[label] = found
            repairs += [f"{label}: {one}" for one in mended]
        if errors:
            raise unreadable(text, tuple(errors), tuple(missing))
        return values, repairs

    def _value(self, field: OutputField, raws: list[str]) -> tuple[JsonValue, list[str]]:
        shape = field.shape.target if isinstance(field.shape, LinkShape) else field.shape
        if len(raws) > 1 and isinstance(shape, ListShape) and not shape.fixed:
            items = [self._read(raw, shape.items[-1]) for raw in raws]
            notes = [note for _, mended in items for note in mended]
            return [value for value, _ in items], ["repeated tags read as a list", *notes]
        found, notes = (plain_text(raws[0]), []) if field.is_text else self._read(raws[0], shape)
        for raw in raws[1:]:
            other = plain_text(raw) if field.is_text else self._read(raw, shape)[0]
            if other != found:
                raise ParseError("Two values.", reply=raw, errors=("It stands there twice, with different values.",))
            notes = [*notes, "was repeated"]
        return found, notes

    def _read(self, raw: str, shape: Shape) -> tuple[JsonValue, list[str]]:
        reader = ElementReader(raw, self._elements)
        value = reader.read(shape)
        return value, list(reader.repairs)

    def read(self, raw: str, shape: Shape) -> JsonValue:
        """What stands between the tags of a field that is no text, brought to the shape of its type.

        Raises:
            ParseError: It cannot be read.
        """
        return align(self._read(raw, shape)[0], shape)[0]

    def aligned(self, text: str, values: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], list[str]]:
        """The values brought to the shape of their types: words for choices and booleans, numbers in text."""
        found: dict[str, JsonValue] = {}
        repairs: list[str] = []
        for field in self.outputs.fields:
            if field.label not in values:
                continue
            if field.is_text:
                found[field.label] = values[field.label]
                continue
            try:
                found[field.label], mended = align(values[field.label], field.shape)
            except ParseError as error:
                errors = (f"`{field.label}` ({field.type_text}): {' '.join(error.errors)}",)
                raise unreadable(text, errors) from error
            repairs += [f"{field.label}: {one}" for one in mended]
        return found, repairs

    def _untagged(self, text: str) -> tuple[dict[str, JsonValue], list[str]]:
        """A reply without any tag of a field is the value itself only where it can be nothing else."""
        required = tuple(field.label for field in self.outputs.fields if field.required)
        if len(self.outputs.fields) == 1 and not (field := self.outputs.fields[0]).is_text and not field.admits_text:
            try:
                value, notes = self._read(text, field.shape)
            except ParseError as error:
                errors = (f"`{field.label}` ({field.type_text}): {' '.join(error.errors)}",)
                raise unreadable(text, errors, required) from error
            return {field.label: value}, [f"{field.label}: read without its tags", *notes]
        tags = ", ".join(f"`<{name}>`" for name in self.tags.names.values())
        raise unreadable(text, (f"The reply holds none of the tags {tags}.",), required)
