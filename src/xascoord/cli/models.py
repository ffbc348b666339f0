"""Commands of the models: search, training, importance, prediction."""

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
def train(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    dataset: Annotated[list[Path], typer.Option(help="Parquet file of a data set.")],
    labels: Annotated[Path, typer.Option(help="Parquet file of the labels.")],
    thresholds: Annotated[Path, typer.Option(help="JSON file of the thresholds.")],
    predictions: Annotated[Path, typer.Option(help="Parquet file of held-out predictions.")],
    bundles: Annotated[Path, typer.Option(help="Folder for the models and their cards.")],
    search: Annotated[
        Path | None, typer.Option(help="Table of a search, instead of the settings.")
    ] = None,
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Cross-validate all classifiers of an element and save the final models; resumes."""
    from xascoord.models.stage import train_element

    train_element(
        element, load_settings(params, settings), dataset, labels, thresholds, search, predictions,
        bundles, raw / "models", workers,
    )  # fmt: skip


@app.command()
def search(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    dataset: Annotated[list[Path], typer.Option(help="Parquet file of a data set.")],
    labels: Annotated[Path, typer.Option(help="Parquet file of the labels.")],
    out: Annotated[Path, typer.Option(help="CSV file of all candidates and the chosen ones.")],
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Try every candidate of the hyper-parameter grids for an element; resumes."""
    from xascoord.models.stage import search_element

    search_element(
        element, load_settings(params, settings), dataset, labels, out, raw / "search", workers
    )


@app.command()
def summarise_models(
    predictions: Annotated[Path, typer.Option(help="Folder of held-out predictions.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Metrics, losses and figures of all elements."""
    from xascoord.models.stage import summarise_models as summarise

    summarise(load_settings(params, settings), predictions, out)


@app.command()
def card(
    bundle: Annotated[Path, typer.Argument(help="A .skops file of models.")],
) -> None:
    """Print the model card of a bundle, without loading its models."""
    from xascoord.models.bundles import read_record
    from xascoord.models.card import model_card

    print(model_card(read_record(bundle)), end="")


@app.command()
def importance(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    dataset: Annotated[list[Path], typer.Option(help="Parquet file of a data set.")],
    labels: Annotated[Path, typer.Option(help="Parquet file of the labels.")],
    out: Annotated[Path, typer.Option(help="CSV file of the losses.")],
    search: Annotated[Path | None, typer.Option(help="Table of a search.")] = None,
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Drop regions of the spectra and train anew: what each region is worth; resumes."""
    from xascoord.importance.stage import drop_regions

    drop_regions(
        element, load_settings(params, settings), dataset, labels, search, out,
        raw / "importance", workers,
    )  # fmt: skip


@app.command()
def summarise_importance(
    tables: Annotated[Path, typer.Option(help="Folder of the elements' losses.")],
    datasets: Annotated[Path, typer.Option(help="Folder of the data sets.")],
    labels: Annotated[Path, typer.Option(help="Folder of labels.")],
    out: Annotated[Path, typer.Option(help="Folder for the table and the figures.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """One table of all elements, heat map and example spectra."""
    from xascoord.importance.stage import summarise_importance as summarise

    summarise(load_settings(params, settings), tables, datasets, labels, out)


@app.command()
def predict(
    path: Annotated[Path, typer.Argument(help="Spectrum (.xdi, .prj, columns) or a folder.")],
    element: Annotated[
        str | None, typer.Option(help="Absorber; else as the file says or from its energies.")
    ] = None,
    e0: Annotated[float | None, typer.Option(help="Energy zero in eV, instead of found.")] = None,
    models: Annotated[Path, typer.Option(help="Folder of the models.")] = Path(
        "data/04_models/bundles"
    ),
    classifier: Annotated[
        str | None, typer.Option(help="knn, forest, mlp, svc or cnn.", show_default="forest")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="auto, transmission, fluorescence or mu.")
    ] = None,
    deglitch: Annotated[bool, typer.Option(help="Take single outlying points out.")] = False,
    plot: Annotated[Path | None, typer.Option(help="PNG file; for a folder: a folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    params: ParamsOption = PARAMS,
) -> None:
    """Tell what surrounds the absorber of a measured spectrum, ranked, or why it cannot be told.

    Example: `xascoord predict CuO.xdi --plot CuO.png`. A folder gives one line a spectrum.
    """
    from xascoord.prediction.command import run

    run(path, element, e0, models, classifier, channel, deglitch, plot, as_json, params)


@app.command()
def validate(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    dataset: Annotated[list[Path], typer.Option(help="Parquet file of a data set.")],
    labels: Annotated[Path, typer.Option(help="Parquet file of the labels.")],
    thresholds: Annotated[Path, typer.Option(help="JSON file of the thresholds.")],
    out: Annotated[Path, typer.Option(help="CSV file of every evaluated spectrum.")],
    rejections: Annotated[Path, typer.Option(help="CSV file of what could not be evaluated.")],
    search: Annotated[Path | None, typer.Option(help="Table of a search.")] = None,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Judge the random forest on measured spectra (validation.folder), or on degraded ones."""
    from xascoord.validation.stage import validate_element

    validate_element(
        element,
        load_settings(params, settings),
        dataset,
        labels,
        thresholds,
        search,
        out,
        rejections,
    )


@app.command()
def summarise_validation(
    tables: Annotated[Path, typer.Option(help="Folder of the elements' tables.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Validation of all elements: tables, training sets, robustness."""
    from xascoord.validation.stage import summarise_validation as summarise

    summarise(load_settings(params, settings), tables, out)
