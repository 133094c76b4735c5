"""Numbers, truth and dates as people write them: `1,234`, `$5`, `95%`, `1/4`, `yes`, `May 6, 2024`.

Only what has one meaning is read. Nothing is rounded: a fraction that is no whole number is no integer.
"""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["bare", "number", "number_within", "plain_date", "truth"]

QUOTES = "\"'`\u201c\u201d\u2018\u2019*_"
YES = frozenset(("true", "yes", "y", "on", "t", "1"))
NO = frozenset(("false", "no", "n", "off", "f", "0"))
SAID = re.compile(r"\W{0,4}(yes|no|true|false)\W{0,4}(?:[,;:!\n\u2013\u2014]|\.\s|\s-\s)", re.IGNORECASE)
"""The word that a sentence of explanation follows."""
TAKEN_BACK = re.compile(
    r"\b(?:yes|no|true|false|but|however|although|though|unless|except|unclear|unsure|uncertain|maybe|actually|if|wait|both|\d+)\b",
    re.IGNORECASE,
)
LONGEST = 400
GAPS = "\u00a0\u2009\u202f '\u2019_"
PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z")
GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
SPACED = re.compile(rf"[+-]?\d{{1,3}}(?:([{GAPS}])\d{{3}})(?:\1\d{{3}})*(?:\.\d+)?\Z")
INDIAN = re.compile(r"[+-]?\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?\Z")
DOTTED = re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3})+,\d{1,2}|(?:\.\d{3}){2,}(?:,\d+)?)\Z")
UNDERSCORED = re.compile(r"[+-]?\d+(?:_\d+)+(?:\.\d+)?\Z")
RATIO = re.compile(r"([+-]?)(?:(\d{1,9})[ \t]+)?(\d{1,9})[ \t]*[/\u2044][ \t]*(\d{1,9})\Z")
CURRENCY = re.compile(r"(?:[$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd]|(?:US\$|C\$|A\$|USD|EUR|GBP|JPY|CHF|INR|CAD|AUD)(?![A-Za-z]))", re.IGNORECASE)  # fmt: skip
MARKS = (("\u2212", "-"), ("\u2013", "-"))
WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?\Z")
WITHIN = re.compile(
    r"(?<![\w.,/:-])[+-]?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)(?=(?:%|[^\w/:%-]|\Z))(?![.,]\d)"
)
DIGIT = re.compile(r"\d+")
VAGUE = re.compile(
    r"\b(?:not|never|no|neither|nor|about|around|approx\w*|roughly|nearly|almost|over|under|above|below|than|least|most|"
    r"between|maybe|perhaps|possibly|unknown|unclear|unsure|if|or|minus|negative|hundred|thousand|million|billion|"
    r"trillion|dozen|half|quarter|third|circa|up to|some|cannot|error|failed|sorry)s?\b|n['\u2019]t\b|[~<>\u2248\u00b1?^*]|\+/-",
    re.IGNORECASE,
)
MONTHS = {
    name: at
    for at, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1,
    )
    for name in names.split()
}  # fmt: skip
MONTH_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? +)?([A-Za-z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})\Z")
DAY_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? +)?(\d{1,2})(?:st|nd|rd|th)?[ -](?:of +)?([A-Za-z]{3,9})\.?,?[ -](\d{4})\Z")
YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})\Z")
COMPACT = re.compile(r"((?:19|20|21)\d{2})(\d{2})(\d{2})\Z")


def bare(text: str) -> str:
    """A word without the quotes around it and the full stop after it."""
    text = text.strip()
    if len(text) > 1 and text.endswith((".", "!")) and not text.endswith(".."):
        text = text[:-1]
    return text.strip(QUOTES + " \t\r\n")


def truth(text: str) -> bool | None:
    """What a word for yes or no says; None for any other."""
    word = bare(text).casefold()
    if word in YES or word in NO:
        return word in YES
    said = SAID.match(text) if len(text) <= LONGEST else None
    if said is None or TAKEN_BACK.search(text, said.end()) is not None:
        return None
    return said[1].casefold() in YES


def number(text: str, *, whole: bool) -> int | str | None:
    """The number that a text is: an int, or the digits of a fraction for a float or Decimal to read; None for others.

    Args:
        text: The text.
        whole: Whether only an integer will do.
    """
    if len(text) > LONGEST:
        return None
    text = bare(text)
    for mark, plain in MARKS:
        if text.startswith(mark):
            text = plain + text[1:]
    text = text.removesuffix("%").rstrip()
    cleared, times = CURRENCY.subn("", text, 1)
    if times and not re.search(
        r"\w\s*\Z", text[: len(text) - len(cleared)] if cleared and text.endswith(cleared) else ""
    ):
        text = cleared.strip()
    text = re.sub(r"\A([+-])\s+", r"\1", text)
    if GROUPED.match(text) or INDIAN.match(text):
        text = text.replace(",", "")
    elif SPACED.match(text) or UNDERSCORED.match(text):
        text = re.sub(f"[{GAPS}]", "", text)
    elif DOTTED.match(text):
        text = text.replace(".", "").replace(",", ".")
    elif (ratio := RATIO.match(text)) is not None:
        return _ratio(ratio, whole=whole)
    elif not PLAIN.match(text):
        return None
    if not whole:
        return text
    matched = WHOLE.match(text)
    if matched is not None:
        return int(matched[1])
    if "e" not in text.casefold():
        return None
    return _whole(text)


def _whole(text: str) -> int | None:
    """An integer with an exponent."""
    digits, _, exponent = text.casefold().partition("e")
    if len(exponent) > 3:
        return None
    value = Fraction(digits) * Fraction(10) ** int(exponent)
    return int(value) if value.denominator == 1 else None


def _ratio(matched: re.Match[str], *, whole: bool) -> int | str | None:
    if int(matched[4]) == 0:
        return None
    value = int(matched[2] or 0) + Fraction(int(matched[3]), int(matched[4]))
    if matched[1] == "-":
        value = -value
    if value.denominator == 1:
        return int(value)
    return None if whole else repr(float(value))


def number_within(text: str, *, whole: bool) -> int | str | None:
    """The one number that a sentence names; None where there are more, or a word that makes it another."""
    if len(text) > LONGEST or "\n" in text.strip() or VAGUE.search(text) is not None:
        return None
    found = WITHIN.findall(text)
    if len(found) != 1 or len(DIGIT.findall(text)) != len(DIGIT.findall(found[0])):
        return None
    return number(found[0], whole=whole)


def plain_date(text: str) -> JsonValue:
    """A date with its month in words, or its year first, as `2024-05-06`; None for any other text."""
    text = bare(text)[:60]
    if (found := MONTH_FIRST.match(text)) is not None:
        month, day, year = MONTHS.get(found[1].casefold()), found[2], found[3]
    elif (found := DAY_FIRST.match(text)) is not None:
        day, month, year = found[1], MONTHS.get(found[2].casefold()), found[3]
    elif (found := YEAR_FIRST.match(text) or COMPACT.match(text)) is not None:
        year, month, day = found[1], int(found[2]), found[3]
    else:
        return None
    try:
        return date(int(year), month or 0, int(day)).isoformat()
    except ValueError:
        return None
