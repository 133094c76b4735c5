"""Events come out the same however the bytes were cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.lm.backends.sse import EventReader

DATA = st.lists(
    st.text(st.characters(blacklist_characters="\r\n", codec="utf-8")).filter(lambda text: not text.startswith(" ")),
    min_size=1,
    max_size=3,
)


def read(pieces: list[bytes]) -> list[bytes]:
    reader = EventReader()
    found = [event for piece in pieces for event in reader.feed(piece)]
    return found + reader.finish()


@given(st.lists(DATA, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_any_cut_of_any_stream_gives_the_same_events(events: list[list[str]], end: str, data: st.DataObject) -> None:
    stream = "".join("".join(f"data: {line}{end}" for line in lines) + end for lines in events).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(pieces) == ["\n".join(lines).encode() for lines in events]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b": a comment\n\ndata: x\n\n", [b"x"]),
        (b"event: message\nid: 7\ndata: x\nretry: 5\n\n", [b"x"]),
        (b"data:x\n\n", [b"x"]),
        (b"data:  x\n\n", [b" x"]),
        (b"data\n\n", [b""]),
        (b"\xef\xbb\xbfdata: x\n\n", [b"x"]),
        (b"data: the last line has no end", [b"the last line has no end"]),
        (b"data: one\n\ndata: two\n", [b"one", b"two"]),
        (b"\n\n\n", []),
        (b"", []),
    ],
)
def test_the_forms_that_servers_use(stream: bytes, events: list[bytes]) -> None:
    assert read([stream]) == events
    assert read([stream[i : i + 1] for i in range(len(stream))]) == events


def test_a_piece_that_ends_between_cr_and_lf_is_one_line_end() -> None:
    assert read([b"data: x\r", b"\n\r", b"\ndata: y\r\n\r\n"]) == [b"x", b"y"]
