"""Spectra that are not there yet: FEFF runs for the sites without one, and their results."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from xascoord.feff_inputs import xanes_input
from xascoord.feff_run import FeffTask
from xascoord.harvest import Finding, Rejection
from xascoord.identifiers import digest, normalise_material_id, structure_digest
from xascoord.journal import Journal
from xascoord.quality import Reason, RejectedSpectrum
from xascoord.settings import Settings
from xascoord.sources.feff import (
    Site,
    contents,
    crystal_row,
    decode,
    poscar_material,
    read_feff,
    read_poscar,
    read_spectrum,
)
from xascoord.symmetry import StructureError

if TYPE_CHECKING:
    from pymatgen.core import Structure


def crystals_to_run(settings: Settings) -> tuple[dict[str, Structure], list[Rejection]]:
    """Crystals for which FEFF may be run, by material, and those that cannot be read.

    They are the POSCAR and CIF files of ``feff.run.structures`` (material: the file's stem, or
    its folder where it is called POSCAR), or else the POSCARs of ``feff.path``.
    """
    from pymatgen.core import Structure

    folder = settings.feff.run.structures
    crystals: dict[str, Structure] = {}
    rejections: list[Rejection] = []
    if folder is None:
        small, _ = contents(Path(settings.feff.path or ""))
        texts = {n: c for n, c in small.items() if n.name == "POSCAR"}
        names = {n: poscar_material(n, small, settings) for n in texts}
    else:
        files = [p for p in sorted(Path(folder).rglob("*")) if p.is_file()]
        texts = {PurePosixPath(p): p.read_bytes() for p in files}
        stems = {n: n.parent.name if n.name == "POSCAR" else n.stem for n in texts}
        names = {n: normalise_material_id(stem) for n, stem in stems.items()}
    digests: dict[str, str] = {}
    for path, content in sorted(texts.items()):
        name, material = str(path), names[path]
        try:
            text = decode(content)
            cif = path.suffix.lower() == ".cif"
            crystal = Structure.from_str(text, "cif") if cif else read_poscar(text)
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


def run_tasks(
    crystals: dict[str, Structure], done: set[tuple[str, str, int]], settings: Settings
) -> list[FeffTask]:
    """FEFF runs for every inequivalent site of the wanted elements that has no spectrum.

    Parameters
    ----------
    crystals
        Crystals by material.
    done
        (structure_id, element, orbit) of the spectra that are there.
    settings
        Elements, cluster radius, symmetry precision.
    """
    radius = settings.feff.run.radius
    return [
        FeffTask(_key(row, element, site, settings), partial(xanes_input, crystal, site, radius))
        for row, crystal in _run_rows(crystals, settings).values()
        for element, site in _wanted_sites(row, settings)
        if (row["structure_id"], element, site) not in done
    ]


def _wanted_sites(row: dict[str, Any], settings: Settings) -> list[tuple[str, int]]:
    """Element and first site of each orbit of a crystal that is asked for."""
    sites = zip(row["equivalent_to"], row["species"], strict=True)
    return [
        (element, index)
        for index, (orbit, element) in enumerate(sites)
        if orbit == index and element in settings.elements
    ]


def _run_rows(
    crystals: dict[str, Structure], settings: Settings
) -> dict[str, tuple[dict[str, Any], Structure]]:
    rows = {}
    for material, crystal in sorted(crystals.items()):
        try:
            row = crystal_row(crystal, material, settings)
        except StructureError:
            continue  # its spectra are rejected when the runs are read
        rows[material] = (row, crystal)
    return rows


def finished_sites(settings: Settings) -> set[tuple[str, str, int]]:
    """(structure_id, element, orbit) of every usable spectrum below ``feff.path``.

    The structure's name carries its cell: another cell of a material has other sites.
    """
    done = set()
    for finding, structure in read_feff(settings):
        if isinstance(finding, Finding) and structure is not None:
            orbit = structure["equivalent_to"][finding.site_index]
            done.add((structure["structure_id"], finding.absorber, orbit))
    return done


def read_runs(
    settings: Settings, journal: Path
) -> Iterator[tuple[Finding | Rejection, dict[str, Any] | None]]:
    """The spectra that this project had FEFF compute, checked like all others."""
    if not journal.exists():
        return
    crystals, unreadable = crystals_to_run(settings)
    yield from ((rejection, None) for rejection in unreadable)
    rows = _run_rows(crystals, settings)
    for material in sorted(set(crystals) - set(rows)):
        yield Rejection(material, Reason.BAD_STRUCTURE, "no space group"), None
    with Journal(journal) as finished:
        for row, _ in rows.values():
            for element, site in _wanted_sites(row, settings):
                for entry in finished.entries([_key(row, element, site, settings)]):
                    yield _result(entry, row, element, site, settings)


def _result(
    entry: dict[str, Any], row: dict[str, Any], element: str, index: int, settings: Settings
) -> tuple[Finding | Rejection, dict[str, Any] | None]:
    try:
        if entry["reason"]:
            raise RejectedSpectrum(Reason(entry["reason"]), entry["detail"])
        name = PurePosixPath(entry["key"], "xmu.dat")
        site = Site(row["material"], row, index, element)
        return read_spectrum(name, entry["xmu"].encode(), {}, site, settings), row
    except RejectedSpectrum as error:
        return Rejection(entry["key"], error.reason, error.detail, element), None


def _key(row: dict[str, Any], element: str, index: int, settings: Settings) -> str:
    """Name of one run in the journal: it changes with the crystal, the input and the program."""
    run = settings.feff.run
    content = (row["lattice"], row["species"], row["frac_coords"])
    return f"{row['material']}/{element}/{index}#{digest(*content, run.radius, run.executable)}"
