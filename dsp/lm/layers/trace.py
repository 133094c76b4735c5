"""The outermost layer: every call is counted, remembered and bounded."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from dsp.errors import LimitExceeded, RunError
from dsp.lm.layers.attempt import CANCELLED, as_failure
from dsp.messages import Response, StreamChunk, Usage, assemble
from dsp.tracing import Attempt, CallEnded, Failure, HistoryEntry, Run, current_run, new_id
from dsp.tracing.history import remember

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dsp.lm.layers.handler import Call, Handler

__all__ = ["TraceLayer"]

NOTHING = Usage()
UNANSWERED = frozenset({"timeout", "unexpected_result"})
"""Failures, without an HTTP status, after which the provider may have worked all the same: what it cost is unknown."""


class TraceLayer:
    """Makes one `HistoryEntry` of each call, well ended or not, and puts it on the accounts of all runs around it."""

    def __init__(self, inner: Handler) -> None:
        self.inner = inner

    async def complete(self, call: Call) -> Response:
        """The reply, traced."""
        run, started, at = _begin(call)
        try:
            response = await self.inner.complete(call)
        except BaseException as error:  # a call that is cancelled, or that crashes, was sent all the same
            _put_down(_failed(call, run, started, at, None, error), run)
            raise
        _put_down(_entry(call, run, started, at, response, None), run)
        if run is not None:
            run.check_spent()
        return response

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The stream, traced; the entry is made when it ends, fails or is no longer read."""
        run, started, at = _begin(call)
        first: float | None = None
        seen: list[StreamChunk] = []
        try:
            async for chunk in self.inner.stream(call):
                if first is None:
                    first = perf_counter() - started
                seen.append(chunk)
                yield chunk
        except GeneratorExit:
            # To stop reading is no failure: what came until then is the reply.
            _put_down(_entry(call, run, started, at, _assembled(seen, call), None, first), run)
            raise
        except BaseException as error:  # as in complete
            _put_down(_failed(call, run, started, at, _assembled(seen, call), error, first), run)
            raise
        _put_down(_entry(call, run, started, at, _assembled(seen, call), None, first), run)
        if run is not None:
            run.check_spent()


def _begin(call: Call) -> tuple[Run | None, float, datetime]:
    """See whether the call may be made, and note when it began.

    Raises:
        LimitExceeded: The runs around it leave no call, no tokens, no money or no time.
    """
    now = monotonic()
    call.deadline = now + call.timeout
    run = current_run()
    if run is not None:
        if run.deadline is not None and run.deadline < call.deadline:
            call.deadline, call.seconds = run.deadline, run.seconds
            if run.deadline <= now:
                allowed = run.seconds or 0.0
                raise LimitExceeded(
                    f"The {allowed:g} s that UsageLimits(seconds={allowed:g}) allows were used up before the call to "
                    f"{call.request.model} was sent. Raise UsageLimits(seconds=...).",
                    limit="seconds",
                    value=allowed + now - run.deadline,
                    allowed=allowed,
                )
        run.reserve()
    return run, perf_counter(), datetime.now(UTC)


def _failed(
    call: Call,
    run: Run | None,
    started: float,
    at: datetime,
    response: Response | None,
    error: BaseException,
    first_token: float | None = None,
) -> HistoryEntry:
    entry = _entry(call, run, started, at, response, as_failure(error), first_token)
    if isinstance(error, RunError):
        error.calls, error.usage, error.cost = (entry,), entry.usage, entry.cost
    return entry


def _entry(
    call: Call,
    run: Run | None,
    started: float,
    at: datetime,
    response: Response | None,
    error: Failure | None,
    first_token: float | None = None,
) -> HistoryEntry:
    hit = call.cache == "hit"
    request = call.request
    attempts = call.attempts
    latency = perf_counter() - started
    if call.sent > len(attempts):
        # A stream that is no longer read: the layers below have not been told yet.
        attempts = [*attempts, Attempt(latency, CANCELLED, call.waited)]
    if response is None:
        usage, cost = NOTHING, (None if any(map(_unanswered, attempts)) else 0.0)
    else:
        usage, cost = (NOTHING, 0.0) if hit else (response.usage, response.cost)
    return HistoryEntry(
        id=new_id(),
        parent_id=run.id if run is not None else None,
        at=at,
        program=run.path if run is not None else "",
        model=request.model,
        provider=(response.provider if response is not None else "") or request.model.partition("/")[0],
        request=request,
        response=response,
        usage=usage,
        cost=cost,
        latency=latency,
        first_token=first_token,
        attempts=tuple(attempts),
        cache=call.cache,
        error=error,
    )


def _unanswered(attempt: Attempt) -> bool:
    error = attempt.error
    return error is None or (error.status is None and error.reason in UNANSWERED)


def _assembled(seen: list[StreamChunk], call: Call) -> Response | None:
    return assemble(seen, model=call.request.model) if seen else None


def _put_down(entry: HistoryEntry, run: Run | None) -> None:
    if run is not None:
        run.add(entry)
    remember(entry)
    if run is not None and run.sink is not None:
        run.sink(CallEnded(entry))
