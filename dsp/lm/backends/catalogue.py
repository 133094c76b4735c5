"""What is known of models before asking them: prices and defaults, from the table that LiteLLM ships.

The file is read from the installed package without importing it and without a network, once, when something is asked.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

__all__ = ["Listed", "listed", "providers"]

PRICE = re.compile(
    r"(?:input_cost_per_token|output_cost_per_token|cache_read_input_token_cost|output_cost_per_reasoning_token)"
    r"(?:_above_\d+k_tokens)?(?:_flex|_priority)?"
)
PROVIDER = re.compile(r'^    [A-Z0-9_]+ = "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Listed:
    """One model in the table."""

    provider: str
    prices: Mapping[str, float]
    """US dollars for a token, by the table's own names."""
    default_effort: str | None
    """The reasoning effort that the model uses when none is asked for."""


def listed(model: str) -> Listed | None:
    """The model's entry, looked up by its name with and without the provider; None if it is unknown."""
    table = _table()
    return table.get(model) or table.get(model.partition("/")[2])


def providers() -> frozenset[str]:
    """The names that LiteLLM knows before the slash in `provider/model`; empty if they cannot be found."""
    loaded = sys.modules.get("litellm")  # a program that uses LiteLLM itself may have added providers of its own
    own: list[dict[str, object]] = getattr(loaded, "custom_provider_map", [])
    return _shipped_providers() | {str(entry.get("provider")) for entry in own}


@cache
def _shipped_providers() -> frozenset[str]:
    package = _package()
    if package is None:
        return frozenset()
    support = _read(package / "provider_endpoints_support_backup.json").get("providers")
    names = set(support if isinstance(support, dict) else ())
    names.update(_read(package / "llms" / "openai_like" / "providers.json"))
    # Not every provider is in those two; the rest stand in an enum, read as text because its import takes seconds.
    types = package / "types" / "utils.py"
    text = types.read_text(encoding="utf-8") if types.is_file() else ""
    names.update(PROVIDER.findall(text.partition("class LlmProviders(str, Enum):")[2].partition("\nclass ")[0]))
    return frozenset(name for name in names if "/" not in name)


@cache
def _table() -> dict[str, Listed]:
    package = _package()
    if package is None:
        return {}
    table: dict[str, Listed] = {}
    for model, entry in _read(package / "model_prices_and_context_window_backup.json").items():
        if model == "sample_spec" or not isinstance(entry, dict):
            continue
        # Only the numbers that are used are kept: the whole table would hold some 15 MB for ever.
        prices = {
            sys.intern(name): float(value)
            for name, value in entry.items()
            if isinstance(value, int | float) and PRICE.fullmatch(name)
        }
        effort = entry.get("default_reasoning_effort")
        provider = sys.intern(str(entry.get("litellm_provider", "")))
        table[model] = Listed(provider, prices, effort if isinstance(effort, str) else None)
    return table


def _package() -> Path | None:
    spec = find_spec("litellm")  # of a top-level package this imports nothing
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _read(path: Path) -> dict[str, JsonValue]:
    if not path.is_file():
        return {}
    content: JsonValue = from_json(path.read_bytes())
    return content if isinstance(content, dict) else {}
