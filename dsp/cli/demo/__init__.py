"""`dsp demo`: typed programs on text that comes with Python, the type checker at work on them, and what it all cost."""

__all__: list[str] = []
