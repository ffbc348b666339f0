"""Commands of the published networks: T4/S5/O6 sites, metal atoms about oxygen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import (
    PARAMS,
    RAW,
    ParamsOption,
    RawOption,
    SettingsOption,
    WorkersOption,
    app,
)
from xascoord.settings.tree import load_settings


@app.command()
def label_geometries(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    spectra: Annotated[list[Path], typer.Option(help="Folder of a source.")],
    out: Annotated[Path, typer.Option(help="Parquet file of the cleaned spectra.")],
    rejections: Annotated[Path, typer.Option(help="Parquet file of what was left out.")],
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Find tetrahedral, square pyramidal and octahedral sites; clean their spectra; resumes."""
    from xascoord.geometries.stage import label_geometries as label

    label(
        element, load_settings(params, settings), spectra, out, rejections, raw / "geometries",
        workers,
    )  # fmt: skip


@app.command()
def train_geometries(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    spectra: Annotated[Path, typer.Option(help="Parquet file of the cleaned spectra.")],
    predictions: Annotated[Path, typer.Option(help="Parquet file of held-out predictions.")],
    scores: Annotated[Path, typer.Option(help="CSV file of F1 by class, fold and test.")],
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Train and test the networks for those sites in disjoint folds; resumes."""
    from xascoord.geometries.stage import train_geometries as train

    train(
        element, load_settings(params, settings), spectra, predictions, scores,
        raw / "geometry_networks", workers,
    )  # fmt: skip


@app.command()
def summarise_geometries(
    folder: Annotated[Path, typer.Option(help="Folder of spectra, predictions and scores.")],
    published: Annotated[Path, typer.Option(help="CSV file of the paper's figures.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Tables and figures of the networks for those sites, beside the published ones."""
    from xascoord.geometries.stage import summarise_geometries as summarise

    summarise(load_settings(params, settings), folder, published, out)


@app.command()
def import_oxygen(
    out: Annotated[Path, typer.Option(help="Parquet file of the O K-edge spectra.")],
    rejections: Annotated[Path, typer.Option(help="Parquet file of what was left out.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Read O K-edge spectra of snapshots or FEFF output; count the metal atoms about each O."""
    from xascoord.oxygen.stage import import_oxygen as read

    read(load_settings(params, settings), out, rejections)


@app.command()
def train_oxygen(
    spectra: Annotated[Path, typer.Option(help="Parquet file of the O K-edge spectra.")],
    out: Annotated[Path, typer.Option(help="JSON lines: one network each.")],
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Train and test the oxygen networks in every split; resumes."""
    from xascoord.oxygen.stage import train_oxygen as train

    train(load_settings(params, settings), spectra, out, raw / "oxygen_networks", workers)


@app.command()
def summarise_oxygen(
    spectra: Annotated[Path, typer.Option(help="Parquet file of the O K-edge spectra.")],
    networks: Annotated[Path, typer.Option(help="JSON lines: one network each.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Tables and figures of the oxygen networks, beside the published figures."""
    from xascoord.oxygen.stage import summarise_oxygen as summarise

    summarise(load_settings(params, settings), spectra, networks, out)
