"""The adapter that holds where a program names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dsp import settings
from dsp.adapters.chat import ChatAdapter
from dsp.adapters.fallback import FallbackAdapter
from dsp.adapters.json_object import JSONAdapter

if TYPE_CHECKING:
    from dsp.adapters.adapter import Adapter

__all__ = ["current_adapter"]

DEFAULT = FallbackAdapter(ChatAdapter(), JSONAdapter(), reask=1)


def current_adapter() -> Adapter:
    """The adapter of the context or the configured one; else chat markers with JSON behind them."""
    chosen = cast("Adapter | None", settings.setting("adapter"))  # checked by configure
    return DEFAULT if chosen is None else chosen
