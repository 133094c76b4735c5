"""A clean reply with 20 nested items, from text to validated models: `chat` or `json`. Every reply is another text."""

from __future__ import annotations

from itertools import cycle

import order
import words
from timing import asked, per_call, report, unknown

NUMBER = 300
style = asked(2)
replies = [(words.chat_reply if style == "chat" else words.json_reply)(i) for i in range(64)]
texts = cycle(replies)

match asked():
    case "dsp":
        import dsp_side

        import dsp

        ours = dsp.ChatAdapter() if style == "chat" else dsp.JSONAdapter()
        signature = dsp_side.read_order.signature
        took = per_call(lambda: ours.parse(signature, next(texts)), NUMBER)
        read = ours.parse(signature, replies[3]).output
    case "DSPy":
        import dspy
        import dspy_side

        theirs = dspy.ChatAdapter() if style == "chat" else dspy.JSONAdapter()
        took = per_call(lambda: theirs.parse(dspy_side.ReadOrder, next(texts)), NUMBER)
        read = order.Order.model_construct(**theirs.parse(dspy_side.ReadOrder, replies[3]))
    case "Pydantic":
        took = per_call(lambda: order.Order.model_validate_json(next(texts)), NUMBER)
        read = order.Order.model_validate_json(replies[3])
    case side:
        raise unknown(side)
report({asked(): took}, wrong="" if read == order.Order.model_validate(words.order(3)) else f"{asked()} read {read!r}")
