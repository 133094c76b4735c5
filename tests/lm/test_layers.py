"""A model call through its layers: what is retried, cached, bounded and remembered."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import pytest

import dsp
from dsp.testing import ScriptedLM, ScriptEnded

REPLY = "the answer"


def failing(kind: type[dsp.LMError], **kwargs: float) -> dsp.LMError:
    return kind("scripted", **kwargs)  # type: ignore[arg-type]


class TestRetry:
    @pytest.mark.parametrize(
        "kind", [dsp.Timeout, dsp.NetworkError, dsp.InvalidResponse, dsp.RateLimited, dsp.ServerError]
    )
    def test_what_may_pass_is_sent_again(self, kind: type[dsp.LMError]) -> None:
        lm = ScriptedLM([failing(kind), failing(kind), REPLY])
        assert lm("?") == REPLY
        assert len(lm.requests) == 3

    @pytest.mark.parametrize(
        "kind",
        [
            dsp.Authentication,
            dsp.QuotaExceeded,
            dsp.CircuitOpen,
            dsp.ContextWindowExceeded,
            dsp.ContentFiltered,
            dsp.NotConfigured,
            dsp.APIError,
        ],
    )
    def test_what_cannot_pass_is_not(self, kind: type[dsp.LMError]) -> None:
        lm = ScriptedLM([failing(kind), REPLY])
        with pytest.raises(kind) as caught:
            lm("?")
        assert (len(lm.requests), caught.value.attempts) == (1, 1)

    def test_four_requests_are_sent_and_no_more(self) -> None:
        lm = ScriptedLM([TimeoutError("slow")] * 9)
        with pytest.raises(dsp.Timeout) as caught:
            lm("?")
        assert (len(lm.requests), caught.value.attempts) == (4, 4)

    def test_no_retry_at_all(self) -> None:
        lm = ScriptedLM([ConnectionError("gone"), REPLY], retry=None)
        with pytest.raises(dsp.NetworkError, match="gone"):
            lm("?")

    def test_retry_after_is_waited_for_and_capped(self) -> None:
        waits = dsp.Retry(base=0, cap=0.05)
        lm = ScriptedLM([failing(dsp.RateLimited, retry_after=9_999), REPLY], retry=waits)
        started = time.monotonic()
        response = lm.complete("?")
        assert 0.05 <= time.monotonic() - started < 5
        (entry,) = dsp.history(1)
        assert [attempt.waited for attempt in entry.attempts] == [0.0, 0.05]
        assert response.text == REPLY

    def test_no_request_is_sent_after_the_policys_deadline(self) -> None:
        lm = ScriptedLM([failing(dsp.RateLimited, retry_after=5), REPLY], retry=dsp.Retry(deadline=1))
        with pytest.raises(dsp.RateLimited):
            lm("?")

    @pytest.mark.parametrize("failed", range(1, 12))
    def test_the_wait_is_jittered_up_to_a_cap(self, failed: int) -> None:
        policy = dsp.Retry(base=1, factor=2, cap=30)
        waits = [policy.wait(failed, dsp.Timeout("slow")) for _ in range(200)]
        assert 0 <= min(waits) <= max(waits) <= min(30, 2 ** (failed - 1))
        assert max(waits) > min(30, 2 ** (failed - 1)) * 0.8

    @pytest.mark.parametrize("wrong", [{"attempts": 0}, {"base": -1}, {"factor": 0.5}, {"cap": -1}])
    def test_an_impossible_policy_is_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(dsp.SettingsError, match=next(iter(wrong))):
            dsp.Retry(**wrong)  # type: ignore[arg-type]


class TestDeadline:
    def test_a_slow_answer_is_given_up(self) -> None:
        lm = ScriptedLM([REPLY], delay=30, timeout=0.05)
        with pytest.raises(dsp.Timeout, match=r"0\.05 s.*DSP_TIMEOUT"):
            lm("?")

    def test_it_holds_over_all_attempts_and_tells_of_the_last_failure(self) -> None:
        lm = ScriptedLM([dsp.RateLimited("too many requests, slow down")] * 9, delay=0.15, timeout=0.4)
        with pytest.raises(
            dsp.Timeout, match=r"0\.4 s; \d request.*rate_limited: too many requests, slow down"
        ) as caught:
            lm("?")
        assert caught.value.attempts == len(caught.value.calls[0].attempts) == len(lm.requests) > 1

    @pytest.mark.parametrize("delay", [0.0, 0.001], ids=["at once", "waiting"])
    @pytest.mark.parametrize("how", ["whole", "stream"])
    def test_a_wait_that_is_too_long_is_not_begun(self, delay: float, how: str) -> None:
        lm = ScriptedLM([failing(dsp.RateLimited, retry_after=20)] * 4, delay=delay, retry=dsp.Retry(), timeout=5)
        started = time.monotonic()
        with pytest.raises(dsp.RateLimited) as caught:
            lm("?") if how == "whole" else list(lm.stream("?"))
        assert time.monotonic() - started < 3
        assert caught.value.__notes__ == ["Not sent again: timeout=5 leaves no time for a wait of 20 s."]
        assert (caught.value.retry_after, caught.value.attempts) == (20, 1)

    def test_a_call_may_allow_more_than_its_model(self) -> None:
        lm = ScriptedLM([REPLY], delay=0.05, timeout=0.01)
        assert lm("?", timeout=5) == REPLY

    def test_the_environment_sets_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DSP_TIMEOUT", "0.05")
        with pytest.raises(dsp.Timeout):
            ScriptedLM([REPLY], delay=30)("?")

    def test_a_slow_stream_is_given_up(self) -> None:
        with pytest.raises(dsp.Timeout):
            list(ScriptedLM([REPLY], delay=30, timeout=0.05).stream("?"))


class TestCache:
    def test_a_known_reply_is_not_asked_for_again(self) -> None:
        lm = ScriptedLM([REPLY], cache=dsp.MemoryCache())
        first, second = lm.complete("?"), lm.complete("?")
        assert (first.served, second.served) == ("model", "cache")
        assert (first.text, first.usage) == (second.text, second.usage)

    def test_sync_async_and_stream_share_a_reply(self) -> None:
        lm = ScriptedLM([REPLY], cache=dsp.MemoryCache())
        lm("?")
        assert asyncio.run(lm.acomplete("?")).text == REPLY
        assert "".join(chunk.text for chunk in lm.stream("?") if isinstance(chunk, dsp.TextChunk)) == REPLY

    def test_a_streamed_reply_is_kept_whole(self) -> None:
        lm = ScriptedLM([REPLY], cache=dsp.MemoryCache())
        list(lm.stream("?"))
        assert lm("?") == REPLY

    @pytest.mark.parametrize(
        "change", [{"temperature": 0.0}, {"temperature": 0.5}, {"rollout": 1}, {"seed": 3}, {"stop": ["x"]}]
    )
    def test_every_parameter_makes_another_request(self, change: dsp.ModelParams) -> None:
        lm = ScriptedLM([REPLY, "other"], cache=dsp.MemoryCache())
        assert (lm("?"), lm("?", **change), lm("?", **change)) == (REPLY, "other", "other")

    def test_what_cannot_change_the_answer_does_not(self) -> None:
        lm = ScriptedLM([REPLY], cache=dsp.MemoryCache())
        assert lm("?", timeout=5) == lm("?", timeout=6) == lm("?")

    @pytest.mark.parametrize(
        "reply",
        [
            dsp.Response.of_text("cut", finish_reason="length"),
            dsp.Response.of_text("no", finish_reason="content_filter"),
            dsp.Response((dsp.RefusalPart("I cannot"),)),
            dsp.Response(()),
        ],
        ids=["cut", "filtered", "refused", "empty"],
    )
    def test_a_bad_reply_is_not_kept(self, reply: dsp.Response) -> None:
        lm = ScriptedLM([reply, REPLY], cache=dsp.MemoryCache())
        lm.complete("?")
        assert lm("?") == REPLY

    def test_one_scripts_replies_are_not_anothers(self) -> None:
        cache = dsp.MemoryCache()
        assert (ScriptedLM(["a"], cache=cache)("?"), ScriptedLM(["b"], cache=cache)("?")) == ("a", "b")

    def test_the_least_recently_used_goes_first(self) -> None:
        lm = ScriptedLM([f"{n}" for n in range(9)], cache=dsp.MemoryCache(max_entries=2))
        lm("a"), lm("b"), lm("a"), lm("c")
        assert (lm("a"), lm("c"), lm("b")) == ("0", "2", "3")

    def test_bytes_are_bounded_too(self) -> None:
        cache = dsp.MemoryCache(max_bytes=10_000)
        lm = ScriptedLM([lambda _: "x" * 2_000] * 50, cache=cache)
        for number in range(50):
            lm(str(number))
        assert len(cache) == 3

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (MappingProxyType({"top_k": 1}), MappingProxyType({"top_k": 2})),
            ({"a": MappingProxyType({"b": 1})}, {"a": MappingProxyType({"b": 2})}),
            ({"a": {"b", "c"}}, {"a": {"b", "d"}}),
            ({"a": range(2)}, {"a": range(3)}),
        ],
    )
    def test_what_differs_within_a_parameter_makes_another_request(self, one: Any, other: Any) -> None:
        lm = ScriptedLM(["one", "other"], cache=dsp.MemoryCache())
        assert (lm("?", extra=one), lm("?", extra=other), lm("?", extra=one)) == ("one", "other", "one")

    def test_the_kind_of_a_container_makes_no_other_request(self) -> None:
        lm = ScriptedLM([REPLY], cache=dsp.MemoryCache())
        kinds: list[Any] = [{"a": [1, {"b": 2}]}, {"a": (1, MappingProxyType({"b": 2}))}]
        for extra in kinds:
            assert lm("?", extra=extra) == REPLY

    @pytest.mark.parametrize(
        ("params", "named"),
        [
            ({"extra": {"top_k": 1, "odd": object()}}, r"`extra\['odd'\]`.*object is no JSON"),
            ({"extra": {"odd": b"x"}}, r"`extra\['odd'\]`.*bytes is no JSON"),
            ({"extra": {(1, 2): 3}}, r"`extra\[\(1, 2\)\]`"),
            ({"seed": object()}, r"`seed`"),
        ],
    )
    def test_a_parameter_that_no_key_can_hold_is_refused_by_name(self, params: Any, named: str) -> None:
        lm = ScriptedLM([REPLY], cache=dsp.MemoryCache())
        with pytest.raises(dsp.SettingsError, match=named):
            lm("?", **params)
        assert lm.requests == []

    def test_a_backend_that_names_no_endpoint_shares_with_no_other(self) -> None:
        class Backend:
            name = "mine"

            def __init__(self, reply: str) -> None:
                self.reply = reply

            async def complete(self, request: dsp.Request) -> dsp.Response:
                return dsp.Response.of_text(self.reply)

            async def stream(self, request: dsp.Request) -> AsyncIterator[dsp.StreamChunk]:
                yield dsp.TextChunk(self.reply)
                yield dsp.FinishChunk("stop")

        cache = dsp.MemoryCache()
        one, other = Backend("one"), Backend("other")
        assert [dsp.LM("mine/m", backend=backend, cache=cache)("?") for backend in (one, other)] == ["one", "other"]
        one.reply = "not asked again"
        assert dsp.LM("mine/m", backend=one, cache=cache)("?") == "one"

    def test_a_reply_grows_too_old(self) -> None:
        lm = ScriptedLM(["old", "new"], cache=dsp.MemoryCache(ttl=0.02))
        assert lm("?") == "old"
        time.sleep(0.03)
        assert lm("?") == "new"

    def test_the_settings_choose_it(self) -> None:
        lm = ScriptedLM(["a", "b", "c"], cache=True)
        with dsp.context(cache=False):
            assert (lm("?"), lm("?")) == ("a", "b")
        with dsp.context(cache=dsp.MemoryCache()):
            assert (lm("?"), lm("?")) == ("c", "c")

    def test_a_cache_of_nothing_is_refused(self) -> None:
        with pytest.raises(dsp.SettingsError, match="cache=False"):
            dsp.MemoryCache(max_entries=0)

    def test_the_key_can_be_read(self) -> None:
        request = dsp.Request("openai/gpt", (dsp.Message("user", "hi"),), {"seed": 1})
        text = str(dsp.CacheKey("direct", "https://host/v1", request))
        assert all(part in text for part in ("direct", "https://host/v1", "openai/gpt", '"seed":1', '"content":"hi"'))


class TestLimits:
    def test_two_loops_and_two_threads_share_one_permit(self) -> None:
        busy, most = 0, 0
        lock = threading.Lock()

        class Backend:
            name = "counting"

            async def complete(self, request: dsp.Request) -> dsp.Response:
                nonlocal busy, most
                with lock:
                    busy += 1
                    most = max(most, busy)
                await asyncio.sleep(0.005)
                with lock:
                    busy -= 1
                return dsp.Response.of_text(REPLY)

            async def stream(self, request: dsp.Request):
                yield dsp.TextChunk((await self.complete(request)).text)
                yield dsp.FinishChunk("stop")

        lm = dsp.LM("counting/one", backend=Backend(), cache=False, limits=dsp.Limits(concurrency=1))

        async def several() -> list[str]:
            return [response.text for response in await asyncio.gather(*(lm.acomplete("?") for _ in range(5)))]

        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(asyncio.run, several()) for _ in range(2)]
            jobs += [pool.submit(lambda: [lm("?") for _ in range(5)]) for _ in range(2)]
            assert [job.result(30) for job in jobs] == [[REPLY] * 5] * 4
        assert most == 1

    def test_a_cancelled_waiter_leaves_the_line(self) -> None:
        lm = ScriptedLM([REPLY] * 3, delay=0.05, limits=dsp.Limits(concurrency=1))

        async def main() -> str:
            first = asyncio.create_task(lm.acomplete("1"))
            await asyncio.sleep(0.01)
            second = asyncio.create_task(lm.acomplete("2"))
            third = asyncio.create_task(lm.acomplete("3"))
            await asyncio.sleep(0.01)
            second.cancel()
            await first
            return (await third).text

        assert asyncio.run(main()) == REPLY

    def test_a_permit_comes_back_when_its_holder_is_cancelled(self) -> None:
        lm = ScriptedLM([REPLY] * 3, delay=0.05, limits=dsp.Limits(concurrency=1))

        async def main() -> str:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(lm.acomplete("1"), 0.01)
            return (await lm.acomplete("2")).text

        assert asyncio.run(main()) == REPLY

    def test_a_sync_call_that_would_wait_for_its_own_loop_says_so(self) -> None:
        lm = ScriptedLM([REPLY] * 2, delay=0.05, limits=dsp.Limits(concurrency=1))

        async def main() -> None:
            running = asyncio.create_task(lm.acomplete("1"))
            await asyncio.sleep(0.01)
            with pytest.raises(dsp.DeadlockError, match="acall"):
                lm("2")
            assert (await running).text == REPLY

        asyncio.run(main())

    def test_a_permit_is_not_held_while_a_retry_waits(self) -> None:
        replies = [failing(dsp.RateLimited, retry_after=0.2), "second", "first"]
        lm = ScriptedLM(replies, retry=dsp.Retry(base=0), limits=dsp.Limits(concurrency=1))

        async def main() -> list[str]:
            return [r.text for r in await asyncio.gather(lm.acomplete("1"), lm.acomplete("2"))]

        assert asyncio.run(main()) == ["first", "second"]

    def test_no_request_at_all_is_no_limit(self) -> None:
        with pytest.raises(dsp.SettingsError, match="concurrency"):
            dsp.Limits(concurrency=0)


class TestStreams:
    def test_pieces_make_up_the_reply_and_end_with_usage_and_reason(self) -> None:
        chunks = list(ScriptedLM(["one two  three\n"]).stream("?"))
        assert "".join(chunk.text for chunk in chunks[:-2] if isinstance(chunk, dsp.TextChunk)) == "one two  three\n"
        assert isinstance(chunks[-2], dsp.UsageChunk)
        assert chunks[-1] == dsp.FinishChunk("stop")

    def test_a_stream_that_never_began_is_tried_again(self) -> None:
        lm = ScriptedLM([TimeoutError(), REPLY])
        assert len(list(lm.stream("?"))) == 4
        (entry,) = dsp.history(1)
        assert len(entry.attempts) == 2
        assert entry.first_token is not None
        assert entry.response is not None
        assert entry.response.text == REPLY

    def test_one_that_is_no_longer_read_is_remembered_too(self) -> None:
        stream = ScriptedLM(["one two three"]).stream("remembered")
        next(stream)
        stream.close()
        (entry,) = dsp.history(1)
        assert entry.request.messages[0].text == "remembered"
        assert entry.response is not None
        assert entry.response.finish_reason == "other"


class TestTheModelItself:
    def test_parameters_of_the_call_win_over_those_of_the_model(self) -> None:
        lm = ScriptedLM([REPLY] * 2, temperature=0.0, seed=1)
        lm("?", seed=2)
        assert lm.requests[0].params == {"temperature": 0.0, "seed": 2}

    def test_a_copy_has_other_parameters_and_the_same_cache(self) -> None:
        lm = ScriptedLM([REPLY], cache=dsp.MemoryCache())
        warm = lm.with_(temperature=0.5)
        warm("?")
        assert lm.requests[0].params == {"temperature": 0.5}
        assert lm("?", temperature=0.5) == REPLY
        assert lm.params == {}

    @pytest.mark.parametrize(("wrong", "hint"), [("temprature", "temperature"), ("frobnicate", "extra")])
    def test_an_unknown_parameter_is_refused_with_the_nearest(self, wrong: str, hint: str) -> None:
        with pytest.raises(dsp.SettingsError, match=hint):
            dsp.LM("embedded", **{wrong: 1})  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("messages", "hint"),
        [([], "no message"), ([{"role": "user"}], r"dsp\.Message"), ([dsp.Message("robot", "x")], "robot")],  # type: ignore[arg-type]
    )
    def test_messages_that_no_provider_takes_are_refused(self, messages: list[dsp.Message], hint: str) -> None:
        lm = ScriptedLM([REPLY])
        with pytest.raises(dsp.InvalidMessages, match=hint):
            lm(messages)
        assert lm.requests == []

    def test_a_model_cannot_be_pickled_by_accident(self) -> None:
        import pickle

        with pytest.raises(TypeError, match="model name"):
            pickle.dumps(ScriptedLM([]))

    def test_a_script_says_when_it_has_ended(self) -> None:
        lm = ScriptedLM(["only"])
        lm("1")
        with pytest.raises(ScriptEnded, match=r"1 replies.*reply 2"):
            lm("2")

    @pytest.mark.parametrize("how", ["whole", "stream"])
    def test_a_mistake_in_a_backend_passes_through_and_is_remembered(self, how: str) -> None:
        lm = ScriptedLM([ZeroDivisionError("a bug"), REPLY])
        with dsp.track() as spent, pytest.raises(ZeroDivisionError):
            lm("?") if how == "whole" else list(lm.stream("?"))
        (entry,) = spent.calls
        assert dsp.history(1) == [entry]
        assert entry.error is not None
        assert (entry.error.reason, entry.error.message) == ("unexpected_result", "ZeroDivisionError: a bug")
        assert [attempt.error for attempt in entry.attempts] == [entry.error]
        assert entry.cost is spent.cost is None

    def test_closing_leaves_the_model_usable(self) -> None:
        lm = ScriptedLM([REPLY] * 2, delay=0.001)
        lm("1")
        lm.close()
        dsp.close()
        assert lm("2") == REPLY
        asyncio.run(lm.aclose())
        asyncio.run(dsp.aclose())
