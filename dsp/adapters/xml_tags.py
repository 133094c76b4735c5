"""A reply cut at the tags of its fields, however they are spelt, closed or left open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dsp.adapters.sections import flexible, without_thinking
from dsp.adapters.xml_text import CDATA
from dsp.repair.candidate import THOUGHT
from dsp.repair.shape import normal

__all__ = ["Skips", "Tag", "TagReader", "Tagged", "begins", "matched"]

MOST = 300_000
"""How many tags of one reply are looked at."""
ATTRIBUTES = r"(?:\s(?:[^<>\"']|\"[^\"<]{0,500}\"|'[^'<]{0,500}'){0,500}?)?"
WRONG = re.compile(r"</(\w[\w.\-]{0,60})>\s*\Z")
"""A closing tag at the end, of whatever name."""
FENCE = re.compile(r"```[ \t]*\w{0,10}[ \t]*\Z")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a text."""

    start: int
    end: int
    name: str
    kind: str
    """`open`, `close` or `empty` (`<note/>`)."""


class Skips:
    """Where CDATA and comments end; one that never does is no such thing."""

    def __init__(self) -> None:
        self._endless: set[str] = set()

    def past(self, text: str, opening: str, position: int) -> int:
        """Where to go on behind an opening."""
        closing = "]]>" if opening == CDATA else "-->"
        end = -1 if closing in self._endless else text.find(closing, position)
        if end < 0:
            self._endless.add(closing)  # looked for once: there is none further on either
            return position
        return end + len(closing)


def matched(tags: list[Tag]) -> list[int]:
    """For each opening tag the index of the tag that closes it; -1 for one that nothing closes, and for all others.

    Names are matched each for itself, so that one tag left open costs no other its end.
    """
    closes = [-1] * len(tags)
    waiting: dict[str, list[int]] = {}
    for index, tag in enumerate(tags):
        if tag.kind == "open":
            waiting.setdefault(tag.name, []).append(index)
        elif tag.kind == "close" and (opened := waiting.get(tag.name)):
            closes[opened.pop()] = index
    return closes


@dataclass
class Tagged:
    """A reply, cut at the tags of its fields."""

    texts: dict[str, list[str]] = field(default_factory=dict[str, "list[str]"])
    """What stands between the tags of each label, as it stands."""
    cut: str | None = None
    """The label of the field that the end of the reply ends, where nothing closes it."""
    repairs: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])


class TagReader:
    """Cuts replies for one signature. Only the tags of its own labels count."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names: Mapping[str, str] = names
        """The tag of each label."""
        self.labels: dict[str, str] = {name: label for label, name in names.items()}
        """The label of each tag."""
        self._by_normal: dict[str, str | None] = {}
        for label, name in names.items():
            for key in {normal(label), normal(name)}:
                self._by_normal[key] = None if self._by_normal.get(key, label) != label else label
        spelt = sorted({*names, *names.values()}, key=len, reverse=True)
        self._tag = re.compile(
            rf"<!\[CDATA\[|<!--|<(?P<close>/?)[ \t]{{0,4}}(?P<name>{'|'.join(flexible(name) for name in spelt)})"
            rf"(?=[\s/>]|\Z){ATTRIBUTES}(?:(?P<empty>/?)>|(?<=[\w\s])\Z)",
            re.IGNORECASE,
        )
        self.thinks: bool = any(THOUGHT.match(f"<{name}>") for name in names.values())

    def search(self, text: str, position: int) -> tuple[int, int, str, str] | None:
        """The next own tag: where it stands, its label and its kind.

        The kind is `skip` for the beginning of CDATA or of a comment, and `wait` for a tag that the end of the text cuts.
        """
        while (tag := self._tag.search(text, position)) is not None:
            name: str | None = tag["name"]
            if name is None:
                return tag.start(), tag.end(), "", "skip"
            label = self.labels.get(name) or self._by_normal.get(normal(name))
            if label is not None:
                cut = not tag[0].endswith(">")
                kind = "wait" if cut else "close" if tag["close"] else "empty" if tag["empty"] else "open"
                return tag.start(), tag.end(), label, kind
            position = tag.end()
        return None

    def tags(self, text: str) -> list[Tag]:
        """The own tags of a text, those within CDATA and comments left out."""
        found: list[Tag] = []
        position = 0
        skips = Skips()
        while len(found) <= MOST and (place := self.search(text, position)) is not None:
            start, position, label, kind = place
            if kind == "skip":
                position = skips.past(text, text[start:position], position)
            elif kind == "wait":
                if text.startswith("</", start):
                    found.append(Tag(start, position, label, "close"))
            else:
                found.append(Tag(start, position, label, kind))
        return found

    def read(self, reply: str) -> Tagged:
        """What the reply holds for each label."""
        found = Tagged()
        if not self.thinks:
            reply, note = without_thinking(reply)
            found.repairs += note
        tags = self.tags(reply)
        if len(tags) > MOST:
            found.errors.append(f"The reply holds more than {MOST} tags.")
            return found
        closes = matched(tags)
        index, position = 0, 0
        outside: list[str] = []
        while index < len(tags):
            tag = tags[index]
            if tag.kind == "close":
                if tag.name in found.texts and reply[position : tag.start].strip():
                    found.errors.append(
                        f"`{tag.name}` is closed twice, and it cannot be told where it ends: put text that holds "
                        f"`</{self.names[tag.name]}>` into `{CDATA}` and `]]>`."
                    )
                    return found
                found.repairs.append(f"`{reply[tag.start : tag.end]:.40}` left out: it closes nothing")
                outside.append(reply[position : tag.start])
                index, position = index + 1, tag.end
                continue
            if tag.kind == "empty":
                content, after, end = (tag.end, tag.end), index + 1, tag.end
            elif closes[index] >= 0:
                close = tags[closes[index]]
                content, after, end = (tag.end, close.start), closes[index] + 1, close.end
            else:
                unclosed = self._unclosed(reply, tags, closes, index)
                if unclosed is None:  # a word about the tag, before the tag itself
                    index += 1
                    continue
                content, after, end = unclosed
                if content[1] == len(reply):
                    found.cut = tag.name
                found.repairs.append(f"`{tag.name}` is not closed")
            outside.append(reply[position : tag.start])
            if reply[tag.start : tag.end] != f"<{self.names[tag.name]}>" and tag.kind != "empty":
                found.repairs.append(f"`{reply[tag.start : tag.end]:.60}` read as `<{self.names[tag.name]}>`")
            raw = reply[content[0] : content[1]]
            if tag.kind == "open" and closes[index] < 0 and (wrong := WRONG.search(raw)) and f"<{wrong[1]}" not in raw:
                raw = raw[: wrong.start()]
                found.repairs.append(f"`{wrong[0].strip()}` read as `</{self.names[tag.name]}>`")
            found.texts.setdefault(tag.name, []).append(raw)
            index, position = after, end
        self._around(found, [*outside, reply[position:]])
        return found

    def _unclosed(
        self, reply: str, tags: list[Tag], closes: list[int], index: int
    ) -> tuple[tuple[int, int], int, int] | None:
        """Where the content of a tag that nothing closes is, the index of the next tag, and where that content ends.

        None where the tag is only spoken of.
        """
        tag = tags[index]
        following = index + 1
        again = next((one for one in range(following, len(tags)) if tags[one].name == tag.name), None)
        if again is not None and tags[again].kind == "open":
            if closes[again] >= 0:
                if not begins(reply, tag.start):
                    return None
                if not begins(reply, tags[again].start) and again == following:
                    close = tags[closes[again]]  # the text speaks of its own tag
                    return (tag.end, close.start), closes[again] + 1, close.end
            else:
                stop = tags[again + 1].start if again + 1 < len(tags) else len(reply)
                if not reply[tags[again].end : stop].strip(" \t\r\n`"):
                    return (tag.end, tags[again].start), again + 1, tags[again].end  # `<a>text<a>`: a slash forgotten
        if following < len(tags):
            limit = tags[following]
            return (tag.end, limit.start), following + (limit.kind == "close"), limit.start
        return (tag.end, len(reply)), following, len(reply)

    def _around(self, found: Tagged, outside: list[str]) -> None:
        if found.cut is not None:
            raw = found.texts[found.cut][-1].rstrip()
            if outside and FENCE.match(outside[0].strip()) and raw.endswith("```"):
                raw = raw[:-3].rstrip()
            opened = raw.rfind("<")
            rest = raw[opened:].casefold() if opened >= 0 else ""
            if rest and f"</{self.names[found.cut]}>".casefold().startswith(rest):
                raw = raw[:opened]
            else:
                rest = ""
            found.texts[found.cut][-1] = raw
            if len(rest) > 2:
                found.cut = None  # the closing tag is cut, and the value is not
        if any(one.strip() for one in outside) and found.texts:
            found.repairs.append("text around the tags left out")


def begins(text: str, position: int) -> bool:
    """Whether only space stands between the beginning of a line, or another tag, and a position."""
    while position > 0 and text[position - 1] in " \t":
        position -= 1
    return position == 0 or text[position - 1] in "\n>"
