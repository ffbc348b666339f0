"""Commands for one spectrum: predict, simulate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from xascoord.cli.app import Given
from xascoord.cli.options import Asked, Models, Origin, Workers
from xascoord.core.errors import XascoordError
from xascoord.core.text import printable
from xascoord.settings.limits import Limits


def predict(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(help="Spectra (.xdi, .prj, HDF5, columns), or folders of them."),
    ],
    element: Annotated[
        str | None, typer.Option(help="Absorber; else as the file says or from its energies.")
    ] = None,
    e0: Annotated[float | None, typer.Option(help="Energy zero in eV, instead of found.")] = None,
    models: Models = None,
    origin: Origin = None,
    classifier: Asked = None,
    channel: Annotated[
        str | None, typer.Option(help="auto, transmission, fluorescence or mu.")
    ] = None,
    deglitch: Annotated[
        bool | None,
        typer.Option("--deglitch/--no-deglitch", help="Take single outlying points out."),
    ] = None,
    normalisation: Annotated[
        str | None, typer.Option(help="edge_step, as in Athena, or mback.")
    ] = None,
    energy_column: Annotated[
        str | None,
        typer.Option(help="Column of energies, by name or number; in HDF5 by path, too."),
    ] = None,
    i0: Annotated[str | None, typer.Option(help="Column of the monitor.")] = None,
    i1: Annotated[str | None, typer.Option(help="Column of what the sample let through.")] = None,
    fluorescence: Annotated[
        list[str] | None,
        typer.Option("--if", help="Column of fluorescence; given several times: their sum."),
    ] = None,
    mu: Annotated[
        list[str] | None,
        typer.Option(help="Column of mu itself; given several times: their mean."),
    ] = None,
    athena: Annotated[
        bool, typer.Option("--athena", help="Take e0 and normalisation of the Athena project.")
    ] = False,
    merge: Annotated[
        bool, typer.Option("--merge", help="The files are scans of one sample: one answer.")
    ] = False,
    listed: Annotated[
        bool,
        typer.Option("--list", help="Show columns, groups or datasets of a file; predict nothing."),
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="PNG file; for a folder: a folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for all columns (CSV; JSON with --json); grows with each spectrum."
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Every environment, what was done, the models."),
    ] = False,
) -> None:
    """Tell what surrounds the absorber of a measured spectrum, ranked, or why it cannot be told.

    Example: `xascoord predict CuO.xdi --plot CuO.png`. Several files or a folder give
    one line a spectrum, on a terminal as a table to be read, in a pipe or with `--out` as CSV with
    every column (numbers and their probabilities, set, kind of compound, descriptors, nearest
    spectra): `xascoord predict *.xdi --out answers.csv`

    Where the columns of a file cannot be told by their names: `xascoord predict scan.001
    --energy-column mono --i0 2 --if roi1 --if roi2`; `xascoord predict scan.001 --list` shows them.
    A table of one column a sample gives one answer each. HDF5 and NeXus: `xascoord predict scan.h5
    --energy-column /1.1/measurement/energy --mu /1.1/measurement/mu`

    Repeat scans of one sample, merged into one spectrum: `xascoord predict --merge CuO.00*`
    """
    from xascoord.measured.columns import Columns

    given: Given = ctx.obj
    if listed:
        _list_files(paths, given.load_or_default().limits)
        return
    from xascoord.prediction.command import run

    columns = Columns(energy_column, i0, i1, tuple(fluorescence or ()), tuple(mu or ()))
    wishes: dict[str, Any] = {
        "classifier": classifier, "channel": channel, "deglitch": deglitch,
        "normalisation": normalisation,
    }  # fmt: skip
    settings = given.load_or_default()
    run(
        paths, element, e0, models, origin, wishes, plot, as_json, settings.prediction, out,
        settings.limits, settings.importance.bounds, columns, athena, settings.window,
        verbose, merge,
    )  # fmt: skip


def _list_files(paths: Sequence[Path], limits: Limits) -> None:
    from xascoord.measured.listing import list_file

    for path in paths:
        lines = list_file(path, limits)
        print(
            "\n".join(printable(line) for line in ([f"{path}:"] if len(paths) > 1 else []) + lines)
        )


def validate(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Measured files, e.g. the XAS Data Library's.")],
    manifest: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tables of samples and what surrounds their absorber.",
            show_default="data/experiments.csv and data/experiments_more.csv",
        ),
    ] = None,
    models: Models = None,
    classifier: Asked = None,
    out: Annotated[Path, typer.Option(help="Folder of the tables.")] = Path("results/benchmark"),
    prefix: Annotated[str, typer.Option(help="Of the names of the tables.")] = "",
) -> None:
    """Ask every measured sample of known structure and count the right answers.

    Prints, for each origin of models and for the choice among them: first coordination number and
    environment right, beside the constant guess, recall by coordination number, confident errors,
    refusals, and how far stated probabilities are from the share that is right. Example:
    `xascoord validate data/external/xasdatalibrary`
    """
    from xascoord.prediction.benchmark_command import run_benchmark

    given: Given = ctx.obj
    manifests = manifest or [Path("data/experiments.csv"), Path("data/experiments_more.csv")]
    run_benchmark(folder, manifests, models, classifier, given.load_or_default(), out, prefix)


def simulate(
    ctx: typer.Context,
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
    workers: Workers = 1,
) -> None:
    """Compute the K-edge XANES of a crystal by FEFF10: each site, their average, a picture.

    About half a minute a site with the preset 'fast'. Examples:

    `xascoord simulate Fe2O3.cif`

    `xascoord simulate POSCAR --element Cu --compare CuO.xdi --out CuO`
    """
    from xascoord.simulation.command import run

    if kind not in ("xdi", "csv"):
        raise XascoordError(f"--format {kind}: xdi or csv")
    given: Given = ctx.obj
    settings = given.load_or_default()
    run(path, settings, element, site, preset, listed, compare, out, kind, workers)  # type: ignore[arg-type]
