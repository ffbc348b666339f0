"""Commands of stage 06: the forest on measured or on degraded spectra."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import (
    DATASETS,
    LABELS,
    THRESHOLDS,
    Datasets,
    Element,
    Labels,
    Out,
    Rejections,
    Search,
    Thresholds,
)

commands = group("06: the forest on measured spectra, or on degraded ones.")


@commands.command()
def evaluate(
    ctx: typer.Context,
    element: Element,
    out: Out,
    rejections: Rejections,
    datasets: Datasets = DATASETS,
    labels: Labels = LABELS,
    thresholds: Thresholds = THRESHOLDS,
    search: Search = None,
) -> None:
    """Evaluate the forest on measured spectra (validation.folder), or on degraded ones."""
    from xascoord.models.element import ElementFiles
    from xascoord.validation.stage import validate_element

    files = ElementFiles(element, datasets, labels, search)
    validate_element(files, settings_of(ctx), thresholds, out, rejections)


@commands.command()
def summarise(
    ctx: typer.Context,
    tables: Annotated[Path, typer.Option(help="Folder of the elements' tables.")],
    out: Out,
) -> None:
    """Validation of all elements: tables, training sets, robustness."""
    from xascoord.validation.stage import summarise_validation

    summarise_validation(settings_of(ctx), tables, out)
