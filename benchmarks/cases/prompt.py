"""The prompt of dsp's program as plain messages, for peers that have no programs: written once, filled in by number."""

from __future__ import annotations

import dsp_side
import words

_rendered = [message.to_openai() for message in dsp_side.route.render(dsp_side.ticket(0))]


def messages(number: int) -> list[dict[str, str]]:
    """The messages that dsp would send for the ticket of this number."""
    old, new = words.body(0), words.body(number)
    return [{"role": str(m["role"]), "content": str(m["content"]).replace(old, new)} for m in _rendered]
