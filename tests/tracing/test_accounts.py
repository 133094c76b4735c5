"""What a block of code has spent and may spend, with calls at the same time, cancelled and crashed ones included."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from pydantic import BaseModel

import dsp
from dsp.testing import ScriptedLM


class Text(BaseModel):
    text: str = ""


CHAT = "[[ ## text ## ]]\na\n\n[[ ## completed ## ]]"


async def all_at_once(lm: dsp.LM, number: int) -> list[dsp.Response | BaseException]:
    return await asyncio.gather(*(lm.acomplete(str(n)) for n in range(number)), return_exceptions=True)


class TestLimitsHoldForCallsAtTheSameTime:
    def test_no_more_calls_are_sent_than_allowed(self) -> None:
        lm = ScriptedLM(["a"] * 50, delay=0.01)
        with dsp.UsageLimits(calls=3) as spent:
            results = asyncio.run(all_at_once(lm, 50))
        assert len(lm.requests) == len(spent.calls) == 3
        assert sum(isinstance(result, dsp.Response) for result in results) == 3
        assert sum(isinstance(result, dsp.LimitExceeded) for result in results) == 47

    def test_in_threads_too(self) -> None:
        lm = ScriptedLM(["a"] * 20, delay=0.01)
        refused: list[dsp.LimitExceeded] = []

        def call() -> None:
            try:
                lm("?")
            except dsp.LimitExceeded as error:
                refused.append(error)

        with dsp.UsageLimits(calls=4):
            threads = [threading.Thread(target=dsp.copy_context(call)) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (len(lm.requests), len(refused)) == (4, 16)

    def test_hits_and_calls_that_reach_no_model_give_their_place_back(self) -> None:
        lm = ScriptedLM(["known", "new"], cache=dsp.MemoryCache())
        lm("?")
        with dsp.UsageLimits(calls=1) as spent:
            assert [lm("?") for _ in range(5)] == ["known"] * 5
            with pytest.raises(dsp.SettingsError):
                lm("?", extra={"odd": object()})  # type: ignore[dict-item]
            assert lm("another") == "new"
            with pytest.raises(dsp.LimitExceeded, match="1 calls is used up"):
                lm("a third")
        assert len(spent.calls) == 7

    def test_an_outer_limit_that_refuses_takes_nothing_from_the_inner_one(self) -> None:
        lm = ScriptedLM(["a"] * 3)
        with dsp.UsageLimits(calls=1), dsp.UsageLimits(calls=2) as inner:
            lm("1")
            for _ in range(3):
                with pytest.raises(dsp.LimitExceeded) as caught:
                    lm("2")
                assert caught.value.allowed == 1
        assert inner.allowance is not None
        assert inner.allowance.spent["calls"] == 1

    def test_cancelled_and_failed_calls_count_for_they_were_sent(self) -> None:
        lm = ScriptedLM(["slow", "slow"], delay=30)

        async def main() -> None:
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(lm.acomplete("?"), 0.01)
            with pytest.raises(dsp.LimitExceeded):
                await lm.acomplete("?")

        with dsp.UsageLimits(calls=2):
            asyncio.run(main())
        failing = ScriptedLM([dsp.Authentication("no key")] * 2)
        with dsp.UsageLimits(calls=1):
            with pytest.raises(dsp.Authentication):
                failing("?")
            with pytest.raises(dsp.LimitExceeded):
                failing("?")

    def test_a_stream_that_is_no_longer_read_counts_where_it_began(self) -> None:
        lm = ScriptedLM(["one two three"] * 2)
        with dsp.UsageLimits(calls=1) as spent:
            stream = lm.stream("?")
            next(stream)
        stream.close()
        (entry,) = spent.calls
        assert [attempt.error is not None for attempt in entry.attempts] == [True]
        assert spent.allowance is not None
        assert spent.allowance.spent["calls"] == 1


class TestSeconds:
    @pytest.mark.parametrize("how", ["whole", "stream"])
    def test_a_running_call_is_cut_off_and_the_limit_is_named(self, how: str) -> None:
        lm = ScriptedLM(["a"], delay=30)
        started = time.monotonic()
        with dsp.UsageLimits(seconds=0.05) as spent, pytest.raises(dsp.LimitExceeded, match="UsageLimits") as caught:
            lm("?") if how == "whole" else list(lm.stream("?"))
        assert time.monotonic() - started < 5
        assert caught.value.limit == "seconds"
        assert (caught.value.allowed, caught.value.calls) == (0.05, tuple(spent.calls))
        assert spent.cost is None

    def test_a_call_with_less_time_of_its_own_times_out_as_ever(self) -> None:
        with dsp.UsageLimits(seconds=60), pytest.raises(dsp.Timeout, match=r"0\.02 s.*`timeout=`"):
            ScriptedLM(["a"], delay=30, timeout=0.02)("?")

    @pytest.mark.parametrize(("outer", "inner"), [(60, 0.02), (0.02, 60)])
    def test_the_nearest_of_several_is_named(self, outer: float, inner: float) -> None:
        with dsp.UsageLimits(seconds=outer), dsp.UsageLimits(seconds=inner), pytest.raises(dsp.LimitExceeded) as caught:
            dsp.Predict[Text, Text](lm=ScriptedLM(["a"], delay=30))(Text())
        assert caught.value.allowed == 0.02

    def test_a_wait_for_which_there_is_no_time_is_not_begun(self) -> None:
        lm = ScriptedLM([dsp.RateLimited("slow down", retry_after=20)] * 2, retry=dsp.Retry())
        with dsp.UsageLimits(seconds=1), pytest.raises(dsp.RateLimited) as caught:
            lm("?")
        assert "UsageLimits(seconds=1)" in caught.value.__notes__[0]


class TestCallsThatNeverEnd:
    def test_a_cancelled_call_is_remembered(self) -> None:
        lm = ScriptedLM(["a"], delay=30)

        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await lm.acomplete("cancelled")

        with dsp.track() as spent:
            asyncio.run(main())
        (entry,) = spent.calls
        assert dsp.history(1) == [entry]
        assert entry.error is not None
        assert (entry.error.reason, entry.response, entry.cost, len(entry.attempts)) == ("timeout", None, None, 1)
        assert "cancelled" in entry.error.message
        assert entry.latency >= 0.02

    def test_one_that_was_cancelled_before_it_was_sent_cost_nothing(self) -> None:
        lm = ScriptedLM(["a"] * 2, delay=0.2, limits=dsp.Limits(concurrency=1))

        async def main() -> None:
            first = asyncio.create_task(lm.acomplete("first"))
            await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(lm.acomplete("second"), 0.01)
            await first

        with dsp.track() as spent:
            asyncio.run(main())
        cancelled, first = spent.calls
        assert (cancelled.cost, cancelled.attempts) == (0.0, ())
        assert first.error is None

    def test_a_cancelled_stream_is_remembered_with_what_had_come(self) -> None:
        class Slow:
            name = "slow"

            async def complete(self, request: dsp.Request) -> dsp.Response:
                raise NotImplementedError

            async def stream(self, request: dsp.Request) -> Any:
                yield dsp.TextChunk("so far")
                await asyncio.sleep(30)

        lm = dsp.LM("slow/one", backend=Slow(), cache=False)

        async def main() -> None:
            async for _ in lm.astream("?"):
                pass

        with dsp.track() as spent, pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(main(), 0.05))
        (entry,) = spent.calls
        assert entry.error is not None
        assert entry.response is not None
        assert (entry.error.reason, entry.response.text, entry.cost) == ("timeout", "so far", None)

    def test_the_cancelled_part_of_a_failed_fan_is_on_its_error(self) -> None:
        slow = dsp.Predict[Text, Text](lm=ScriptedLM([CHAT], delay=30))
        failing = dsp.Predict[Text, Text](lm=ScriptedLM([dsp.Authentication("no key", status=401)], delay=0.02))
        with pytest.raises(dsp.Authentication) as caught:
            (slow & failing)(Text())
        assert sorted(call.error.reason for call in caught.value.calls if call.error) == ["authentication", "timeout"]
        assert caught.value.cost is None

    def test_a_refused_request_cost_nothing(self) -> None:
        with dsp.track() as spent, pytest.raises(dsp.Authentication):
            ScriptedLM([dsp.Authentication("no key", status=401)])("?")
        assert spent.cost == 0.0


class TestSums:
    def test_they_are_right_with_many_threads(self) -> None:
        lm = ScriptedLM([lambda _: dsp.Response.of_text("x", usage=dsp.Usage(2, 1))] * 400)
        with dsp.track() as spent:
            work = dsp.copy_context(lambda: [lm("?") for _ in range(50)])
            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (spent.usage, spent.cost, spent.cached, len(spent.calls)) == (dsp.Usage(800, 400), None, False, 400)

    def test_they_are_those_of_the_calls(self) -> None:
        program = dsp.Predict[Text, Text](lm=ScriptedLM([CHAT] * 3, cache=dsp.MemoryCache()))
        with dsp.track() as spent:
            assert (spent.usage, spent.cost, spent.cached) == (dsp.Usage(), 0.0, False)
            for text in ("a", "a", "b"):
                program(Text(text=text))
        assert spent.usage == sum((call.usage for call in spent.calls), dsp.Usage()) != dsp.Usage()
        assert (spent.cost, spent.cached) == (0.0, False)
        with dsp.track() as again:
            program(Text(text="a"))
        assert (again.usage, again.cost, again.cached) == (dsp.Usage(), 0.0, True)

    def test_limits_keep_the_last_calls_and_the_whole_sum(self) -> None:
        lm = ScriptedLM([lambda _: dsp.Response.of_text("x", usage=dsp.Usage(2, 1))] * 250)
        with dsp.UsageLimits(calls=250) as spent:
            for number in range(250):
                lm(str(number))
        assert spent.usage == dsp.Usage(500, 250)
        assert [call.request.messages[0].text for call in spent.calls] == [str(n) for n in range(150, 250)]
