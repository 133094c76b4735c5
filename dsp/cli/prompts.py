"""The exact messages that a predictor would send, for reading."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import dsp
from dsp.cli.exits import WrongUsage
from dsp.programs.tree import label_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AdapterName", "as_text", "predictor_at"]


class AdapterName(StrEnum):
    """The adapters that `--adapter` names."""

    CHAT = "chat"
    JSON = "json"
    XML = "xml"

    def made(self) -> dsp.Adapter:
        """The adapter."""
        match self:
            case AdapterName.CHAT:
                return dsp.ChatAdapter()
            case AdapterName.JSON:
                return dsp.JSONAdapter()
            case AdapterName.XML:
                return dsp.XMLAdapter()


def predictor_at(program: dsp.Program[Any, Any], step: str | None) -> dsp.Predict[Any, Any]:
    """The program itself where it asks a model; else the part of it that `step` names.

    Raises:
        WrongUsage: There is no such part, or none was named.
    """
    predictors = dict(program.predictors())
    own = predictors.pop("", None)
    if step is None and own is not None:
        return own
    if step is not None and step in predictors:
        return predictors[step]
    if not predictors:
        raise WrongUsage(
            f"`{label_of(program)}` has no steps: leave out --step."
            if own is not None
            else f"`{label_of(program)}` holds nothing that asks a model, so there is no prompt. (A program that is used as "
            "a global, and not held in an attribute, is not seen: render it by its own name.)"
        )
    there = "".join(f"\n  --step {path!r}" for path in predictors)
    if step is None:
        raise WrongUsage(f"`{label_of(program)}` is built of others: say which of them to render.{there}")
    near = difflib.get_close_matches(step, predictors, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise WrongUsage(f"`{label_of(program)}` has no step {step!r}.{hint} There is:{there}")


def as_text(messages: Sequence[dsp.Message]) -> str:
    """Messages one after the other, each under its role."""
    return "\n".join(f"--- {message.role} ---\n{message.text.rstrip()}\n" for message in messages)
