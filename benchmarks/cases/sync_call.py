"""A sync call on the direct backend, one after the other, every prompt another one, no cache: wall time."""

from __future__ import annotations

from itertools import count

from timing import asked, per_call, report, unknown

NUMBER = 200
numbers = count()

match asked():
    case "dsp":
        import dsp_side

        program = dsp_side.route.with_(lm=dsp_side.direct(cache=False))
        took = per_call(lambda: program(dsp_side.ticket(next(numbers))), NUMBER)
    case "DSPy":
        import dspy
        import dspy_side

        with dspy.context(lm=dspy_side.direct(cache=False)):
            took = per_call(lambda: dspy_side.route(**dspy_side.ticket(next(numbers))), NUMBER)
    case side:
        raise unknown(side)
report({asked(): took})
