"""Two questions in place of one: a free answer first, and then the outputs out of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field
from typing_extensions import override

from dsp.adapters.adapter import BaseAdapter, sent
from dsp.adapters.chat import ChatAdapter, json_text
from dsp.adapters.describe import described
from dsp.adapters.layout import Layout, places
from dsp.adapters.memory import DemoMemory, SignatureMemory
from dsp.adapters.prompt import Exchange, Prompt
from dsp.adapters.reply import check_finished, text_of
from dsp.adapters.sections import LINE_END, flexible, quoted
from dsp.adapters.stream import StreamParser
from dsp.adapters.stream_through import ThroughStream
from dsp.adapters.template import render
from dsp.errors import ContentFiltered, ParseError, Truncated
from dsp.lm import LM, current_lm
from dsp.messages import Message, ModelParams, Response, ToolSpec
from dsp.signatures import Example, Signature

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.adapters.prompt import AdapterCall
    from dsp.adapters.report import Parsed

__all__ = ["FreeAnswer", "TwoStepAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class FreeAnswer(BaseModel, defer_build=True):  # built with the first use: it would take a tenth of `import dsp`
    """What the second step reads."""

    text: str = Field(description="the answer")


class TwoStepAdapter(BaseAdapter):
    """A free answer first, then its outputs: for models that think worse in a given form, or do not keep to one.

    The first prompt asks for no form at all. The second goes to `extraction_lm`, which may be a small model, and shows it
    nothing but the free answer. Both calls are counted and both are in the history.

    Args:
        extraction_lm: The model of the second step, or its name; without it, the model of the first.
        extraction: The form of the second step; without it, chat markers.
    """

    name = "two_step"
    immediate: bool = True
    extraction_lm: LM | str | None
    """The model of the second step; None for the one of the first."""
    extraction: BaseAdapter
    """The form of the second step."""

    def __init__(self, extraction_lm: LM | str | None = None, *, extraction: BaseAdapter | None = None) -> None:
        self.extraction_lm = extraction_lm
        self.extraction = ChatAdapter() if extraction is None else extraction
        self._plans: SignatureMemory[_Plan] = SignatureMemory(_Plan)

    @override
    def __repr__(self) -> str:
        return f"TwoStepAdapter({'' if self.extraction_lm is None else repr(self.extraction_lm)})"

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return _made, (self.extraction_lm, self.extraction)

    @override
    def format(
        self,
        signature: Signature[I, O],
        inputs: I,
        *,
        demos: Sequence[Example[I, O]] = (),
        tools: Sequence[ToolSpec] = (),
    ) -> Prompt:
        """The prompt of the first step."""
        plan = self._plans.of(signature)
        messages = [plan.system]
        if demos:
            messages += plan.demos.of(demos, lambda: plan.shown(signature, demos))
        messages.append(Message("user", plan.turn(signature.dump_inputs(inputs))))
        return Prompt(messages, None, tuple(tools))

    @override
    def parse(self, signature: Signature[I, O], reply: str | Response) -> Parsed[O]:
        """Read a reply of the second step."""
        return self.extraction.parse(signature, reply).after(1, adapter=self.name)

    @override
    def parse_stream(self, signature: Signature[I, O]) -> StreamParser[O]:
        return ThroughStream(self.extraction.parse_stream(signature), lambda reply: self.parse(signature, reply))

    @override
    async def ask(self, call: AdapterCall[I, O]) -> Exchange:
        """Both steps; what is given back is the second.

        Raises:
            InputError: The input is not what the signature takes.
            ParseError: The free answer was empty.
            LMError: One of the models did not answer.
        """
        lm = call.lm if self.extraction_lm is None else current_lm(self.extraction_lm)
        first = await super().ask(call)
        try:
            text = text_of(first.response)
            check_finished(first.response)
        except (ParseError, Truncated, ContentFiltered):
            await first.forget()
            raise
        prompt = self.extraction.format(_extracting(call.signature), FreeAnswer(text=text))
        return await sent(lm, prompt, _params(call) if lm is not call.lm else call.params, asked=first.asked + 1)


def _extracting(signature: Signature[Any, O]) -> Signature[FreeAnswer, O]:  # Any: whatever its inputs
    """The signature of the second step. Made for each call: kept, it would keep the output model alive."""
    FreeAnswer.model_rebuild()
    instructions = render("two_step/extract.jinja", signature=signature)
    made = Signature[FreeAnswer, O].of(FreeAnswer, signature.output, instructions, name=signature.name)
    for field in signature.leading_fields:
        made = made.leading(field.name, field.annotation, field.description)
    return made


def _params(call: AdapterCall[I, O]) -> ModelParams:
    """What is meant for the first model is not for another; which sample is wanted holds for both."""
    rollout = call.params.get("rollout")
    return {} if rollout is None else {"rollout": rollout}


class _Plan:
    """What depends on a signature alone. Holds no model: it must not keep the signature alive."""

    def __init__(self, signature: Signature[Any, Any]) -> None:  # Any: whatever its models
        self.system = Message("system", render("two_step/system.jinja", **described(signature)))
        self.inputs = tuple((field.label, field.is_text) for field in signature.input_fields)
        self.leading = tuple((field.label, field.name) for field in signature.leading_fields)
        self.outputs = tuple((field.label, field.is_text) for field in signature.output_fields)
        rows = _rows([label for label, _ in self.inputs])
        self.users = {
            marked: Layout(render("two_step/user.jinja", inputs=rows, quoted=marked)) for marked in (False, True)
        }
        names = "|".join(flexible(label) for label, _ in self.inputs)
        self.heading = re.compile(rf"(?:\A|{LINE_END.pattern})\W{{0,8}}(?:{names})\W{{0,4}}:", re.IGNORECASE)
        """What could be taken for the name over an input."""
        self.demos = DemoMemory()

    def turn(self, values: Mapping[str, JsonValue]) -> str:
        """The user's turn."""
        texts = [_text(values[label], is_text) for label, is_text in self.inputs]
        marked = any(map(self.heading.search, texts))
        if marked:
            texts = [quoted(text) if self.heading.search(text) else text for text in texts]
        return self.users[marked].fill(texts)

    def shown(self, signature: Signature[I, O], demos: Sequence[Example[I, O]]) -> tuple[Message, ...]:
        """Each demo as question and free answer."""
        messages: list[Message] = []
        for demo in demos:
            signature.check_demo(demo)
            messages.append(Message("user", self.turn(signature.dump_inputs(demo.inputs))))
            values = signature.dump_output(demo.expected)
            values |= {label: demo.metadata[name] for label, name in self.leading if name in demo.metadata}
            said = [(label, is_text) for label, is_text in self.outputs if label in values]
            layout = Layout(render("two_step/answer.jinja", outputs=_rows([label for label, _ in said])))
            messages.append(Message("assistant", layout.fill([_text(values[label], text) for label, text in said])))
        return tuple(messages)


def _rows(labels: Sequence[str]) -> list[dict[str, str]]:
    return [{"label": label, "value": place} for label, place in zip(labels, places(len(labels)), strict=True)]


def _text(value: JsonValue, is_text: bool) -> str:
    return value if is_text and isinstance(value, str) else json_text(value)


def _made(extraction_lm: LM | str | None, extraction: BaseAdapter) -> TwoStepAdapter:
    return TwoStepAdapter(extraction_lm, extraction=extraction)
