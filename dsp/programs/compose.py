"""Programs made of programs: one after the other, side by side, one or the other, on many."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

from typing_extensions import TypeVarTuple, Unpack, override

from dsp.bridge import call_plain, to_loop
from dsp.errors import RunError, SettingsError, SignatureError
from dsp.programs.program import Program
from dsp.programs.tree import label_of

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
I = TypeVar("I")
T = TypeVar("T")
Os = TypeVarTuple("Os")

__all__ = ["Either", "Fan", "Joined", "Mapped", "Pipeline"]

# `Program[Any, Any]` in this module: the types between the parts were checked where they were put together.


class Pipeline(Program[In, Out]):
    """One program after the other: `a >> b`."""

    _forward_kind: ClassVar[str] = "own"

    steps: tuple[Program[Any, Any], ...]
    """What runs, in order; pipelines within are laid flat, so that `a >> b >> c` has three steps."""

    def __init__(self, first: Program[In, Any], second: Program[Any, Out]) -> None:
        self.steps = (*_laid_flat(first), *_laid_flat(second))

    @override
    async def forward(self, inputs: In, /) -> Out:
        """The last step's output."""
        value: Any = inputs
        for step in self.steps:
            value = await step.acall(value)
        return cast("Out", value)

    @override
    def __repr__(self) -> str:
        return " >> ".join(label_of(step) for step in self.steps)


def _program(part: Program[In, Out]) -> Program[In, Out]:
    """Find what a type checker would have found: a part that is no program."""
    if not isinstance(part, Program):  # pyright: ignore[reportUnnecessaryIsInstance] - as the line above says
        raise SignatureError(f"{part!r:.80} is no program: make one of a function with `dsp.program(fn)`.")
    return part


def _laid_flat(part: Program[Any, Any]) -> tuple[Program[Any, Any], ...]:
    # A subclass of Pipeline is a program of its own, with a name that shows in paths.
    return part.steps if type(part) is Pipeline else (part,)


class Fan(Program[I, "tuple[Unpack[Os]]"], Generic[I, *Os]):
    """Several programs on the same input, at once: `a & b`."""

    _forward_kind: ClassVar[str] = "own"

    arms: tuple[Program[I, Any], ...]

    def __init__(self, arms: tuple[Program[I, Any], ...]) -> None:
        self.arms = tuple(map(_program, arms))

    @override
    async def forward(self, inputs: I, /) -> tuple[*Os]:
        """The output of every arm, in order. The first failure cancels the others and is raised itself."""
        outputs = await all_or_first_failure([arm.acall(inputs) for arm in self.arms])
        return cast("tuple[*Os]", tuple(outputs))  # the arms were checked by `&` and `also`

    def also(self, other: Program[I, T], /) -> Fan[I, *Os, T]:
        """One more arm. (`&` on a fan pairs it with the other program; it never flattens.)"""
        widened: Fan[I, *Os, T] = Fan((*self.arms, other))
        return widened

    def join(self, fn: Callable[[Unpack[Os]], T], /) -> Joined[I, T]:
        """One output of all: a plain function that takes exactly the arms' outputs, in order.

        For an async function of the outputs write `.then(fn)`, which takes them as one tuple.
        """
        return Joined(cast("Fan[I, *tuple[Any, ...]]", self), fn)


class Joined(Program[I, T]):
    """A fan whose outputs a function makes one of."""

    _forward_kind: ClassVar[str] = "own"

    fan: Fan[I, *tuple[Any, ...]]
    fn: Callable[..., T]

    def __init__(self, fan: Fan[I, *tuple[Any, ...]], fn: Callable[..., T]) -> None:
        given: object = fn  # what a caller without a type checker may pass
        if not callable(given) or inspect.iscoroutinefunction(given):
            raise SignatureError(
                f"`.join` takes a plain function of the outputs, got {fn!r:.80}: for an async one write `.then(fn)`."
            )
        self.fan = fan
        self.fn = fn

    @override
    async def forward(self, inputs: I, /) -> T:
        """What the function makes of the arms' outputs."""
        outputs = await self.fan.acall(inputs)
        return await call_plain(lambda values: self.fn(*values), outputs)


class Either(Program[In, Out]):
    """One program, and another if it fails: `a | b`."""

    _forward_kind: ClassVar[str] = "own"

    choices: tuple[Program[In, Out], ...]
    """Tried in order."""

    def __init__(self, first: Program[In, Out], second: Program[In, Out]) -> None:
        self.choices = (*_choices(_program(first)), *_choices(_program(second)))

    @override
    async def forward(self, inputs: In, /) -> Out:
        """The first output that comes.

        Raises:
            RunError: All failed. It is the last one's error; the others' stand in its notes.
        """
        failed: list[RunError] = []
        for choice in self.choices:
            try:
                return await choice.acall(inputs)
            except RunError as error:
                failed.append(error)
        last = failed.pop()
        for number, earlier in enumerate(failed, 1):
            last.add_note(f"Choice {number} of {len(self.choices)} failed before: {type(earlier).__name__}: {earlier}")
        raise last


def _choices(part: Program[In, Out]) -> tuple[Program[In, Out], ...]:
    return cast("Either[In, Out]", part).choices if type(part) is Either else (part,)


class Mapped(Program[Sequence[In], Sequence[Out]]):
    """A program on every item of a sequence: `a.map()`."""

    _forward_kind: ClassVar[str] = "own"

    inner: Program[In, Out]
    concurrency: int

    def __init__(self, inner: Program[In, Out], concurrency: int) -> None:
        if concurrency < 1:
            raise SettingsError(f"map(concurrency={concurrency}) runs nothing: give at least 1.")
        self.inner = inner
        self.concurrency = concurrency

    @override
    async def forward(self, inputs: Sequence[In], /) -> Sequence[Out]:
        """The output for every item, in order. The first failure cancels the others and is raised itself."""
        outputs: dict[int, Out] = {}
        items = list(inputs)
        waiting = iter(enumerate(items))

        async def work() -> None:
            # Each worker takes the next item when it has ended one: no task is made for items that still wait.
            for index, item in waiting:
                outputs[index] = await self.inner.acall(item)

        await all_or_first_failure([work() for _ in range(min(self.concurrency, len(items)))])
        return [outputs[index] for index in range(len(items))]


async def all_or_first_failure(parts: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, in order. The first failure cancels the rest, waits for their end, and is raised itself."""
    if len(parts) <= 1:
        return [await part for part in parts]
    await to_loop()
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        ended, _running = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        # Their accounts are closed before the failure is raised, so that it carries what all have spent.
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in ended and not task.cancelled() and (failure := task.exception()) is not None:
            raise failure
    return [task.result() for task in tasks]
