"""Permits that belong to no loop, when loops come, go, stand still and block."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

import dsp
from dsp.testing import ScriptedLM


def one_at_a_time(replies: int, delay: float = 0.05) -> ScriptedLM:
    return ScriptedLM(["x"] * replies, delay=delay, limits=dsp.Limits(concurrency=1))


def test_a_waiter_whose_loop_stands_still_holds_up_nobody() -> None:
    lm = one_at_a_time(3, delay=0.2)
    loop = asyncio.new_event_loop()
    holder = threading.Thread(target=lm, args=("1",))
    holder.start()
    time.sleep(0.05)

    async def leave_one_waiting() -> asyncio.Task[dsp.Response]:
        waiting = asyncio.ensure_future(lm.acomplete("2"))
        await asyncio.sleep(0.01)
        return waiting

    waiting = loop.run_until_complete(leave_one_waiting())
    # The loop stands still now. The permit is free for others, and the waiter gets it when its loop runs again.
    assert lm("3", timeout=5) == "x"
    assert loop.run_until_complete(waiting).text == "x"
    holder.join()
    loop.close()


def test_a_sync_stream_that_would_wait_for_its_own_loop_says_so() -> None:
    lm = one_at_a_time(2)

    async def main() -> None:
        running = asyncio.create_task(lm.acomplete("1"))
        await asyncio.sleep(0.01)
        with pytest.raises(dsp.DeadlockError):
            list(lm.stream("2"))
        assert (await running).text == "x"

    asyncio.run(main())


def test_everybody_gets_a_turn() -> None:
    lm = one_at_a_time(200, delay=0.0005)
    done: list[str] = []

    async def several() -> None:
        done.extend(reply.text for reply in await asyncio.gather(*(lm.acomplete("?") for _ in range(25))))

    def plainly() -> None:
        done.extend(lm("?") for _ in range(25))

    threads = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(4)]
    threads += [threading.Thread(target=plainly) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 200


def test_a_cache_that_waits_works_from_sync_code() -> None:
    class Slow:
        def __init__(self) -> None:
            self.kept: dict[bytes, dsp.Response] = {}

        async def get(self, key: dsp.CacheKey) -> dsp.Response | None:
            await asyncio.sleep(0.001)
            return self.kept.get(key.digest)

        async def put(self, key: dsp.CacheKey, response: dsp.Response) -> None:
            await asyncio.sleep(0.001)
            self.kept[key.digest] = response

        async def delete(self, key: dsp.CacheKey) -> None:
            await asyncio.sleep(0.001)
            self.kept.pop(key.digest, None)

        async def clear(self) -> None:
            await asyncio.sleep(0.001)
            self.kept.clear()

    lm = ScriptedLM(["a", "b"], cache=Slow())
    assert (lm("?"), lm("?")) == ("a", "a")
    asyncio.run(lm.forget(dsp.Request("scripted/model", (dsp.Message("user", "?"),))))
    assert lm("?") == "b"
