"""The one way from sync to async: how a sync call runs coroutines, and where plain functions run.

Every program and every model call is written once, as a coroutine. A sync call steps it in the caller's thread for as
long as nothing has to be waited for, then hands it to one background loop per process, in the same context. Code that
is about to wait says so with `await to_loop()`.
"""

from dsp.bridge.fork import ForkSafeLock, on_fork, renew_on_fork
from dsp.bridge.loops import background, close
from dsp.bridge.plain import call_function, call_plain
from dsp.bridge.sync import blocked_loops, is_blocked, iterate_sync, run_sync, running_loop, stuck_behind, to_loop

__all__ = [
    "ForkSafeLock",
    "background",
    "blocked_loops",
    "call_function",
    "call_plain",
    "close",
    "is_blocked",
    "iterate_sync",
    "on_fork",
    "renew_on_fork",
    "run_sync",
    "running_loop",
    "stuck_behind",
    "to_loop",
]
