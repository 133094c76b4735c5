"""A typed function from an input to an output: the one shape of everything that runs."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Self, TypeVar, cast, overload

from typing_extensions import override

from dsp.bridge import call_function, run_sync
from dsp.errors import StateError
from dsp.programs import tree
from dsp.programs.prediction import Prediction
from dsp.programs.running import Running
from dsp.programs.typed import Typed

if TYPE_CHECKING:
    from dsp.lm import LM
    from dsp.programs.ask import Asker
    from dsp.programs.compose import Either, Fan, Mapped, Pipeline
    from dsp.programs.predict import Predict

# Variance is written by hand: the two checkers infer it differently for a class whose operators mention itself.
In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
I = TypeVar("I")
T = TypeVar("T")
S = TypeVar("S")
A = TypeVar("A")
B = TypeVar("B")
P = ParamSpec("P")

__all__ = ["Program"]


class Program(Typed, Generic[In, Out]):
    """A typed function from `In` to `Out`, called sync or async as the caller likes.

    Write one by subclassing and defining `forward`, plain or async; `super().__init__()` is not needed. Programs that
    are held in attributes, lists and dicts are found and named by where they are.

    Example:
        >>> class Shout(Program[str, str]):
        ...     def forward(self, inputs: str) -> str:
        ...         return inputs.upper()
        >>> Shout()("hello")
        'HELLO'
    """

    _forward_kind: ClassVar[str] = "none"
    """How `forward` is written: `async`, `plain`, or `own` for dsp's own, which say themselves when they wait."""

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: whatever a user's metaclass arguments are
        super().__init_subclass__(**kwargs)
        if "forward" in vars(cls) and "_forward_kind" not in vars(cls):
            cls._forward_kind = "async" if inspect.iscoroutinefunction(vars(cls)["forward"]) else "plain"

    def forward(self, inputs: In, /) -> Out | Awaitable[Out]:  # noqa: ARG002 - a subclass uses it
        """What the program does; `def` or `async def`. Call the program, not this: a direct call is not traced.

        Raises:
            StateError: A subclass defines no `forward`.
        """
        raise StateError(f"`{type(self).__name__}` defines no `forward`: write `def forward(self, inputs): ...`.")

    async def arun(self, inputs: In, /) -> Prediction[Out]:
        """Run, and give the output with what it took.

        Raises:
            InputError: The input is not what the program takes; nothing was spent.
            RunError: The run failed; the error says what was spent.
        """
        with Running(self) as running:
            output = await self._forward(inputs)
        run = running.run
        return Prediction(output, run.usage, run.cost, running.latency, tuple(run.calls), None, run.cached)

    async def acall(self, inputs: In, /) -> Out:
        """Run, and give the output. Raises what `arun` raises."""
        return (await self.arun(inputs)).output

    def run(self, inputs: In, /) -> Prediction[Out]:
        """Run, and give the output with what it took. Raises what `arun` raises."""
        return run_sync(self.arun(inputs))

    def __call__(self, inputs: In, /) -> Out:
        """Run, and give the output. Raises what `arun` raises."""
        return run_sync(self.arun(inputs)).output

    async def _forward(self, inputs: In) -> Out:
        if self._forward_kind == "own":
            return await cast("Awaitable[Out]", self.forward(inputs))
        return await call_function(self.forward, inputs, is_async=self._forward_kind == "async")

    def _label(self) -> str:
        """What the program is called where nobody holds it under a name."""
        return type(self).__name__

    # ------------------------------------------------------------------------------------------ composing

    @overload
    def __rshift__(self, other: Program[Out, T], /) -> Pipeline[In, T]: ...
    @overload
    def __rshift__(self, other: Callable[[Out], Coroutine[Any, Any, T]], /) -> Pipeline[In, T]: ...
    @overload
    def __rshift__(self, other: Callable[[Out], T], /) -> Pipeline[In, T]: ...
    def __rshift__(self, other: Callable[[Out], Any], /) -> Pipeline[In, Any]:
        """`a >> b`: the output of the one is the input of the other. `b` may be a function, plain or async."""
        return self.then(other)

    @overload
    def then(self, other: Program[Out, T], /) -> Pipeline[In, T]: ...
    @overload
    def then(self, other: Callable[[Out], Coroutine[Any, Any, T]], /) -> Pipeline[In, T]: ...
    @overload
    def then(self, other: Callable[[Out], T], /) -> Pipeline[In, T]: ...
    def then(self, other: Callable[[Out], Any], /) -> Pipeline[In, Any]:
        """The same as `>>`. Pyright infers the type of a lambda's argument here, but not beside an operator."""
        from dsp.programs.compose import Pipeline
        from dsp.programs.step import as_program

        return Pipeline(self, as_program(other))

    def __rrshift__(self, other: Callable[[S], In], /) -> Pipeline[S, Out]:
        """`function >> program`."""
        from dsp.programs.compose import Pipeline
        from dsp.programs.step import as_program

        return Pipeline(as_program(other), self)

    def __and__(self: Program[I, A], other: Program[I, B], /) -> Fan[I, A, B]:
        """`a & b`: both on the same input, at once. `.also(c)` adds a third; `.join(f)` makes one of the outputs."""
        from dsp.programs.compose import Fan

        return Fan[I, A, B]((self, other))

    def __or__(self: Program[I, A], other: Program[I, B], /) -> Either[I, A | B]:
        """`a | b`: `b` if `a` fails with a `RunError`; a programmer's error is raised as it is."""
        from dsp.programs.compose import Either

        made: Either[I, A | B] = Either(self, other)
        return made

    def map(self, *, concurrency: int = 8) -> Mapped[In, Out]:
        """The program on every item of a sequence, `concurrency` at a time, in order.

        The first failure cancels the other items and is raised itself, with the usage of all.
        """
        from dsp.programs.compose import Mapped

        return Mapped(self, concurrency)

    def taking(self, model: Callable[P, In], /) -> Asker[P, Out]:
        """The program, called with the fields of its input model as keywords; the type checkers see each of them.

        Example:
            >>> from pydantic import BaseModel
            >>> class Question(BaseModel):
            ...     question: str
            ...     text: str
            >>> class Answer(BaseModel):
            ...     answer: str
            >>> from dsp import Predict
            >>> answer = Predict[Question, Answer](lm="embedded").taking(Question)
            >>> answer(question="Where is the Louvre?", text="The Louvre is in Paris.").answer
            'The Louvre is in Paris.'
        """
        from dsp.programs.ask import Asker

        return Asker(self, model)

    # ------------------------------------------------------------------------------------------ the parts

    # `Program[Any, Any]` below: the parts of a program have all kinds of inputs and outputs.
    def programs(self) -> Mapping[str, Program[Any, Any]]:
        """Every program below this one by its path, such as `search` or `steps[0].inner`; each once."""
        return dict(tree.descendants(self))

    def predictors(self) -> Mapping[str, Predict[Any, Any]]:
        """Every `Predict` in this program by its path; the path of the program itself is the empty string."""
        from dsp.programs.predict import Predict

        found: dict[str, Program[Any, Any]] = {"": self, **self.programs()}
        return {path: each for path, each in found.items() if isinstance(each, Predict)}

    def copy(self) -> Self:
        """A program with parts of its own all the way down. Models, adapters and what else it holds are shared."""
        return tree.copied(self)

    def set_lm(self, lm: LM | str) -> None:
        """Have every predictor in this program use a model. Changes it in place; `copy()` first to keep the original."""
        for predictor in self.predictors().values():
            predictor.lm = lm
