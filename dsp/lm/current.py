"""The model that holds where a program names none."""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

from dsp import settings
from dsp.bridge import ForkSafeLock
from dsp.errors import NotConfigured
from dsp.lm.model import LM

__all__ = ["current_lm"]

MOST_NAMED = 64
"""How many models known by name only are kept with their connections."""

_named: OrderedDict[tuple[str, str | None], LM] = OrderedDict()
_lock = ForkSafeLock()


def current_lm(explicit: LM | str | None = None) -> LM:
    """The model to use: the explicit one, else the one of the context, the configured one, or `DSP_MODEL`.

    Raises:
        NotConfigured: There is none.
        UnsupportedProvider: It is a name that no backend knows.
    """
    if explicit is None:
        explicit = cast("LM | str | None", settings.setting("lm"))  # checked by configure
    if explicit is not None:
        return _by_name(explicit, None) if isinstance(explicit, str) else explicit
    name = settings.variable("DSP_MODEL")
    if name is None:
        raise NotConfigured(
            "No model is set. Write dsp.configure(lm='openai/gpt-4o-mini'), pass lm=... to the program, or set the "
            "variable DSP_MODEL; lm='embedded' needs no key."
        )
    return _by_name(name, settings.variable("DSP_BASE_URL"))


def _by_name(name: str, base_url: str | None) -> LM:
    """One model for each name, so that its cache, limits and connections are shared."""
    with _lock:
        found = _named.get((name, base_url))
        if found is None:
            found = _named[name, base_url] = LM(name, base_url=base_url)
            if len(_named) > MOST_NAMED:
                _named.popitem(last=False)
        return found


# The environment may name another address for the same name: the next call makes its model anew.
settings.on_reset(_named.clear, _named.clear)
