"""Spectra that are not there yet: FEFF runs for the sites without one, and their results."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from xascoord.core.errors import OF_THE_MACHINE, LimitError, SourceError, StructureError
from xascoord.core.files import read_file
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection
from xascoord.settings.limits import Limits
from xascoord.settings.tree import Settings
from xascoord.sources.account import opening
from xascoord.sources.collect import Spectrum
from xascoord.sources.feff.chunks import results
from xascoord.sources.feff.files import Content, contents, read_content
from xascoord.sources.feff.output import (
    NAME,
    check_atoms,
    crystal_row,
    decode,
    poscar_material,
    read_feff,
    read_poscar,
)
from xascoord.sources.feff.plan import read_plan, write_plan
from xascoord.structures.cif import check_cif
from xascoord.structures.identifiers import normalise_material_id, structure_digest

if TYPE_CHECKING:
    from pymatgen.core import Structure


def crystals_to_run(settings: Settings) -> tuple[dict[str, Structure], list[Rejection]]:
    """Crystals for which FEFF may be run, by material, and those that cannot be read.

    They are the POSCAR and CIF files of ``feff.run.structures`` (material: the file's stem, or
    its folder where it is called POSCAR) and, with ``feff.run.missing``, the POSCARs of
    ``feff.path``.
    """
    crystals: dict[str, Structure] = {}
    digests: dict[str, str] = {}
    rejections: list[Rejection] = []
    for path, material, content in _crystal_files(settings):
        name = str(path)
        try:
            crystal = _read_crystal(path, read_content(content), settings.limits)
        except OF_THE_MACHINE:
            raise
        except RejectedSpectrum as error:
            rejections.append(Rejection(name, error.reason, error.detail))
            continue
        except LimitError as error:
            rejections.append(Rejection(name, Reason.BEYOND_LIMIT, str(error)))
            continue
        except Exception as error:  # pymatgen raises many kinds on malformed text
            detail = f"{type(error).__name__}: {error}"[:200]
            rejections.append(Rejection(name, Reason.BAD_STRUCTURE, detail))
            continue
        cell = structure_digest(crystal)
        if material in crystals:
            # Run folders of one material repeat its POSCAR; that is no fault.
            if cell != digests[material]:
                detail = f"another crystal of the name {material} came before"
                rejections.append(Rejection(name, Reason.DUPLICATE, detail))
            continue
        crystals[material], digests[material] = crystal, cell
    return crystals, rejections


def _crystal_files(settings: Settings) -> Iterator[tuple[PurePosixPath, str, Content]]:
    """Path, material and content, to be read, of every file that holds a crystal."""
    run = settings.feff.run
    if run.structures is not None:
        folder = Path(run.structures)
        if not folder.is_dir():
            raise SourceError(f"feff.run.structures: {folder} is not a folder")
        paths = sorted(p for p in folder.rglob("*") if is_crystal_file(p) and p.is_file())
        if not paths:
            raise SourceError(
                f"feff.run.structures: no crystal is in {folder} (POSCAR, CONTCAR, *.cif, *.vasp, "
                "*.poscar); put some there or name their folder"
            )
        for path in paths:
            if path.name == "CONTCAR" and path.with_name("POSCAR").is_file():
                continue  # the end of the calculation that its POSCAR began
            read = partial(read_file, path, settings.limits.file_bytes)
            yield PurePosixPath(path), normalise_material_id(_stem(path)), read
    if run.missing:
        small, _ = contents(Path(settings.feff.path or ""), settings.limits)
        for name in sorted(n for n in small if n.name == "POSCAR"):
            yield name, poscar_material(name, small, settings), small[name]


def _stem(path: Path) -> str:
    """Name of the crystal of a file: of its folder where it is POSCAR or CONTCAR alone."""
    for name in ("POSCAR", "CONTCAR"):
        if path.name.upper() == name:
            return path.parent.name
        if path.name.upper().startswith(name):
            return path.name[len(name) :].lstrip("._- ")
    return path.stem


def is_crystal_file(path: Path) -> bool:
    """Whether a file holds a crystal, by its name: POSCAR, CONTCAR, .cif, .vasp, .poscar."""
    return path.name.upper().startswith(("POSCAR", "CONTCAR")) or path.suffix.lower() in (
        ".cif", ".vasp", ".poscar",
    )  # fmt: skip


def _read_crystal(path: PurePosixPath, content: bytes, limits: Limits) -> Structure:
    from pymatgen.core import Structure

    text = decode(content, limits)
    if path.suffix.lower() != ".cif":
        return read_poscar(text, limits)
    check_cif(text, limits.atoms)
    crystal = Structure.from_str(text, "cif")
    check_atoms(len(crystal), limits)
    return crystal


def write_missing(settings: Settings, folder: Path) -> int:
    """Plan a run for every inequivalent site of the wanted elements that has no spectrum.

    Parameters
    ----------
    settings
        Elements, ``feff``, symmetry precision.
    folder
        Where the plan is written (see ``feff.plan``).

    Returns
    -------
    int
        Number of runs.
    """
    crystals, rejections = crystals_to_run(settings)
    done = finished_sites(settings)
    sites, structures = [], []
    for material, crystal in sorted(crystals.items()):
        try:
            row = crystal_row(crystal, material, settings)
        except StructureError as error:
            rejections.append(Rejection(material, Reason.BAD_STRUCTURE, str(error)))
            continue
        if settings.quality.oxides_only and "O" not in row["species"]:
            rejections.append(Rejection(material, Reason.NOT_AN_OXIDE, row["formula"]))
            continue
        wanted = [
            {
                "element": element, "structure_id": row["structure_id"], "material": material,
                "site_index": index, "preset": settings.feff.run.preset,
            }
            for index, (orbit, element) in enumerate(
                zip(row["equivalent_to"], row["species"], strict=True)
            )
            if orbit == index and element in settings.elements
            and (row["structure_id"], element, orbit) not in done
        ]  # fmt: skip
        if wanted:
            sites += wanted
            structures.append(row)
    write_plan(folder, sites, structures, [r.row("spectra", NAME) for r in rejections])
    return len(sites)


def finished_sites(settings: Settings) -> set[tuple[str, str, int]]:
    """(structure_id, element, orbit) of every usable spectrum below ``feff.path``.

    The structure's name carries its cell: another cell of a material has other sites.
    """
    done = set()
    for spectrum, structure in read_feff(settings):
        if isinstance(spectrum, Spectrum) and structure is not None:
            orbit = structure["equivalent_to"][spectrum.site_index]
            done.add((structure["structure_id"], spectrum.absorber, orbit))
    return done


def read_runs(
    settings: Settings, plan: Path, journals: Path
) -> Iterator[tuple[Spectrum | Rejection, dict[str, Any] | None]]:
    """The spectra that this project had FEFF compute, checked like all others."""
    try:
        with (plan / "rejections.csv").open(newline="", encoding="utf-8") as handle:
            for row in opening(csv.DictReader(handle)):
                yield Rejection(row["item"], Reason(row["reason"]), row["detail"]), None
    except OSError as error:
        raise SourceError(f"{plan}: no plan of FEFF runs ({error})") from None
    run = settings.feff.run
    yield from results(read_plan(plan), journals, run, settings.quality)
