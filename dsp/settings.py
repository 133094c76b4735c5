"""What is configured, and for whom.

An explicit argument wins over `with context(...)`, that over `configure(...)`, that over the environment (`DSP_*`),
that over the default. A context is a `ContextVar`: it follows into every task and thread that dsp starts, and into your
own threads with `copy_context(fn)`.

| variable | what it sets |
|---|---|
| `DSP_MODEL` | the model of programs that name none, `provider/model` |
| `DSP_BASE_URL` | where that model is served, for an OpenAI-compatible server |
| `DSP_CACHE` | `memory` (the default), `disk` or `off` |
| `DSP_CACHE_DIR` | where the disk cache is (`~/.cache/dsp`) |
| `DSP_TIMEOUT` | seconds for a whole model call, retries included (600) |
| `DSP_HISTORY_SIZE` | how many calls `dsp.history()` keeps (100) |
| `DSP_LOG` | a level (`debug`, `info`, ...): the logger `dsp` then writes to stderr |
"""

from __future__ import annotations

import difflib
import logging
import os
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from contextvars import copy_context as copy_current_context
from functools import wraps
from typing import TYPE_CHECKING, Any, Never, ParamSpec, TypeVar, cast

from dsp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

    from dsp.adapters import Adapter
    from dsp.lm import LM, Cache
    from dsp.tracing import Collector

P = ParamSpec("P")
T = TypeVar("T")

__all__ = [
    "check",
    "configure",
    "context",
    "copy_context",
    "load_env",
    "on_reset",
    "reset",
    "seconds",
    "setting",
    "start_logging",
    "variable",
    "whole_number",
]

NAMES = ("lm", "adapter", "cache", "collectors")

_configured: dict[str, object] = {}
_here: ContextVar[Mapping[str, object] | None] = ContextVar("dsp_settings", default=None)
_resets: list[Callable[[], None]] = []
_refreshes: list[Callable[[], None]] = []

_UNSET: Any = object()  # Any: it stands in for a value of every setting's type


def configure(
    *,
    lm: LM | str | None = _UNSET,
    adapter: Adapter | None = _UNSET,
    cache: Cache | bool | None = _UNSET,
    collectors: Sequence[Collector] = _UNSET,
    **unknown: Never,
) -> None:
    """Set what programs use where they name nothing themselves. Works from any thread; None takes a setting back.

    Args:
        lm: The model, or its name.
        adapter: How prompts are written and replies are read.
        cache: The cache of models that name none; False for no cache.
        collectors: Called with every `HistoryEntry`.
        **unknown: Nothing: a misspelt name is an error, for the type checker and at run time.

    Raises:
        SettingsError: An unknown name, or a value that the setting cannot take.
    """
    global _configured  # noqa: PLW0603 - replaced as a whole, so that no reader sees half a change
    given = _checked(unknown, lm=lm, adapter=adapter, cache=cache, collectors=collectors)
    _configured = _merged(_configured, given)


@contextmanager
def context(
    *,
    lm: LM | str | None = _UNSET,
    adapter: Adapter | None = _UNSET,
    cache: Cache | bool | None = _UNSET,
    collectors: Sequence[Collector] = _UNSET,
    **unknown: Never,
) -> Generator[None]:
    """The same for the code inside the `with`, and for the tasks and threads that dsp starts from there.

    Raises:
        SettingsError: An unknown name, or a value that the setting cannot take.
    """
    given = _checked(unknown, lm=lm, adapter=adapter, cache=cache, collectors=collectors)
    token = _here.set(_merged(_here.get() or {}, given))
    try:
        yield
    finally:
        _here.reset(token)


def reset() -> None:
    """Forget all that was configured, and read the environment anew. Contexts that are open stay as they are."""
    global _configured  # noqa: PLW0603 - as in configure
    _configured = {}
    for forget in _resets:
        forget()


def on_reset(forget: Callable[[], None], refresh: Callable[[], None] | None = None) -> None:
    """For what a room made from the environment, or learnt under the settings.

    Args:
        forget: Called at every `reset()`: drop it.
        refresh: Called when `load_env` has set variables: make it anew where they say something else now, and keep what
            is in it. None for what does not depend on the environment.
    """
    _resets.append(forget)
    if refresh is not None:
        _refreshes.append(refresh)


def setting(name: str) -> object:
    """The value that holds here, or None: context, then what was configured. The rooms know each value's type."""
    here = _here.get()
    if here is not None and name in here:
        return here[name]
    return _configured.get(name)


def variable(name: str) -> str | None:
    """The value of a `DSP_*` variable; an empty one counts as unset."""
    return os.environ.get(name) or None


def whole_number(name: str, default: int, *, least: int = 0) -> int:
    """A `DSP_*` variable that is a whole number.

    Raises:
        SettingsError: It is set to something else, or to less than `least`.
    """
    text = variable(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < least:
        raise SettingsError(f"{name}={text!r} is not a whole number of at least {least}: write {name}={default}.")
    return int(text)


def seconds(name: str, default: float) -> float:
    """A `DSP_*` variable that is a number of seconds.

    Raises:
        SettingsError: It is set to something else, or to nothing above 0.
    """
    text = variable(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise SettingsError(f"{name}={text!r} is not a number of seconds above 0: write {name}={default:g}.")
    return value


def load_env(path: str | Path = ".env") -> None:
    """Set environment variables from a file, only when asked: `import dsp` reads none. Variables that are set stay.

    They hold from here on, after a first call too; what was configured stays as it is.

    Raises:
        SettingsError: There is no such file, or a `DSP_*` variable in it that is needed now cannot be what it is.
    """
    from dotenv import load_dotenv

    if not os.path.isfile(path):  # noqa: PTH113 - a str or a Path
        raise SettingsError(f"There is no file {str(path)!r} to read variables from.")
    before = dict(os.environ)
    load_dotenv(path, override=False, interpolate=False)
    start_logging()
    if before != os.environ:
        for refresh in _refreshes:
            refresh()


def copy_context(fn: Callable[P, T], /) -> Callable[P, T]:
    """`fn`, bound to the settings and the run that hold here: for threads that you start yourself.

    Example:
        >>> import threading
        >>> with context(lm="embedded"):
        ...     thread = threading.Thread(target=copy_context(lambda: print(setting("lm"))))
        >>> thread.start(); thread.join()
        embedded
    """
    held = copy_current_context()

    @wraps(fn)
    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        # A copy for each call: the same context cannot be entered twice at once.
        return held.copy().run(fn, *args, **kwargs)

    return bound


def start_logging() -> None:
    """Have the logger `dsp` write to stderr, if `DSP_LOG` asks for it. What is no level is warned of: `import dsp` goes on."""
    name = variable("DSP_LOG")
    if name is None:
        return
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        warnings.warn(
            f"DSP_LOG={name!r} is not a level, and nothing is logged: write debug, info, warning or error.",
            stacklevel=2,
        )
        return
    logger = logging.getLogger("dsp")
    logger.setLevel(level)
    if not any(type(handler) is logging.StreamHandler for handler in logger.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)


def _merged(below: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """None takes a setting back, so that what is below it holds again."""
    return {name: value for name, value in {**below, **given}.items() if value is not None}


def _checked(unknown: Mapping[str, object], **values: object) -> dict[str, object]:
    for name in unknown:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else f" There are {', '.join(NAMES)}."
        raise SettingsError(f"There is no setting `{name}`.{hint}")
    given = {name: value for name, value in values.items() if value is not _UNSET}
    for name, value in given.items():
        check(name, value)
    return given


def check(name: str, value: object) -> None:
    """Find what a type checker would have found: a value that the setting, or a program's argument, cannot be.

    Raises:
        SettingsError: With what was given, and what to pass instead.
    """
    if value is not None and not _fits(name, value):
        call = f" Did you mean `{value.__name__}(...)`?" if isinstance(value, type) else ""
        raise SettingsError(f"`{name}` cannot be {value!r:.80}: {_WANTED[name]}.{call}")


_WANTED = {
    "lm": "pass an `LM`, or a name such as 'openai/gpt-4o-mini'",
    "adapter": "pass an adapter, such as `dsp.ChatAdapter()`",
    "cache": "pass a cache, such as `dsp.MemoryCache()`, or False",
    "collectors": "pass a list of functions that take a `HistoryEntry`",
}


def _fits(name: str, value: object) -> bool:
    if isinstance(value, type):
        return False  # a class has its instances' methods, and no `self` to call them with
    match name:
        case "lm":
            return (isinstance(value, str) and bool(value)) or hasattr(value, "acomplete")
        case "adapter":
            return hasattr(value, "arun") and hasattr(value, "format")
        case "cache":
            return isinstance(value, bool) or (hasattr(value, "get") and hasattr(value, "put"))
        case _:
            return isinstance(value, list | tuple) and all(map(callable, cast("Sequence[object]", value)))


logging.getLogger("dsp").addHandler(logging.NullHandler())
