"""FEFF output on disk: Lightshow's layout, plain run folders, or either inside a tar archive.

Lightshow: ``.../<material>/POSCAR`` and ``.../<material>/FEFF-*/<site>_<El>/xmu.dat``.
Plain: a folder with ``feff.inp`` and ``xmu.dat``; its crystal is the POSCAR beside them, or else
the cluster of ``feff.inp`` in an empty box, whose absorber is site 0.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from xascoord.core.errors import OF_THE_MACHINE, LimitError, SourceError, StructureError
from xascoord.core.files import check_text
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection, one_document
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.tree import Settings
from xascoord.sources.account import opening
from xascoord.sources.collect import Spectrum
from xascoord.sources.feff.cluster import boxed_cluster, matching_site, read_cluster
from xascoord.sources.feff.convergence import check_self_consistency, read_self_consistency
from xascoord.sources.feff.files import Files, contents, read_content
from xascoord.sources.feff.xmu import parse_xmu
from xascoord.spectra.checks import check_spectrum
from xascoord.structures.identifiers import normalise_material_id, structure_digest
from xascoord.structures.symmetry import check_cell, structure_row

if TYPE_CHECKING:
    from pymatgen.core import Structure


NAME = "feff"
_log = logging.getLogger(__name__)
_SITE_FOLDER = re.compile(r"^(\d+)_([A-Z][a-z]?)$")


@dataclass(frozen=True)
class Site:
    """Which site of which structure a spectrum folder stands for."""

    material: str
    structure: dict[str, Any]
    index: int
    element: str


def read_feff(settings: Settings) -> Iterator[tuple[Spectrum | Rejection, dict[str, Any] | None]]:
    """All FEFF spectra below ``feff.path``, checked; one spectrum or rejection for each run.

    Without ``feff.path`` there are none (``read_runs`` gives those that this project computed).

    Raises
    ------
    SourceError
        If the path is not there or holds no FEFF output at all.
    """
    if settings.feff.path is None:
        return
    path = Path(settings.feff.path)
    if not path.exists():
        raise SourceError(f"feff.path: {path} does not exist")
    small, spectra = contents(path, settings.limits)
    structures: dict[PurePosixPath, dict[str, Any] | Rejection] = {}
    seen: set[PurePosixPath] = set()
    for name, content in opening(spectra):
        seen.add(name.parent)
        try:
            text = read_content(content)
            with one_document():
                site = _locate(name, small, structures, settings)
                found = read_spectrum(name, text, small, site, settings)
        except RejectedSpectrum as error:
            yield Rejection(str(name.parent), error.reason, error.detail, _element(name)), None
            continue
        yield found, site.structure
    inputs = sorted(name for name in small if name.name == "feff.inp")
    for name in opening([name for name in inputs if name.parent not in seen]):
        detail = "feff.inp without xmu.dat: FEFF did not run to its end"
        yield Rejection(str(name.parent), Reason.EMPTY, detail, _element(name)), None
    if not seen and not settings.feff.run.missing:
        raise SourceError(f"feff.path: no xmu.dat anywhere below {path}")
    idle = {n.parent for n in small if n.name == "POSCAR"} - {p.parent.parent for p in seen} - seen
    if idle:
        _log.warning("%d crystals below %s have no spectrum at all", len(idle), path)


def _element(name: PurePosixPath) -> str:
    match = _SITE_FOLDER.match(name.parent.name)
    return match.group(2) if match else ""


def decode(content: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    """Text of a file of a run or of a crystal.

    Raises
    ------
    RejectedSpectrum
        If it is not UTF-8, or of more or longer lines than it may be.
    """
    try:
        check_text(content, limits.points, limits.line_bytes)
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RejectedSpectrum(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8") from None
    except LimitError as error:
        raise RejectedSpectrum(Reason.BEYOND_LIMIT, str(error)) from None


def _locate(
    name: PurePosixPath,
    small: Files,
    structures: dict[PurePosixPath, dict[str, Any] | Rejection],
    settings: Settings,
) -> Site:
    match = _SITE_FOLDER.match(name.parent.name)
    if match and name.parent.parent.name.startswith("FEFF"):
        home = name.parent.parent.parent
        if home not in structures:
            structures[home] = _crystal(home, small, settings)
        structure = _unrejected(structures[home])
        material = _material(home, settings)
        site = Site(material, structure, int(match.group(1)), match.group(2))
    else:
        site = _plain_run(name, small, settings)
    species = site.structure["species"]
    if site.index >= len(species):
        raise RejectedSpectrum(
            Reason.SITE_OUT_OF_RANGE, f"site {site.index} of a structure of {len(species)} sites"
        )
    if species[site.index] != site.element:
        raise RejectedSpectrum(
            Reason.ELEMENT_MISMATCH,
            f"site {site.index} is {species[site.index]}, the folder says {site.element}",
        )
    return site


def _unrejected(structure: dict[str, Any] | Rejection) -> dict[str, Any]:
    if isinstance(structure, Rejection):
        raise RejectedSpectrum(structure.reason, structure.detail)
    return structure


def _crystal(home: PurePosixPath, small: Files, settings: Settings) -> dict[str, Any] | Rejection:
    """Structure row of a material's POSCAR; a rejection stands for all its spectra."""
    try:
        content = small.content(home / "POSCAR")
        if content is None:
            return Rejection(str(home), Reason.NO_STRUCTURE, "no POSCAR beside the spectra")
        structure = read_poscar(decode(content, settings.limits), settings.limits)
        return crystal_row(structure, _material(home, settings), settings)
    except RejectedSpectrum as error:
        return Rejection(str(home), error.reason, f"POSCAR: {error.detail}")
    except LimitError as error:
        return Rejection(str(home), Reason.BEYOND_LIMIT, f"POSCAR: {error}")
    except StructureError as error:
        return Rejection(str(home), Reason.BAD_STRUCTURE, str(error))


def crystal_row(structure: Structure, material: str, settings: Settings) -> dict[str, Any]:
    """Row of a crystal; its cell is part of its name, as folders of one name may differ."""
    identity = f"{NAME}:{material}#{structure_digest(structure)}"
    return structure_row(structure, identity, material, NAME, settings.quality.symmetry_precision)


def _material(home: PurePosixPath, settings: Settings) -> str:
    """Name of the material of a folder, which may be ``feff.path`` itself."""
    name = home.name or Path(settings.feff.path or "").resolve().name.split(".tar")[0]
    return normalise_material_id(name)


def run_material(folder: PurePosixPath, settings: Settings) -> str:
    """Name of the material of a plain run folder.

    ``<material>/<site>_<El>/`` belongs to the material; any other folder is one by itself, of its
    whole path, as folders of one name need not hold one material.
    """
    if _SITE_FOLDER.match(folder.name):
        return _material(folder.parent, settings)
    return _material(folder, settings) if len(folder.parts) < 2 else str(folder)


def poscar_material(poscar: PurePosixPath, small: Files, settings: Settings) -> str:
    """Name of the material of a POSCAR below ``feff.path``, as its spectra have it."""
    home = poscar.parent
    if _SITE_FOLDER.match(home.name) or home / "feff.inp" in small:
        return run_material(home, settings)
    return _material(home, settings)


def read_poscar(text: str, limits: Limits = DEFAULT_LIMITS) -> Structure:
    """The structure of a POSCAR text.

    Raises
    ------
    LimitError
        If it has, or claims, more atoms than it may have.
    StructureError
        If it cannot be read.
    """
    from pymatgen.io.vasp import Poscar

    try:
        check_atoms(_claimed_atoms(text), limits)
        structure = Poscar.from_str(text).structure
        check_atoms(len(structure), limits)
        return structure
    except (LimitError, *OF_THE_MACHINE):
        raise
    except Exception as error:  # pymatgen raises many kinds on malformed text
        raise StructureError(
            f"POSCAR not readable: {type(error).__name__}: {error}"[:200]
        ) from None


def _claimed_atoms(text: str) -> int:
    """The largest number of atoms that a line of a POSCAR's head claims.

    pymatgen makes a list of them before it looks whether they are there.
    """
    most = 0
    for line in text.split("\n", 40)[:40]:
        try:
            most = max(most, sum(abs(int(word)) for word in line.split()))
        except ValueError:
            continue
    return most


def check_atoms(count: int, limits: Limits) -> None:
    """Raise ``LimitError`` where there are more atoms than a cell may have."""
    if count > limits.atoms:
        raise LimitError(f"{count:,} atoms; limits.atoms allows {limits.atoms:,}")


def _plain_run(name: PurePosixPath, small: Files, settings: Settings) -> Site:
    """Absorber and structure of a plain run folder."""
    folder = name.parent
    content = small.content(folder / "feff.inp")
    if content is None:
        raise RejectedSpectrum(
            Reason.NO_STRUCTURE, "neither Lightshow's layout nor a feff.inp beside it"
        )
    species, coords = read_cluster(decode(content, settings.limits))
    check_atoms(len(species), settings.limits)
    material = run_material(folder, settings)
    poscar = small.content(folder / "POSCAR")
    if poscar is None and _SITE_FOLDER.match(folder.name):
        poscar = small.content(folder.parent / "POSCAR")
    try:
        if poscar is not None:
            structure = read_poscar(decode(poscar, settings.limits), settings.limits)
            check_cell(structure)
            index = matching_site(structure, species, coords)
            return Site(material, crystal_row(structure, material, settings), index, species[0])
    except StructureError as error:
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, str(error)) from None
    row = boxed_cluster(f"{NAME}:{folder}", material, NAME, species, coords)
    return Site(material, row, 0, species[0])


def read_spectrum(
    name: PurePosixPath, content: bytes, small: Files, site: Site, settings: Settings
) -> Spectrum:
    """Check the content of one xmu.dat and make it a spectrum.

    Raises
    ------
    RejectedSpectrum
        With the reason it cannot be used.
    """
    if settings.quality.oxides_only and "O" not in site.structure["species"]:
        raise RejectedSpectrum(Reason.NOT_AN_OXIDE, site.structure["formula"])
    log = (small.content(name.parent / "log1.dat") or b"").decode("utf-8", errors="replace")
    check_self_consistency(read_self_consistency(log), settings.feff.run.convergence)
    xmu = parse_xmu(decode(content, settings.limits))
    check_spectrum(xmu.energy, xmu.mu, site.element, settings.quality)
    structure_id = site.structure["structure_id"].removeprefix(f"{NAME}:")
    key = f"{structure_id}/{site.element}/{site.index}"
    return Spectrum(key, site.material, site.element, "site", site.index, xmu.energy, xmu.mu)
