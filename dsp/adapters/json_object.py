"""The adapter for one JSON object: with the provider's help where it can hold a model to a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_json
from typing_extensions import override

from dsp.adapters.describe import described
from dsp.adapters.layout import Layout, places
from dsp.adapters.memory import DemoMemory
from dsp.adapters.outputs import OutputReader
from dsp.adapters.reply import check_finished, text_of, unreadable
from dsp.adapters.report import Parsed, ParseReport
from dsp.adapters.stream import StreamParser
from dsp.adapters.stream_json import JSONStream
from dsp.adapters.template import as_json, render
from dsp.adapters.templated import TemplatedAdapter
from dsp.errors import ParseError
from dsp.messages import Message, Response, ResponseFormat
from dsp.repair import read, strict
from dsp.repair.notes import TORN

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.signatures import Signature

__all__ = ["JSONAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)

UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")
"""What providers do not take in the name of a schema."""


class JSONAdapter(TemplatedAdapter["JSONPlan"]):
    """One JSON object in, one JSON object out.

    The provider is asked to hold the model to the output's schema. A reply may be fenced, stand within prose, or be untidy
    JSON; each repair is listed.

    Args:
        template: The text of the user's turn as a Jinja template, or the path of one; see `ChatAdapter`.

    Raises:
        TemplateError: The template file cannot be read.
    """

    name: ClassVar[str] = "json"

    @override
    def _planned(self, signature: Signature[Any, Any]) -> JSONPlan:
        return JSONPlan(signature)

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        plan = self._plans.of(signature)
        text = text_of(reply)
        doubt = plan.outputs.doubt
        if plan.by_name is not None and (doubt is None or doubt.search(text) is None):
            try:
                # Extra keys are forbidden here: a reply that another model's fields fill must not pass as all defaults.
                # Strict: `true` is no number to be taken at once, and 1e0 no integer.
                output = signature.output.__pydantic_validator__.validate_json(
                    text, strict=True, extra="forbid", by_alias=True, by_name=plan.by_name
                )
                return Parsed(cast("O", output), DIRECT)  # the validator is typed as giving Any
            except ValueError:
                pass  # read with more patience below
        elif plan.leading and (values := plan.strictly(text)) is not None:
            with_leading = plan.outputs.accepted(signature, values)
            if with_leading is not None:
                return Parsed(with_leading, DIRECT, plan.outputs.leading(values))
        return self._patient(plan, signature, reply, text)

    def _patient(self, plan: JSONPlan, signature: Signature[I, O], reply: str | Response, text: str) -> Parsed[O]:
        if not text.rstrip("` \t\r\n").endswith(("}", "]")):
            check_finished(reply)
        try:
            value, repairs = read(text, plan.outputs.shape, words=False)
        except ParseError as error:
            check_finished(reply)
            raise unreadable(text, error.errors, plan.required) from error
        if any(one.startswith(TORN) for one in repairs):
            check_finished(reply)
            raise unreadable(text, ("The reply ends within a value, which may not be whole.",))
        if not isinstance(value, dict):
            raise unreadable(text, (f"The reply is no JSON object but {as_json(value):.80}.",), plan.required)
        absent = [label for label in plan.leading if label not in value]
        if absent:
            raise unreadable(text, tuple(f"`{label}` is missing." for label in absent), tuple(absent))
        try:
            output = signature.validate_output(value)
        except ValidationError as error:
            check_finished(reply)
            raise plan.outputs.refused(text, error) from error
        return Parsed(
            output, ParseReport("json", "repaired", 1, repairs) if repairs else DIRECT, plan.outputs.leading(value)
        )

    @override
    def parse_stream(self, signature: Signature[I, O]) -> StreamParser[O]:
        return JSONStream(lambda reply: self.parse(signature, reply), self._plans.of(signature).outputs)


DIRECT = ParseReport("json", "direct")


class JSONPlan:
    """What depends on a signature alone. Holds no model: it must not keep the signature alive."""

    def __init__(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        self.outputs: OutputReader = OutputReader(signature)
        self.system: Message = Message("system", render("json/system.jinja", **described(signature)))
        (place,) = places(1)
        self._user = Layout(render("json/user.jinja", inputs=place))
        self._answer = Layout(render("json/answer.jinja", outputs=place))
        self.demos: DemoMemory = DemoMemory()
        self.required: tuple[str, ...] = tuple(field.label for field in self.outputs.fields if field.required)
        self.leading: tuple[str, ...] = tuple(field.label for field in signature.leading_fields)
        self.by_name: bool | None = None if self.leading else self.outputs.by_name
        schema = signature.json_schema()
        name = UNFIT.sub("_", signature.name).strip("_")[:64] or "output"
        self.response_format: ResponseFormat | None = ResponseFormat(name, schema.schema, schema.strict)

    def turn(self, values: Mapping[str, JsonValue], *, ask: bool) -> str:
        """The user's turn, which is the same in a demo."""
        del ask
        return self._user.fill((_indented(values),))

    def answer(self, values: Mapping[str, JsonValue]) -> str:
        """A demo's reply."""
        return self._answer.fill((as_json(values),))

    def strictly(self, text: str) -> dict[str, JsonValue] | None:
        """The reply's object, where it is JSON as it stands and holds every leading field as text."""
        try:
            value = strict(text)
        except ValueError:
            return None
        whole = isinstance(value, dict) and all(isinstance(value.get(label), str) for label in self.leading)
        return value if whole and isinstance(value, dict) else None


def _indented(values: Mapping[str, JsonValue]) -> str:
    try:
        return to_json(values, indent=2, inf_nan_mode="constants").decode()
    except PydanticSerializationError:
        import json

        return json.dumps(values, indent=2)  # half of a surrogate pair, which UTF-8 cannot write
