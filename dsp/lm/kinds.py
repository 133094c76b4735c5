"""What the arguments of `LM` can be: what a type checker would have found, before it fails in the middle of a call."""

from __future__ import annotations

from collections.abc import Mapping

from dsp.errors import SettingsError
from dsp.lm.layers.permits import Limits
from dsp.lm.layers.retry import Retry

__all__ = ["check_kinds", "check_values"]

KINDS = {
    "model": "write 'provider/model', such as 'openai/gpt-4o-mini', or 'embedded'",
    "api_key": "pass a text, or a function that returns one",
    "base_url": "pass a text, such as 'http://localhost:8000/v1'",
    "backend": "write 'auto', 'litellm' or 'direct', or pass an object with the methods of `dsp.Backend`",
    "cache": "pass True, False or a cache, such as `dsp.MemoryCache()`",
    "retry": "write `dsp.Retry(attempts=3)`, or None for never",
    "limits": "write `dsp.Limits(concurrency=3)`, or None for no limit",
}


def check_kinds(**values: object) -> None:
    """Look at the arguments of `LM`, by their names.

    Raises:
        SettingsError: With what was given, and what to pass instead.
    """
    for name, value in values.items():
        if not _is_kind(name, value):
            hint = f" Did you mean `{value.__name__}(...)`?" if isinstance(value, type) else ""
            shown = type(value).__name__ if name == "api_key" else repr(value)
            raise SettingsError(f"{name}={shown:.80} is nothing that an LM can use: {KINDS[name]}.{hint}")


def check_values(timeout: object, extra: object) -> None:
    """Look at the parameters that dsp itself reads; None for one that is not set.

    Raises:
        SettingsError: With what was given, and what to write instead.
    """
    if timeout is not None and not (isinstance(timeout, int | float) and not isinstance(timeout, bool) and timeout > 0):
        raise SettingsError(f"timeout={timeout!r} leaves no time: give seconds above 0, or leave it out.")
    if extra is not None and not isinstance(extra, Mapping):
        raise SettingsError(f"extra={extra!r:.80} holds no names: write extra={{'top_k': 5}}.")


def _is_kind(name: str, value: object) -> bool:
    match name:
        case "model":
            return isinstance(value, str)
        case "api_key":
            return value is None or isinstance(value, str) or callable(value)
        case "base_url":
            return value is None or isinstance(value, str)
        case "retry":
            return value is None or isinstance(value, Retry)
        case "limits":
            return value is None or isinstance(value, Limits)
        case "cache":
            return isinstance(value, bool) or (_has(value, "get", "put", "delete") and not isinstance(value, type))
        case _:
            return isinstance(value, str) or (_has(value, "complete", "stream", "name") and not isinstance(value, type))


def _has(value: object, *names: str) -> bool:
    return all(hasattr(value, name) for name in names)
