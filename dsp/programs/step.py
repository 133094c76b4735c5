"""A function as a program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar, cast, overload

from typing_extensions import override

from dsp.bridge import call_function
from dsp.errors import SignatureError
from dsp.programs.program import Program
from dsp.programs.tree import label_of

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
S = TypeVar("S")
T = TypeVar("T")

__all__ = ["Step", "as_program", "program"]


class Step(Program[In, Out]):
    """A function of one argument, plain or async, as a program."""

    _forward_kind: ClassVar[str] = "own"

    fn: Callable[[In], Out | Coroutine[Any, Any, Out]]

    def __init__(self, fn: Callable[[In], Out | Coroutine[Any, Any, Out]]) -> None:
        if not callable(fn):  # a caller without a type checker
            raise SignatureError(f"{fn!r:.80} is no program and no function: it cannot be a step.")
        self.fn = fn
        self._is_async = inspect.iscoroutinefunction(fn)

    @override
    async def forward(self, inputs: In, /) -> Out:
        """The function's result."""
        return await call_function(self.fn, inputs, is_async=self._is_async)

    @override
    def _label(self) -> str:
        """The function's name."""
        return str(getattr(self.fn, "__name__", type(self.fn).__name__))

    @override
    def __repr__(self) -> str:
        return f"Step({label_of(self)})"


def as_program(other: Callable[[S], Any]) -> Program[S, Any]:
    """A program as it is, a function as a `Step`."""
    return cast("Program[S, Any]", other) if isinstance(other, Program) else Step[S, Any](other)


@overload
def program(fn: Callable[[S], Coroutine[Any, Any, T]], /) -> Step[S, T]: ...
@overload
def program(fn: Callable[[S], T], /) -> Step[S, T]: ...
def program(fn: Callable[[S], Any], /) -> Step[S, Any]:
    """Make a program of a function of one argument: it then has `acall`, `run`, `>>` and the rest.

    Example:
        >>> @program
        ... def length(text: str) -> int:
        ...     return len(text)
        >>> (length >> str)("four")
        '4'
    """
    return Step[S, Any](fn)
