"""A model that says what a test tells it to say."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias, Unpack

from dsp.bridge import ForkSafeLock
from dsp.errors import UsageError
from dsp.lm import LM, Retry
from dsp.messages import ModelParams, Request, Response, StreamChunk, Usage, as_chunks

if TYPE_CHECKING:
    from dsp.lm import Cache, Limits

__all__ = ["Reply", "ScriptEnded", "ScriptedBackend", "ScriptedLM"]

Reply: TypeAlias = str | Response | BaseException | Callable[[Request], "str | Response"]
"""A text, a whole response, an error to raise, or a function of the request."""

AT_ONCE = Retry(base=0.0)


class ScriptEnded(UsageError, AssertionError):
    """More replies were asked for than the script has."""


class ScriptedBackend:
    """Gives the replies of a list, in order, to whoever asks next."""

    name: str = "scripted"
    endpoint: str
    requests: list[Request]

    def __init__(self, replies: Sequence[Reply], delay: float) -> None:
        self.endpoint = f"script-{os.urandom(8).hex()}"  # no other process shares it, as on disk it might
        self.immediate: bool = delay == 0.0
        self.requests = []
        self._replies = list(replies)
        self._delay = delay
        self._lock = ForkSafeLock()

    async def complete(self, request: Request) -> Response:
        """The next reply.

        Raises:
            ScriptEnded: There is none left.
        """
        with self._lock:
            self.requests.append(request)
            asked = len(self.requests)
        if self._delay:
            await asyncio.sleep(self._delay)
        if asked > len(self._replies):
            raise ScriptEnded(f"The script has {len(self._replies)} replies, and reply {asked} was asked for.")
        return _response(self._replies[asked - 1], request)

    async def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
        """The next reply, word by word."""
        for chunk in as_chunks(await self.complete(request)):
            yield chunk


class ScriptedLM(LM):
    """A model that gives the replies of a list, for tests.

    Nothing is cached unless a cache is given, and a retry comes at once.

    Example:
        >>> lm = ScriptedLM(["one", TimeoutError(), "two", lambda request: request.messages[-1].text.upper()])
        >>> lm("first"), lm("second"), lm("third")
        ('one', 'two', 'THIRD')
        >>> len(lm.requests)
        4

    Args:
        replies: In order; each request takes the next one, a retried request too.
        delay: Seconds that each reply takes.
        cache: As for `LM`, but off unless given.
        retry: As for `LM`, but without waits unless given.
        limits: As for `LM`.
        model: The name under which it appears in history.
        **params: As for `LM`.
    """

    def __init__(
        self,
        replies: Sequence[Reply],
        delay: float = 0.0,
        *,
        cache: Cache | bool = False,
        retry: Retry | None = AT_ONCE,
        limits: Limits | None = None,
        model: str = "scripted/model",
        **params: Unpack[ModelParams],
    ) -> None:
        backend = ScriptedBackend(replies, delay)
        super().__init__(model, backend=backend, cache=cache, retry=retry, limits=limits, **params)
        self._script = backend

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in order, the failed ones included."""
        return self._script.requests


def _response(reply: Reply, request: Request) -> Response:
    if isinstance(reply, BaseException):
        raise reply
    if isinstance(reply, Response):
        return reply
    answer = reply if isinstance(reply, str) else reply(request)
    if isinstance(answer, Response):
        return answer
    read = sum(len(message.text.split()) for message in request.messages)
    usage = Usage(prompt_tokens=read, completion_tokens=len(answer.split()))
    provider = request.model.partition("/")[0]
    made = Response.of_text(answer, usage=usage)
    return Response(made.parts, usage, 0.0, "stop", request.model, provider)
