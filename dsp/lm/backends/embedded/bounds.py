"""The number to write when an input holds none that is in bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsp.lm.backends.embedded.shape import Bounds

__all__ = ["nearest_to_zero"]


def nearest_to_zero(bounds: Bounds, *, whole: bool = False) -> float:
    """The shortest number near zero that is in bounds; zero itself when no number is."""
    tries = [0.0]
    if bounds.low is not None:
        tries += [bounds.low, float(math.ceil(bounds.low))]
    if bounds.above is not None:
        tries += [float(math.floor(bounds.above)) + 1, bounds.above + 1e-6, _between(bounds.above, bounds)]
    if bounds.high is not None:
        tries += [bounds.high, float(math.floor(bounds.high))]
    if bounds.below is not None:
        tries += [float(math.ceil(bounds.below)) - 1, bounds.below - 1e-6]
    if bounds.step:
        start = bounds.low if bounds.low is not None else bounds.above if bounds.above is not None else 0.0
        tries += [(math.ceil(start / bounds.step) + more) * bounds.step for more in (0, 1)]
        end = bounds.high if bounds.high is not None else bounds.below if bounds.below is not None else 0.0
        tries += [(math.floor(end / bounds.step) - less) * bounds.step for less in (0, 1)]
    fitting = [value for value in tries if bounds.holds(value) and (not whole or value.is_integer())]
    return min(fitting, key=lambda value: (len(repr(value)), abs(value), value)) if fitting else 0.0


def _between(above: float, bounds: Bounds) -> float:
    high = bounds.high if bounds.high is not None else bounds.below
    return (above + high) / 2 if high is not None else above + 1
