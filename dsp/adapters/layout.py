"""Templates made into layouts: rendered once with places for the values, filled by joining strings.

The template file stays the one source of the layout; a call pays for a join, not for a rendering.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["Layout", "places"]

PLACE = re.compile("\0(\\d+)\0")


def places(count: int) -> list[str]:
    """What to render a template with: a mark for each value."""
    return [f"\0{index}\0" for index in range(count)]


class Layout:
    """A text with places for values."""

    def __init__(self, rendered: str) -> None:
        pieces = PLACE.split(rendered)
        self._pieces = pieces
        self._order = tuple(int(index) for index in pieces[1::2])

    def fill(self, values: Sequence[str]) -> str:
        """The text with the values in their places, as they are."""
        pieces = self._pieces.copy()
        pieces[1::2] = [values[index] for index in self._order]
        return "".join(pieces)
