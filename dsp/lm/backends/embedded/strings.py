"""Strings for fields that no example shows: found in the input by form, by name, or as the sentence that fits best."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dsp.lm.backends.embedded.bounds import nearest_to_zero
from dsp.lm.backends.embedded.pattern import example_of, fits
from dsp.lm.backends.embedded.words import content_words, cut, dates, durations, folded, numbers, stem, times, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsp.lm.backends.embedded.field import Field
    from dsp.lm.backends.embedded.shape import Shape
    from dsp.lm.backends.embedded.source import Sentence, Source

__all__ = ["fitted", "pairs", "string_for", "strings_for"]

LONGEST = 600
"""Characters of a string when its type sets no limit."""
CANDIDATES = 400
"""Words, lines and sentences that are tried against a pattern."""
NOTHING = "The input does not say."
PAIR = re.compile(r"^[ \t>*-]*([A-Za-z][\w /-]{0,40}?)[ \t]*[:=][ \t]+(\S.*)$", re.MULTILINE)
ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
URL = re.compile(r"\bhttps?://[^\s<>\"')\]]{1,500}")
UUID = re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
CAPITALS = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'\u2019-]+(?:[ \t]+[A-Z][\w'\u2019-]+)*", re.MULTILINE)
QUOTING = frozenset(stem(word) for word in ("quote", "verbatim", "exact", "exactly", "excerpt", "copied", "substring"))
KEYWORDS = frozenset(
    stem(word)
    for word in ("keyword", "keywords", "query", "queries", "search", "term", "terms", "tag", "tags", "words")
)
TITLES = frozenset(stem(word) for word in ("topic", "title", "source", "section", "key", "page", "name"))
NAMES = frozenset(("name", "nam", "person", "author", "company"))
FALLBACKS = {
    "date": "1970-01-01",
    "date-time": "1970-01-01T00:00:00",
    "time": "00:00:00",
    "duration": "PT0S",
    "uuid": "00000000-0000-4000-8000-000000000000",
    **{f"uuid{version}": f"00000000-0000-{version}000-8000-000000000000" for version in range(1, 9)},
    "decimal": "0",
    "a URL": "https://example.com/",
    "an email address": "nobody@example.com",
    "a name and an email address": "Nobody <nobody@example.com>",
    "an IPv4 address": "192.0.2.1",
    "an IPv6 address": "2001:db8::1",
    "an IPv4 network": "192.0.2.0/24",
    "an IPv6 network": "2001:db8::/32",
    "an IPv4 interface": "192.0.2.1/24",
    "an IPv6 interface": "2001:db8::1/32",
    "JSON text": "null",
    "base64": "",
    "base64url": "",
}
"""What is written where an input holds nothing of the form."""


def string_for(field: Field, source: Source) -> tuple[str, float]:
    """A string of the field's shape, and how much in the input speaks for it."""
    shape = field.shape
    if shape.form:
        return _formed(shape, field, source)
    if shape.pattern is not None:
        return _patterned(shape, source)
    text, evidence = _free(field, source)
    if not text:
        return fitted(NOTHING, shape, source), 0.0
    return fitted(text, shape, source), evidence


def strings_for(field: Field, source: Source, bullets: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Strings for a list of them."""
    shape = field.shape
    if shape.form in FALLBACKS:
        yield from ((value, 1.0) for value in _values(shape.form, source.searched or source.text))
        return
    if shape.pattern is not None:
        yield from ((value, 1.0) for value in _matching(shape, source))
        return
    named = next((said for name, said in pairs(source.searched) if _same_name(name, field.label)), "")
    said = set(words(f"{field.label} {field.description}"))
    if named:
        texts = [part.strip() for part in re.split(r"[,;]| and ", named) if part.strip()]
    elif said & KEYWORDS:
        texts = content_words(source.question or source.text)
    elif len(bullets) > 1:
        texts = list(bullets)
    elif said & NAMES:
        texts = [found[0] for found in CAPITALS.finditer(source.searched)]
    else:
        ranked = source.ranked(source.hints(field))
        texts = [_said(sentence, bool(said & QUOTING)) for score, sentence in ranked if score > 0][:3]
    for text in texts:
        yield fitted(text, shape, source), 1.0


def fitted(text: str, shape: Shape, source: Source) -> str:
    """The text within the limits of its length: cut at the end of a word, or made longer with what stands around it."""
    most = int(shape.size.high) if shape.size.high is not None else LONGEST
    least = min(int(shape.size.low or 0), 100_000)
    text = cut(text, max(most, least))
    if len(text) < least:
        around = next((piece.text for piece in source.pieces if text in piece.text and len(piece.text) >= least), "")
        if around:
            start = min(around.find(text), len(around) - least)
            return around[start : start + least]
        # No text is as long as that: dots say that nothing more is known.
        text = (text + "." * least)[:least]
    return text


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a text that are `Name: value`."""
    for found in PAIR.finditer(text):
        yield found[1], found[2].rstrip()


def _same_name(name: str, label: str) -> bool:
    return words(name) == words(label)


def _free(field: Field, source: Source) -> tuple[str, float]:
    """Free text: what the input names as the field does, else what is said about it."""
    said = set(words(f"{field.label} {field.description}"))
    for piece in source.pieces:
        if not piece.group and piece.label == field.label:
            return piece.text, 3.0
    ranked = source.ranked(source.hints(field))
    if ranked:
        group = ranked[0][1].piece.group
        for piece in source.pieces:
            if group and piece.group == group and _same_name(piece.key, field.label):
                return piece.text, 3.0
        if set(words(field.label)) & TITLES and (key := source.key_of(ranked[0][1])):
            return key, 3.0
    if said & QUOTING:
        return (_said(ranked[0][1], exact=True), 2.0) if ranked else ("", 0.0)
    for name, value in pairs(source.searched):
        if _same_name(name, field.label):
            return value, 2.0
    if set(words(field.label)) & KEYWORDS:
        found = content_words(source.question or source.text)
        return " ".join(found[:12]), float(bool(found))
    if set(words(field.label)) & NAMES:
        found = [place[0] for place in CAPITALS.finditer(source.searched)]
        if found:
            return found[0], 1.0
    if not ranked:
        return "", 0.0
    return _said(ranked[0][1], exact=False), 1.0


def _said(sentence: Sentence, exact: bool) -> str:
    return sentence.text if exact else folded(sentence.text)


def _values(form: str, text: str) -> Iterator[str]:
    """The values of a form that a text holds."""
    if form == "date-time":
        clock = [value for value, _ in times(text)]
        for number, (value, _) in enumerate(dates(text)):
            yield f"{value}T{clock[number] if number < len(clock) else '00:00:00'}"
    elif form in ("date", "time", "duration"):
        reader = {"date": dates, "time": times, "duration": durations}[form]
        yield from (value for value, _ in reader(text))
    elif form.startswith("uuid"):
        found = (place[0].lower() for place in UUID.finditer(text))
        yield from (value for value in found if value[14] == form[4:] or form == "uuid")
    elif form == "decimal":
        yield from (f"{value:.12g}" for value, _ in numbers(text) if abs(value) < 1e12)
    elif form == "a URL":
        yield from (found[0].rstrip(".,;") for found in URL.finditer(text))
    elif form == "an email address":
        yield from (found[0] for found in ADDRESS.finditer(text))


def _formed(shape: Shape, field: Field, source: Source) -> tuple[str, float]:
    if shape.form not in FALLBACKS:
        return string_for(replace(field, shape=replace(shape, form="")), source)
    bounds = shape.bounds
    for value in _values(shape.form, source.text):
        if shape.form == "decimal":
            digits = sum(character.isdigit() for character in value)
            fits_bounds = bounds.holds(float(value)) and shape.size.holds(digits)
        else:
            # Dates and times of one form are in the order of their letters.
            fits_bounds = not (bounds.first and value < bounds.first) and not (bounds.last and value > bounds.last)
        if fits_bounds:
            return value, 1.0
    fallback = FALLBACKS[shape.form]
    if shape.form == "decimal":
        return f"{nearest_to_zero(bounds):.12g}", 0.0
    if bounds.first is not None and fallback < bounds.first:
        return _as_form(bounds.first, fallback), 0.0
    if bounds.last is not None and fallback > bounds.last:
        return _as_form(bounds.last, fallback), 0.0
    return fallback, 0.0


def _as_form(bound: str, fallback: str) -> str:
    """A bound as long as the form wants it: a date alone is the beginning of its day."""
    return f"{bound}T00:00:00" if "T" in fallback and "T" not in bound and ":" in fallback else bound


def _matching(shape: Shape, source: Source) -> Iterator[str]:
    most = shape.size.high if shape.size.high is not None else LONGEST
    for tried in _candidates(source):
        if (shape.size.low or 0) <= len(tried) <= most and fits(shape.pattern or "", tried):
            yield tried


def _candidates(source: Source) -> list[str]:
    text = source.searched[:20_000]
    found: dict[str, None] = {}
    for part in [*text.split(), *text.splitlines(), *(value for _, value in pairs(text))]:
        found[part.strip()] = None
        found[part.strip(" \t.,;:!?()[]\"'")] = None
        found[part.strip(" \t.,;:!?()[]\"'").lower()] = None
        if len(found) >= CANDIDATES:
            break
    return [part for part in found if part]


def _patterned(shape: Shape, source: Source) -> tuple[str, float]:
    found = next(_matching(shape, source), None)
    if found is not None:
        return found, 1.0
    example = example_of(shape.pattern or "")
    least = int(shape.size.low or 0)
    if 0 < len(example) < least:
        longer = (example + example[-1] * least)[:least]
        if fits(shape.pattern or "", longer):
            return longer, 0.0
    return example, 0.0
