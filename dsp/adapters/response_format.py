"""How much of a response format a provider takes: a schema, any JSON object, or none; found out once, then remembered."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from dsp import settings
from dsp.bridge import ForkSafeLock
from dsp.errors import APIError
from dsp.messages import ResponseFormat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dsp.errors import LMError
    from dsp.lm import LM
    from dsp.messages import Request, Response

__all__ = ["ABOUT_FORMAT", "Refusals", "completed"]

T = TypeVar("T")

MOST = 512
"""How many models, or schemas of a model, are remembered."""
STATUSES = frozenset((400, 404, 405, 415, 422, 500, 501))
"""With what servers answer to a parameter that they do not know; some take it for a failure of their own."""
ABOUT_FORMAT = re.compile(
    r"response.?format|json.?schema|json.?object|json.?mode|structured.?output|guided.?(?:json|decoding)|grammar",
    re.IGNORECASE,
)
ABOUT_SCHEMA = re.compile(
    r"invalid schema|in context=|additionalproperties|unsupported (?:keyword|schema)|schema (?:is )?too|nesting|grammar",
    re.IGNORECASE,
)
"""Not the format is refused but this one schema: other schemas may pass."""

SCHEMA, OBJECT, TEXT = range(3)
"""The levels: held to a schema, to any JSON object, or to nothing."""

Place: TypeAlias = tuple[str, str, str, bytes]
"""Backend, endpoint, model; and a schema's digest where only that schema was refused."""


class Refusals:
    """What each model of each server refuses, in a row of levels; bounded, and free in a forked child.

    Args:
        subject: What a provider's words are about when it refuses a level.
        last: The level that no provider refuses.
    """

    def __init__(self, subject: re.Pattern[str], last: int) -> None:
        self._subject = subject
        self._last = last
        self._levels: OrderedDict[Place, int] = OrderedDict()
        self._lock = ForkSafeLock()

    async def first_taken(self, lm: LM, digest: bytes, start: int, attempt: Callable[[int], Awaitable[T]]) -> T:
        """What comes of the first level that the model takes; the next call begins there.

        Args:
            lm: The model.
            digest: Of the schema: a provider may refuse one schema and take another.
            start: The level to begin with where nothing was refused yet.
            attempt: Asks at one level.

        Raises:
            LMError: The model did not answer, for another reason than the level.
        """
        level = max(self._level(lm, digest), start)
        refused: list[LMError] = []
        while True:
            try:
                found = await attempt(level)
            except APIError as error:
                if level >= self._last or not self._are_in(error):
                    raise
                refused.append(error)
                level += 1
            else:
                if refused:
                    this_schema = all(ABOUT_SCHEMA.search(str(error)) for error in refused)
                    self._note(lm, digest if this_schema else b"", level)
                return found

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._levels.clear()

    def _are_in(self, error: LMError) -> bool:
        """Whether an error is a refusal of a level."""
        return isinstance(error, APIError) and error.status in STATUSES and bool(self._subject.search(str(error)))

    def _level(self, lm: LM, digest: bytes) -> int:
        if not self._levels:
            return 0
        return max(self._levels.get(_place(lm, b""), 0), self._levels.get(_place(lm, digest), 0))

    def _note(self, lm: LM, digest: bytes, level: int) -> None:
        place = _place(lm, digest)
        with self._lock:
            self._levels[place] = level
            self._levels.move_to_end(place)
            if len(self._levels) > MOST:
                self._levels.popitem(last=False)


_refusals = Refusals(ABOUT_FORMAT, last=TEXT)
settings.on_reset(_refusals.clear)


async def completed(lm: LM, request: Request) -> tuple[Request, Response]:
    """The reply to a request, and the request that brought it: its response format is what the provider takes.

    A provider that refuses the schema is asked for any JSON object, and one that refuses that for plain text. The next
    request to the same model begins where this one ended.

    Raises:
        LMError: The model did not answer, for another reason than the format.
    """
    form = request.response_format
    if form is None:
        return request, await lm.acomplete(request)

    async def attempt(level: int) -> tuple[Request, Response]:
        tried = _at(level, request, form)
        return tried, await lm.acomplete(tried)

    return await _refusals.first_taken(lm, form.digest, SCHEMA if form.strict else OBJECT, attempt)


def _at(level: int, request: Request, form: ResponseFormat) -> Request:
    if level == TEXT:
        return replace(request, response_format=None)
    if level == OBJECT and form.strict:
        return replace(request, response_format=ResponseFormat(form.name, form.schema, strict=False))
    return request


def _place(lm: LM, digest: bytes) -> Place:
    return lm.backend.name, getattr(lm.backend, "endpoint", ""), lm.model, digest
