"""Commands of the library of measured references."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import Given, group
from xascoord.cli.options import Rejections, check_element
from xascoord.core.errors import XascoordError
from xascoord.core.text import printable

commands = group("Measured spectra of known compounds: those of the package, and your own.")
Folder = Annotated[
    Path | None,
    typer.Option(
        help="Folder of references of your own.",
        envvar="XASCOORD_REFERENCES",
        show_default="xascoord/references in your data folder",
    ),
]
_SHOWN = ("element", "number", "kind", "compound", "sample", "beamline", "source", "name")


@commands.command()
def build(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the files, e.g. data/external.")],
    manifest: Annotated[Path, typer.Option(help="What is in each file.")] = Path(
        "data/references/manifest.csv"
    ),
    out: Annotated[Path, typer.Option(help="Parquet table to write.")] = Path(
        "src/xascoord/references/references.parquet"
    ),
    rejections: Rejections = Path("results/references/rejections.csv"),
) -> None:
    """Build the table of references that comes with the package, and fit what is learnt from it.

    From a manifest and its files. Then `xascoord references test` asks each without its compound.
    """
    from xascoord.references.build import build_table
    from xascoord.references.models import FITTED, ReferenceModels

    given: Given = ctx.obj
    built = build_table(folder, manifest, out, rejections, given.load_or_default().limits)
    ReferenceModels.fit(built.references).save(out.with_name(FITTED.name))
    print(
        f"{built.rows} files or columns: {built.merged} make {len(built.references)} references, "
        f"{len(built.rejections)} rejected"
    )


@commands.command()
def test(
    models: Annotated[Path | None, typer.Option(help="Folder of models.")] = None,
    out: Annotated[Path, typer.Option(help="CSV table to write.")] = Path(
        "src/xascoord/references/tested.csv"
    ),
) -> None:
    """Ask each reference of the package without its compound: how often answers are right."""
    from xascoord.prediction.predictor import Predictor
    from xascoord.prediction.tested import ask_references
    from xascoord.prediction.tested_figures import describe_tested

    print(describe_tested(ask_references(Predictor(models), out)))


@commands.command()
def add(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Measured spectrum.")] = None,
    compound: Annotated[str | None, typer.Option(help="What was measured.")] = None,
    coordination: Annotated[
        int | None, typer.Option(help="Oxygens about the absorber; not if mixed or uncertain.")
    ] = None,
    motif: Annotated[str, typer.Option(help="Their arrangement, e.g. tetrahedral.")] = "",
    kind: Annotated[
        str | None, typer.Option(help="oxide, metal, sulfide ...", show_default="oxide")
    ] = None,
    element: Annotated[
        str | None,
        typer.Option(
            help="Absorber; else as the file says or from its energies.", callback=check_element
        ),
    ] = None,
    sample: Annotated[
        str | None, typer.Option(help="Name of the sample.", show_default="that of the file")
    ] = None,
    beamline: Annotated[str, typer.Option(help="Where it was measured.")] = "",
    source: Annotated[str, typer.Option(help="Who measured it.")] = "own",
    licence: Annotated[str, typer.Option(help="How it may be used.")] = "",
    note: Annotated[str, typer.Option(help="What to mind.")] = "",
    cif: Annotated[
        Path | None,
        typer.Option(help="Structure from which coordination number and motif follow."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Table of files below its folder, instead of one file."),
    ] = None,
    folder: Folder = None,
    channel: Annotated[str, typer.Option(help="auto, transmission, fluorescence or mu.")] = "auto",
    energy_column: Annotated[
        str | None, typer.Option(help="Column of energies, by name or number.")
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
) -> None:
    """Add a measured spectrum of a known compound to your own references.

    Examples: `xascoord references add ZnO.xdi --compound ZnO --coordination 4 --motif tetrahedral`

    `xascoord references add foil.dat --compound 'Zn metal' --kind metal`

    `xascoord references add scan.001 --compound Fe2O3 --cif hematite.cif --i0 2 --if roi1`

    `xascoord references add --manifest own.csv`, with columns as data/references/manifest.csv
    """
    from xascoord.measured.columns import Columns
    from xascoord.measured.read import CHANNELS
    from xascoord.references.manifest import OXIDE, Entry, Reading, read_manifest
    from xascoord.references.own import add_entries

    given: Given = ctx.obj
    limits = given.load_or_default().limits
    if manifest is not None:
        if file is not None or compound is not None or cif is not None:
            raise XascoordError("--manifest says files and compounds: give no other")
        added = add_entries(read_manifest(manifest), manifest.parent, folder, limits=limits)
    else:
        if file is None or compound is None:
            raise XascoordError("give a file and its --compound, or a table of them by --manifest")
        if cif is not None and (coordination is not None or motif or kind not in (None, OXIDE)):
            raise XascoordError("--cif says what surrounds the absorber: give only one of the two")
        chosen = next((name for name in CHANNELS if name == channel), None)
        if chosen is None:
            raise XascoordError(f"--channel: no channel {channel!r}; {', '.join(CHANNELS)}")
        columns = Columns(energy_column, i0, i1, tuple(fluorescence or ()), tuple(mu or ()))
        try:
            entry = Entry(
                file.name, element or "", compound, coordination, motif, kind or OXIDE,
                sample or "", beamline, note, source, licence, Reading(columns, chosen),
            )  # fmt: skip
        except XascoordError as error:
            raise XascoordError(f"{file}: --{error}") from None
        added = add_entries([entry], file.parent, folder, cif, limits)
    for one in added:
        number = one.coordination or "no number"
        print(printable(f"added {one.name} ({one.kind}, {number}; e0 {one.e0:.1f} eV)"))


@commands.command(name="list")
def list_(
    element: Annotated[
        str | None, typer.Option(help="Only of this absorber.", callback=check_element)
    ] = None,
    own: Annotated[bool, typer.Option("--own", help="Only your own.")] = False,
    folder: Folder = None,
) -> None:
    """List the references, one a line, with tabs between the columns.

    Example: `xascoord references list --element Fe`
    """
    from xascoord.references.library import load_references

    print("\t".join(_SHOWN))
    for one in load_references(folder):
        if (element is None or one.element == element) and (one.own or not own):
            number = "" if one.coordination is None else str(one.coordination)
            shown = (
                one.element, number, one.kind, one.compound, one.sample, one.beamline, one.source,
                one.name,
            )  # fmt: skip
            print("\t".join(map(printable, shown)))


@commands.command()
def remove(
    name: Annotated[str, typer.Argument(help="As 'references list --own' shows it.")],
    folder: Folder = None,
) -> None:
    """Take a reference of your own out."""
    from xascoord.references.own import remove as take_out

    take_out(name, folder)
    print(printable(f"removed {name}"))
