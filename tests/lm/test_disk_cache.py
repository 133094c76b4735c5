"""The cache on disk: shared, bounded, and never in the way of a call."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import dsp
from dsp.messages import response_from_json, response_to_json
from dsp.testing import ScriptedLM


class Backend:
    """Counts, and answers the same in every process."""

    name = "counted"

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


def test_a_reply_survives_as_json() -> None:
    again = response_from_json(response_to_json(EVERY_PART))
    assert again.served == "cache"
    assert response_to_json(again) == response_to_json(EVERY_PART)
    assert again.parts == EVERY_PART.parts


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"version": 2}', '{"version": 1, "parts": 5}', "{"])
def test_what_is_no_reply_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        response_from_json(text)


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


def test_size_is_bounded_by_last_use(tmp_path: Path) -> None:
    cache = dsp.DiskCache(tmp_path, max_bytes=20_000)
    lm, _ = model(cache)
    for number in range(400):
        lm(f"{number} {'x' * 100}")
    cache.close()
    with sqlite3.connect(cache.path) as connection:
        (size,) = connection.execute("SELECT sum(size) FROM replies").fetchone()
    connection.close()
    assert size < 20_000 + 64 * 500


def test_age_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm, _ = model(dsp.DiskCache(tmp_path))
    lm("a")
    old, backend = model(dsp.DiskCache(tmp_path, ttl=1e-9))
    old("a")
    assert backend.count == 1


def test_a_broken_row_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = dsp.DiskCache(tmp_path)
    lm, _ = model(cache)
    lm("a")
    cache.close()
    connection = sqlite3.connect(cache.path)
    connection.execute("UPDATE replies SET reply = 'garbage'")
    connection.commit()
    connection.close()
    again, backend = model(dsp.DiskCache(tmp_path))
    assert again("a") == "reply to a"
    assert backend.count == 1
    assert "asked again" in caplog.text


def test_a_file_that_is_no_database_never_fails_a_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache.sqlite").write_text("this is no database " * 100)
    lm, backend = model(dsp.DiskCache(tmp_path / "cache.sqlite"))
    assert (lm("a"), lm("b")) == ("reply to a", "reply to b")
    assert backend.count == 2
    assert "goes on without it" in caplog.text


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
    async def complete(self, request):
        return dsp.Response.of_text("reply to " + request.messages[0].text)
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
