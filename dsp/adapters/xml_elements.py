"""Values between tags: nested models as a tag for each field, lists as `<item>` tags, and JSON wherever it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from dsp.adapters.values import fits, text_or_null, typed
from dsp.adapters.xml_tags import MOST, Skips, Tag, matched
from dsp.adapters.xml_text import plain_text, tag_names, unwrapped
from dsp.errors import ParseError
from dsp.repair import AnyShape, ChoiceShape, ObjectShape, StringShape, UnionShape
from dsp.repair.candidate import exact
from dsp.repair.shape import LinkShape, ListShape, NullShape, NumberShape, OpenShape, normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from dsp.repair import Shape
    from dsp.repair.shape import MemberField

__all__ = ["ENTRIES", "ElementReader", "Tags"]

DEPTH = 60
"""How deep tags may be nested."""
TAG = re.compile(
    r"<!\[CDATA\[|<!--|<(?P<close>/?)(?P<name>[^\W\d][\w.\-:]{0,200})"
    r"(?P<rest>\s(?:[^<>\"']|\"[^\"<]{0,500}\"|'[^'<]{0,500}'){0,500}?)?(?P<empty>/?)>"
)
BEGINS = re.compile(r"<(?:!--|[?!]|[^\W\d])")
FENCED = re.compile(r"```[ \t]*\w{0,10}[ \t]*\r?\n(.*?)\n?[ \t]*```\Z", re.DOTALL)
ENTRIES = frozenset(("item", "entry", "pair"))
"""What an entry of a list or of an open object may be called, whatever it is."""
Names: TypeAlias = "dict[str, MemberField | None]"


class Tags:
    """The tags of each object's fields, found once for each shape."""

    def __init__(self) -> None:
        self._written: dict[ObjectShape, dict[str, str]] = {}
        self._read: dict[ObjectShape, tuple[dict[str, MemberField], Names]] = {}

    def written(self, shape: ObjectShape) -> dict[str, str]:
        """The tag by key."""
        known = self._written.get(shape)
        if known is None:
            known = self._written[shape] = tag_names(one.key for one in shape.fields)
        return known

    def meant(self, shape: ObjectShape, tag: str) -> MemberField | None:
        """The field that a tag means; None where it means none, or may mean two."""
        known = self._read.get(shape)
        if known is None:
            tags = self.written(shape)
            exact = {**shape.by_name, **{tags[one.key]: one for one in shape.fields}}
            loose: Names = {}
            for name, one in exact.items():
                key = normal(name)
                loose[key] = one if loose.get(key, one) is one else None
            known = self._read[shape] = (exact, loose)
        return known[0].get(tag) or known[1].get(normal(tag))


class _Element:
    """One element within a text."""

    __slots__ = ("first", "last", "name", "raw")

    def __init__(self, name: str, raw: str, first: int, last: int) -> None:
        self.name: str = name
        self.raw: str = raw
        self.first: int = first
        self.last: int = last


class ElementReader:
    """Reads what stands between the tags of one field."""

    def __init__(self, raw: str, tags: Tags) -> None:
        self.repairs: dict[str, None] = {}
        self._tags = tags
        self._text = raw
        self._found: list[Tag] = []
        position = 0
        skips = Skips()
        while (tag := TAG.search(raw, position)) is not None and len(self._found) <= MOST:
            position = tag.end()
            if tag["name"] is None:
                position = skips.past(raw, tag[0], position)
                continue
            kind = "close" if tag["close"] else "empty" if tag["empty"] else "open"
            # Matched without regard to case; the name itself is kept for open objects, whose keys it may be.
            self._found.append(Tag(tag.start(), tag.end(), tag["name"], kind))
        if len(self._found) > MOST:
            raise _refused(f"it holds more than {MOST} tags")
        self._closes = matched([Tag(one.start, one.end, one.name.casefold(), one.kind) for one in self._found])

    def read(self, shape: Shape) -> JsonValue:
        """The value.

        Raises:
            ParseError: There is none, or two that differ.
        """
        return self._value(_Element("", self._text, 0, len(self._found)), shape, 0)

    def _children(self, element: _Element, start: int) -> list[_Element]:
        """The elements directly within an element whose text begins at `start`."""
        found: list[_Element] = []
        end = start + len(element.raw)
        index = element.first
        while index < element.last:
            tag = self._found[index]
            if tag.kind == "close":
                index += 1
                continue
            if tag.kind == "empty":
                found.append(_Element(tag.name, "", index + 1, index + 1))
                index += 1
                continue
            close = self._closes[index]
            if 0 <= close < element.last:
                inner = self._text[tag.end : self._found[close].start]
                found.append(_Element(tag.name, inner, index + 1, close))
                index = close + 1
                continue
            self.repairs[f"`{tag.name:.40}` is not closed"] = None
            stop = element.last
            following = self._found[index + 1] if index + 1 < element.last else None
            # What is left open ends where the next tag begins, unless it holds that tag.
            if following is not None and self._text[tag.end : following.start].strip():
                stop = index + 1
            until = self._found[stop].start if stop < element.last else end
            found.append(_Element(tag.name, self._text[tag.end : until], index + 1, stop))
            index = stop
        return found

    def _inner(self, element: _Element) -> list[_Element]:
        if element.first >= element.last:
            return []
        if element.first == 0 and element.raw is self._text:
            return self._children(element, 0)
        return self._children(element, self._found[element.first - 1].end)

    def _value(self, element: _Element, shape: Shape, depth: int) -> JsonValue:
        if depth > DEPTH:
            raise _refused(f"tags are nested deeper than {DEPTH} levels")
        if isinstance(shape, LinkShape):
            shape = shape.target
        if isinstance(shape, StringShape) and shape.text:
            return plain_text(element.raw)
        if text_or_null(shape):
            return self._leaf(plain_text(element.raw), shape)
        inner = unwrapped(element.raw)
        if inner is not None:
            return self._leaf(inner, shape)
        content = element.raw.strip()
        if fenced := FENCED.match(content):
            content = fenced[1].strip()
        children: list[_Element] = []
        if "<" in content and content[:1] not in ("{", "[", '"'):
            children = self._inner(element)
        if not children:
            return self._leaf(plain_text(content), shape)
        if not BEGINS.match(content) and not isinstance(shape, ObjectShape | ListShape | OpenShape | UnionShape):
            return self._leaf(plain_text(content), shape)
        return self._structure(element, children, shape, depth + 1)

    def _structure(self, element: _Element, children: list[_Element], shape: Shape, depth: int) -> JsonValue:
        if isinstance(shape, ObjectShape):
            return self._object(children, shape, depth)
        if isinstance(shape, ListShape):
            return self._list(children, shape, depth)
        if isinstance(shape, OpenShape):
            return self._open(children, shape, depth)
        if isinstance(shape, UnionShape):
            return self._union(element, shape, depth)
        if isinstance(shape, AnyShape):
            return self._any(children, depth)
        if len(children) == 1:
            self.repairs[f"taken out of `{children[0].name:.40}`"] = None
            return self._value(children[0], shape, depth)
        return plain_text(element.raw)

    # ------------------------------------------------------------------ text
    def _leaf(self, text: str, shape: Shape) -> JsonValue:
        if not text:
            return self._empty(shape)
        if isinstance(shape, NumberShape):
            try:
                number = exact(text)
            except ValueError:
                number = None  # words, or a number that is written otherwise
            if isinstance(number, int | float) and not isinstance(number, bool):
                return number
        if isinstance(shape, ChoiceShape) and shape.plain:
            for one in shape.members:
                if one.value == text:
                    return text
        if isinstance(shape, AnyShape):
            try:
                return exact(text)
            except ValueError:
                return text
        try:
            value, repairs = typed(text, shape)
        except ParseError:
            if not isinstance(shape, ListShape) or text[:1] in ("{", "[", "`"):
                raise
            return text  # one item, perhaps, without a tag of its own
        self.repairs |= dict.fromkeys(repairs)
        return value

    def _empty(self, shape: Shape) -> JsonValue:
        if isinstance(shape, UnionShape):
            arms = [arm.target if isinstance(arm, LinkShape) else arm for arm in shape.arms]
            texts = any(isinstance(arm, StringShape | AnyShape) for arm in arms)
            return None if any(isinstance(arm, NullShape) for arm in arms) and not texts else ""
        if isinstance(shape, ListShape):
            return []
        if isinstance(shape, OpenShape) or (isinstance(shape, ObjectShape) and not shape.fields):
            return {}
        return ""

    # ------------------------------------------------------------------ tags
    def _object(self, children: Sequence[_Element], shape: ObjectShape, depth: int) -> JsonValue:
        groups: dict[str, list[_Element]] = {}
        for child in children:
            groups.setdefault(child.name, []).append(child)
        if len(children) == 1 and self._tags.meant(shape, children[0].name) is None and self._inner(children[0]):
            self.repairs[f"taken out of `{children[0].name:.40}`"] = None
            return self._value(children[0], shape, depth)
        values: dict[str, JsonValue] = {}
        for name, group in groups.items():
            one = self._tags.meant(shape, name)
            key = one.key if one is not None else name
            if key in values:
                raise _refused(f"`{key:.60}` has two values")
            if one is None:
                values[key] = self._repeated(name, group, AnyShape(), depth)
            else:
                if name != self._tags.written(shape)[key]:
                    self.repairs[f"`<{name:.60}>` read as `<{self._tags.written(shape)[key]}>`"] = None
                values[key] = self._repeated(key, group, one.shape, depth)
        return values

    def _repeated(self, name: str, group: Sequence[_Element], shape: Shape, depth: int) -> JsonValue:
        """The value of a tag that stands once, or of one that is repeated for each item of a list."""
        if len(group) == 1:
            return self._value(group[0], shape, depth)
        target = shape.target if isinstance(shape, LinkShape) else shape
        if isinstance(target, ListShape) and not target.fixed:
            self.repairs[f"`{name:.60}`: repeated tags read as a list"] = None
            return [self._value(one, target.items[-1], depth) for one in group]
        values = [self._value(one, shape, depth) for one in group]
        if any(value != values[0] for value in values[1:]):
            raise _refused(f"`{name:.60}` has two values")
        self.repairs[f"`{name:.60}` was repeated"] = None
        return values[0]

    def _list(self, children: Sequence[_Element], shape: ListShape, depth: int) -> JsonValue:
        last = len(shape.items) - 1
        if last < 0:
            return []
        names = {normal(child.name) for child in children}
        item = shape.items[last]
        if isinstance(item, LinkShape):
            item = item.target
        if not names <= ENTRIES and isinstance(item, ObjectShape):
            fields = [self._tags.meant(item, child.name) for child in children]
            if all(fields):
                if len(names) == len(children):
                    self.repairs["one item read as a list of one"] = None
                    return [self._object(children, item, depth)]
                if len(names) == 1:
                    return [self._object([child], item, depth) for child in children]
        if len(names) > 1 and not names <= ENTRIES:
            raise _refused(f"a list holds different tags: {', '.join(f'`{child.name:.40}`' for child in children[:5])}")
        if not names <= ENTRIES:
            self.repairs[f"`<{children[0].name:.60}>` read as `<item>`"] = None
        return [self._value(child, shape.items[min(index, last)], depth) for index, child in enumerate(children)]

    def _open(self, children: Sequence[_Element], shape: OpenShape, depth: int) -> JsonValue:
        values: dict[str, JsonValue] = {}
        pairs = [self._pair(child) for child in children]
        for child, pair in zip(children, pairs, strict=True):
            # An entry that gives its key and its value apart, where all of them do.
            key, held = (plain_text(pair[0].raw), pair[1]) if pair and all(pairs) else (child.name, child)
            value = self._value(held, shape.values, depth)
            if values.get(key, value) != value:
                raise _refused(f"the key `{key:.60}` has two values")
            values[key] = value
        return values

    def _pair(self, child: _Element) -> tuple[_Element, _Element] | None:
        if normal(child.name) not in ENTRIES:
            return None
        inner = {normal(one.name): one for one in self._inner(child)}
        key = inner.get("key") or inner.get("name")
        return (key, inner["value"]) if key is not None and "value" in inner and len(inner) == 2 else None

    def _union(self, element: _Element, shape: UnionShape, depth: int) -> JsonValue:
        fitting: list[tuple[JsonValue, dict[str, None]]] = []
        fault: ParseError | None = None
        kept = dict(self.repairs)
        for arm in shape.arms:
            target = arm.target if isinstance(arm, LinkShape) else arm
            if not isinstance(target, ObjectShape | ListShape | OpenShape | UnionShape | AnyShape):
                continue
            self.repairs = dict(kept)
            try:
                value = self._value(element, target, depth)
            except ParseError as error:
                fault = fault or error
                continue
            if fits(value, target):
                fitting.append((value, self.repairs))
        self.repairs = kept
        if fitting:
            least = min(len(repairs) for _, repairs in fitting)
            best = [one for one in fitting if len(one[1]) == least]
            if any(value != best[0][0] for value, _ in best[1:]):
                raise _refused("its tags can be read in two ways")
            self.repairs = best[0][1]
            return best[0][0]
        if any(isinstance(arm, StringShape) for arm in shape.arms):
            return plain_text(element.raw)
        raise fault or _refused("its tags fit none of its types")

    def _any(self, children: Sequence[_Element], depth: int) -> JsonValue:
        groups: dict[str, list[JsonValue]] = {}
        for child in children:
            groups.setdefault(child.name, []).append(self._value(child, AnyShape(), depth))
        if len(groups) == 1 and ("item" in groups or len(children) > 1):
            return next(iter(groups.values()))
        return {name: values[0] if len(values) == 1 else values for name, values in groups.items()}


def _refused(why: str) -> ParseError:
    sentence = f"{why[0].upper()}{why[1:]}."
    return ParseError(sentence, reply="", errors=(sentence,))
