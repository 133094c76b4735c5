"""`[[ ## field ## ]]` sections: how a reply is cut into them, and how a text is written into one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dsp.repair import strict
from dsp.repair.candidate import THOUGHT
from dsp.repair.shape import normal

__all__ = [
    "SectionReader",
    "Sections",
    "end_word",
    "flexible",
    "holds_marker",
    "quoted",
    "raw_text",
    "section_text",
    "thinking",
    "thinking_end",
    "without_thinking",
]

LIKE = re.compile(r"\[\[[ \t]*#|\[[ \t]*##")
"""What looks like a marker, whatever its name and however it is spelt."""
EXACT = "[[ ##"
"""How a marker begins that is spelt as asked."""
ALONE = re.compile(r"\[\[ ## \w{1,60} ## \]\]\Z")
LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
FENCES = re.compile(r"^[ \t]{0,3}```", re.MULTILINE)
NOTHING = re.compile(r"[ \t\r\n`]*\Z")
SPACED = re.compile(r"[\s_\-]+")
ENDS = ("completed", "completion", "complete", "end")
BLANK = re.compile(r"[\ufeff\u200b\s]*")
"""What may stand before the thinking of a reply."""
LONE = re.compile(r"</think(?:ing)?>")
"""What some servers send of a block of thinking whose beginning they keep."""


def end_word(labels: Sequence[str]) -> str:
    """The name of the marker that ends a reply: `completed`, or what no field is called.

    Example:
        >>> end_word(["answer"]), end_word(["completed"])
        ('completed', 'completed_2')
    """
    taken = {normal(label) for label in labels}
    word, number = "completed", 1
    while normal(word) in taken:
        number += 1
        word = f"completed_{number}"
    return word


def holds_marker(text: str) -> bool:
    """Whether a text holds something that looks like a marker."""
    return "[" in text and LIKE.search(text) is not None


def quoted(text: str) -> str:
    r"""A text with every line marked as quoted, so that nothing in it can be taken for a marker.

    Whatever `str.splitlines` takes for the end of a line ends one.

    Example:
        >>> quoted("one\rtwo")
        '> one\r> two'
    """
    return "> " + LINE_END.sub(r"\g<0>> ", text)


def section_text(text: str) -> str:
    """A text as a section shows it: as it is, or as a JSON string where it would be read otherwise.

    Example:
        >>> section_text("as it is"), section_text(" spaces matter ")
        ('as it is', '" spaces matter "')
    """
    return json.dumps(text, ensure_ascii=False) if _needs_quotes(text) else text


def raw_text(text: str) -> str:
    """What a section's text means: itself, unless it is a JSON string that could not have been shown as it is."""
    if text[:1] == '"' and text[-1:] == '"' and (inner := _string(text)) is not None and _needs_quotes(inner):
        return inner
    return text


def _needs_quotes(text: str) -> bool:
    if text != text.strip() or holds_marker(text):
        return True
    # A JSON string that would itself be read as a quoted text.
    return text[:1] == '"' and (inner := _string(text)) is not None and _needs_quotes(inner)


def _string(text: str) -> str | None:
    if text[:1] != '"' or text[-1:] != '"' or len(text) < 2:
        return None
    try:
        value = strict(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


@dataclass
class Sections:
    """A reply, cut at its markers."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    """The text of each section by label, without outer space."""
    ended: bool = False
    """Whether the end marker was there."""
    repairs: list[str] = field(default_factory=list[str])
    conflicts: list[str] = field(default_factory=list[str])
    """Labels that appear twice, with different texts."""


class SectionReader:
    """Cuts replies for one signature. Only its own labels, at the beginning of a line, end a section."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.end: str = end_word(labels)
        """The name of the marker that ends a reply."""
        self.canonical: dict[str, str] = {label: f"[[ ## {label} ## ]]" for label in (*labels, self.end)}
        self.by_text: dict[str, str] = {marker: label for label, marker in self.canonical.items()}
        self._by_normal: dict[str, str | None] = {}
        for label in (*labels, self.end):
            key = normal(label)
            self._by_normal[key] = None if key in self._by_normal else label
        names = sorted({*labels, self.end, *ENDS}, key=len, reverse=True)
        self.marker: re.Pattern[str] = re.compile(
            r"^[ \t]{0,8}(?:\#{1,6}[ \t]{1,4})?(?P<deco>[*_`]{1,3})?[ \t]{0,4}(?:\[\[[ \t]{0,4}\#{1,3}|\[[ \t]{0,4}\#{2,3})[ \t]{0,8}"
            rf"(?P<name>{'|'.join(flexible(name) for name in names)})"
            r"[ \t]{0,8}(?:\#{1,3}[ \t]{0,8}\]{0,2}|\]{1,2}|(?=\r?$))(?(deco)(?:(?P=deco))?)(?::(?=\s|$))?"
            r"|^\[\[ \#\# \w{1,60} \#\# \]\](?=[ \t]{0,8}\r?$)",
            re.IGNORECASE | re.MULTILINE,
        )

    def read(self, reply: str) -> Sections:
        """The sections of a reply."""
        exact = self._exact(reply)
        if exact is not None:
            return exact
        found = Sections()
        reply, note = without_thinking(reply)
        found.repairs += note
        label: str | None = None
        start = 0
        fenced = foreign = False
        text = SectionText()
        for marker in self.marker.finditer(reply):
            name = self.by_text.get(marker[0])
            if name is None:
                name = None if marker["name"] is None else self.meant(marker["name"])
                if name is None:
                    if marker["name"] is None or not NOTHING.match(reply, marker.end()):
                        # No field's marker. Written just so, alone on its line and after some text, it begins a section
                        # that nobody asked for; anything else is text.
                        if label is not None and ALONE.match(marker[0]) and text.ends(reply, start, marker.start()):
                            self._add(found, label, reply[start : marker.start()])
                            found.repairs.append(f"section `{marker[0]:.60}` left out: it was not asked for")
                            label, start, foreign = None, marker.end(), True
                        continue
                    name = self.end
                found.repairs.append(f"marker `{marker[0].strip():.60}` read as `{self.canonical[name]}`")
            if label is not None:
                self._add(found, label, reply[start : marker.start()])
            elif not foreign and (before := reply[: marker.start()].strip()):
                fenced = before.startswith("```") and "\n" not in before
                found.repairs.append("fence removed" if fenced else "text before the first marker left out")
            if name == self.end:
                if self._drafted(reply, marker.end()):
                    label, foreign = None, True
                    continue
                found.ended = True
                return found
            label, start = name, marker.end()
        if label is not None:
            last = reply.rfind("\n") + 1
            line = reply[last:].strip(" \t") if start < last else ""
            if LIKE.match(line) and any(marker.startswith(line) for marker in self.by_text):
                reply = reply[:last]
                found.repairs.append(f"the beginning of a marker, `{line}`, left out at the end")
            rest = reply[start:].rstrip()
            if fenced and rest.endswith("```"):
                rest = rest[:-3]
            self._add(found, label, rest)
        return found

    def _exact(self, reply: str) -> Sections | None:
        """The sections of a reply whose markers all stand as asked, each alone on its line; None for any other.

        The pattern would try every line; this goes from one marker to the next.
        """
        found = Sections()
        label: str | None = None
        start = 0
        while (at := _next(reply, start)) >= 0:
            end = reply.find("\n", at)
            name = self.by_text.get(reply[at:] if end < 0 else reply[at:end])
            if name is None or (at and reply[at - 1] != "\n"):
                return None
            text = reply[start:at]
            if "#" in text and LIKE.search(text) is not None:
                return None
            if label is not None:
                self._add(found, label, text)
            elif text and not text.isspace():
                return None
            if name == self.end:
                if end >= 0 and self._drafted(reply, end):
                    return None
                found.ended = True
                return found
            label, start = name, len(reply) if end < 0 else end
        text = reply[start:]
        if label is None or ("#" in text and LIKE.search(text) is not None):
            return None
        self._add(found, label, text)
        return found

    def _drafted(self, reply: str, end: int) -> bool:
        """Whether what ended was a draft: thinking ends after it, and sections follow.

        Both are then read, so that a field with two values is refused.
        """
        lone = LONE.search(reply, end)
        return lone is not None and self.marker.search(reply, lone.end()) is not None

    def meant(self, name: str) -> str | None:
        """The label, or the word of the end, that a marker's name means; None for a name of neither."""
        if name in self.canonical:
            return name
        key = normal(name)
        if key in self._by_normal:
            return self._by_normal[key]
        return None

    def _add(self, found: Sections, label: str, text: str) -> None:
        text = text.strip()
        if label not in found.texts:
            found.texts[label] = text
        elif found.texts[label] == text:
            if (note := f"`{label}` was repeated") not in found.repairs[-3:]:
                found.repairs.append(note)
        elif label not in found.conflicts:
            found.conflicts.append(label)


class SectionText:
    """What of a section's text has been seen, so that no part of it is looked at twice."""

    def __init__(self) -> None:
        self._start = self._seen = -1
        self._fences = 0
        self._blank = True

    def ends(self, reply: str, start: int, position: int) -> bool:
        """Whether a section may end here: there is some text before, and no open fence around."""
        if start != self._start:
            self._start = self._seen = start
            self._fences, self._blank = 0, True
        self._fences += sum(1 for _ in FENCES.finditer(reply, self._seen, position))
        self._blank = self._blank and NOTHING.fullmatch(reply, self._seen, position) is not None
        self._seen = position
        return not self._blank and self._fences % 2 == 0


def without_thinking(reply: str) -> tuple[str, list[str]]:
    """A reply without the block of thinking that it begins with, and what is to be said of that.

    Nothing is left of a block that does not end: what it holds is no answer.

    Example:
        >>> without_thinking("<think>a draft</think>the answer")
        ('the answer', ['thinking removed'])
    """
    thought = thinking(reply)
    if thought is None:
        return reply, []
    end = thinking_end(reply, thought)
    if end is None:  # a tag that is only spoken of is closed no second time
        close = reply.find(f"</{thought[1]}>", thought.end())
        end = len(reply) if close < 0 else close + len(thought[1]) + 3
    return reply[end:], ["thinking removed"]


def thinking(reply: str) -> re.Match[str] | None:
    """The tag of the block of thinking that a reply begins with."""
    blank = BLANK.match(reply)
    return THOUGHT.match(reply, blank.end() if blank is not None else 0)


def thinking_end(reply: str, thought: re.Match[str]) -> int | None:
    """Where the block ends, with the blocks within it; None where it does not."""
    depth = 0
    for tag in re.finditer(rf"<(/?){thought[1]}>", reply[thought.start(1) - 1 :]):
        depth += -1 if tag[1] else 1
        if not depth:
            return thought.start(1) - 1 + tag.end()
    return None


def _next(reply: str, start: int) -> int:
    """Where the next marker that is spelt as asked begins; -1 where there is none."""
    sign = reply.find("#", start)  # one character is found much faster than several
    if sign < 0 or (sign >= 3 and reply.startswith(EXACT, sign - 3)):
        return sign - 3 if sign >= 0 else -1
    return reply.find(EXACT, start)


def flexible(name: str) -> str:
    """A pattern for a name in any spacing."""
    parts = r"[ \t_\-]{0,4}".join(re.escape(part) for part in SPACED.split(name) if part) or re.escape(name)
    before, after = (r"[_\-]{0,4}" if SPACED.match(name[place]) else "" for place in (0, -1)) if name else ("", "")
    return f"{before}{parts}{after}"
