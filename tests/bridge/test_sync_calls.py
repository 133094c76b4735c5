"""A sync call: in the caller's thread while nothing waits, on the background loop when something does."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from dsp.bridge import background, call_plain, close, iterate_sync, run_sync, to_loop
from dsp.errors import DeadlockError, RunError


def here(_: object = None) -> int:
    return threading.get_ident()


async def waits() -> int:
    await to_loop()
    await asyncio.sleep(0)
    return threading.get_ident()


def test_what_never_waits_stays_in_the_callers_thread() -> None:
    async def work() -> int:
        return threading.get_ident()

    assert run_sync(work()) == threading.get_ident()


def test_what_waits_goes_on_elsewhere() -> None:
    assert run_sync(waits()) != threading.get_ident()


def test_every_waiting_call_uses_the_same_background_loop() -> None:
    assert run_sync(waits()) == run_sync(waits())


def test_an_exception_before_and_after_the_handover_reaches_the_caller() -> None:
    async def early() -> None:
        raise KeyError("early")

    async def late() -> None:
        await to_loop()
        raise KeyError("late")

    for work in (early, late):
        with pytest.raises(KeyError, match=work.__name__):
            run_sync(work())


def test_a_context_variable_set_before_the_handover_can_be_reset_after_it() -> None:
    variable = contextvars.ContextVar("variable", default=0)

    async def work() -> int:
        token = variable.set(1)
        await to_loop()
        seen = variable.get()
        variable.reset(token)
        return seen

    assert run_sync(work()) == 1
    assert variable.get() == 0


def test_a_plain_function_runs_in_the_thread_of_the_sync_call() -> None:
    async def before() -> int:
        return await call_plain(here, None)

    async def after() -> int:
        await to_loop()
        return await call_plain(here, None)

    assert run_sync(before()) == run_sync(after()) == threading.get_ident()


def test_a_plain_function_reached_from_async_runs_in_a_worker_thread_with_the_callers_context() -> None:
    variable = contextvars.ContextVar("variable", default="outside")

    async def main() -> tuple[int, str]:
        variable.set("inside")
        return await call_plain(lambda _: (threading.get_ident(), variable.get()), None)

    thread, seen = asyncio.run(main())
    assert thread != threading.get_ident()
    assert seen == "inside"


def test_an_exception_of_a_plain_function_reaches_the_coroutine() -> None:
    def fails(_: object) -> None:
        raise LookupError("in the function")

    async def main() -> None:
        await to_loop()
        await call_plain(fails, None)

    with pytest.raises(LookupError, match="in the function"):
        run_sync(main())
    with pytest.raises(LookupError, match="in the function"):
        asyncio.run(main())


def test_a_sync_call_inside_a_plain_function_inside_a_sync_call() -> None:
    def inner(_: object) -> tuple[int, int]:
        return threading.get_ident(), run_sync(waits())

    async def outer() -> tuple[int, int]:
        await to_loop()
        return await call_plain(inner, None)

    caller, loop = run_sync(outer())
    assert caller == threading.get_ident() != loop


def test_a_sync_call_inside_a_running_loop_works() -> None:
    async def main() -> int:
        return run_sync(waits())

    assert asyncio.run(main()) != threading.get_ident()


def test_a_sync_call_on_the_background_loop_itself_works() -> None:
    async def main() -> tuple[int, int]:
        await to_loop()
        return threading.get_ident(), run_sync(waits())

    first, second = run_sync(main())
    assert first != second


def test_a_loop_started_inside_a_plain_function_is_left_alone() -> None:
    def starts_a_loop(_: object) -> tuple[int, int]:
        async def inner() -> tuple[int, int]:
            await to_loop()
            await asyncio.sleep(0)
            return threading.get_ident(), await call_plain(here, None)

        return asyncio.run(inner())

    async def before() -> tuple[int, int]:
        return await call_plain(starts_a_loop, None)

    async def after() -> tuple[int, int]:
        await to_loop()
        return await call_plain(starts_a_loop, None)

    for work in (before, after):
        loop, worker = run_sync(work())
        assert loop == threading.get_ident() != worker


def test_waiting_without_saying_so_is_an_error_and_not_a_hang() -> None:
    class Never:
        def __await__(self):
            yield "something"

    async def main() -> None:
        await Never()

    with pytest.raises(DeadlockError, match="acall"):
        run_sync(main())


def test_background_work_runs_on_dsps_loop_from_any_loop() -> None:
    async def thread() -> int:
        return threading.get_ident()

    async def main() -> int:
        return await background(thread)

    assert asyncio.run(main()) == run_sync(waits()) != threading.get_ident()


def test_cancelling_background_work_reaches_it() -> None:
    cancelled = threading.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(background(endless), 0.05)

    asyncio.run(main())
    assert cancelled.wait(5)


def test_cancelling_async_work_reaches_the_sync_calls_below_its_plain_functions() -> None:
    cancelled = threading.Event()

    async def endless() -> None:
        await to_loop()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call_plain(lambda _: run_sync(endless()), None), 0.05)

    asyncio.run(main())
    assert cancelled.wait(5)


def test_a_thousand_plain_functions_three_levels_deep_do_not_wait_for_a_free_thread() -> None:
    barrier = threading.Barrier(1_000)

    async def level(depth: int) -> int:
        return await call_plain(down, depth)

    def down(depth: int) -> int:
        if depth == 0:
            barrier.wait(30)  # passes only if all thousand are here at once
            return 1
        return run_sync(level(depth - 1))

    async def main() -> int:
        return sum(await asyncio.gather(*(level(2) for _ in range(1_000))))

    assert asyncio.run(main()) == 1_000


def test_an_interrupt_cancels_the_work_and_is_raised() -> None:
    code = """
import asyncio, sys
from dsp.bridge import run_sync, to_loop
async def main():
    await to_loop()
    print("started", flush=True)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise
try:
    run_sync(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert out.split() == ["cancelled", "interrupted"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_starts_afresh() -> None:
    code = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from dsp.bridge import run_sync, to_loop
import asyncio
async def work():
    await to_loop()
    await asyncio.sleep(0.01)
    return 7
assert run_sync(work()) == 7
child = os.fork()
if child == 0:
    os._exit(run_sync(work()))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), run_sync(work()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.split() == ["7", "7"]


class TestIterating:
    def test_items_arrive_in_order(self) -> None:
        async def numbers():
            for number in range(5):
                await asyncio.sleep(0)
                yield number

        assert list(iterate_sync(numbers)) == [0, 1, 2, 3, 4]

    def test_the_producer_runs_no_further_than_the_consumer_asks(self) -> None:
        made: list[int] = []

        async def numbers():
            for number in range(100):
                made.append(number)
                yield number

        items = iterate_sync(numbers)
        assert next(items) == 0
        time.sleep(0.05)
        assert len(made) <= 2
        items.close()

    def test_closing_early_cleans_up_the_producer(self) -> None:
        closed: list[bool] = []

        async def numbers():
            try:
                while True:
                    yield 1
            finally:
                closed.append(True)

        items = iterate_sync(numbers)
        next(items)
        items.close()
        assert closed == [True]

    def test_an_error_comes_after_what_came_before_it(self) -> None:
        async def numbers():
            yield 1
            raise OSError("broke")

        items = iterate_sync(numbers)
        assert next(items) == 1
        with pytest.raises(OSError, match="broke"):
            next(items)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_ends_a_thread_does_not_hang_async_callers(kind: type[BaseException]) -> None:
    def ends(_: object) -> None:
        raise kind

    async def main() -> None:
        await call_plain(ends, None)

    with pytest.raises(kind):
        asyncio.run(asyncio.wait_for(main(), 10))


def test_closing_ends_calls_under_way_with_an_error_of_ours() -> None:
    started = threading.Event()
    raised: list[BaseException] = []

    async def endless() -> None:
        await to_loop()
        started.set()
        await asyncio.sleep(60)

    def call() -> None:
        try:
            run_sync(endless())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert started.wait(5)
    close()
    thread.join(10)
    assert [type(error) for error in raised] == [RunError]
    assert run_sync(waits()) != threading.get_ident()
