"""What adapters with a prompt of their own share: a plan for each signature, a system message, demos as turns, the user's turn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from dsp.adapters.adapter import BaseAdapter
from dsp.adapters.memory import DemoMemory, SignatureMemory
from dsp.adapters.outputs import OutputReader
from dsp.adapters.prompt import Prompt
from dsp.adapters.template import UserTemplate, values_of
from dsp.messages import Message, ResponseFormat, ToolSpec

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.signatures import Example, Signature

__all__ = ["Plan", "TemplatedAdapter"]

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)


class Plan(Protocol):
    """What depends on a signature alone. Holds no model: it must not keep the signature alive."""

    outputs: OutputReader
    system: Message
    demos: DemoMemory
    response_format: ResponseFormat | None

    def turn(self, values: Mapping[str, JsonValue], *, ask: bool) -> str:
        """The user's turn; `ask` for the one that is to be answered."""
        ...

    def answer(self, values: Mapping[str, JsonValue]) -> str:
        """A demo's reply."""
        ...


P = TypeVar("P", bound=Plan)


class TemplatedAdapter(BaseAdapter, Generic[P]):
    """An adapter whose prompt is a system message, demos as turns, and the user's turn."""

    name: ClassVar[str] = ""

    def __init__(self, template: str | Path | None = None) -> None:
        self.template: str | Path | None = template
        self._user = None if template is None else UserTemplate(template)
        self._plans: SignatureMemory[P] = SignatureMemory(self._plan)

    def _plan(self, signature: Signature[Any, Any]) -> P:  # Any: whatever its models
        if self._user is not None:
            self._user.check(signature)
        return self._planned(signature)

    @abstractmethod
    def _planned(self, signature: Signature[Any, Any]) -> P:  # Any: whatever its models
        """What depends on a signature alone."""

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.template is None else repr(self.template)})"

    @override
    def __reduce__(self) -> tuple[type[Self], tuple[str | Path | None]]:
        return type(self), (self.template,)

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
        messages.append(Message("user", self._turn(plan, signature, inputs, ask=True)))
        return Prompt(messages, plan.response_format, tuple(tools))

    def _turn(self, plan: P, signature: Signature[I, O], inputs: I, *, ask: bool) -> str:
        values = signature.dump_inputs(inputs)
        if self._user is not None:
            return self._user.render(values_of(signature, inputs))
        return plan.turn(values, ask=ask)

    def _demos(self, plan: P, signature: Signature[I, O], demos: Sequence[Example[I, O]]) -> tuple[Message, ...]:
        messages: list[Message] = []
        for demo in demos:
            signature.check_demo(demo)
            messages.append(Message("user", self._turn(plan, signature, demo.inputs, ask=False)))
            values = {**plan.outputs.leading_of(demo), **signature.dump_output(demo.expected)}
            messages.append(Message("assistant", plan.answer(values)))
        return tuple(messages)
