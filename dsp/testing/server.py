"""A local server that speaks the OpenAI chat protocol: a real socket, for tests and measurements."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeAlias, TypeGuard, cast, final

from aiohttp import web
from pydantic_core import from_json, to_json

from dsp.messages import ToolCallPart, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pydantic import JsonValue

__all__ = ["Broken", "Completion", "Failure", "Hang", "Html", "OpenAIServer", "Received", "Reply"]


@final
@dataclass(frozen=True)
class Completion:
    """A reply with all that the protocol allows; a plain string stands for `Completion(string)`."""

    text: str | None
    thinking: str | None = None
    tool_calls: tuple[ToolCallPart, ...] = ()
    refusal: str | None = None
    finish_reason: str = "stop"
    usage: Usage | None = None
    """What to report; None counts four characters as a token."""
    model: str | None = None
    """What to report; None gives back the model that was asked for."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@final
@dataclass(frozen=True)
class Failure:
    """Any other answer: a status, a body and headers."""

    status: int
    body: JsonValue = None
    """A string is sent as it is, everything else as JSON; None is an error of the protocol with that status."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@final
@dataclass(frozen=True)
class Html:
    """A web page where JSON was expected, as proxies and wrong addresses give."""

    text: str = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>"
    status: int = 200


@final
@dataclass(frozen=True)
class Hang:
    """No answer for so many seconds, then the error 504."""

    seconds: float = 3600.0


@final
@dataclass(frozen=True)
class Broken:
    """A connection that is reset: after the head and half of the body, or before anything was said."""

    text: str = "a reply that never arrives whole"
    silent: bool = False
    """Whether the connection is reset before the head."""


Answer: TypeAlias = "str | Completion | Failure | Html | Hang | Broken"
Reply: TypeAlias = "Answer | Callable[[dict[str, JsonValue]], Answer]"
"""What the server says: a text, one of the classes here, or a function of the request's body that gives either."""


@final
@dataclass(frozen=True)
class Received:
    """One request, as it came in."""

    body: dict[str, JsonValue]
    headers: Mapping[str, str]
    """Names in lower case."""
    path: str


class OpenAIServer:
    """Serves `POST /v1/chat/completions` on a free port of 127.0.0.1, from a thread of its own.

    Several replies are given in their order; the last one repeats. A request with `"stream": true` gets its reply in
    pieces, a word each.

    Example:
        >>> with OpenAIServer("Paris") as server:
        ...     server.count
        0
    """

    base_url: str
    """What to give as `base_url`; known once the server runs."""
    requests: deque[Received]
    """What came in, oldest first."""
    count: int
    """How many requests came in."""
    peak: int
    """The most that were being answered at the same time."""

    def __init__(
        self,
        replies: Reply | Sequence[Reply] = "ok",
        *,
        delay: float = 0.0,
        pause: float = 0.0,
        api_key: str | None = None,
        keep: int | None = None,
    ) -> None:
        """Makes the server; `start` or `with` runs it.

        Args:
            replies: One reply, or several to give in turn.
            delay: Seconds before each reply.
            pause: Seconds between the pieces of a stream.
            api_key: The only key that is let in; None lets everyone in.
            keep: How many of the last requests `requests` holds; None holds all.
        """
        self._replies: list[Reply] = list(replies) if _are_several(replies) else [cast("Reply", replies)]
        if not self._replies:
            raise ValueError("A server needs at least one reply: write OpenAIServer('ok').")
        self._delay = delay
        self._pause = pause
        self._authorization = None if api_key is None else f"Bearer {api_key}"
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: OSError | None = None
        self._active = 0
        self.base_url = ""
        self.requests = deque(maxlen=keep)
        self.count = 0
        self.peak = 0

    def start(self) -> Self:
        """Runs the server; gives itself back.

        Raises:
            OSError: There is no port to listen on.
        """
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="dsp-openai-server", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Closes every connection and ends the thread."""
        if self._thread is None:
            return
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        # The bare server, without routing and access log: thousands of requests a second are its job. A handler that
        # hangs is not waited for at the end; aiohttp takes a timeout of 0 as "for ever".
        runner = web.ServerRunner(
            web.Server(self._handle, access_log=None, handler_cancellation=True, keepalive_timeout=3600.0),
            shutdown_timeout=0.01,
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
            address = cast("tuple[str, int]", runner.addresses[0])  # aiohttp types addresses as Any; of TCP it is this
            self.base_url = f"http://{address[0]}:{address[1]}/v1"
        except OSError as error:
            self._failure = error
            self._stop.set()
        ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.content.read()  # `request.read` refuses bodies of more than a megabyte
        if request.method != "POST" or not request.path.endswith("/chat/completions"):
            return _error(
                404, f"This server knows POST /v1/chat/completions only, not {request.method} {request.path}."
            )
        try:
            body: JsonValue = from_json(raw)
        except ValueError as error:
            return _error(400, f"The body is not JSON: {error}")
        if not isinstance(body, dict):
            return _error(400, "The body is not a JSON object.")
        reply = self._replies[min(self.count, len(self._replies) - 1)]
        self.count += 1
        self.requests.append(Received(body, {k.lower(): v for k, v in request.headers.items()}, request.path))
        self._active += 1
        self.peak = max(self.peak, self._active)
        try:
            return await self._reply(request, body, reply)
        finally:
            self._active -= 1

    async def _reply(self, request: web.BaseRequest, body: dict[str, JsonValue], reply: Reply) -> web.StreamResponse:
        if self._authorization is not None and request.headers.get("Authorization") != self._authorization:
            return _error(401, "Incorrect API key provided.", code="invalid_api_key")
        if self._delay:
            await asyncio.sleep(self._delay)
        try:
            answer = reply(body) if callable(reply) else reply
        except Exception as error:  # noqa: BLE001 - the function is the user's and may raise anything: the client is told
            return _error(500, f"The function that makes the reply raised {type(error).__name__}: {error}")
        match answer:
            case str():
                answer = Completion(answer)
            case Completion():
                pass
            case Failure(status, content, headers):
                if content is None:
                    return _error(status, f"The server was told to fail with {status}.", headers=headers)
                if isinstance(content, str):
                    return web.Response(status=status, text=content, headers=headers)
                return web.Response(
                    status=status, body=to_json(content), headers={"Content-Type": "application/json", **headers}
                )
            case Html(text, status):
                return web.Response(status=status, text=text, content_type="text/html")
            case Hang(seconds):
                await asyncio.sleep(seconds)
                return _error(504, "The server hung.")
            case Broken():
                return await self._break(request, body, answer)
        if body.get("stream") is True:
            return await self._stream(request, body, answer)
        return web.Response(
            body=to_json(_completion(body, answer)), headers={"Content-Type": "application/json", **answer.headers}
        )

    async def _break(self, request: web.BaseRequest, body: dict[str, JsonValue], broken: Broken) -> web.StreamResponse:
        response = web.StreamResponse()
        if not broken.silent:
            streamed = body.get("stream") is True
            whole = to_json(_completion(body, Completion(broken.text)))
            response.content_type = "text/event-stream" if streamed else "application/json"
            response.content_length = len(whole) + 1000
            await response.prepare(request)
            await response.write(_event(body, {"content": broken.text[:8]}) if streamed else whole[: len(whole) // 2])
            await asyncio.sleep(0.01)  # so that the half is sent before the connection goes
        if request.transport is not None:
            request.transport.abort()
        return response

    async def _stream(
        self, request: web.BaseRequest, body: dict[str, JsonValue], answer: Completion
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **answer.headers})
        try:
            await response.prepare(request)
            for event in _events(body, answer):
                await response.write(event)
                if self._pause:
                    await asyncio.sleep(self._pause)
        except ConnectionResetError:
            pass  # the client has read enough and gone
        return response


def _are_several(replies: Reply | Sequence[Reply]) -> TypeGuard[Sequence[Reply]]:
    return isinstance(replies, Sequence) and not isinstance(replies, str)


def _error(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    body = {"error": {"message": message, "type": "server_error", "param": None, "code": code}}
    return web.Response(
        status=status, body=to_json(body), headers={"Content-Type": "application/json", **(headers or {})}
    )


def _head(body: dict[str, JsonValue], answer: Completion, kind: str) -> dict[str, JsonValue]:
    return {
        "id": "chatcmpl-local",
        "object": kind,
        "created": int(time.time()),
        "model": answer.model or body.get("model", ""),
        "system_fingerprint": "fp_local",
        "service_tier": "default",
    }


def _completion(body: dict[str, JsonValue], answer: Completion) -> dict[str, JsonValue]:
    message: dict[str, JsonValue] = {"role": "assistant", "content": answer.text}
    if answer.thinking is not None:
        message["reasoning_content"] = answer.thinking
    if answer.refusal is not None:
        message["refusal"] = answer.refusal
    if answer.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.tool_calls
        ]
    choice: JsonValue = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    return {**_head(body, answer, "chat.completion"), "choices": [choice], "usage": _usage(body, answer)}


def _deltas(answer: Completion) -> list[dict[str, JsonValue]]:
    deltas: list[dict[str, JsonValue]] = [{"role": "assistant", "content": ""}]
    for name, text in (("reasoning_content", answer.thinking), ("content", answer.text), ("refusal", answer.refusal)):
        deltas.extend({name: piece} for piece in _pieces(text))
    for index, call in enumerate(answer.tool_calls):
        half = len(call.arguments) // 2
        function: JsonValue = {"name": call.name, "arguments": call.arguments[:half]}
        deltas.append({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": call.arguments[half:]}}]})
    return deltas


def _pieces(text: str | None) -> list[str]:
    """The words, each with the space before it."""
    if not text:
        return []
    words = text.split(" ")
    return [words[0], *(" " + word for word in words[1:])]


def _events(body: dict[str, JsonValue], answer: Completion) -> Iterator[bytes]:
    """The whole stream, event by event."""
    for delta in _deltas(answer):
        yield _event(body, delta)
    yield _event(body, {}, answer.finish_reason)
    options = body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage") is True:
        head = _head(body, answer, "chat.completion.chunk")
        yield b"data: " + to_json({**head, "choices": [], "usage": _usage(body, answer)}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def _event(body: dict[str, JsonValue], delta: dict[str, JsonValue], finish_reason: str | None = None) -> bytes:
    choice: JsonValue = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    head = _head(body, Completion(None), "chat.completion.chunk")
    return b"data: " + to_json({**head, "choices": [choice], "usage": None}) + b"\n\n"


def _usage(body: dict[str, JsonValue], answer: Completion) -> dict[str, JsonValue]:
    usage = answer.usage
    if usage is None:
        written = len(answer.text or "") + len(answer.thinking or "") + len(answer.refusal or "")
        usage = Usage(_tokens(len(str(body.get("messages", "")))), _tokens(written))
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _tokens(characters: int) -> int:
    return -(-characters // 4)
