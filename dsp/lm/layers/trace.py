"""The outermost layer: every call is counted, remembered and bounded."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from dsp.errors import LMError, Timeout
from dsp.messages import Response, StreamChunk, Usage, assemble
from dsp.tracing import CallEnded, Failure, HistoryEntry, current_run, new_id
from dsp.tracing.history import remember

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dsp.lm.layers.handler import Call, Handler

__all__ = ["TraceLayer"]

NOTHING = Usage()


class TraceLayer:
    """Makes one `HistoryEntry` of each call, well ended or not, and puts it on the accounts of all runs around it."""

    def __init__(self, inner: Handler) -> None:
        self.inner = inner

    async def complete(self, call: Call) -> Response:
        """The reply, traced."""
        started, at = _begin(call)
        try:
            response = await self.inner.complete(call)
        except LMError as error:
            entry = _entry(call, started, at, None, error)
            error.calls, error.usage, error.cost = (entry,), entry.usage, entry.cost
            _put_down(entry)
            raise
        _put_down(_entry(call, started, at, response, None))
        _check_spent()
        return response

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """The stream, traced; the entry is made when it ends, fails or is no longer read."""
        started, at = _begin(call)
        first: float | None = None
        seen: list[StreamChunk] = []
        failed: LMError | None = None
        try:
            async for chunk in self.inner.stream(call):
                if first is None:
                    first = perf_counter() - started
                seen.append(chunk)
                yield chunk
        except LMError as error:
            failed = error
            raise
        finally:
            response = assemble(seen, model=call.request.model) if seen else None
            entry = _entry(call, started, at, response, failed, first)
            if failed is not None:
                failed.calls, failed.usage, failed.cost = (entry,), entry.usage, entry.cost
            _put_down(entry)
        _check_spent()


def _begin(call: Call) -> tuple[float, datetime]:
    """See whether the call may be made, and note when it began."""
    run = current_run()
    if run is not None:
        run.check_limits(before=True)
        if run.deadline is not None:
            left = run.deadline - monotonic()
            if left <= 0:
                raise Timeout("The time for this run was used up before the call was sent.", model=call.request.model)
            call.timeout = min(call.timeout, left)
    return perf_counter(), datetime.now(UTC)


def _entry(
    call: Call,
    started: float,
    at: datetime,
    response: Response | None,
    error: LMError | None,
    first_token: float | None = None,
) -> HistoryEntry:
    run = current_run()
    hit = call.cache == "hit"
    request = call.request
    if response is None:
        usage, cost = NOTHING, (None if error is None else 0.0)
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
        latency=perf_counter() - started,
        first_token=first_token,
        attempts=tuple(call.attempts),
        cache=call.cache,
        error=Failure(error.reason, str(error), error.status) if error is not None else None,
    )


def _put_down(entry: HistoryEntry) -> None:
    remember(entry)
    run = current_run()
    if run is not None:
        run.add(entry)
        if run.sink is not None:
            run.sink(CallEnded(entry))


def _check_spent() -> None:
    run = current_run()
    if run is not None:
        run.check_limits(before=False)
