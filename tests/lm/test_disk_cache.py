"""The cache on disk: shared, bounded, and never in the way of a call."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsp
from dsp.messages import response_from_json, response_to_json
from dsp.testing import ScriptedLM


class Backend:
    """Counts, and answers the same in every process."""

    name = "counted"
    endpoint = "here"

    def __init__(self) -> None:
        self.count = 0

    async def complete(self, request: dsp.Request) -> dsp.Response:
        self.count += 1
        return dsp.Response.of_text(f"reply to {request.messages[0].text}", usage=dsp.Usage(3, 2))

    async def stream(self, request: dsp.Request):
        yield dsp.TextChunk((await self.complete(request)).text)
        yield dsp.FinishChunk("stop")


def model(cache: dsp.DiskCache) -> tuple[dsp.LM, Backend]:
    backend = Backend()
    return dsp.LM("counted/one", backend=backend, cache=cache), backend


EVERY_PART = dsp.Response(
    (
        dsp.ThinkingPart("hm"),
        dsp.TextPart("a\nb \u2028 é"),
        dsp.ToolCallPart("1", "search", '{"q": 1}'),
        dsp.RefusalPart("no"),
    ),
    usage=dsp.Usage(1, 2, 3, 4),
    cost=0.5,
    finish_reason="tool_calls",
    model="m",
    provider="p",
    attempts=2,
    metadata={"id": "x"},
)


FIELDS = tuple(json.loads(response_to_json(EVERY_PART)))


def test_a_reply_survives_as_json() -> None:
    again = response_from_json(response_to_json(EVERY_PART))
    assert again.served == "cache"
    assert response_to_json(again) == response_to_json(EVERY_PART)
    assert again.parts == EVERY_PART.parts


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"version": 2}', '{"version": 1, "parts": 5}', "{"])
def test_what_is_no_reply_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        response_from_json(text)


def with_field(name: str, value: str) -> str:
    """A stored reply with one field that is something else, given as JSON."""
    stored = {key: json.dumps(was) for key, was in json.loads(response_to_json(EVERY_PART)).items()} | {name: value}
    return "{" + ", ".join(f"{json.dumps(key)}: {text}" for key, text in stored.items()) + "}"


DEEP = "[" * 100_000 + "]" * 100_000
WRONG_FIELDS = [
    ("parts", '[{"kind": "text", "text": 5}]'),
    ("parts", '[{"kind": "tool_call", "id": "1", "name": null, "arguments": "{}"}]'),
    ("parts", '[{"kind": ["text"]}]'),
    ("usage", "[1e999, 0, 0, 0]"),
    ("usage", '"1234"'),
    ("usage", "[1, 2, 3, 4, 5]"),
    ("usage", "[-1, 0, 0, 0]"),
    ("cost", "true"),
    ("cost", "NaN"),
    ("finish_reason", '"because"'),
    ("finish_reason", "[]"),
    ("model", "7"),
    ("attempts", '"2"'),
    ("metadata", '[["a", 1]]'),
    ("metadata", DEEP),
]


@pytest.mark.parametrize(("name", "value"), WRONG_FIELDS, ids=[f"{n}={v:.20}" for n, v in WRONG_FIELDS])
def test_a_field_of_another_kind_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        response_from_json(with_field(name, value))


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists), st.sampled_from(FIELDS)
)
def test_whatever_a_field_holds_it_is_read_or_refused(value: object, name: str) -> None:
    try:
        response = response_from_json(with_field(name, json.dumps(value)))
    except ValueError:
        return
    assert response_to_json(response)


def test_another_process_finds_the_reply(tmp_path: Path) -> None:
    lm, backend = model(dsp.DiskCache(tmp_path))
    lm("hello")
    again, other = model(dsp.DiskCache(tmp_path))
    response = again.complete("hello")
    assert (response.text, response.served, response.usage) == ("reply to hello", "cache", dsp.Usage(3, 2))
    assert (backend.count, other.count) == (1, 0)


def test_async_calls_use_it_too(tmp_path: Path) -> None:
    lm, backend = model(dsp.DiskCache(tmp_path / "here.db"))

    async def main() -> list[str]:
        await lm.acomplete("hello")
        return [response.text for response in await asyncio.gather(*(lm.acomplete("hello") for _ in range(20)))]

    assert asyncio.run(main()) == ["reply to hello"] * 20
    assert backend.count == 1
    assert (tmp_path / "here.db").exists()


def test_dropping_and_clearing(tmp_path: Path) -> None:
    lm, backend = model(dsp.DiskCache(tmp_path))
    request = dsp.Request("counted/one", (dsp.Message("user", "a"),))
    lm.complete(request)
    asyncio.run(lm.forget(request))
    lm.complete(request)
    assert backend.count == 2
    cache = lm.cache
    assert isinstance(cache, dsp.DiskCache)
    asyncio.run(cache.clear())
    lm.complete(request)
    assert backend.count == 3


def kept(cache: dsp.DiskCache, query: str) -> list[tuple[Any, ...]]:
    """What the file holds, read from outside."""
    with closing(sqlite3.connect(cache.path)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("most", [1_000, 2_000, 20_000])
def test_size_is_bounded_at_any_time(tmp_path: Path, most: int) -> None:
    cache = dsp.DiskCache(tmp_path, max_bytes=most)
    lm, _ = model(cache)
    sizes: list[int] = []
    for number in range(200):
        lm(f"{number} {'x' * 100}")
        sizes.append(kept(cache, "SELECT sum(size) FROM replies")[0][0])
    assert most * 0.5 < max(sizes) <= most


def test_a_reply_larger_than_the_cache_is_not_kept_on_disk(tmp_path: Path) -> None:
    cache = dsp.DiskCache(tmp_path, max_bytes=1_000)
    lm, _ = model(cache)
    lm("small")
    lm("x" * 5_000)
    assert kept(cache, "SELECT count(*) FROM replies") == [(1,)]


def test_what_is_used_stays(tmp_path: Path) -> None:
    whole = dsp.DiskCache(tmp_path)
    lm, _ = model(whole)
    for number in range(10):
        lm(f"row {number:2}")
    ((size,),) = kept(whole, "SELECT max(size) FROM replies")
    again, backend = model(dsp.DiskCache(tmp_path, max_bytes=int(size * 10.5)))
    again("row  0")  # noted in memory, written down with the next reply
    again("row 10")  # which is one too many
    assert backend.count == 1
    last, backend = model(dsp.DiskCache(tmp_path))
    last("row  0")
    assert backend.count == 0
    last("row  1")
    assert backend.count == 1


def test_closing_writes_down_what_was_used(tmp_path: Path) -> None:
    lm, _ = model(dsp.DiskCache(tmp_path))
    lm("a")
    cache = dsp.DiskCache(tmp_path)
    model(cache)[0]("a")
    assert kept(cache, "SELECT used > made FROM replies") == [(0,)]
    cache.close()
    assert kept(cache, "SELECT used > made FROM replies") == [(1,)]


def test_many_uses_are_written_down_on_the_way(tmp_path: Path) -> None:
    lm, _ = model(dsp.DiskCache(tmp_path))
    for number in range(70):
        lm(str(number))
    cache = dsp.DiskCache(tmp_path)
    again, backend = model(cache)
    for number in range(70):
        again(str(number))
    assert backend.count == 0
    assert kept(cache, "SELECT count(*) FROM replies WHERE used > made") == [(64,)]


@pytest.mark.parametrize("opened_before", [True, False])
def test_a_lookup_never_waits_for_a_writer(tmp_path: Path, opened_before: bool) -> None:
    lm, _ = model(dsp.DiskCache(tmp_path))
    for number in range(200):
        lm(str(number))
    cache = dsp.DiskCache(tmp_path)
    again, backend = model(cache)
    if opened_before:
        again("0")
    with closing(sqlite3.connect(cache.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE replies SET used = 0")
        started = time.monotonic()
        assert [again(str(number)) for number in range(200)] == [f"reply to {number}" for number in range(200)]
        assert time.monotonic() - started < 1.0
        other.execute("COMMIT")
    assert backend.count == 0


def test_a_lookup_does_not_stand_behind_a_write_that_waits(tmp_path: Path) -> None:
    lm, _ = model(dsp.DiskCache(tmp_path))
    lm("known")
    cache = dsp.DiskCache(tmp_path)
    again, _ = model(cache)

    async def main() -> float:
        writing = asyncio.create_task(again.acomplete("new"))
        await asyncio.sleep(0.1)  # the write now waits for the other process, in a thread
        started = time.monotonic()
        assert (await again.acomplete("known")).served == "cache"
        taken = time.monotonic() - started
        other.execute("ROLLBACK")
        await writing
        return taken

    with closing(sqlite3.connect(cache.path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert asyncio.run(main()) < 0.5
    assert kept(cache, "SELECT count(*) FROM replies") == [(2,)]


def test_age_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm, _ = model(dsp.DiskCache(tmp_path))
    lm("a")
    old, backend = model(dsp.DiskCache(tmp_path, ttl=1e-9))
    old("a")
    assert backend.count == 1


def test_memory_serves_a_reply_for_no_longer_than_the_file_would(tmp_path: Path) -> None:
    lm, _ = model(dsp.DiskCache(tmp_path))
    lm("a")
    again, backend = model(dsp.DiskCache(tmp_path, ttl=1.0))
    time.sleep(0.5)
    again("a")
    assert backend.count == 0
    time.sleep(0.6)
    again("a")
    assert backend.count == 1


BROKEN_ROWS: dict[str, tuple[str, object]] = {
    "garbage": ("reply", "garbage"),
    "a text that is none": ("reply", with_field("parts", '[{"kind": "text", "text": 5}]')),
    "too deep": ("reply", with_field("metadata", DEEP)),
    "bytes": ("reply", b"\xff\xfe"),
    "no time": ("made", "yesterday"),
}


@pytest.mark.parametrize(("column", "value"), BROKEN_ROWS.values(), ids=list(BROKEN_ROWS))
def test_a_broken_row_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture, column: str, value: object) -> None:
    cache = dsp.DiskCache(tmp_path)
    lm, _ = model(cache)
    lm("a")
    cache.close()
    connection = sqlite3.connect(cache.path)
    connection.execute(f"UPDATE replies SET {column} = ?", (value,))
    connection.commit()
    connection.close()
    again, backend = model(dsp.DiskCache(tmp_path))
    assert again("a") == "reply to a"
    assert backend.count == 1
    assert "asked again" in caplog.text


def test_a_file_that_is_no_database_never_fails_a_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache.sqlite").write_text("this is no database " * 100)
    lm, backend = model(dsp.DiskCache(tmp_path / "cache.sqlite"))
    for number in range(20):
        assert lm(str(number)) == f"reply to {number}"
    assert backend.count == 20
    assert caplog.text.count("goes on without it") == 1


def test_a_reply_that_cannot_be_written_never_fails_a_call(tmp_path: Path) -> None:
    reply = dsp.Response((dsp.TextPart("x"),), metadata={"raw": object()})  # type: ignore[dict-item]
    lm = ScriptedLM([reply], cache=dsp.DiskCache(tmp_path))
    assert lm("?") == "x"


def test_a_directory_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "v1.0").mkdir()
    cache = dsp.DiskCache(tmp_path / "v1.0")
    assert cache.path == tmp_path / "v1.0" / "replies.sqlite"
    lm, _ = model(cache)
    lm("a")
    assert cache.path.exists()


def test_scripts_of_two_processes_share_nothing(tmp_path: Path) -> None:
    code = f"""
import dsp
from dsp.testing import ScriptedLM
print(ScriptedLM([__import__("sys").argv[1]], cache=dsp.DiskCache({str(tmp_path)!r}))("?"))
"""
    for reply in ("one", "two"):
        done = subprocess.run([sys.executable, "-c", code, reply], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == reply


def test_a_place_that_cannot_be_written_never_fails_a_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lm, backend = model(dsp.DiskCache(tmp_path / "file" / "below"))
    assert lm("a") == "reply to a"
    assert backend.count == 1


def test_eight_processes_at_once(tmp_path: Path) -> None:
    code = f"""
import dsp
class Backend:
    name = "counted"
    endpoint = "here"
    async def complete(self, request):
        return dsp.Response.of_text("reply to " + request.messages[0].text)
    async def stream(self, request):
        yield dsp.FinishChunk("stop")
lm = dsp.LM("counted/one", backend=Backend(), cache=dsp.DiskCache({str(tmp_path)!r}))
assert all(lm(str(n)) == f"reply to {{n}}" for n in range(100))
"""
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(8)]
    assert [(process.communicate(timeout=50)[1], process.returncode) for process in running] == [("", 0)] * 8


def test_the_environment_chooses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSP_CACHE", "disk")
    monkeypatch.setenv("DSP_CACHE_DIR", str(tmp_path / "deep" / "er"))
    dsp.reset()
    lm = ScriptedLM(["a"], cache=True)
    assert (lm("?"), lm("?")) == ("a", "a")
    assert (tmp_path / "deep" / "er" / "replies.sqlite").exists()


@pytest.mark.parametrize("wrong", [{"max_bytes": 0}, {"ttl": 0}])
def test_no_room_is_refused(wrong: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(dsp.SettingsError, match="cache=False"):
        dsp.DiskCache(tmp_path, **wrong)
