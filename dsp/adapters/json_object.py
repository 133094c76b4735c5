"""The adapter for one JSON object: with the provider's help where it can hold a model to a schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_json
from typing_extensions import override

from dsp.adapters.adapter import BaseAdapter
from dsp.adapters.describe import described
from dsp.adapters.layout import Layout, places
from dsp.adapters.memory import DemoMemory, SignatureMemory
from dsp.adapters.outputs import OutputReader
from dsp.adapters.prompt import Prompt
from dsp.adapters.reply import check_finished, text_of, unreadable
from dsp.adapters.report import Parsed, ParseReport
from dsp.adapters.template import UserTemplate, as_json, render, values_of
from dsp.errors import ParseError
from dsp.messages import Message, Response, ResponseFormat, ToolSpec
from dsp.repair import read, strict

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.signatures import Example, Signature

__all__ = ["JSONAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)

UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")
"""What providers do not take in the name of a schema."""


class JSONAdapter(BaseAdapter):
    """One JSON object in, one JSON object out.

    The provider is asked to hold the model to the output's schema. A reply may be fenced, stand within prose, or be untidy
    JSON; each repair is listed.

    Args:
        template: The text of the user's turn as a Jinja template, or the path of one; see `ChatAdapter`.

    Raises:
        TemplateError: The template file cannot be read.
    """

    name = "json"

    def __init__(self, template: str | Path | None = None) -> None:
        self.template = template
        self._user = None if template is None else UserTemplate(template)
        self._plans: SignatureMemory[_Plan] = SignatureMemory(self._plan)

    def _plan(self, signature: Signature[Any, Any]) -> _Plan:
        if self._user is not None:
            self._user.check(signature)
        return _Plan(signature)

    @override
    def __repr__(self) -> str:
        return f"JSONAdapter({'' if self.template is None else repr(self.template)})"

    @override
    def __reduce__(self) -> tuple[type[JSONAdapter], tuple[str | Path | None]]:
        return JSONAdapter, (self.template,)

    @override
    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        plan = self._plans.of(signature)
        messages = [plan.system]
        if demos:
            messages += plan.demos.of(demos, lambda: self._demos(plan, signature, demos))
        messages.append(Message("user", self._turn(plan, signature, inputs)))
        return Prompt(messages, plan.response_format, tuple(tools))

    def _turn(self, plan: _Plan, signature: Signature[I, O], inputs: I) -> str:
        values = signature.dump_inputs(inputs)
        if self._user is not None:
            return self._user.render(values_of(signature, inputs))
        return plan.user.fill((_indented(values),))

    def _demos(self, plan: _Plan, signature: Signature[I, O], demos: Sequence[Example[I, O]]) -> tuple[Message, ...]:
        messages: list[Message] = []
        for demo in demos:
            signature.check_demo(demo)
            messages.append(Message("user", self._turn(plan, signature, demo.inputs)))
            values = {**plan.outputs.leading_of(demo), **signature.dump_output(demo.expected)}
            messages.append(Message("assistant", plan.answer.fill((as_json(values),))))
        return tuple(messages)

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        plan = self._plans.of(signature)
        text = text_of(reply)
        if plan.by_name is not None:
            try:
                # Extra keys are forbidden here: a reply that another model's fields fill must not pass as all defaults.
                output = signature.output.__pydantic_validator__.validate_json(
                    text, extra="forbid", by_alias=True, by_name=plan.by_name
                )
                return Parsed(cast("O", output), DIRECT)  # the validator is typed as giving Any
            except ValueError:
                pass  # read with more patience below
        elif plan.leading and (values := plan.strictly(text)) is not None:
            with_leading = plan.outputs.accepted(signature, values)
            if with_leading is not None:
                return Parsed(with_leading, DIRECT, plan.outputs.leading(values))
        return self._patient(plan, signature, reply, text)

    def _patient(self, plan: _Plan, signature: Signature[I, O], reply: str | Response, text: str) -> Parsed[O]:
        if not text.rstrip("` \t\r\n").endswith(("}", "]")):
            check_finished(reply)
        try:
            value, repairs = read(text, plan.outputs.shape, words=False)
        except ParseError as error:
            check_finished(reply)
            raise unreadable(text, error.errors, plan.required) from error
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


DIRECT = ParseReport("json", "direct")


class _Plan:
    """What depends on a signature alone. Holds no model: it must not keep the signature alive."""

    def __init__(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        self.outputs = OutputReader(signature)
        self.system = Message("system", render("json/system.jinja", **described(signature)))
        (place,) = places(1)
        self.user = Layout(render("json/user.jinja", inputs=place))
        self.answer = Layout(render("json/answer.jinja", outputs=place))
        self.demos = DemoMemory()
        self.required = tuple(field.label for field in self.outputs.fields if field.required)
        self.leading = tuple(field.label for field in signature.leading_fields)
        self.by_name = None if self.leading else self.outputs.by_name
        schema = signature.json_schema()
        name = UNFIT.sub("_", signature.name).strip("_")[:64] or "output"
        self.response_format = ResponseFormat(name, schema.schema, schema.strict)

    def strictly(self, text: str) -> dict[str, JsonValue] | None:
        """The reply's object, where it is JSON as it stands and holds every leading field as text."""
        try:
            value = strict(text)
        except ValueError:
            return None
        whole = isinstance(value, dict) and all(isinstance(value.get(label), str) for label in self.leading)
        return value if whole and isinstance(value, dict) else None


def _indented(values: dict[str, JsonValue]) -> str:
    try:
        return to_json(values, indent=2, inf_nan_mode="constants").decode()
    except PydanticSerializationError:
        import json

        return json.dumps(values, indent=2)  # half of a surrogate pair, which UTF-8 cannot write
