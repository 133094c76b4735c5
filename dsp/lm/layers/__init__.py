"""The layers of a model call, outermost first: trace, cache, deadline, retry, limits, attempt.

Each takes the handler below it and is a handler itself, like the transports of an HTTP client.
"""

__all__: list[str] = []
