"""What validation found wrong, as sentences that a model or a person can act on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["explain", "place", "shown"]

MOST = 20
"""How many errors are told; a list of ten thousand wrong items is one mistake."""


def place(loc: tuple[int | str, ...]) -> str:
    """Where an error is, as one would write it: `items[2].name`.

    Example:
        >>> place(("items", 2, "name"))
        'items[2].name'
    """
    path = ""
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path


def shown(value: object, limit: int = 80) -> str:
    """A value as JSON, cut to a readable length."""
    try:
        text = (
            json.dumps(value, ensure_ascii=False)
            if not isinstance(value, str)
            else json.dumps(value[: limit + 1], ensure_ascii=False)
        )
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def explain(error: ValidationError, types: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each error: the field, what was got, what was expected.

    Args:
        error: What Pydantic raised.
        types: What a prompt says of the type of each top-level field, to be told again.
    """
    details = error.errors(include_url=False, include_context=False)
    sentences = [_sentence(one, types or {}) for one in details[:MOST]]
    if len(details) > MOST:
        sentences.append(f"There are {len(details) - MOST} more errors of this kind.")
    return sentences


def _sentence(one: ErrorDetails, types: Mapping[str, str]) -> str:
    loc = one["loc"]
    where = f"`{place(loc)}`" if loc else "The value"
    if one["type"] == "missing":
        return f"{where} is missing."
    if one["type"] == "json_invalid":
        return f"The text is not valid JSON: {one['msg'].partition(': ')[2] or one['msg']}."
    message = one["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    wanted = message.removeprefix("Input should be ")
    wanted = f"expected {wanted}" if wanted != message else message
    whole = types.get(str(loc[0])) if len(loc) == 1 else None
    field = f"{where} ({whole})" if whole else where
    return f"{field}: got {shown(one['input'])}; {wanted.rstrip('.')}."
