"""The innermost layer: one request to the backend, recorded."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from dsp.errors import LimitExceeded, LMError, NetworkError, Timeout
from dsp.tracing import Attempt, Failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dsp.lm.backends.backend import Backend
    from dsp.lm.layers.handler import Call
    from dsp.messages import Response, StreamChunk

__all__ = ["CANCELLED", "AttemptLayer", "as_failure"]

CANCELLED = Failure("timeout", "cancelled before it was answered", None)


class AttemptLayer:
    """Sends the request, and notes how long it took and how it ended.

    A backend's own exceptions of the network become `LMError`s here; any other is a mistake in the backend's code
    and passes through. A request that is cancelled is recorded too: it was sent, and may be paid for.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def complete(self, call: Call) -> Response:
        """One request."""
        started = perf_counter()
        call.sent += 1
        try:
            response = await self.backend.complete(call.request)
        except LMError as error:
            self._failed(call, started, error)
            raise
        except OSError as error:
            raise self._failed(call, started, _as_lm_error(error)) from error
        except BaseException as error:  # every request leaves a trace; what it is goes on its way
            self._record(call, started, as_failure(error))
            raise
        self._record(call, started, None)
        return response

    async def stream(self, call: Call) -> AsyncIterator[StreamChunk]:
        """One request, streamed."""
        started = perf_counter()
        call.sent += 1
        try:
            async for chunk in self.backend.stream(call.request):
                yield chunk
        except LMError as error:
            self._failed(call, started, error)
            raise
        except OSError as error:
            raise self._failed(call, started, _as_lm_error(error)) from error
        except BaseException as error:  # as above
            self._record(call, started, as_failure(error))
            raise
        self._record(call, started, None)

    def _record(self, call: Call, started: float, error: Failure | None) -> None:
        call.attempts.append(Attempt(perf_counter() - started, error, call.waited))
        call.waited = 0.0

    def _failed(self, call: Call, started: float, error: LMError) -> LMError:
        error.model = error.model or call.request.model
        error.provider = error.provider or call.request.model.partition("/")[0]
        self._record(call, started, as_failure(error))
        error.attempts = call.sent
        return error


def as_failure(error: BaseException) -> Failure:
    """An exception as it is remembered."""
    if isinstance(error, LMError):
        return Failure(error.reason, str(error), error.status)
    if isinstance(error, LimitExceeded):  # the time of the run: other limits are looked at before and after
        return Failure("timeout", str(error), None)
    if isinstance(error, Exception):
        return Failure("unexpected_result", f"{type(error).__name__}: {error}", None)
    return CANCELLED  # cancelled, interrupted, or no longer read


def _as_lm_error(error: OSError) -> LMError:
    if isinstance(error, TimeoutError):
        return Timeout(f"The model did not answer in time: {error!r}")
    return NetworkError(f"The model could not be reached: {error}")
