"""Where in a text a value may stand: the whole of it, a fenced block, an object or array within prose."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pydantic_core import from_json

from dsp.repair.notes import Budget, Notes, SyntaxFault, Written
from dsp.repair.syntax import Reader, skip

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["Candidate", "candidates", "exact", "fenced_text", "strict", "unambiguous", "visible"]

MOST = 32
"""How many places of one text are tried."""
STEPS = 2_000_000
"""How much work one text may cost."""
FENCED, PROSE = 10, 20
"""What it costs to stand in a fence, or within prose, and not alone."""
FRACTION = re.compile(r"\d[.eE]")
OPEN = re.compile(r"[{\[]")
MEANT = re.compile(r"\{\s{0,200}(?:[\"'\u201c}]|\\\"|[\w.-]{1,40}\s{0,20}:|//|\Z)|\[\s{0,200}(?:[\"'\u201c{\[\d-]|\Z)")
"""What begins like this was meant as JSON; `{name}` and `[see]` in prose were not."""
FENCE = re.compile(r"(?:```|~~~)[ \t]*[\w+.-]{0,20}[ \t]*\r?\n?\s{0,200}\Z")
BLOCK = re.compile(r"(?:\A|(?<=\n))[ \t]*(`{3,}|~~~)[^\n`]{0,40}\r?\n(.*?)(?:\n[ \t]*\1|\Z)", re.DOTALL)
FENCE_END = re.compile(r"\n[ \t]*(?:```|~~~)|```[ \t]*(?=\n|\Z)")
WHOLE_FENCE = re.compile(r"(`{3,}|~~~)[ \t]*[\w+.-]{0,20}[ \t]*\r?\n(.*?)\n?[ \t]*\1\Z", re.DOTALL)
ESCAPED = re.compile(r"[{\[]\s{0,200}(?:\\n\s{0,200})?\\\"")
THOUGHT = re.compile(r"\s*<(think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis)>", re.IGNORECASE)
ENDS = ("</think>", "</thinking>")
TORN = re.compile(r"\s{0,20}(?:[\"\u201d]\s{0,20})?[,;]?\s{0,20}[\"\u201c][^\"\n]{0,100}\"\s{0,20}:|\"\s{0,20}[,;}\]]")
"""What follows a value whose end was seen too early: the next member, or the end of a string."""
LEFT_OVER = re.compile(r"[\s\]})>;,.`]*\Z")
BACKSLASHES = re.compile(r"(\\+)\"")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of these members.

    Raises:
        ValueError: Two have the same key.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


CHECKER = json.JSONDecoder(object_pairs_hook=_once)
"""Only tells whether every key stands there once."""
DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=Written)
"""Reads strict JSON that stands within a text; every key once."""


def unambiguous(text: str) -> bool:
    """Whether no object of a strict JSON text has a key twice."""
    try:
        # `decode` also looks for space around the value, which costs as much as a small object.
        CHECKER.raw_decode(text, 0 if text[0] in "{[" else len(text) - len(text.lstrip()))
    except ValueError as error:
        return "twice" not in str(error)
    except RecursionError:
        pass  # JSON to Pydantic and too deep for Python
    return True


@dataclass(frozen=True)
class Candidate:
    """A value that stands somewhere in a text."""

    value: JsonValue
    repairs: tuple[str, ...]
    cost: int
    """What speaks against it: its place, and what had to be mended."""
    place: int = 0
    """The part of the cost that is its place's."""
    cut: bool = False
    """Whether the text ended before the value did."""


def strict(text: str) -> JsonValue:
    """The text as JSON.

    Raises:
        ValueError: It is no JSON, or nests deeper than the parser goes.
    """
    try:
        # from_json is typed as Any; it gives nothing but JSON values.
        return cast("JsonValue", from_json(text))
    except TypeError as error:
        raise ValueError("half of a surrogate pair is no text") from error


def exact(text: str) -> JsonValue:
    """The text as JSON, each number with the digits that were written.

    Raises:
        ValueError: It is no JSON, or nests deeper than the parser goes.
    """
    value = strict(text)
    if FRACTION.search(text) is None:
        return value
    try:
        return cast("JsonValue", json.loads(text, parse_float=Written))
    except (ValueError, RecursionError):
        return value  # deeper than Python goes


def visible(text: str, *, growing: bool = False) -> tuple[str, tuple[str, ...], int]:
    """The text without a byte order mark, outer space and thinking; what was taken off, and where the rest begins.

    The space at the end of a text that is `growing` may belong to a string in it, and stays.
    """
    start = len(text) - len(text.lstrip("\ufeff \t\r\n\f\v\u200b"))
    end = len(text) if growing else len(text.rstrip())
    matched = THOUGHT.match(text, start)
    if matched is None:
        # Some servers send the end of the thinking without its beginning.
        for tag in ENDS:
            close = text.find(tag, start)
            if close >= 0 and text[close + len(tag) :].strip() and tag.replace("/", "") not in text[:close]:
                if MEANT.match(text, start) is not None or _spanned(text, start, close):
                    break
                return _rest(text, close + len(tag), end)
        return text[start:end], (), start
    tag = f"</{matched[1]}>"
    close = text.find(tag, start)
    if close >= 0 and text.count(tag) == 1 + text.count(matched[0].strip(), matched.end()):
        close = text.rfind(tag)  # thinking within the thinking
    if close < 0:
        return "" if growing else text[start:end], (), start
    return _rest(text, close + len(tag), end)


def _spanned(text: str, start: int, place: int) -> bool:
    """Whether a place lies within a value, and is a part of one of its texts."""
    budget = Budget(100_000)
    for _ in range(8):
        opened = OPEN.search(text, start, place)
        if opened is None:
            return False
        reader = Reader(text, budget, Notes())
        try:
            _, end = reader.read(opened.start())
        except SyntaxFault:
            start = opened.start() + 1
            continue
        if end > place and not reader.cut:
            return True
        start = opened.start() + 1 if reader.cut else end
    return False


def _rest(text: str, start: int, end: int) -> tuple[str, tuple[str, ...], int]:
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return text[start:end], (f"thinking removed (up to character {start})",), start


def fenced_text(text: str) -> str | None:
    """What the one fenced block of a text holds; None where there is none, or more than one."""
    if "```" not in text and "~~~" not in text:
        return None
    found = BLOCK.findall(text[:200_000])
    return found[0][1].strip() if len(found) == 1 else None


def candidates(text: str, base: int = 0, *, partial: bool = False) -> tuple[list[Candidate], SyntaxFault | None]:
    """Every value that the text may mean, and the fault of the most promising place where none could be read.

    Args:
        text: The text, as `visible` leaves it, and no strict JSON.
        base: Where it begins in the text that was given.
        partial: Whether the text is the beginning of one that is still being written.
    """
    search = _Search(text, base, partial=partial)
    whole = search.whole()
    if whole is not None:
        return [whole], None
    search.within()
    return search.found or search.empty, search.fault


class _Search:
    """One walk over the places of a text."""

    def __init__(self, text: str, base: int, *, partial: bool) -> None:
        self.text = text
        self.base = base
        self.partial = partial
        self.budget = Budget(STEPS)
        self.found: list[Candidate] = []
        self.empty: list[Candidate] = []
        self.fault: SyntaxFault | None = None

    def read(self, text: str, start: int, base: int) -> tuple[JsonValue, int, Notes, bool]:
        notes = Notes(base)
        if text[start] in "{[" and ESCAPED.match(text, start) and (plain := _unescaped(text, start)) is not None:
            notes.add("one level of escapes removed", start, 3)
            reader = Reader(plain, self.budget, notes, partial=self.partial)
            value, _ = reader.read(0)
            return value, len(text), notes, reader.cut
        if text[start] in "{[":
            try:
                found = DECODER.raw_decode(text, start)
            except (ValueError, RecursionError):
                pass  # no strict JSON, or an object with a key twice: mended or refused below
            else:
                return cast("JsonValue", found[0]), found[1], notes, False
        reader = Reader(text, self.budget, notes, partial=self.partial)
        value, end = reader.read(start)
        if not reader.cut and text[start] in "{[" and TORN.match(text, end):
            raise SyntaxFault("the value seems to go on after its end", end)
        return value, end, notes, reader.cut

    def failed(self, fault: SyntaxFault) -> None:
        if self.fault is None or self.fault.position < fault.position + self.base:
            self.fault = SyntaxFault(fault.why, fault.position + self.base, cut=fault.cut)

    def whole(self) -> Candidate | None:
        """The text, or the one fenced block that it is, read as one value."""
        text, base = self.text, self.base
        repairs: tuple[str, ...] = ()
        fenced = WHOLE_FENCE.match(text) if text.startswith(("```", "~~~")) and text.endswith(("```", "~~~")) else None
        if fenced is not None and fenced[1] not in fenced[2]:
            inner = fenced[2].strip()
            base += text.index(inner)
            text, repairs = inner, (f"fence removed (at character {self.base})",)
            try:
                return Candidate(exact(text), repairs, 0)
            except ValueError:
                pass  # not strict JSON: mended below
        if text[:1] not in ("{", "[", "(", '"', "'", "\u201c"):
            return None
        try:
            value, end, notes, cut = self.read(text, 0, base)
        except SyntaxFault as problem:
            self.failed(problem)
            return None
        if cut and not self.partial and (FENCE_END.search(text) or not isinstance(value, (dict, list))):
            return None
        after = skip(text, end, notes)
        if after < len(text):
            if not isinstance(value, (dict, list)) or not LEFT_OVER.match(text, after):
                return None
            notes.add(f"`{text[after:].strip():.20}` after the value removed", after)
        return Candidate(value, (*repairs, *notes.lines), notes.cost, cut=cut)

    def within(self) -> None:
        """Objects and arrays one after another."""
        text = self.text
        position = 0
        allowance = 4 * len(text) + 10_000
        for _ in range(MOST):
            opened = OPEN.search(text, position)
            if opened is None or allowance < 0 or self.budget.steps < 0:
                return
            start = opened.start()
            meant = MEANT.match(text, start) is not None
            try:
                value, position, notes, cut = self.read(text, start, self.base)
            except SyntaxFault as problem:
                allowance -= problem.position - start
                self.failed(problem)
                position = start + 1
                if meant:  # a part of a broken value is not the value
                    position = self.bounded(start, None)
                continue
            allowance -= position - start
            if cut:
                if not meant:
                    position = start + 1
                    continue
                position = self.bounded(start, Candidate(value, notes.lines, notes.cost, cut=True))
                continue
            self.take(Candidate(value, notes.lines, notes.cost), start)

    def take(self, one: Candidate, start: int) -> None:
        if not isinstance(one.value, (dict, list)):
            return
        fenced = FENCE.search(self.text[max(0, start - 240) : start]) is not None
        place = FENCED if fenced else PROSE
        repairs = (f"taken out of the text around it (at character {start + self.base})", *one.repairs)
        kept = Candidate(one.value, repairs, one.cost + place, place, one.cut)
        (self.found if one.value else self.empty).append(kept)

    def bounded(self, start: int, otherwise: Candidate | None) -> int:
        """A value that the end of its fence cuts off; where to go on."""
        ended = FENCE_END.search(self.text, start)
        if ended is None:
            if otherwise is not None:
                self.take(otherwise, start)
            return len(self.text)
        try:
            value, _, notes, cut = self.read(self.text[: ended.start()], start, self.base)
        except SyntaxFault as problem:
            self.failed(problem)
        else:
            self.take(Candidate(value, notes.lines, notes.cost, cut=cut), start)
        return ended.end()


def _unescaped(text: str, start: int) -> str | None:
    """A text whose quotes are escaped as if it stood in a string, one level plainer."""
    end = max(text.rfind("}"), text.rfind("]")) + 1
    if end <= start:
        return None
    piece = text[start:end]
    try:
        plain = json.loads(f'"{piece}"', strict=False)
    except ValueError:
        plain = BACKSLASHES.sub(lambda found: "\\" * (len(found[1]) // 2) + '"', piece)
    return str(plain)
