"""A sync call that the memory cache answers: the whole way from a new input object to a typed output."""

from __future__ import annotations

from timing import asked, per_call, report, unknown

NUMBER = 1_000

match asked():
    case "dsp":
        import dsp_side

        program = dsp_side.route.with_(lm=dsp_side.direct(cache=True))
        program(dsp_side.ticket(0))
        took = per_call(lambda: program(dsp_side.ticket(0)), NUMBER)
        wrong = "" if program.run(dsp_side.ticket(0)).cached else "the call was not answered from the cache"
    case "DSPy":
        import dspy
        import dspy_side

        with dspy.context(lm=dspy_side.direct(cache=True)):
            dspy_side.route(**dspy_side.ticket(0))
            took = per_call(lambda: dspy_side.route(**dspy_side.ticket(0)), NUMBER)
            with dspy.track_usage() as usage:
                dspy_side.route(**dspy_side.ticket(0))
        wrong = "DSPy: not answered from the cache" if usage.get_total_tokens() else ""
    case side:
        raise unknown(side)
report({asked(): took}, wrong=wrong)
