"""CPU of an async call on the direct backend, 64 at once, every prompt another one, no cache."""

from __future__ import annotations

import asyncio

from timing import URL, asked, cpu_per_call, report, unknown

NUMBER, AT_ONCE = 1_280, 64


async def measure() -> float:
    match asked():
        case "dsp":
            import dsp_side

            program = dsp_side.route.with_(lm=dsp_side.direct(cache=False))
            return await cpu_per_call(lambda i: program.acall(dsp_side.ticket(i)), NUMBER, AT_ONCE)
        case "DSPy":
            import dspy
            import dspy_side

            with dspy.context(lm=dspy_side.direct(cache=False)):
                return await cpu_per_call(lambda i: dspy_side.route.acall(**dspy_side.ticket(i)), NUMBER, AT_ONCE)
        case "aiohttp":
            import aiohttp
            import prompt

            async with aiohttp.ClientSession() as session:

                async def post(number: int) -> object:
                    body = {"model": "bench", "messages": prompt.messages(number)}
                    async with session.post(f"{URL}/chat/completions", json=body) as answer:
                        return await answer.json()

                return await cpu_per_call(post, NUMBER, AT_ONCE)
        case side:
            raise unknown(side)


report({asked(): asyncio.run(measure())})
