"""Tests reach no network but loopback, and what needs only loopback works."""

from __future__ import annotations

import asyncio
import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_a_connection_to_elsewhere_is_refused() -> None:
    with (
        socket.socket() as connection,
        pytest.warns(UserWarning, match=r"192\.0\.2\.1"),  # an error in every other test
        pytest.raises(SocketConnectBlockedError),
    ):
        connection.connect(("192.0.2.1", 443))


def test_a_name_from_elsewhere_is_unknown() -> None:
    with pytest.raises(socket.gaierror, match="example"):
        socket.getaddrinfo("example.com", 443)


def test_an_event_loop_talks_to_a_server_on_loopback() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def main() -> bytes:
        server = await asyncio.start_server(echo, "localhost", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

    assert asyncio.run(main()) == b"hello\n"
