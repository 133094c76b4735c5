"""What was mended: each kind of repair once, with what it costs, where it was first needed and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

__all__ = ["TORN", "Budget", "Notes", "SyntaxFault", "Written", "as_written"]

TORN = "the text ends within a value"
"""The repair of a text whose last string or number may go on."""


class SyntaxFault(Exception):
    """No value can be read here."""

    def __init__(self, why: str, position: int, *, cut: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.position = position
        self.cut = cut
        """Whether the text ended before the value did."""


class Written(float):
    """A number with a fraction or an exponent, and how it was written: a float keeps some seventeen digits of it."""

    text: str

    def __new__(cls, text: str) -> Self:
        """The number of a text."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def as_written(value: float) -> str:
    """The digits of a number, all that were written where they are known."""
    return value.text if isinstance(value, Written) else str(value)


@dataclass
class Budget:
    """The work that one text may cost."""

    steps: int

    def spend(self, steps: int, position: int) -> None:
        """Count work.

        Raises:
            SyntaxFault: The work is used up.
        """
        self.steps -= steps
        if self.steps < 0:
            raise SyntaxFault("the text is too long and too broken to be mended", position)


class Notes:
    """The repairs of one reading."""

    __slots__ = ("base", "found")

    def __init__(self, base: int = 0) -> None:
        self.base: int = base
        """Where the text that is read begins within the text that was given."""
        self.found: dict[str, list[int]] = {}

    def add(self, what: str, position: int, cost: int = 1) -> None:
        """Note a repair at a place; a kind costs what its dearest case costs."""
        known = self.found.get(what)
        if known is None:
            self.found[what] = [cost, position + self.base, 1]
        else:
            known[2] += 1

    def __contains__(self, what: str) -> bool:
        return what in self.found

    @property
    def cost(self) -> int:
        """What all of them cost together: one for the harmless, more for what might have been meant otherwise."""
        return sum(one[0] for one in self.found.values())

    @property
    def lines(self) -> tuple[str, ...]:
        """Each repair in words, with the character where it was first needed."""
        return tuple(
            f"{what} (at character {first}{f', and {times - 1} more' if times > 1 else ''})"
            for what, (_, first, times) in self.found.items()
        )
