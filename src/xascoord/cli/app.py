"""The command-line application: its root, its groups in the order of work, its errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xascoord.core.errors import XascoordError
from xascoord.core.files import explain_fault
from xascoord.core.text import printable

if TYPE_CHECKING:
    from xascoord.settings.tree import Settings

PARAMS = Path("params.yaml")


class Commands(typer.core.TyperGroup):
    """Commands whose errors, where the user can put them right, are one message: exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        """Call the command."""
        try:
            return super().invoke(ctx)
        except XascoordError as error:
            message = str(error)
        except MemoryError:
            message = "not enough memory; run again with fewer workers or on a larger machine"
        except OSError as error:
            # Of a file: no permission, a name too long, a full disk. Others are our own faults.
            name = os.fsdecode(error.filename) if error.filename else "a file"
            found = explain_fault(error, name)
            if found is None and (error.filename is None or not error.strerror):
                raise
            message = found or f"{name}: {error.strerror}"
        shown = printable(message, keep="\n")
        typer.echo(f"xascoord: error: {shown}", err=True)
        raise typer.Exit(2)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Coordination environments from X-ray absorption near-edge spectra (XANES).

**One spectrum:** `xascoord predict FILE` says what surrounds the absorber of a measured spectrum,
`xascoord simulate CRYSTAL` computes the spectrum of a crystal.

**The whole chain:** `snakemake --cores 2` runs it. The groups below are its stages in the order of
work; each command does one job of it by hand, and `xascoord GROUP COMMAND --help` says how:

**sources** into typed tables → **datasets** of an element → **labels** from order parameters →
**models** fitted and evaluated → **importance** of regions → **validation** → **report**;
**geometries** and **oxygen** are the two published networks; **references** are measured spectra of
known compounds.

Settings come from `params.yaml`; `xascoord check` says what is wrong with it.
""",
)


class Given:
    """Where the settings come from; they are read when a command asks for them."""

    def __init__(self, params: Path, text: str | None) -> None:
        self.params, self.text = params, text

    def load(self) -> Settings:
        """The settings of the file, or those given as text."""
        from xascoord.settings.tree import load_settings

        return load_settings(self.params, self.text)

    def load_or_default(self) -> Settings:
        """The same, or the defaults where the usual file is not there."""
        from xascoord.settings.tree import load_or_default

        return load_or_default(self.params) if self.text is None else self.load()


def _print_version(asked: bool) -> None:
    """Print the version and end, before anything else of the line is looked at."""
    if asked:
        from xascoord import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    params: Annotated[Path, typer.Option(help="Settings file.")] = PARAMS,
    settings: Annotated[
        str | None,
        typer.Option(
            help="Settings as JSON text, instead of a file; sections that are left out have their "
            "defaults. Snakemake hands each job what it depends on."
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Keep where the settings come from; the help of the application stands above."""
    ctx.obj = Given(params, settings)


def group(text: str) -> typer.Typer:
    """A group of commands; ``main`` gives it its name and place."""
    return typer.Typer(
        no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False, help=text
    )


def settings_of(ctx: typer.Context) -> Settings:
    """The settings of a call."""
    given: Given = ctx.obj
    return given.load()
