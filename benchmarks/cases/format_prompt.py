"""A prompt with 4 demos, from an input to messages."""

from __future__ import annotations

from itertools import count

from timing import asked, per_call, report, unknown

NUMBER = 1_000
numbers = count()

match asked():
    case "dsp":
        import dsp_side

        import dsp

        ours = dsp.ChatAdapter()
        signature, examples = dsp_side.route.signature, dsp_side.demos()
        took = per_call(lambda: ours.format(signature, dsp_side.ticket(next(numbers)), demos=examples), NUMBER)
        messages = len(ours.format(signature, dsp_side.ticket(0), demos=examples).messages)
    case "DSPy":
        import dspy
        import dspy_side

        theirs = dspy.ChatAdapter()
        shown = dspy_side.demos()
        took = per_call(
            lambda: theirs.format(signature=dspy_side.Route, demos=shown, inputs=dspy_side.ticket(next(numbers))),
            NUMBER,
        )
        messages = len(theirs.format(signature=dspy_side.Route, demos=shown, inputs=dspy_side.ticket(0)))
    case side:
        raise unknown(side)
report({asked(): took}, wrong="" if messages == 2 + 2 * 4 else f"{asked()} made {messages} messages, not 10")
