"""The program that asks a model once."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, Union, Unpack, cast, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import override

from dsp import settings
from dsp.adapters import AdapterCall, current_adapter
from dsp.bridge import to_loop
from dsp.errors import DemoError, SignatureError
from dsp.lm import LM, check_params, current_lm
from dsp.programs.prediction import Prediction
from dsp.programs.program import Program
from dsp.programs.running import Running
from dsp.programs.tree import label_of
from dsp.programs.typed import type_arguments, type_name
from dsp.signatures import Example, Signature

if TYPE_CHECKING:
    from dsp.adapters import Adapter, Parsed
    from dsp.messages import Message, ModelParams

I = TypeVar("I", bound=BaseModel)
O = TypeVar("O", bound=BaseModel)
X = TypeVar("X", bound=BaseModel)
Y = TypeVar("Y", bound=BaseModel)

__all__ = ["Predict"]


class Predict(Program[I, O]):
    """Asks a model once: an input model in, an output model out.

    Example:
        >>> from pydantic import BaseModel, Field
        >>> class Question(BaseModel):
        ...     question: str
        ...     text: str
        >>> class Answer(BaseModel):
        ...     answer: str = Field(description="one sentence")
        >>> answer = Predict[Question, Answer]("Answer from the text.", lm="embedded")
        >>> answer(Question(question="Where is the Louvre?", text="The Louvre is in Paris.")).answer
        'The Louvre is in Paris.'

    Args:
        instructions: What to do; without them, the output model's docstring.
        demos: Examples shown to the model, in order.
        lm: The model, or its name; without it, the one of the settings.
        adapter: How the prompt is written and the reply is read; without it, the one of the settings.
        signature: A signature made elsewhere, in place of the class's own.
        name: What the program is called in traces where nobody holds it under a name.
        **params: Sent with every request, over the model's own: `temperature`, `max_tokens`, and so on.

    Raises:
        SignatureError: The class was not subscripted, or with types that are no models.
        DemoError: A demo is no `Example` of these models.
    """

    _forward_kind: ClassVar[str] = "own"

    signature: Signature[I, O]
    demos: tuple[Example[I, O], ...]
    lm: LM | str | None
    adapter: Adapter | None
    params: ModelParams
    name: str | None

    def __init__(
        self,
        instructions: str | None = None,
        *,
        demos: Sequence[Example[I, O]] = (),
        lm: LM | str | None = None,
        adapter: Adapter | None = None,
        signature: Signature[I, O] | None = None,
        name: str | None = None,
        **params: Unpack[ModelParams],
    ) -> None:
        if signature is None:
            # The arguments were checked against the bounds of I and O when the class was subscripted.
            inputs, output = cast("tuple[type[I], type[O]]", type_arguments(type(self), Predict))
            signature = Signature.of(inputs, output, instructions)
        else:
            _check_signature(type(self), signature)
            if instructions is not None:
                signature = signature.with_instructions(instructions)
        self.signature = self._extended(signature)
        self.demos = self._checked_demos(demos)
        self.lm = lm
        self.adapter = adapter
        check_params(params)
        settings.check("lm", lm)
        settings.check("adapter", adapter)
        self.params = params
        self.name = name

    @staticmethod
    def of(input: type[X], output: type[Y], instructions: str | None = None) -> Predict[X, Y]:  # noqa: A002 - api
        """A `Predict` of types that are known only at run time.

        Raises:
            SignatureError: One of the two is no model.
        """
        cls = cast("type[Predict[X, Y]]", cast("Any", Predict)[input, output])  # a subscription at run time
        return cls(instructions)

    @property
    def instructions(self) -> str:
        """What the model is told to do."""
        return self.signature.instructions

    @instructions.setter
    def instructions(self, text: str) -> None:
        self.signature = self.signature.with_instructions(text)

    @override
    async def arun(self, inputs: I, /) -> Prediction[O]:
        """Ask, and give the output with what it took.

        Raises:
            InputError: The input is not of the input model; nothing was spent.
            LMError: The model did not answer.
            ParseError: It answered, and no valid output could be read.
        """
        if self._forward_kind != "own":
            return await super().arun(inputs)  # a subclass has a `forward` of its own
        with Running(self) as running:
            parsed = await self._ask(inputs)
        run = running.run
        return Prediction(
            parsed.output, run.usage, run.cost, running.latency, tuple(run.calls), parsed.report, run.cached
        )

    @override
    async def forward(self, inputs: I, /) -> O:
        """The output alone."""
        return (await self._ask(inputs)).output

    def render(self, inputs: I, /) -> list[Message]:
        """The exact messages that a call would send, without a call.

        Raises:
            InputError: The input is not of the input model.
        """
        adapter = self.adapter or current_adapter()
        return list(adapter.format(self.signature, inputs, demos=self.demos).messages)

    def with_(
        self,
        *,
        instructions: str | None = None,
        demos: Sequence[Example[I, O]] | None = None,
        lm: LM | str | None = None,
        adapter: Adapter | None = None,
        **params: Unpack[ModelParams],
    ) -> Self:
        """A copy with some things changed; what is left out stays.

        Raises:
            DemoError: A demo is no `Example` of these models.
        """
        made = self.copy()
        if instructions is not None:
            made.instructions = instructions
        if demos is not None:
            made.demos = self._checked_demos(demos)
        if lm is not None:
            made.lm = lm
        if adapter is not None:
            made.adapter = adapter
        check_params(params)
        made.params = cast("ModelParams", {**self.params, **params})
        return made

    @classmethod
    @override
    def check_type_arguments(cls, arguments: tuple[Any, ...]) -> None:
        """Refuse what is no model, at the subscription."""
        for argument in arguments:
            if not _is_model(argument):
                raise SignatureError(
                    f"`{cls.__name__}[...]` takes Pydantic models, got `{type_name(argument)}`. "
                    f"Write a model with a field for it: class Value(BaseModel): value: {type_name(argument)}"
                )

    @override
    def _label(self) -> str:
        """The name that was given, else the class's."""
        return self.name or type(self).__name__

    @override
    def __repr__(self) -> str:
        return f"{label_of(self)}({self.instructions!r}, demos={len(self.demos)})"

    def _extended(self, signature: Signature[I, O]) -> Signature[I, O]:
        """The signature that prompts are made of. For subclasses that show more fields."""
        return signature

    def _checked_demos(self, demos: Sequence[Example[I, O]]) -> tuple[Example[I, O], ...]:
        if not isinstance(demos, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance] - a caller without a checker
            raise DemoError(f"demos={demos!r:.80} is no list: write demos=[dsp.Example(inputs, expected), ...].")
        for demo in demos:
            self.signature.check_demo(demo)
        return tuple(demos)

    async def _ask(self, inputs: I) -> Parsed[O]:
        adapter = self.adapter or current_adapter()
        lm = current_lm(self.lm)
        call = AdapterCall(self.signature, inputs, lm, demos=self.demos, params=self.params)
        if not getattr(adapter, "immediate", False) or type(lm).acomplete is not LM.acomplete:
            await to_loop()
        return await adapter.arun(call)


def _check_signature(cls: type[Any], signature: Signature[Any, Any]) -> None:
    """Refuse a signature of other models than the class was subscripted with.

    Raises:
        SignatureError: It is of other models, or no signature.
    """
    if not isinstance(signature, Signature):  # pyright: ignore[reportUnnecessaryIsInstance] - as above
        raise SignatureError(f"signature={signature!r:.80} is no `Signature`: write dsp.Signature.of(Input, Output).")
    expected = type_arguments(cls, Predict)
    if (signature.input, signature.output) != expected:
        wanted, given = (
            " -> ".join(map(type_name, types)) for types in (expected, (signature.input, signature.output))
        )
        raise SignatureError(f"`{cls.__name__}` takes a signature of {wanted}, got one of {given}.")


def _is_model(argument: Any) -> bool:
    """A model, or a union of models: what a type variable bound to `BaseModel` admits."""
    if get_origin(argument) in (Union, types.UnionType):
        return all(_is_model(each) for each in get_args(argument))
    return isinstance(argument, type) and issubclass(argument, BaseModel)
