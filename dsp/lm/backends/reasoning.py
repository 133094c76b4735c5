"""Which parameters a reasoning model refuses."""

from __future__ import annotations

import re
from functools import lru_cache
from logging import Logger, getLogger
from typing import TYPE_CHECKING

from dsp.lm.backends.catalogue import listed

if TYPE_CHECKING:
    from dsp.messages import ModelParams

__all__ = ["is_reasoning", "refused", "warn_dropped"]

logger: Logger = getLogger("dsp")

# o1, o3-mini, o4-mini, gpt-5, gpt-5.1, gpt-6-...; the chat variants (gpt-5-chat-latest) take everything.
REASONING = re.compile(r"(?:o[1-9]\d*|gpt-(?:[5-9]|[1-9]\d)(?:\.\d+)?)(?:-(?!chat)|$)")
NO_STOP = re.compile(r"(?:o[3-9]|gpt-)")


@lru_cache(maxsize=256)
def is_reasoning(model: str) -> bool:
    """Whether the name is one of OpenAI's reasoning models, with or without a provider before it.

    Example:
        >>> is_reasoning("openai/o3-mini"), is_reasoning("gpt-5.1"), is_reasoning("gpt-4o"), is_reasoning("gpt-5-chat-latest")
        (True, True, False, False)
    """
    return REASONING.match(model.rpartition("/")[2]) is not None


def refused(model: str, params: ModelParams) -> tuple[str, ...]:
    """The parameters among these that the model answers with an error; nothing for other models.

    A model that does not think (effort `none`, asked for or its default) takes temperature and top_p; the others take
    a temperature of 1 only.
    """
    if not is_reasoning(model):
        return ()
    names: list[str] = []
    if ("temperature" in params and params["temperature"] != 1) or "top_p" in params:
        effort: str | None = params.get("reasoning_effort")
        if effort is None and (entry := listed(model)) is not None:
            effort = entry.default_effort
        if effort != "none":
            names += [name for name in ("temperature", "top_p") if name in params]
            if params.get("temperature") == 1:
                names.remove("temperature")
    if "stop" in params and NO_STOP.match(model.rpartition("/")[2]):
        names.append("stop")
    return tuple(names)


def warn_dropped(model: str, names: tuple[str, ...]) -> None:
    """Says once for a model and its parameters that they are not sent."""
    if names:
        _warn_once(model, names)


@lru_cache(maxsize=1024)
def _warn_once(model: str, names: tuple[str, ...]) -> None:
    logger.warning("%s does not take %s: not sent", model, ", ".join(names))
