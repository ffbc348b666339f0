"""Commands of stage 08: networks for T4, S5 and O6 sites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import RAW, Element, Out, Raw, Rejections, Sources, Workers

commands = group("08: tetrahedral, square pyramidal, octahedral (Carbone 2019).")


@commands.command()
def label(
    ctx: typer.Context,
    element: Element,
    spectra: Sources,
    out: Out,
    rejections: Rejections,
    workers: Workers = 1,
    raw: Raw = RAW,
) -> None:
    """Find tetrahedral, square pyramidal and octahedral sites; clean their spectra; resumes."""
    from xascoord.geometries.stage import label_geometries

    label_geometries(
        element, settings_of(ctx), spectra, out, rejections, raw / "geometries", workers
    )


@commands.command()
def train(
    ctx: typer.Context,
    element: Element,
    spectra: Annotated[Path, typer.Option(help="Parquet file of the cleaned spectra.")],
    predictions: Annotated[Path, typer.Option(help="Parquet file of held-out predictions.")],
    scores: Annotated[Path, typer.Option(help="CSV file of F1 by class, fold and test.")],
    workers: Workers = 1,
    raw: Raw = RAW,
) -> None:
    """Train and test the networks for those sites in disjoint folds; resumes."""
    from xascoord.geometries.stage import train_geometries

    journals = raw / "geometry_networks"
    train_geometries(element, settings_of(ctx), spectra, predictions, scores, journals, workers)


@commands.command()
def summarise(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option(help="Folder of spectra, predictions and scores.")],
    published: Annotated[Path, typer.Option(help="CSV file of the paper's figures.")],
    out: Out,
) -> None:
    """Tables and figures of the networks for those sites, beside the published ones."""
    from xascoord.geometries.stage import summarise_geometries

    summarise_geometries(settings_of(ctx), folder, published, out)
