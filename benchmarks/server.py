"""A small server that speaks the OpenAI chat protocol: the same canned reply to every request, as fast as may be.

`python server.py` prints its port and serves until its stdin closes. It runs in a process of its own, so that its work
is nobody's CPU time, and does as little as it can, so that it is nobody's bottleneck.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

from typing_extensions import override

REPLY = (
    "[[ ## urgency ## ]]\nhigh\n\n[[ ## summary ## ]]\nThe invoice was paid twice and the customer asks for the money back."
    "\n\n[[ ## completed ## ]]\n"
)
"""The answer to the benchmarks' program, in the markers that the chat adapters of dsp and DSPy both ask for."""

BODY = json.dumps(
    {
        "id": "chatcmpl-local",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": REPLY}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 250, "completion_tokens": 30, "total_tokens": 280},
    }
).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection: reads a request to its end, answers, and waits for the next one."""

    def __init__(self) -> None:
        self._got = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end].lower()
            at = head.find(b"content-length:")
            if at < 0 and b"transfer-encoding:" in head:
                raise ValueError("this server reads no chunked bodies")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._got) < end + 4 + length:
                return
            self._got = self._got[end + 4 + length :]
            path = head.split(b" ", 2)[1]
            self._transport.write(ANSWER if path.endswith(b"/chat/completions") else MISSING)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
