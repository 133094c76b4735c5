"""`LM("embedded")`: a small in-context learner that ships with the package and needs no network and no key."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from dsp.bridge import ForkSafeLock
from dsp.errors import InvalidMessages
from dsp.lm.backends.embedded.learner import Learner
from dsp.lm.backends.embedded.reading import Layout, demos_of, layout_of, query_place
from dsp.lm.backends.embedded.source import Source
from dsp.lm.backends.embedded.words import folded, stems_of
from dsp.messages import FinishChunk, Response, TextChunk, TextPart, UsageChunk
from dsp.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dsp.messages import FinishReason, Message, ModelParams, Request, StreamChunk

__all__ = ["EmbeddedBackend"]

PREFIXES = 8
"""How many sets of examples are kept ready."""
KEPT = 1_000_000
"""Characters that all of them may have together; in memory, each is about a hundred bytes."""
TOKEN = 4
"""Characters that count as one token. No tokenizer is asked: the figure is an estimate, and the same everywhere."""
GREETING = "I am the embedded model: I find things in what you write. Write a question and some text."
PIECE = re.compile(r"\s*\S+|\s+$")


class EmbeddedBackend:
    """Answers from the prompt alone: from the nearest examples in it, else by matching and extracting from the input.

    It is a baseline, for first steps, tests and tuning without a network; it knows nothing but the prompt. The same
    prompt always gets the same reply, in every process.

    Example:
        >>> import asyncio
        >>> from dsp.messages import Message, Request
        >>> request = Request("embedded", (Message("user", "The office is in Ghent. Where is the office?"),))
        >>> asyncio.run(EmbeddedBackend().complete(request)).text
        'The office is in Ghent.'
    """

    name: str = "embedded"
    """What the backend is called in cache keys and history."""
    endpoint: str = ""
    """It is nowhere but here."""
    immediate: bool = True
    """It waits for nothing."""

    def __init__(self) -> None:
        self._prefixes: OrderedDict[tuple[tuple[str, str], ...], Learner] = OrderedDict()
        self._lock = ForkSafeLock()

    async def complete(self, request: Request) -> Response:
        """The whole reply.

        Raises:
            InvalidMessages: The request holds no message.
        """
        text, reason = _limited(self._reply(request.messages), request.params)
        usage = Usage(_tokens(sum(len(message.text) for message in request.messages)), _tokens(len(text)))
        return Response(
            (TextPart(text),),
            usage=usage,
            cost=0.0,
            finish_reason=reason,
            model=request.model,
            provider=self.name,
        )

    async def stream(self, request: Request) -> AsyncIterator[StreamChunk]:
        """The reply, word by word, then what it cost and why it ended.

        Raises:
            InvalidMessages: The request holds no message.
        """
        response = await self.complete(request)
        for piece in PIECE.finditer(response.text):
            yield TextChunk(piece[0])
        yield UsageChunk(response.usage, response.cost)
        yield FinishChunk(response.finish_reason)

    def _reply(self, messages: Sequence[Message]) -> str:
        if not messages:
            raise InvalidMessages(
                "There is no message to answer: pass at least one `Message`.", model=self.name, provider=self.name
            )
        layout = layout_of("\n\n".join(message.text for message in messages if message.role == "system"))
        place = query_place(layout, messages)
        asked = messages[place].text if place >= 0 else ""
        if layout.form is None or not layout.outputs:
            return _chat(layout, asked)
        values = layout.form.inputs(asked, layout.inputs, layout.definitions)
        learner = self._learner(layout, messages[: max(place, 0)])
        return layout.form.write(learner.answer({"text": asked} if values is None else values), layout.outputs)

    def _learner(self, layout: Layout, prefix: Sequence[Message]) -> Learner:
        key = tuple((message.role, message.text) for message in prefix)
        with self._lock:
            learner = self._prefixes.get(key)
            if learner is not None:
                self._prefixes.move_to_end(key)
                return learner
        # Made outside of the lock: two threads may make the same one, and one of the two is kept.
        learner = Learner(layout, demos_of(layout, prefix))
        with self._lock:
            self._prefixes[key] = learner
            while len(self._prefixes) > PREFIXES or sum(map(_size, self._prefixes)) > KEPT:
                self._prefixes.popitem(last=False)
        return learner


def _size(prefix: tuple[tuple[str, str], ...]) -> int:
    return sum(len(text) for _, text in prefix)


def _chat(layout: Layout, asked: str) -> str:
    """An answer to a plain message: the sentence, out of all that is there, that has most to do with its question."""
    text = f"{layout.instructions}\n\n{asked}"
    source = Source.of_text(text)
    questions = [sentence for sentence in source.sentences if sentence.text.endswith("?")]
    question = questions[-1] if questions else None
    wanted = dict.fromkeys(stems_of(question.text if question else asked[-2_000:]), 1.0)
    for _, sentence in source.ranked(wanted):
        if sentence is not question:
            return folded(sentence.text)
    return GREETING


def _limited(text: str, params: ModelParams) -> tuple[str, FinishReason]:
    """The text up to the first stop sequence and within the token limit, and why it ended."""
    stops = params.get("stop") or ()
    places = [text.find(stop) for stop in ((stops,) if isinstance(stops, str) else stops) if stop]
    text = text[: min((place for place in places if place >= 0), default=len(text))]
    most = params.get("max_tokens")
    if most is not None and _tokens(len(text)) > most:
        return text[: max(most, 0) * TOKEN], "length"
    return text, "stop"


def _tokens(characters: int) -> int:
    return -(-characters // TOKEN)
