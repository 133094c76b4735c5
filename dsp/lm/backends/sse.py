"""Server-sent events out of bytes that arrive in any pieces."""

from __future__ import annotations

__all__ = ["EventReader"]

BOM = b"\xef\xbb\xbf"


class EventReader:
    r"""Collects bytes and gives the data of every complete event, however the bytes were cut.

    Lines may end with LF, CRLF or CR; comments and fields other than `data` are passed over.

    Example:
        >>> events = EventReader()
        >>> events.feed(b"data: one\n\ndata: t"), events.feed(b"wo\r\n\r\n")
        ([b'one'], [b'two'])
    """

    __slots__ = ("_data", "_fresh", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._fresh = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that `piece` completes."""
        text = self._rest + piece
        if self._fresh:
            if len(text) < len(BOM) and BOM.startswith(text):
                self._rest = text
                return []
            text = text.removeprefix(BOM)
            self._fresh = False
        if b"\r" in text:
            # A CR at the very end may be the first half of a CRLF: it waits for what follows.
            held = text.endswith(b"\r")
            text = (text[:-1] if held else text).replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (
                b"\r" if held else b""
            )
        *lines, self._rest = text.split(b"\n")
        return self._events(lines)

    def finish(self) -> list[bytes]:
        """What is left when the stream ends: some servers leave out the last empty line."""
        rest, self._rest = self._rest.removesuffix(b"\r"), b""
        return self._events([rest, b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(b"\n".join(self._data))
                    self._data = []
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._data.append(b"")
        return events
