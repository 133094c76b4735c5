"""The commands and their options."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import dsp
from dsp.cli.exits import reported
from dsp.cli.inputs import input_type, input_value
from dsp.cli.outputs import as_json, check_place, write
from dsp.cli.prompts import AdapterName, as_text, predictor_at
from dsp.cli.streams import stdout_kept_clean
from dsp.cli.target import load

__all__ = ["app", "main"]

app: typer.Typer = typer.Typer(
    name="dsp",
    help="Typed programs on language models.",
    epilog="Exit codes: 0 all well, 1 the run failed, 2 wrong usage, 3 no such program, 4 no model or key, 130 interrupted.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Target = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:NAME", help="A program: shop.triage:triage, or examples/triage.py:triage.", show_default=False
    ),
]
Input = Annotated[
    str, typer.Option("--input", "-i", metavar="JSON|@FILE|-", help="The input: JSON, @FILE, or - for stdin.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--lm", metavar="MODEL", help="The model, such as openai/gpt-4o-mini or embedded.", show_default=False
    ),
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code.

    Args:
        arguments: What follows `dsp`; None takes the process's own.
    """
    app(args=arguments, prog_name="dsp")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"dsp {dsp.__version__}")
        raise typer.Exit


@app.callback()
def dsp_command(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Typed programs on language models."""


@app.command()
def run(
    target: Target,
    given: Input,
    lm: Model = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the result to a file, not to stdout.", show_default=False),
    ] = None,
) -> None:
    """Run a program on one input. The result is JSON on stdout; everything else goes to stderr."""
    with reported():
        check_place(output)
        with stdout_kept_clean():
            program = load(target)
            value = input_value(given, input_type(program))
            with _model(program, lm):
                result = as_json(program(value))
        write(result, output)


@app.command()
def render(
    target: Target,
    given: Input,
    adapter: Annotated[
        AdapterName | None,
        typer.Option(help="How the prompt is written, if not as the program says.", show_default=False),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="For a program built of others: the step; --input is then its input.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show the exact messages that a program would send for one input, without a call."""
    with reported():
        with stdout_kept_clean():
            predictor = predictor_at(load(target), step)
            value = input_value(given, input_type(predictor))
            if adapter is not None:
                predictor = predictor.with_(adapter=adapter.made())
            text = as_text(predictor.render(value))
        typer.echo(text, nl=False)


@app.command()
def demo(lm: Model = None) -> None:
    """Show what dsp does on real text, in under a minute; offline unless a model is named here or in DSP_MODEL."""
    with reported():
        from dsp.cli.demo.show import show

        show(lm)


@contextmanager
def _model(program: dsp.Program[Any, Any], name: str | None) -> Generator[None]:  # any program
    """The model that was named on the command line goes before all others, the program's own included."""
    if name is None:
        yield
        return
    lm = dsp.LM(name)
    program.set_lm(lm)
    with dsp.context(lm=lm):
        yield
