"""Commands of stage 07: the run on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import Out

commands = group("07: the run on one page.")


@commands.command()
def write(
    ctx: typer.Context,
    out: Out,
    results: Annotated[Path, typer.Option(help="Folder of the stages' results.")] = Path("results"),
) -> None:
    """One page about a run: data, settings, versions, headline figures."""
    from xascoord.report.page import write_report

    write_report(settings_of(ctx), results, out)
