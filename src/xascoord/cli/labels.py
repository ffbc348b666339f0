"""Commands of stage 03: order parameters, thresholds, ranking labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import (
    DATASETS,
    LABELS,
    ORDER_PARAMETERS,
    RAW,
    THRESHOLDS,
    Datasets,
    Element,
    Labels,
    OrderParameters,
    Out,
    Raw,
    Rejections,
    Sources,
    Thresholds,
    Workers,
)

commands = group("03: order parameters of sites, thresholds, ranking labels.")


@commands.command()
def order_parameters(
    element: Element,
    spectra: Sources,
    out: Out,
    rejections: Rejections,
    datasets: Datasets = DATASETS,
    workers: Workers = 1,
    raw: Raw = RAW,
) -> None:
    """Compute the 12 CN and 25 motif order parameters of every spectrum; resumes."""
    from xascoord.labels.stage import compute_order_parameters

    journals = raw / "order_parameters"
    compute_order_parameters(element, spectra, datasets, out, rejections, journals, workers)


@commands.command()
def calibrate(
    ctx: typer.Context,
    curves: Annotated[Path, typer.Option(help="CSV file of the whole curves.")],
    figure: Annotated[Path, typer.Option(help="PNG file of the curves.")],
    order_parameters: OrderParameters = ORDER_PARAMETERS,
    out: Out = Path("results/03_labels/calibration.json"),
) -> None:
    """Cardinality of the labels against their thresholds, and where both data sets agree."""
    from xascoord.labels.stage import calibrate_thresholds

    calibrate_thresholds(settings_of(ctx), order_parameters, curves, out, figure)


@commands.command("thresholds")
def set_thresholds(
    ctx: typer.Context,
    calibrated: Annotated[Path | None, typer.Option(help="JSON file of 'calibrate'.")] = None,
    out: Out = THRESHOLDS,
) -> None:
    """Write the thresholds in force: the settings' own, or with labels.calibrate those found."""
    from xascoord.labels.stage import set_thresholds as write

    write(settings_of(ctx), calibrated, out)


@commands.command()
def assign(
    ctx: typer.Context,
    element: Element,
    out: Out,
    order_parameters: OrderParameters = ORDER_PARAMETERS,
    thresholds: Thresholds = THRESHOLDS,
) -> None:
    """Make the ranking labels of every spectrum of an element."""
    from xascoord.labels.stage import make_labels

    make_labels(element, settings_of(ctx), order_parameters, thresholds, out)


@commands.command()
def summarise(
    ctx: typer.Context,
    rejections: Annotated[Path, typer.Option(help="Folder of rejections.")],
    out: Out,
    labels: Labels = LABELS,
    thresholds: Thresholds = THRESHOLDS,
) -> None:
    """Tasks, label counts, entropies and cardinalities, as tables and figures."""
    from xascoord.labels.stage import summarise_labels

    summarise_labels(settings_of(ctx), labels, rejections, thresholds, out)
