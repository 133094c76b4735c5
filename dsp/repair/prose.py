"""Which one of a few names a sentence means, when it says so plainly; and nothing when it denies, doubts or weighs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

from dsp.repair.scalars import bare
from dsp.repair.shape import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import JsonValue

    from dsp.repair.shape import ChoiceShape

__all__ = ["choose", "named", "truth_within", "written"]

LONGEST = 20_000
"""No longer text is searched for a name."""
DENIAL = re.compile(
    r"\b(?:not|never|no|nor|neither|none|hardly|barely|scarcely|without|wrong|incorrect|false|unlikely|instead|rather|"
    r"except|excluding|unclear|unsure|uncertain|cannot|far from|anything but|other than|opposed to|if|whether|unless|"
    r"maybe|perhaps|possibly|might|opposite|less|least|contrary|reverse|almost|nearly|borderline|mixed|partly|partially|both|lacks?|fails?|rule[sd]? out|ruling out|doubt\w*)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
DOUBT = re.compile(
    r"(?:\bnot|n['\u2019]t|\bcannot|\bhard to|\bimpossible to|\bunable to)\s+(?:\w+\s+){0,2}(?:certain|sure|clear|know|tell|say|"
    r"determine|decide|apply|applicable)|\b(?:unsure|uncertain|unclear|ambiguous|undecided|either)\b|\bcould be\b",
    re.IGNORECASE,
)
MARKED = re.compile(
    r"(?:\bis|\bchoose|\bpick|\boption|\banswer|\bchoice|\blabel|\bclass|\bcategory|[:=(\[\"'`*])\s{0,3}\Z",
    re.IGNORECASE,
)
AFTER_MARK = re.compile(r"\s{0,2}(?:[)\]:\"'`*]|\.?\s{0,3}\Z)")
SHORT = 1
SHORT_TEXT = 240
"""In a text of fewer characters every denial counts, in a longer one those of the sentences with the name."""
TRUTHS = (("true", True), ("false", False))


def written(value: JsonValue) -> str:
    """A member as it stands in JSON, without quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def choose(text: str, shape: ChoiceShape) -> tuple[JsonValue, bool] | None:
    """The one member that a text is, and whether exactly; None when it is none, or more than one."""
    for member in shape.members:
        if member.value == text and isinstance(member.value, str):
            return member.value, True
    word = bare(text)
    lower, plain = word.casefold(), normal(word)
    spellings: tuple[Callable[[str], bool], ...] = (
        lambda name: name == word,
        lambda name: name.casefold() == lower,
        lambda name: normal(name) == plain,
    )
    for spells in spellings:
        found = [one for one in shape.members if spells(written(one.value))]
        found = found or [one for one in shape.members if any(spells(name) for name in one.names)]
        if found:
            return (found[0].value, False) if len(found) == 1 else None
    return None


def named(text: str, shape: ChoiceShape) -> tuple[JsonValue] | None:
    """The one member that a text names; None when it names none, several, or one that it denies."""
    if len(text) > LONGEST:
        return None
    members = [(one.value, (written(one.value), *one.names)) for one in shape.members]
    return _only(text, members)


def truth_within(text: str) -> bool | None:
    """Whether a sentence says `true` or `false`, one of them and undenied."""
    if len(text) > LONGEST:
        return None
    found = _only(text, [(value, (word,)) for word, value in TRUTHS])
    return found[0] is True if found is not None else None


def _only(text: str, members: Sequence[tuple[JsonValue, tuple[str, ...]]]) -> tuple[JsonValue] | None:
    for fold in (_same, _folded):
        places = _places(fold(text), [(value, [fold(name) for name in names]) for value, names in members])
        if places:
            return _settled(fold(text), places)
    return None


def _same(text: str) -> str:
    return text


def _folded(text: str) -> str:
    """A text without case and accents."""
    if not text.isascii():
        text = "".join(letter for letter in normalize("NFKD", text) if not combining(letter))
    return text.casefold()


def _places(text: str, members: Sequence[tuple[JsonValue, list[str]]]) -> list[tuple[int, int, JsonValue]]:
    """Where members are named as whole words, the longest name first, so that `very high` is not `high`."""
    names: dict[str, list[JsonValue]] = {}
    for value, spellings in members:
        for name in filter(str.strip, spellings):
            known = names.setdefault(name, [])
            if not any(_equal(value, one) for one in known):
                known.append(value)
    if not names:
        return []
    choices = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found: list[tuple[int, int, JsonValue]] = []
    for matched in re.finditer(rf"(?<![\w])(?<!\w[-\u2019'])(?:{choices})(?![\w]|-\w)", text):
        start, end = matched.span()
        marked = start == 0 or MARKED.search(text, max(0, start - 40), start) is not None
        if end - start <= SHORT and not matched[0].isdigit() and not (marked and AFTER_MARK.match(text, end)):
            continue  # a single letter is a word of its own
        found += [(start, end, value) for value in names[matched[0]]]
    return found


def _settled(text: str, places: list[tuple[int, int, JsonValue]]) -> tuple[JsonValue] | None:
    """The one member of all places; or the one that is named most often and that the text ends on."""
    if DOUBT.search(text) is not None or (len(text) < SHORT_TEXT and _denied_anywhere(text, places)):
        return None
    for start, end, _ in places:
        around = _sentence(text, start, end)
        denied = DENIAL.search(around)
        if denied is not None or around.rstrip().endswith("?"):
            return None
    values = [value for _, _, value in places]
    distinct = [value for at, value in enumerate(values) if not any(_equal(value, one) for one in values[:at])]
    if len(distinct) == 1:
        return (distinct[0],)
    last = [value for start, _, value in places if start >= _last_sentence(text, places)]
    counts = sorted(sum(_equal(value, one) for one in values) for value in distinct)
    if all(_equal(value, last[0]) for value in last) and len(last) < len(values):
        times = sum(_equal(last[0], one) for one in values)
        if times == counts[-1] > counts[-2]:
            return (last[0],)
    return None


def _denied_anywhere(text: str, places: list[tuple[int, int, JsonValue]]) -> bool:
    """Whether a short text denies anything at all, its names left out."""
    rest: list[str] = []
    end = 0
    for start, after, _ in places:
        rest.append(text[end:start])
        end = after
    return DENIAL.search(" \0 ".join((*rest, text[end:]))) is not None


def _equal(one: JsonValue, other: JsonValue) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _sentence(text: str, start: int, end: int) -> str:
    """The sentence around a name, without the name."""
    first = max(text.rfind(sign, 0, start) for sign in (". ", "! ", "? ", "\n", ".\n")) + 1
    ends = [at for sign in (". ", "! ", "? ", "\n") if (at := text.find(sign, end)) >= 0]
    last = min(ends) + 1 if ends else len(text)
    return text[max(first, start - 400) : start] + " \0 " + text[end : min(last, end + 400)]


def _last_sentence(text: str, places: list[tuple[int, int, JsonValue]]) -> int:
    """Where the sentence begins that names a member last."""
    start = places[-1][0]
    return max(text.rfind(sign, 0, start) for sign in (". ", "! ", "? ", "\n")) + 1
