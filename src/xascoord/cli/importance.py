"""Commands of stage 05: what each region of the spectrum is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import (
    DATASETS,
    LABELS,
    Datasets,
    Element,
    Labels,
    Out,
    Search,
    Workers,
)

commands = group("05: what each region of the spectrum is worth.")


@commands.command()
def drop(
    ctx: typer.Context,
    element: Element,
    out: Out,
    datasets: Datasets = DATASETS,
    labels: Labels = LABELS,
    search: Search = None,
    workers: Workers = 1,
) -> None:
    """Drop regions of the spectra of an element, fit the forest anew, and count what is lost."""
    from xascoord.importance.stage import drop_regions
    from xascoord.models.element import ElementFiles

    files = ElementFiles(element, datasets, labels, search)
    drop_regions(files, settings_of(ctx), out, workers)


@commands.command()
def summarise(
    ctx: typer.Context,
    tables: Annotated[Path, typer.Option(help="Folder of the elements' losses.")],
    out: Out,
    datasets: Datasets = DATASETS,
    labels: Labels = LABELS,
) -> None:
    """One table of all elements, heat map and example spectra."""
    from xascoord.importance.stage import summarise_importance

    summarise_importance(settings_of(ctx), tables, datasets, labels, out)
