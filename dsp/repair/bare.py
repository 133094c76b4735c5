"""Values that stand without quotes: words, literals, numbers, calls like `ObjectId("x")`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsp.repair.notes import SyntaxFault, Written
from dsp.repair.quotes import ITEMISH, KEYISH

if TYPE_CHECKING:
    from pydantic import JsonValue

    from dsp.repair.notes import Budget, Notes

__all__ = ["CALL", "bare_end", "bare_value"]

CALL = re.compile(r"(?:new\s{1,5})?[A-Za-z_][\w.]{0,60}\s{0,5}\(\s{0,50}(?=[\"'\d{\[-])")
"""The head of a call around one value, as databases and Python print them."""
LONGEST = 5000
NUMBER = re.compile(r"[+-]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?\Z")
INTEGER = re.compile(r"[+-]?\d[\d_]*\Z")
PADDED = re.compile(r"[+-]?0\d")
STOP = re.compile(r"[,{}\[\]\n\"\u201c\u201d()]|//|/\*|(?<=\s)#")
OPENED = frozenset("([{")
CLOSED = frozenset(")]}")
AFTER_QUOTE = re.compile(r"\s{0,50}(?:[,}\]:]|\Z)")
QUOTED_KEY = re.compile(r"[\"\u201c][^\"\u201d\n]{0,200}[\"\u201d]\s{0,20}:")
IN_PARENTHESES = re.compile(r"\([^()]*\)")
LITERAL = re.compile(r"(?:[+-]?\d[\d.]*(?:[eE][+-]?\d+)?|true|false|null|True|False|None)\s*\Z")
ROW = re.compile(
    r"(?:-?\d{1,30}(?:\.\d{1,30})?|true|false|null)(?: {1,3}(?:-?\d{1,30}(?:\.\d{1,30})?|true|false|null)){1,60}(?=\s{0,20}[,\]\n\[{\"]|\s{0,20}\Z)"
)
"""Items of an array with nothing but spaces between them."""
THOUSANDS = re.compile(r"-?\d{1,3}(?: \d{3})+(?:\.\d+)?\Z")
SECOND_KEY = re.compile(r"(?:\A|\s)\w{1,60}:\s")
WORDS: dict[str, JsonValue] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "undefined": None,
    "nil": None,
    "nan": float("nan"),
    "infinity": float("inf"),
    "-infinity": float("-inf"),
}
SPELLED = frozenset(("undefined", "nil", "NaN", "nan", "Infinity", "-Infinity"))
PLAIN = frozenset(("true", "false", "null", "NaN", "Infinity", "-Infinity"))


def bare_end(text: str, position: int, holder: str, budget: Budget, notes: Notes) -> tuple[int, int]:
    """Where a value without quotes ends, and where to read on.

    Args:
        text: The text.
        position: Where it begins.
        holder: The closing bracket of the object or array that it is in; empty when it stands alone.
        budget: What the work is counted on.
        notes: Takes the repairs.

    Raises:
        SyntaxFault: It cannot be told where it ends.
    """
    if holder == "]" and (row := ROW.match(text, position)) is not None and THOUSANDS.match(row[0]) is None:
        end = text.find(" ", position)
        return end, end
    depth = 0
    here = position
    while True:
        budget.spend(1, here)
        if here - position > LONGEST:
            raise SyntaxFault("a value of this length needs quotes", position)
        matched = STOP.search(text, here, position + LONGEST + 1)
        if matched is None:
            if len(text) - position > LONGEST:
                raise SyntaxFault("a value of this length needs quotes", position)
            return len(text), len(text)
        at, sign = matched.start(), matched[0]
        here = matched.end()
        if sign == "\n":
            return at, at
        if sign in OPENED:
            if depth == 0 and sign != "(" and (text[at - 1 : at].isspace() or LITERAL.match(text[position:at])):
                return at, at
            depth += 1
        elif sign in CLOSED:
            if depth == 0:
                return at, at
            depth -= 1
        elif depth:
            continue
        elif sign == ",":
            if holder != "}" or KEYISH.match(text, here):
                return at, at
            if at - position < 100 and LITERAL.match(text[position:at]) and not text[here : here + 1].isdigit():
                return at, at
        elif sign in ("//", "/*", "#"):
            if not (sign == "//" and text[at - 1 : at] == ":"):
                return at, at
        elif (holder == "}" and QUOTED_KEY.match(text, at)) or (holder == "]" and text[at - 1 : at].isspace()):
            return at, at
        elif AFTER_QUOTE.match(text, here) or (holder == "]" and ITEMISH.match(text, here)):
            notes.add("missing quote added", position, 6)
            return at, here
        else:
            raise SyntaxFault("a quote is missing, or one within a string is not escaped", at)


def bare_value(word: str, position: int, notes: Notes) -> JsonValue:
    """What a word without quotes means.

    Raises:
        SyntaxFault: It stands for something that is not there, or swallows another member.
    """
    lower = word.casefold()
    if lower in WORDS and (lower not in SPELLED or word in SPELLED):
        if word not in PLAIN:
            notes.add(f"`{word}` read as JSON", position)
        return WORDS[lower]
    if len(word) < 4000 and NUMBER.match(word) and not PADDED.match(word):
        # Python refuses integers of more than 4300 digits.
        if INTEGER.match(word):
            return int(word)
        return Written(word.replace("_", ""))
    if word.startswith(("...", "\u2026")):
        raise SyntaxFault("`...` stands for values that are not there", position)
    if SECOND_KEY.search(IN_PARENTHESES.sub("()", word)):
        raise SyntaxFault("it cannot be told where a value without quotes ends", position)
    notes.add("quotes added to a word", position, 2)
    return word
