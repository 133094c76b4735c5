"""Typed functions that talk to models, and how they compose."""

from dsp.programs.ask import Asker, LMFunction, ask, lm_function
from dsp.programs.chain_of_thought import ChainOfThought
from dsp.programs.compose import Either, Fan, Joined, Mapped, Pipeline
from dsp.programs.predict import Predict
from dsp.programs.prediction import Prediction, Reasoned
from dsp.programs.program import Program
from dsp.programs.step import Step, program

__all__ = [
    "Asker",
    "ChainOfThought",
    "Either",
    "Fan",
    "Joined",
    "LMFunction",
    "Mapped",
    "Pipeline",
    "Predict",
    "Prediction",
    "Program",
    "Reasoned",
    "Step",
    "ask",
    "lm_function",
    "program",
]
