"""Commands about a run as a whole: its report, its records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import PARAMS, ParamsOption, SettingsOption, app
from xascoord.settings.tree import load_settings


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="Folder for the page, settings and versions.")],
    results: Annotated[Path, typer.Option(help="Folder of the stages' results.")] = Path("results"),
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """One page about a run: data, settings, versions, headline figures."""
    from xascoord.report.page import write_report

    write_report(load_settings(params, settings), results, out)


@app.command()
def save_provenance() -> None:
    """Write Snakemake's records of all results to data/provenance, for DVC to carry along.

    A run that succeeds does this itself; the stages of dvc.yaml do it once more.
    """
    from xascoord.workflow.snakemake_records import save_records

    for stage, count in save_records().items():
        print(f"{stage}: {count} results")
