"""Text between tags: how a tag is named after a label, and how a text stands between tags so that it comes back."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["CDATA", "TAGLIKE", "plain_text", "tag_names", "tagged_text", "unwrapped"]

CDATA = "<![CDATA["
ENDS = "]]>"
NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
UNFIT = re.compile(r"[^\w.\-]+")
TAGLIKE = re.compile(r"<[\w/!?]")
"""What may begin a tag; `a < b` does not."""
ENTITY = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));")
ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def tag_names(labels: Iterable[str]) -> dict[str, str]:
    """The tag of each label: itself where it is a name in XML; else with `_` for what a name cannot hold.

    Example:
        >>> tag_names(["answer", "first name", "first-name?", "2nd", "first_name"])
        {'answer': 'answer', 'first_name': 'first_name', 'first name': 'first_name_2', 'first-name?': 'first-name_', '2nd': '_2nd'}
    """
    labels = list(labels)
    names = {label: label for label in labels if NAME.match(label)}
    taken = set(names)
    for label in labels:
        if label in names:
            continue
        name = UNFIT.sub("_", label)
        stem = name = name if NAME.match(name) else f"_{name}"
        number = 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name)
        names[label] = name
    return names


def tagged_text(text: str) -> str:
    """A text as it stands between tags: as it is, or as CDATA where it holds markup or its outer space matters.

    Example:
        >>> tagged_text("a < b && c"), tagged_text("<b>")
        ('a < b && c', '<![CDATA[<b>]]>')
    """
    if text == text.strip() and not TAGLIKE.search(text) and not ENTITY.search(text):
        return text
    return f"{CDATA}{text.replace(ENDS, f']]{ENDS}{CDATA}>')}{ENDS}"


def unwrapped(text: str) -> str | None:
    """What a text that begins with CDATA says, the text between and behind its pieces too; None for any other text."""
    text = text.strip()
    if not text.startswith(CDATA):
        return None
    pieces: list[str] = []
    position = 0
    while position < len(text):
        if text.startswith(CDATA, position):
            end = text.find(ENDS, position)
            end = len(text) if end < 0 else end
            pieces.append(text[position + len(CDATA) : end])
            position = end + len(ENDS)
        else:
            end = text.find(CDATA, position)
            end = len(text) if end < 0 else end
            pieces.append(text[position:end])
            position = end
    return "".join(pieces)


def plain_text(raw: str) -> str:
    """The text that stands between tags.

    Entities are read, unless there is markup beside them: who writes `<b>` as it is escapes nothing, and `&lt;` is then
    the text's own.

    Example:
        >>> plain_text(" R&amp;D "), plain_text("<b>R&amp;D</b>"), plain_text("<![CDATA[ <b> ]]>")
        ('R&D', '<b>R&amp;D</b>', ' <b> ')
    """
    inner = unwrapped(raw)
    if inner is not None:
        return inner
    text = raw.strip()
    if "&" not in text or TAGLIKE.search(text):
        return text
    return ENTITY.sub(_character, text)


def _character(entity: re.Match[str]) -> str:
    if entity[1]:
        return ENTITIES[entity[1]]
    code = int(entity[2]) if entity[2] else int(entity[3], 16)
    # A number that is no character stays as it stands.
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else entity[0]
