"""What a reply cost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsp.lm.backends.catalogue import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsp.usage import Usage

__all__ = ["cost_of"]

ABOVE = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


def cost_of(model: str, usage: Usage, *, tier: str | None = None) -> float | None:
    """US dollars for these tokens; None when the price is unknown, never 0 for want of knowing.

    Prices are those of the installed LiteLLM's table. Tokens from the provider's cache and tokens of thinking have
    their own price where the table names one, and so have long prompts and service tiers.

    Args:
        model: The model, with or without its provider.
        usage: What was spent.
        tier: The service tier that answered (`flex`, `priority`), where the provider names it.

    Example:
        >>> from dsp.usage import Usage
        >>> cost_of("a-model-that-nobody-lists", Usage(10, 10)) is None
        True
    """
    entry = listed(model)
    if entry is None:
        return None
    prices = entry.prices
    end = f"_{tier}" if tier in ("flex", "priority") else ""
    long = max((k for k in _thresholds(prices) if usage.prompt_tokens > k * 1000), default=None)

    def price(name: str) -> float | None:
        sizes = ("",) if long is None else (f"_above_{long}k_tokens", "")
        found = (prices.get(name + size + ending) for size in sizes for ending in dict.fromkeys((end, "")))
        return next((value for value in found if value is not None), None)

    read, written = price("input_cost_per_token"), price("output_cost_per_token")
    if read is None or written is None:
        return None
    cached, thought = price("cache_read_input_token_cost"), price("output_cost_per_reasoning_token")
    return (
        (usage.prompt_tokens - usage.cached_tokens) * read
        + usage.cached_tokens * (read if cached is None else cached)
        + (usage.completion_tokens - usage.reasoning_tokens) * written
        + usage.reasoning_tokens * (written if thought is None else thought)
    )


def _thresholds(prices: Mapping[str, float]) -> list[int]:
    return [int(match[1]) for name in prices if (match := ABOVE.fullmatch(name))]
