"""One run of a program: its place in the run context, from beginning to end."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from dsp.errors import RunError
from dsp.programs.tree import label_of, name_in
from dsp.tracing import ProgramEnded, ProgramStarted, Run
from dsp.tracing.run import current_run, enter, leave

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from dsp.programs.program import Program

__all__ = ["Running"]


class Running:
    """Opens a run for a program; on the way out, an error learns what was spent."""

    __slots__ = ("program", "run", "started", "token")

    program: Program[Any, Any]
    run: Run

    def __init__(self, program: Program[Any, Any]) -> None:
        self.program = program
        self.token: Token[Run | None]
        self.started: float

    def __enter__(self) -> Self:
        around = current_run()
        self.run = Run(self._path(around), around, owner=self.program)
        self.token = enter(self.run)
        if self.run.sink is not None:
            self.run.sink(ProgramStarted(self.run.id, self.run.path))
        self.started = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave(self.token)
        run = self.run
        if isinstance(error, RunError):
            error.usage, error.cost, error.calls = run.usage, run.cost, tuple(run.calls)
        if run.sink is not None:
            run.sink(ProgramEnded(run.id, run.path, self.latency, error))

    @property
    def latency(self) -> float:
        """Seconds since the run began."""
        return perf_counter() - self.started

    def _path(self, around: Run | None) -> str:
        label = label_of(self.program)
        if around is None:
            return label
        if around.owner is None:
            return f"{around.path}.{label}" if around.path else label
        # The owner is a program: only this room sets it.
        return f"{around.path}.{name_in(around.owner, self.program, label)}"  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
