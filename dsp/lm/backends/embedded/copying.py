"""Text copied out of an input, in the way in which examples copy theirs: by its look, its neighbours, or whole sentences."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from dsp.lm.backends.embedded.strings import fitted
from dsp.lm.backends.embedded.words import stems_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsp.lm.backends.embedded.field import Field
    from dsp.lm.backends.embedded.source import Source

__all__ = ["copied"]

LOOKED_AT = 16
"""How many of the nearest examples are learned from."""
READ = 20_000
"""Characters of an input in which a piece is looked for."""
TOKEN = re.compile(r"[^\W_]+|[^\w\s]")
PIECE = re.compile(r"[^\s,;:!?()\"\u201c\u201d]+")
RUNS = ((re.compile(r"[0-9]+"), "9"), (re.compile(r"[A-Z]+"), "A"), (re.compile(r"[a-z]+"), "a"))


def copied(field: Field, examples: Sequence[tuple[float, str, str]], source: Source) -> str | None:
    """What to copy from the source; each example is how near it is, its input, and what was copied from that.

    None when nothing in the source is like what the examples copy.
    """
    near = [example for example in examples[:LOOKED_AT] if example[2].strip() and example[2] in example[1]]
    text = source.searched[:READ]
    if sum(len(value.split()) >= 5 for _, _, value in near) * 2 < len(near):
        found = _of_same_look([value for _, _, value in near], text) or _with_same_neighbours(near, text)
        if found:
            return fitted(found, field.shape, source)
    wanted = Counter(stem for _, _, value in near for stem in stems_of(value))
    hints = source.hints(field)
    for stem, count in wanted.items():
        if count >= 2:
            hints.setdefault(stem, 0.5 * count / len(near))
    ranked = source.ranked(hints)
    return fitted(ranked[0][1].text, field.shape, source) if ranked else None


def _look(text: str) -> str:
    for run, mark in RUNS:
        text = run.sub(mark, text)
    return text


def _of_same_look(values: Sequence[str], text: str) -> str | None:
    """A piece that looks like all the values do, when that look is a telling one: `A-9`, `9/9`, `a@a.a`."""
    looks = {_look(value) for value in values}
    if len(looks) > 2 or any(look.isalpha() or " " in look for look in looks):
        return None
    for piece in PIECE.finditer(text):
        if _look(piece[0].rstrip(".")) in looks:
            return piece[0].rstrip(".")
    return None


def _with_same_neighbours(examples: Sequence[tuple[float, str, str]], text: str) -> str | None:
    """What follows the words that the values follow in the examples."""
    best: tuple[float, str] | None = None
    for near, asked, value in examples:
        before = [token[0] for token in TOKEN.finditer(asked[: asked.find(value)][-200:])]
        for size in (3, 2, 1):
            left = before[-size:]
            if len(left) < size or (size == 1 and not stems_of(left[0])):
                continue
            place = re.search(r"(?<!\w)" + r"\s*".join(map(re.escape, left)) + r"\s*", text, re.IGNORECASE)
            if place is None:
                continue
            line = re.split(r"[\n,;:!?()]|\.(?=\s|$)", text[place.end() : place.end() + 200], maxsplit=1)[0]
            found = " ".join(line.split()[: len(value.split())])
            score = near * size * size
            if found and found in text and (best is None or score > best[0]):
                best = (score, found)
            break
    return best[1] if best else None
