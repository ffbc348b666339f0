"""FEFF output on disk: Lightshow's layout, plain run folders, or either inside a tar archive.

Lightshow: ``.../<material>/POSCAR`` and ``.../<material>/FEFF-*/<site>_<El>/xmu.dat``.
Plain: a folder with ``feff.inp`` and ``xmu.dat``; its crystal is the POSCAR beside them, or else
the cluster of ``feff.inp`` in an empty box, whose absorber is site 0.
"""

from __future__ import annotations

import logging
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from xascoord.errors import SourceError
from xascoord.feff_inputs import xanes_input
from xascoord.feff_run import FeffTask
from xascoord.harvest import Finding, Rejection
from xascoord.journal import Journal
from xascoord.quality import Reason, RejectedSpectrum, check_spectrum
from xascoord.settings import Settings
from xascoord.symmetry import StructureError, structure_row
from xascoord.xmu import parse_xmu

if TYPE_CHECKING:
    from pymatgen.core import Structure

NAME = "feff"
_log = logging.getLogger(__name__)
_SITE_FOLDER = re.compile(r"^(\d+)_([A-Z][a-z]?)$")
_NOT_CONVERGED = re.compile(r"convergence not reached|not converge|did not converge", re.I)
_READ = ("xmu.dat", "POSCAR", "feff.inp", "log1.dat")
_BOX_MARGIN = 10.0  # angstrom of vacuum around a cluster

Files = dict[PurePosixPath, bytes]


@dataclass(frozen=True)
class _Site:
    """Which site of which structure a spectrum folder stands for."""

    material: str
    structure: dict[str, Any]
    index: int
    element: str


def read_feff(settings: Settings) -> Iterator[tuple[Finding | Rejection, dict[str, Any] | None]]:
    """All FEFF spectra below ``feff.path``, checked; one finding or rejection for each run.

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
    small, spectra = _contents(path)
    structures: dict[PurePosixPath, dict[str, Any] | Rejection] = {}
    seen: set[PurePosixPath] = set()
    for name, content in spectra:
        seen.add(name.parent)
        try:
            site = _locate(name, small, structures, settings)
            yield _finding(name, content, small, site, settings), site.structure
        except RejectedSpectrum as error:
            yield Rejection(str(name.parent), error.reason, error.detail, _element(name)), None
    for name in sorted(small):
        if name.name == "feff.inp" and name.parent not in seen:
            detail = "feff.inp without xmu.dat: FEFF did not run to its end"
            yield Rejection(str(name.parent), Reason.EMPTY, detail, _element(name)), None
    if not seen:
        raise SourceError(f"feff.path: no xmu.dat anywhere below {path}")
    idle = {n.parent for n in small if n.name == "POSCAR"} - {p.parent.parent for p in seen} - seen
    if idle:
        _log.warning("%d crystals below %s have no spectrum at all", len(idle), path)


def _element(name: PurePosixPath) -> str:
    match = _SITE_FOLDER.match(name.parent.name)
    return match.group(2) if match else ""


def _contents(path: Path) -> tuple[Files, Iterator[tuple[PurePosixPath, bytes]]]:
    """The small files in memory, and the spectra streamed, of a folder or an archive."""
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.name in _READ and p.is_file())
        small = {
            PurePosixPath(p.relative_to(path).as_posix()): p.read_bytes()
            for p in files
            if p.name != "xmu.dat"
        }
        spectra = (
            (PurePosixPath(p.relative_to(path).as_posix()), p.read_bytes())
            for p in files
            if p.name == "xmu.dat"
        )
        return small, spectra
    if not tarfile.is_tarfile(path):
        raise SourceError(f"feff.path: {path} is neither a folder nor a tar archive")
    return dict(_members(path, False)), _members(path, True)


def _members(path: Path, spectra: bool) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if member.isfile() and name.name in _READ and (name.name == "xmu.dat") == spectra:
                    handle = archive.extractfile(member)
                    yield name, handle.read() if handle else b""
    except (tarfile.ReadError, EOFError, zlib.error) as error:
        raise SourceError(f"feff.path: {path} is a damaged archive ({error}); fetch it again") from None


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RejectedSpectrum(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8") from None


def _locate(
    name: PurePosixPath,
    small: Files,
    structures: dict[PurePosixPath, dict[str, Any] | Rejection],
    settings: Settings,
) -> _Site:
    match = _SITE_FOLDER.match(name.parent.name)
    if match and name.parent.parent.name.startswith("FEFF"):
        home = name.parent.parent.parent
        if home not in structures:
            structures[home] = _crystal(home, small, settings)
        structure = _unrejected(structures[home])
        site = _Site(home.name, structure, int(match.group(1)), match.group(2))
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
    content = small.get(home / "POSCAR")
    if content is None:
        return Rejection(str(home), Reason.NO_STRUCTURE, "no POSCAR beside the spectra")
    try:
        structure = read_poscar(_decode(content))
        precision = settings.quality.symmetry_precision
        return structure_row(structure, f"{NAME}:{home.name}", home.name, NAME, precision)
    except RejectedSpectrum as error:
        return Rejection(str(home), error.reason, f"POSCAR: {error.detail}")
    except StructureError as error:
        return Rejection(str(home), Reason.BAD_STRUCTURE, str(error))


def read_poscar(text: str) -> Structure:
    """The structure of a POSCAR text.

    Raises
    ------
    StructureError
        If it cannot be read.
    """
    from pymatgen.io.vasp import Poscar

    try:
        return Poscar.from_str(text).structure
    except Exception as error:  # pymatgen raises many kinds on malformed text
        raise StructureError(f"POSCAR not readable: {type(error).__name__}: {error}"[:200]) from None


def _plain_run(name: PurePosixPath, small: Files, settings: Settings) -> _Site:
    """Absorber and structure of a plain run folder."""
    folder = name.parent
    content = small.get(folder / "feff.inp")
    if content is None:
        raise RejectedSpectrum(Reason.NO_STRUCTURE, "neither Lightshow's layout nor a feff.inp beside it")
    species, coords = read_cluster(_decode(content))
    poscar = small.get(folder / "POSCAR")
    try:
        if poscar is not None:
            structure = read_poscar(_decode(poscar))
            index = _matching_site(structure, species, coords)
            precision = settings.quality.symmetry_precision
            identity = (f"{NAME}:{folder}", folder.name, NAME, precision)
            return _Site(folder.name, structure_row(structure, *identity), index, species[0])
    except StructureError as error:
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, str(error)) from None
    return _Site(folder.name, _boxed_cluster(folder, species, coords), 0, species[0])


def read_cluster(text: str) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Elements and positions (n, 3) in angstrom of the ATOMS of a feff.inp, absorber first.

    Raises
    ------
    RejectedSpectrum
        If POTENTIALS or ATOMS are missing or malformed.
    """
    from pymatgen.core import Element

    section, charges, atoms = "", {}, []
    for line in text.splitlines():
        words = line.split("*")[0].split("!")[0].split()
        if not words:
            continue
        if words[0].upper() in ("POTENTIALS", "ATOMS"):
            section = words[0].upper()
        elif words[0].isalpha():
            section = ""
        elif section:
            try:
                if section == "POTENTIALS":
                    charges[int(words[0])] = Element.from_Z(int(words[1])).symbol
                else:
                    atoms.append((int(words[3]), [float(word) for word in words[:3]]))
            except (ValueError, IndexError):
                raise RejectedSpectrum(Reason.BAD_STRUCTURE, f"feff.inp: {line.strip()[:60]}") from None
    absorbers = [index for index, (potential, _) in enumerate(atoms) if potential == 0]
    if len(absorbers) != 1 or any(potential not in charges for potential, _ in atoms):
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, "feff.inp: ATOMS and POTENTIALS do not fit")
    atoms.insert(0, atoms.pop(absorbers[0]))
    coords = np.array([position for _, position in atoms])
    return [charges[potential] for potential, _ in atoms], coords - coords[0]


def _boxed_cluster(
    folder: PurePosixPath, species: list[str], coords: np.ndarray[Any, Any]
) -> dict[str, Any]:
    edge = 2 * float(np.abs(coords).max()) + _BOX_MARGIN
    return {
        "structure_id": f"{NAME}:{folder}",
        "material": folder.name,
        "source": NAME,
        "formula": "cluster",
        "lattice": (np.eye(3) * edge).ravel().tolist(),
        "species": species,
        "frac_coords": (coords / edge + 0.5).ravel().tolist(),
        "equivalent_to": list(range(len(species))),
    }


def _matching_site(
    structure: Structure, species: list[str], coords: np.ndarray[Any, Any], shell: float = 4.0
) -> int:
    """The site whose neighbours within ``shell`` angstrom are those of the cluster's absorber."""
    distances = np.linalg.norm(coords[1:], axis=1)
    wanted = sorted((s, d) for s, d in zip(species[1:], distances, strict=True) if d < shell - 0.05)
    best, least = -1, 0.05
    for index, site in enumerate(structure):
        if not site.is_ordered or site.specie.symbol != species[0]:
            continue
        near = structure.get_neighbors(site, shell)
        found = sorted((n.specie.symbol, n.nn_distance) for n in near)[: len(near)]
        found = [pair for pair in found if pair[1] < shell - 0.05]
        if [s for s, _ in found] == [s for s, _ in wanted]:
            off = max((abs(a[1] - b[1]) for a, b in zip(found, wanted, strict=True)), default=0.0)
            if off < least:
                best, least = index, off
    if best < 0:
        raise StructureError("no site of the POSCAR has the neighbours of the cluster in feff.inp")
    return best


def _finding(
    name: PurePosixPath, content: bytes, small: Files, site: _Site, settings: Settings
) -> Finding:
    if settings.quality.oxides_only and "O" not in site.structure["species"]:
        raise RejectedSpectrum(Reason.NOT_AN_OXIDE, site.structure["formula"])
    log = small.get(name.parent / "log1.dat", b"")
    if _NOT_CONVERGED.search(log.decode("utf-8", errors="replace")):
        raise RejectedSpectrum(Reason.UNCONVERGED, "log1.dat: no self-consistency")
    xmu = parse_xmu(_decode(content))
    check_spectrum(xmu.energy, xmu.mu, site.element, settings.quality)
    key = f"{site.structure['structure_id'].removeprefix(NAME + ':')}/{site.element}/{site.index}"
    return Finding(key, site.material, site.element, "site", site.index, xmu.energy, xmu.mu)


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
        small, _ = _contents(Path(settings.feff.path or ""))
        texts = {str(n): c for n, c in small.items() if n.name == "POSCAR"}
    else:
        files = (p for p in sorted(Path(folder).rglob("*")) if p.is_file())
        texts = {str(p): p.read_bytes() for p in files}
    for name, content in sorted(texts.items()):
        path = PurePosixPath(name)
        material = path.parent.name if path.name == "POSCAR" else path.stem
        try:
            text = _decode(content)
            cif = path.suffix.lower() == ".cif"
            crystals[material] = Structure.from_str(text, "cif") if cif else read_poscar(text)
        except (RejectedSpectrum, StructureError, ValueError) as error:
            rejections.append(Rejection(name, Reason.BAD_STRUCTURE, str(error)[:200]))
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
        (material, element, orbit) of the spectra that are there.
    settings
        Elements, cluster radius, symmetry precision.
    """
    tasks = []
    for row, crystal in _run_rows(crystals, settings).values():
        sites = zip(row["equivalent_to"], row["species"], strict=True)
        for index, (orbit, element) in enumerate(sites):
            wanted = orbit == index and element in settings.elements
            if wanted and (row["material"], element, orbit) not in done:
                radius = settings.feff.run.radius
                tasks.append(
                    FeffTask(
                        f"{row['material']}/{element}/{index}",
                        lambda s=crystal, i=index: xanes_input(s, i, radius),
                    )
                )
    return tasks


def _run_rows(
    crystals: dict[str, Structure], settings: Settings
) -> dict[str, tuple[dict[str, Any], Structure]]:
    rows = {}
    for material, crystal in sorted(crystals.items()):
        precision = settings.quality.symmetry_precision
        try:
            row = structure_row(crystal, f"{NAME}:{material}", material, NAME, precision)
        except StructureError:
            continue  # its spectra are rejected when the runs are read
        rows[material] = (row, crystal)
    return rows


def finished_sites(settings: Settings) -> set[tuple[str, str, int]]:
    """(material, element, orbit) of every usable spectrum below ``feff.path``."""
    done = set()
    for finding, structure in read_feff(settings):
        if isinstance(finding, Finding) and structure is not None:
            orbit = structure["equivalent_to"][finding.site_index]
            done.add((finding.material, finding.absorber, orbit))
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
        for entry in finished.entries():
            material, element, index = entry["key"].rsplit("/", 2)
            if material not in rows:
                continue  # computed for a structure that is no longer asked for
            row = rows[material][0]
            site = _Site(material, row, int(index), element)
            try:
                if entry["reason"]:
                    raise RejectedSpectrum(Reason(entry["reason"]), entry["detail"])
                name = PurePosixPath(entry["key"], "xmu.dat")
                yield _finding(name, entry["xmu"].encode(), {}, site, settings), row
            except RejectedSpectrum as error:
                yield Rejection(entry["key"], error.reason, error.detail, element), None
