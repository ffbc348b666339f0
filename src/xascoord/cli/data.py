"""Commands of the settings, the spectra, the data sets and the labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xascoord import __version__
from xascoord.cli.app import (
    PARAMS,
    RAW,
    ParamsOption,
    RawOption,
    SettingsOption,
    WorkersOption,
    app,
)
from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import XascoordError
from xascoord.datasets.stage import make_datasets
from xascoord.datasets.stage import summarise_datasets as summarise
from xascoord.settings.tree import json_schema, load_or_default, load_settings
from xascoord.sources import stage as stages


@app.command()
def check(params: ParamsOption = PARAMS, settings: SettingsOption = None) -> None:
    """Check the settings and print them with all defaults filled in."""
    print(json.dumps(load_settings(params, settings).model_dump(mode="json"), indent=1))


@app.command()
def schema(out: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write the JSON schema that validates params.yaml."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")


@app.command()
def spectra(
    source: Annotated[
        str, typer.Argument(help="demo, crystals, feff, xasdb_archive or materials_project.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for spectra, structures, rejections, counts.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Bring the spectra of one source into typed tables, one Parquet file an element.

    Example: `xascoord spectra feff --settings '{"sources": ["feff"], "feff": {"path":
    "runs.tar.gz"}, "elements": ["Cu"]}' --out data/01_spectra/feff`
    """
    if source not in stages.SOURCES:
        raise XascoordError(f"no source {source!r}; there are {', '.join(stages.SOURCES)}")
    counts = stages.import_source(source, load_settings(params, settings), out, raw)
    found, accepted = (sum(row[name] for row in counts) for name in ("found", "accepted"))
    print(f"{source}: {found} spectra found, {accepted} accepted, {found - accepted} rejected")


@app.command()
def download(
    record: Annotated[Path, typer.Option(help="File for the database versions, written last.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Fetch oxides' K-edge XANES from the Materials Project (key in MP_API_KEY); resumes."""
    stages.download(load_settings(params, settings), raw, record)


@app.command()
def list_feff_runs(
    out: Annotated[Path, typer.Option(help="Folder for the plan.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Plan FEFF runs for crystals without spectrum (feff.run.structures, feff.run.missing)."""
    stages.list_feff_runs(load_settings(params, settings), out)


@app.command()
def run_feff(
    plan: Annotated[Path, typer.Argument(help="Folder of list-feff-runs or choose-crystals.")],
    journals: Annotated[Path, typer.Option(help="Folder of results, kept for reruns.")],
    part: Annotated[int, typer.Option(min=1, help="Which chunk of the runs.")] = 1,
    parts: Annotated[int, typer.Option(min=1, help="Number of chunks.")] = 1,
    element: Annotated[str | None, typer.Option(help="Only runs of this absorber.")] = None,
    record: Annotated[Path | None, typer.Option(help="File for how runs ended, last.")] = None,
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Compute a chunk of a plan of FEFF runs (FEFF10, or feff.run.executable); resumes.

    Example: `xascoord run-feff data/01_spectra/crystals/plan --element Fe --journals
    data/raw/crystals --workers 2`
    """
    stages.run_feff(
        plan, load_settings(params, settings), journals, (part, parts), workers, record, element
    )  # fmt: skip


@app.command()
def compute_demo(
    out: Annotated[Path, typer.Option(help="Folder of the embedded tables.")] = Path("data/demo"),
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
    raw: RawOption = RAW,
) -> None:
    """Compute the embedded demonstration spectra anew with FEFF8L (about an hour); resumes."""
    stages.compute_demo(load_settings(params, settings), raw, workers, out)


@app.command()
def choose_crystals(
    out: Annotated[Path, typer.Option(help="Folder for the tables.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Choose, for each element, the crystals of which this project computes spectra."""
    stages.choose_crystals(load_settings(params, settings), out)


@app.command()
def simulate(
    path: Annotated[Path, typer.Argument(help="Crystal: a CIF or a POSCAR.")],
    element: Annotated[
        str | None, typer.Option(help="Absorber; needed where several have models.")
    ] = None,
    site: Annotated[int | None, typer.Option(help="One site only; --list shows them.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="One of feff.run.presets, e.g. fast or published.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the sites, compute nothing.")
    ] = False,
    compare: Annotated[
        Path | None, typer.Option(help="Measured spectrum to draw beside the computed one.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; else NAME_ELEMENT here.")] = None,
    kind: Annotated[str, typer.Option("--format", help="Of the spectra: xdi or csv.")] = "xdi",
    workers: WorkersOption = 1,
    params: ParamsOption = PARAMS,
) -> None:
    """Compute the K-edge XANES of a crystal by FEFF10: each site, their average, a picture.

    About half a minute a site with the preset 'fast'. Examples:

    `xascoord simulate Fe2O3.cif`

    `xascoord simulate POSCAR --element Cu --compare CuO.xdi --out CuO`
    """
    from xascoord.simulation.command import run

    if kind not in ("xdi", "csv"):
        raise XascoordError(f"--format {kind}: xdi or csv")
    settings = load_or_default(params)
    run(path, settings, element, site, preset, listed, compare, out, kind, workers)  # type: ignore[arg-type]


@app.command()
def datasets(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    spectra: Annotated[list[Path], typer.Option(help="Folder of a source; by precedence.")],
    site: Annotated[Path, typer.Option(help="Parquet file of the site-specific set.")],
    averaged: Annotated[Path, typer.Option(help="Parquet file of the site-averaged set.")],
    rejections: Annotated[Path, typer.Option(help="Parquet file of what was left out.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Build the site-specific and the site-averaged data set of one element."""
    if element not in ELEMENTS:
        raise XascoordError(f"no element {element!r}; there are {' '.join(ELEMENTS)}")
    make_datasets(element, spectra, load_settings(params, settings), site, averaged, rejections)


@app.command()
def summarise_datasets(
    spectra: Annotated[list[Path], typer.Option(help="Folder of a source.")],
    datasets: Annotated[Path, typer.Option(help="Folder of the data sets.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Counts and rejections of all elements, as tables and figures."""
    summarise(load_settings(params, settings), spectra, datasets, out)


@app.command()
def order_parameters(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    spectra: Annotated[list[Path], typer.Option(help="Folder of a source.")],
    dataset: Annotated[list[Path], typer.Option(help="Parquet file of a data set.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    rejections: Annotated[Path, typer.Option(help="Parquet file of what was left out.")],
    workers: WorkersOption = 1,
    raw: RawOption = RAW,
) -> None:
    """Compute the 12 CN and 25 motif order parameters of every spectrum; resumes."""
    from xascoord.labels.stage import compute_order_parameters

    journals = raw / "order_parameters"
    compute_order_parameters(element, spectra, dataset, out, rejections, journals, workers)


@app.command()
def calibrate(
    order_parameters: Annotated[Path, typer.Option(help="Folder of order parameters.")],
    out: Annotated[Path, typer.Option(help="JSON file of the thresholds in force.")],
    curves: Annotated[Path, typer.Option(help="CSV file of the whole curves.")],
    figure: Annotated[Path, typer.Option(help="PNG file of the curves.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Calibrate the thresholds of the labels, or record the fixed ones beside the curves."""
    from xascoord.labels.stage import calibrate_thresholds

    calibrate_thresholds(load_settings(params, settings), order_parameters, curves, out, figure)


@app.command()
def labels(
    element: Annotated[str, typer.Argument(help="Absorber, e.g. Cu.")],
    order_parameters: Annotated[Path, typer.Option(help="Parquet file of order parameters.")],
    thresholds: Annotated[Path, typer.Option(help="JSON file of the thresholds.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Make the ranking labels of every spectrum of an element."""
    from xascoord.labels.stage import make_labels

    make_labels(element, load_settings(params, settings), order_parameters, thresholds, out)


@app.command()
def summarise_labels(
    labels: Annotated[Path, typer.Option(help="Folder of labels.")],
    rejections: Annotated[Path, typer.Option(help="Folder of rejections.")],
    thresholds: Annotated[Path, typer.Option(help="JSON file of the thresholds.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    params: ParamsOption = PARAMS,
    settings: SettingsOption = None,
) -> None:
    """Tasks, label counts, entropies and cardinalities, as tables and figures."""
    from xascoord.labels.stage import summarise_labels as summarise

    summarise(load_settings(params, settings), labels, rejections, thresholds, out)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Name in data/sources.csv; 'list' shows them.")],
    out: Annotated[Path, typer.Option(help="Folder under which it is put.")] = Path(
        "data/external"
    ),
    table: Annotated[Path, typer.Option(help="Table of data sets.")] = Path("data/sources.csv"),
) -> None:
    """Fetch an outside data set that is public in git, by dvc import at its pinned commit."""
    from xascoord.sources.external import fetch as fetch_data
    from xascoord.sources.external import read_external

    known = read_external(table)
    if name == "list":
        for data in known.values():
            print(f"{data.name}\t{data.what}\t{data.licence}\t{data.obtain}")
        return
    if name not in known:
        raise XascoordError(f"no data set {name!r} in {table}; there are {', '.join(known)}")
    fetch_data(known[name], out / name)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)
