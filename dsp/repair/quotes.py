"""Where a string ends, when nobody escaped the quotes inside or one is missing.

A quote ends its string when what follows it is what may follow a string at that place; every look ahead is bounded, so
the work grows with the text alone.
"""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

from dsp.repair.notes import SyntaxFault

if TYPE_CHECKING:
    from dsp.repair.notes import Budget, Notes

__all__ = ["CLOSERS", "ITEMISH", "KEYISH", "NEXT_MEMBER", "SMART", "read_string"]

CLOSERS: dict[str, str] = {
    '"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u201d": "\u201d", "\u201e": "\u201d", "\u2018": "\u2019",
    "\u2019": "\u2019", "\u00ab": "\u00bb",
}  # fmt: skip
SMART = frozenset("\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb")
ESCAPES: dict[str, str] = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": "", "0": "\0"}
STOPS = {close: re.compile(r"[\\" + close + "]") for close in set(CLOSERS.values())}
STOPS["\u201d"] = re.compile(r"[\\\u201c\u201d\"]")
HEX = re.compile(r"[0-9a-fA-F]{4}")
HALF_HEX = re.compile(r"[0-9a-fA-F]{0,3}\Z")
HALF_LOW = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
SPACE = re.compile(r"[\s\ufeff\u200b\u180e]*")

QUOTED = r"""(?:"(?:[^"\\\n]|\\.){0,200}"|'(?:[^'\\\n]|\\.){0,200}'|\u201c[^\u201d\n]{0,200}\u201d|\u2018[^\u2019\n]{0,200}\u2019|\u00ab[^\u00bb\n]{0,200}\u00bb)\s{0,20}"""
KEYISH = re.compile(
    rf"""\s{{0,200}}(?:{QUOTED}(?::|\Z)|[\w$.-]{{1,80}}\s{{0,20}}:|[\w$.-]{{1,80}}(?:"\s{{0,20}}:|[ \t]{QUOTED}:)
    |\\?"(?:[^"\\\n]|\\.){{0,200}}\\?\Z|[\w$.-]{{0,80}}\Z|[}}\]]|//|/\*|\#|\.\.\.)""",
    re.VERBOSE,
)
"""What may follow the comma after a member of an object."""
LINE_KEY = re.compile(r"\s{0,200}(?:" + QUOTED + r":|[\w$.-]{1,80}[ \t]{0,20}:)")
NEXT_KEY = re.compile(r"\s{0,200}" + QUOTED + ":")
ITEMISH = re.compile(
    r"""\s{0,200}(?:["'`\u201c\[{(\]}\d+-]|(?:true|false|null|None|True|False|NaN)\b|\Z|//|/\*|\#|\.\.\.
    |[^"'\[\]{},\n]{1,60}[,\]\n])""",
    re.VERBOSE,
)
"""What may follow the comma after an item of an array."""
NEXT_ITEM = re.compile(r"\s{1,200}(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')\s{0,20}(?:[,\]\"'\d]|\Z)")
LOOSE_ITEM = re.compile(r"\s{1,20}(?:-?\d[\d.]*|true|false|null|\[|\{)\s{0,20}(?:[,\]\[{\"\d]|\Z)")
AFTER_END = re.compile(r"\s{0,200}(?:[,}\])]|\Z|```|;|\n|//|/\*|#)")
NEXT_MEMBER = re.compile(r"\s{0,200},\s{0,200}" + QUOTED + ":")
MORE_STRINGS = re.compile(r"\"\s{0,20}[\]},:]")
STRUCTURE = re.compile(r"\s{0,20}(?::(?!/)|[,;|]\s{0,20}[\"\u201c])")
"""What follows a quote that belongs to the object around the string rather than to its text."""
DOUBLED = re.compile(r"(\"\"|'')(\w[^\"'\n]{0,2000})\1(?=\s{0,50}(?:[,:}\]]|\Z))")
COMMENT = re.compile(r"//|/\*|#")
JOIN = re.compile(r"\s{0,50}\+\s{0,50}(?=[\"'])")
FENCED = re.compile(r"```[^\n`]{0,60}\n|```")
FENCE_END = re.compile(r"\n?[ \t]*```(?=\s{0,200}[,}\]])")
HIDDEN_KEY = re.compile(r"[,\n]\s{0,20}\w{1,60}\s{0,5}:\s")
BEFORE_KEY = re.compile(r"[,\n]\s{0,200}\Z")
BEFORE_VALUE = re.compile(r"[,\n]\s{0,200}\w{1,60}\s{0,5}:\s{0,20}\Z")
KEY_THEN_COLON = re.compile(r"[\w$ .-]{1,80}[\"']\s{0,20}:")
TRIPLES = ('"""', "'''")


def read_string(
    text: str, position: int, holders: str, budget: Budget, notes: Notes, *, key: bool = False, partial: bool = False
) -> tuple[str, int, bool]:
    """The string that begins at a quote, where it ends, and whether the text ended first.

    Args:
        text: The text.
        position: Where the opening quote is.
        holders: The closing brackets of the objects and arrays around it, from the outside in.
        budget: What the work is counted on.
        notes: Takes the repairs.
        key: Whether it is the key of a member.
        partial: Whether the text is the beginning of one that is still being written.

    Raises:
        SyntaxFault: It cannot be told where the string ends.
    """
    opening = text[position]
    if text.startswith(TRIPLES, position):
        return _block(text, position, opening * 3, notes)
    if text.startswith("```", position):
        return _fenced(text, position, notes)
    closing = CLOSERS[opening]
    start = position + 1
    doubled = DOUBLED.match(text, position) if opening in "\"'" else None
    if doubled is not None:
        notes.add("doubled quote removed", position, 3)
        return doubled[2], doubled.end(), False
    if opening != '"':
        notes.add("quotes replaced by double quotes", position)
    elif text.startswith('"', start) and text[start + 1 : start + 2].isalnum() and not key:
        notes.add("doubled quote removed", position, 3)
        start += 1
    return _Scan(text, start, closing, holders, budget, notes, key=key, partial=partial).run()


def _block(text: str, position: int, mark: str, notes: Notes) -> tuple[str, int, bool]:
    notes.add("triple quotes replaced", position)
    end = text.find(mark, position + 3)
    while end >= 0 and text.startswith(mark[0], end + 3):
        end += 1  # a quote at the very end of the text belongs to it
    if end < 0:
        return _undented(text[position + 3 :]), len(text), True
    return _undented(text[position + 3 : end]), end + 3, False


def _fenced(text: str, position: int, notes: Notes) -> tuple[str, int, bool]:
    notes.add("fence read as a string", position, 2)
    opened = FENCED.match(text, position)
    start = opened.end() if opened is not None else position + 3
    ended = FENCE_END.search(text, start)
    if ended is None:
        return dedent(text[start:]), len(text), True
    return dedent(text[start : ended.start()]).strip("\n"), ended.end(), False


def _undented(block: str) -> str:
    """A block on lines of its own, without their indentation; any other text as it stands."""
    first, newline, rest = block.partition("\n")
    if not newline or first.strip():
        return block
    return dedent(rest).rstrip()


class _Scan:
    """One walk to the end of a string."""

    def __init__(
        self, text: str, start: int, closing: str, holders: str, budget: Budget, notes: Notes, *, key: bool, partial: bool
    ) -> None:  # fmt: skip
        self.text = text
        self.start = start
        self.closing = closing
        self.holders = holders
        self.budget = budget
        self.notes = notes
        self.key = key
        self.partial = partial
        self.pieces: list[str] = []
        self.inner: list[int] = []
        self.missing = -1
        """Where a quote seems to be missing: before a comma with a key after it."""
        self.member_like = False
        """Whether a quote within is followed as one of another member would be."""
        self.excused = False
        """Whether one was, within brackets that the text has yet to close."""

    def run(self) -> tuple[str, int, bool]:
        text, position, stop = self.text, self.start, STOPS[self.closing]
        while True:
            self.budget.spend(1, position)
            matched = stop.search(text, position)
            if matched is None:
                return self.unended(position)
            end = matched.start()
            self.pieces.append(text[position:end])
            here = text[end]
            if here == "\\":
                piece, position = _escape(text, end + 1, self.notes)
                self.pieces.append(piece)
                continue
            if here != "\u201c" and self.closes(end + 1):
                if len(self.inner) % 2 and self.missing >= 0:
                    return self.cut_short()
                if self.member_like or (self.excused and not self.balanced()):
                    raise SyntaxFault("a quote is missing, or one within a string is not escaped", end)
                joined = None if self.key else JOIN.match(text, end + 1)
                if joined is not None:
                    self.notes.add("strings joined", end, 2)
                    position = joined.end() + 1
                    continue
                return self.done(end), end + 1, False
            self.quote_within(end)
            self.pieces.append(here)
            position = end + 1

    def done(self, end: int) -> str:
        if self.inner:
            self.notes.add("quotes in a string escaped", self.inner[0], 2)
        # A raw line break is no JSON, and the only thing it can mean.
        if "\n" in self.text[self.start : min(end, self.start + 100_000)]:
            self.notes.add("line break in a string escaped", self.start)
        return "".join(self.pieces)

    def quote_within(self, end: int) -> None:
        """Note a quote that ends nothing, and whether it looks like the next member's."""
        self.budget.spend(3, end)  # the looks around it
        if self.missing < 0 and not self.key and len(self.inner) % 2 == 0:
            before = self.text[max(self.start, end - 260) : end]
            after = self.holders[-1:] != "}" or KEY_THEN_COLON.match(self.text, end + 1) is not None
            found = BEFORE_KEY.search(before) if after else BEFORE_VALUE.search(before)
            if found is not None and not self.opened(end):
                self.missing = end - len(before) + found.start()
        if not self.member_like and STRUCTURE.match(self.text, end + 1) is not None:
            self.member_like = not self.opened(end)
            self.excused = True
        self.inner.append(end)

    def opened(self, end: int) -> bool:
        """Whether the string so far opens a bracket that it does not close: what follows is a text about code."""
        so_far = self.text[max(self.start, end - 2000) : end]
        return so_far.count("{") > so_far.count("}") or so_far.count("(") > so_far.count(")")

    def balanced(self) -> bool:
        """Whether the string closes the brackets that it opens."""
        whole = "".join(self.pieces)
        return whole.count("{") == whole.count("}") and whole.count("(") == whole.count(")")

    def cut_short(self) -> tuple[str, int, bool]:
        self.notes.add("missing quote added", self.missing, 6)
        return self.text[self.start : self.missing].rstrip(), self.missing, False

    def unended(self, position: int) -> tuple[str, int, bool]:
        """The text ended within the string: it was cut off, or the quote is missing."""
        text = self.text
        self.pieces.append(text[position:])
        if self.partial:
            return "".join(self.pieces), len(text), True
        if self.missing >= 0 or self.member_like:
            raise SyntaxFault("a quote is missing, and it cannot be told where", self.inner[0])
        end = self.before_closers()
        told = end == len(text) or (
            HIDDEN_KEY.search(text, self.start, end) is None
            and not (self.holders[-1:] == "]" and "," in text[self.start : end])
        )
        if not told or (text.endswith(("}", "]")) and HIDDEN_KEY.search(text, self.start) is not None):
            raise SyntaxFault("a quote is missing, and it cannot be told where", self.start)
        if end < len(text) and not self.key:
            self.notes.add("missing quote added", end, 6)
            self.pieces[-1] = text[position:end]
            return self.done(end), end, False
        return self.done(len(text)), len(text), True

    def before_closers(self) -> int:
        """Where the text ends but for the brackets that close all that is open; its end where it lacks one of them."""
        end = len(self.text)
        for closer in self.holders:
            end = len(self.text[:end].rstrip()) if self.text[end - 1 : end].isspace() else end
            if end <= self.start or self.text[end - 1] != closer:
                return len(self.text)
            end -= 1
        while end > self.start and self.text[end - 1].isspace() and self.holders:
            end -= 1
        return end

    def closes(self, position: int) -> bool:
        """Whether a quote ends its string: what follows is what may follow a string here."""
        text = self.text
        matched = SPACE.match(text, position)
        after = matched.end() if matched else position
        if after >= len(text):
            return True
        here = text[after]
        if self.key:
            return here in ":=,}]\"'\u201c{[" or here.isdigit() or after > position
        holder = self.holders[-1:]
        if not holder:
            return True
        if here == ";":
            return holder == "}" and LINE_KEY.match(text, after + 1) is not None
        if here == ",":
            return (KEYISH if holder == "}" else ITEMISH).match(text, after + 1) is not None
        if here in "}]" or (here == ")" and ")" in self.holders):
            return self.may_close(here, after + 1)
        if COMMENT.match(text, after) or JOIN.match(text, position):
            return True
        if holder == "}":
            return (LINE_KEY if "\n" in text[position:after] else NEXT_KEY).match(text, position) is not None
        return ("\n" in text[position:after] and here in "\"'\u201c{[") or (
            NEXT_ITEM.match(text, position) is not None or LOOSE_ITEM.match(text, position) is not None
        )

    def may_close(self, bracket: str, position: int) -> bool:
        """Whether a bracket after the quote can be one of those that are open."""
        text = self.text
        depth = self.holders.rfind(bracket)
        if depth < 0:
            depth = len(self.holders) - 1
        if depth == 0:
            matched = SPACE.match(text, position)
            after = matched.end() if matched else position
            if not text.startswith(",", after):
                return True
            if bracket != self.holders[-1] and NEXT_MEMBER.match(text, after) is not None:
                return True  # it closes what is open here, and was meant to be of its kind
            rest = text[after + 1 : after + 1000]
            return not rest.strip() or rest.lstrip()[0] in "{[" or MORE_STRINGS.search(rest) is None
        matched = AFTER_END.match(text, position)
        if matched is None:
            return LINE_KEY.match(text, position) is not None or text[position : position + 2].lstrip()[:1] in (
                '"',
                "{",
            )
        if matched[0].endswith(","):
            return (KEYISH if self.holders[depth - 1] == "}" else ITEMISH).match(text, matched.end()) is not None
        return True


def _escape(text: str, position: int, notes: Notes) -> tuple[str, int]:
    here = text[position : position + 1]
    if here in ('"', "\\", "/", "'", "`") or here in SMART:
        return here, position + 1
    if here == "u":
        matched = HEX.match(text, position + 1)
        if matched is not None:
            code = int(matched[0], 16)
            low = HEX.match(text, position + 7) if text.startswith("\\u", position + 5) else None
            if 0xD800 <= code < 0xDC00 and low is None and HALF_LOW.match(text, position + 5) is not None:
                return "", len(text)
            if 0xD800 <= code < 0xDC00 and low is not None and 0xDC00 <= (second := int(low[0], 16)) < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00)), position + 11
            return chr(code), position + 5
        if HALF_HEX.match(text, position + 1) is not None:
            return "", len(text)  # the text ends here: half an escape is nothing yet
    elif here in ESCAPES and here:
        return ESCAPES[here], position + 1
    elif not here:
        return "", position
    notes.add("backslash escaped", position - 1)
    return "\\", position
