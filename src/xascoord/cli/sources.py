"""Commands of stage 01: spectra of every source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import RAW, Out, Raw, Workers, check_element
from xascoord.core.errors import XascoordError

commands = group("01: spectra of a source into typed tables; downloads; FEFF runs.")


@commands.command("import")
def import_(
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help="embedded, demo, crystals, omnixas, feff, xasdb_archive or materials_project."
        ),
    ],
    out: Out,
    element: Annotated[
        str | None,
        typer.Option(
            help="Only this absorber; 'sources join' puts them together.", callback=check_element
        ),
    ] = None,
    raw: Raw = RAW,
) -> None:
    """Bring the spectra of one source into typed tables, one Parquet file an element.

    Example: `xascoord --settings '{"sources": ["feff"], "feff": {"path": "runs.tar.gz"},
    "elements": ["Cu"]}' sources import feff --out data/01_spectra/feff`
    """
    from xascoord.sources.stage import import_source

    _check_source(source)
    counts = import_source(source, settings_of(ctx), out, raw, element)
    found, accepted = (sum(row[name] for row in counts) for name in ("found", "accepted"))
    print(f"{source}: {found} spectra found, {accepted} accepted, {found - accepted} rejected")


def _check_source(name: str) -> None:
    from xascoord.sources.stage import SOURCES

    if name not in SOURCES:
        raise XascoordError(f"no source {name!r}; there are {', '.join(SOURCES)}")


@commands.command()
def join(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="crystals or materials_project.")],
    out: Out,
) -> None:
    """Put the counts and rejections of elements that were imported one by one together."""
    from xascoord.sources.stage import join_elements

    _check_source(source)
    join_elements(source, settings_of(ctx), out)


@commands.command()
def download(
    ctx: typer.Context,
    record: Annotated[Path, typer.Option(help="File for the database versions, written last.")],
    element: Annotated[
        str | None, typer.Option(help="Only this absorber.", callback=check_element)
    ] = None,
    raw: Raw = RAW,
) -> None:
    """Fetch oxides' K-edge XANES from the Materials Project (key in MP_API_KEY); resumes."""
    from xascoord.sources.stage import download as fetch_all

    settings = settings_of(ctx)
    if element is not None:
        settings = settings.model_copy(update={"elements": (element,)})
    fetch_all(settings, raw, record)


@commands.command()
def list_feff_runs(ctx: typer.Context, out: Out) -> None:
    """Plan FEFF runs for crystals without spectrum (feff.run.structures, feff.run.missing)."""
    from xascoord.sources.stage import list_feff_runs as write_plan

    write_plan(settings_of(ctx), out)


@commands.command()
def choose_crystals(
    ctx: typer.Context,
    out: Out,
    element: Annotated[
        str | None, typer.Option(help="Only for this absorber.", callback=check_element)
    ] = None,
) -> None:
    """Choose, for each element, the crystals of which this project computes spectra."""
    from xascoord.sources.stage import choose_crystals as write_choice

    write_choice(settings_of(ctx), out, element)


@commands.command()
def count_coordination(
    ctx: typer.Context, out: Out = Path("src/xascoord/core/frequencies.csv")
) -> None:
    """Count how common each coordination number of each element is in nature (6 CPU-minutes).

    The table is part of the package: predictions weigh what was learnt by it (prediction.prior).
    """
    from xascoord.sources.stage import count_coordination as count

    count(settings_of(ctx), out)


@commands.command()
def run_feff(
    ctx: typer.Context,
    plan: Annotated[Path, typer.Argument(help="Folder of list-feff-runs or choose-crystals.")],
    journals: Annotated[Path, typer.Option(help="Folder of results, kept for reruns.")],
    part: Annotated[int, typer.Option(min=1, help="Which chunk of the runs.")] = 1,
    parts: Annotated[int, typer.Option(min=1, help="Number of chunks.")] = 1,
    element: Annotated[
        str | None, typer.Option(help="Only runs of this absorber.", callback=check_element)
    ] = None,
    record: Annotated[Path | None, typer.Option(help="File for how runs ended, last.")] = None,
    workers: Workers = 1,
    packed: Annotated[
        Path | None, typer.Option(help="Folder of packed runs that are not computed again.")
    ] = None,
) -> None:
    """Compute a chunk of a plan of FEFF runs (FEFF10, or feff.run.executable); resumes.

    Example: `xascoord sources run-feff data/01_spectra/crystals/plan --element Fe --journals
    data/raw/crystals --workers 2`
    """
    from xascoord.sources.stage import run_feff as run_chunk

    run_chunk(plan, settings_of(ctx), journals, (part, parts), workers, record, element, packed)


@commands.command()
def pack_feff(
    ctx: typer.Context,
    plan: Annotated[Path, typer.Argument(help="Folder of list-feff-runs or choose-crystals.")],
    journals: Annotated[Path, typer.Option(help="Folder of results.")],
    out: Out = Path("data/crystals"),
) -> None:
    """Pack finished FEFF runs into small tables that travel with the project.

    Example: `xascoord sources pack-feff data/01_spectra/crystals/plan --journals data/raw/crystals`
    """
    from xascoord.sources.stage import pack_feff as pack

    pack(plan, settings_of(ctx), journals, out)


@commands.command()
def compute_demo(
    ctx: typer.Context, out: Out = Path("data/demo"), workers: Workers = 1, raw: Raw = RAW
) -> None:
    """Compute the embedded demonstration spectra anew with FEFF8L (half an hour); resumes."""
    from xascoord.sources.stage import compute_demo as compute

    compute(settings_of(ctx), raw, workers, out)


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
