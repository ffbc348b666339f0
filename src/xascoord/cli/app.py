"""The command-line application and the options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.settings.tree import PARAMS_FILE

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Coordination environments from X-ray absorption near-edge spectra (XANES).

The stages, in order: **spectra** of a source into typed tables, **datasets** of an element
(site-specific and site-averaged), **order-parameters**, **calibrate** and **labels**, then
**train** (with **search** before it, if wished), **importance**, **validate** and **report**.
**predict** answers for one measured spectrum.

`snakemake --cores 2` runs them all; each command here runs one of them by hand.

Settings come from `params.yaml`; `xascoord check` tells what is wrong with it.
""",
)

ParamsOption = Annotated[Path, typer.Option("--params", help="Settings file.", show_default=True)]
SettingsOption = Annotated[
    str | None,
    typer.Option("--settings", help="JSON text whose sections replace those of the file."),
]
RawOption = Annotated[
    Path, typer.Option(help="Folder of downloads and FEFF runs, kept for reruns.")
]
WorkersOption = Annotated[int, typer.Option(min=1, help="Calculations at a time.")]
PARAMS = PARAMS_FILE
RAW = Path("data/raw")  # journals of downloads, of FEFF runs and of fits; kept between runs
