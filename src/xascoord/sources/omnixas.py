"""OmniXAS: site-wise FEFF 9 spectra of eight 3d metals, and their crystals.

Spectra as in https://github.com/AI-multimodal/OmniXAS, folder ``tutorial_omnixas``:
``ml_data/<El>_FEFF_{train,val,test}_y.txt``, 141 points a line, whose names stand in
``material_id_and_site/<El>_FEFF_{train,val,test}.txt``, each ``<material>_<site>``. Crystals as in
https://github.com/fxcoudert/topology_databases: ``cif/<material>.cif``, sites in the same order.
"""

from __future__ import annotations

import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import LimitError, NotAFileError, SourceError, StructureError
from xascoord.core.files import check_text, read_file
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection, one_document
from xascoord.settings.limits import Limits
from xascoord.settings.tree import Settings
from xascoord.sources.account import opening
from xascoord.sources.archives import DAMAGED, TOGETHER, check_ending
from xascoord.sources.collect import Spectrum
from xascoord.sources.feff.output import check_atoms
from xascoord.spectra.checks import check_spectrum
from xascoord.structures.cif import check_cif
from xascoord.structures.identifiers import normalise_material_id
from xascoord.structures.symmetry import structure_row

if TYPE_CHECKING:
    from pymatgen.core import Structure

Array = npt.NDArray[np.float64]
Found = tuple[Spectrum | Rejection, dict[str, Any] | None]
NAME = "omnixas"
PARTS = ("train", "val", "test")
POINTS, STEP = 141, 0.25  # eV
# First energy of each element, in eV.
STARTS = {
    "Ti": 4964.504, "V": 5464.097, "Cr": 5989.168, "Mn": 6537.886, "Fe": 7111.23, "Co": 7709.282,
    "Ni": 8332.181, "Cu": 8983.173,
}  # fmt: skip
_SITE = re.compile(r"^([A-Za-z]+-\d+)_(\d{1,6})$")
_READ = ("ml_data/*_FEFF_*_y.txt", "material_id_and_site/*_FEFF_*.txt", "cif/*.cif")
_LONGEST_LINE = 20_000  # characters; 141 numbers take 3,500


def read_omnixas(settings: Settings) -> Iterator[Found]:
    """All spectra of the elements asked for; one spectrum or rejection for each line.

    Raises
    ------
    SourceError
        If the folder is not there, holds no spectra of these elements, or names and spectra of a
        part differ in number.
    """
    path = Path(settings.omnixas.path or "")
    with ExitStack() as stack:
        if path.is_file():
            path = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _unpack(Path(settings.omnixas.path or ""), path, settings.limits)
        spectra = _folder_of(path, "ml_data")
        crystals = _crystals(path, settings.omnixas.structures)
        known = [e for e in settings.elements if e in STARTS]
        files = [
            (element, part, spectra / "ml_data" / f"{element}_FEFF_{part}_y.txt")
            for element in known
            for part in PARTS
        ]
        files = [(element, part, file) for element, part, file in files if file.is_file()]
        if not files:
            raise SourceError(
                f"omnixas.path: no <El>_FEFF_<part>_y.txt of {' '.join(settings.elements)} in "
                f"{spectra / 'ml_data'}; it has {' '.join(STARTS)} at most"
            )
        for element, part, file in files:
            names = spectra / "material_id_and_site" / f"{element}_FEFF_{part}.txt"
            yield from _read_part(element, part, file, names, crystals, settings)


def _unpack(archive: Path, folder: Path, limits: Limits) -> None:
    """The spectra, their names and the crystals of an archive, each in its folder.

    One that is larger than it may be is there without its content, for what reads it to say so.
    """
    size = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if not _is_wanted(member):
                    continue
                if member.size > limits.file_bytes:
                    place = folder / tarfile.data_filter(member, str(folder)).name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with place.open("wb") as handle:
                        handle.truncate(member.size)
                    continue
                size += member.size
                if size > TOGETHER * limits.file_bytes:
                    raise SourceError(
                        f"omnixas.path: {archive}: its files are together larger than {TOGETHER} "
                        f"times limits.file_bytes ({limits.file_bytes:,})"
                    )
                tar.extract(member, folder, filter="data")
            check_ending(tar)
    except DAMAGED as error:
        raise SourceError(
            f"omnixas.path: {archive} is no whole tar archive ({error}); fetch it again"
        ) from None


def _is_wanted(member: tarfile.TarInfo) -> bool:
    return member.isfile() and any(map(PurePosixPath(member.name).match, _READ))


def _folder_of(path: Path, name: str) -> Path:
    """The folder itself or one right below that holds a folder of this name."""
    for folder in (path, *sorted(p for p in path.glob("*") if p.is_dir())):
        if (folder / name).is_dir():
            return folder
    raise SourceError(
        f"omnixas.path: no folder {name} in {path}; 'xascoord fetch omnixas' brings the spectra, "
        "'xascoord fetch topology_databases' the crystals"
    )


def _crystals(path: Path, structures: str | None) -> Path:
    if structures is not None:
        folder = Path(structures)
        return folder / "cif" if (folder / "cif").is_dir() else folder
    return _folder_of(path, "cif") / "cif"


def _read_part(
    element: str, part: str, file: Path, names: Path, crystals: Path, settings: Settings
) -> Iterator[Found]:
    rows = _lines(file, settings.limits)
    try:
        keys = [name for line in _lines(names, settings.limits) if (name := line.strip())]
    except OSError as error:
        raise SourceError(f"{names}: the names of the spectra, {error.strerror}") from None
    if len(rows) != len(keys):
        raise SourceError(
            f"{file}: {len(rows)} spectra, but {names} names {len(keys)}; fetch both anew"
        )
    structures: dict[str, dict[str, Any] | RejectedSpectrum] = {}
    for key, row in opening(zip(keys, rows, strict=True)):
        name = f"{element}/{part}/{key}"
        try:
            with one_document():
                material, site = _site_of(key)
                if material not in structures:
                    structures[material] = _structure(material, crystals, settings)
                structure = structures[material]
                if isinstance(structure, RejectedSpectrum):
                    raise structure
                _check_site(structure, site, element)
                energy, mu = _spectrum(row, element)
                check_spectrum(energy, mu, element, settings.quality)
        except RejectedSpectrum as error:
            yield Rejection(name, error.reason, error.detail, element), None
            continue
        key = f"{material}/{element}/{site}"
        yield Spectrum(key, material, element, "site", site, energy, mu), structure


def _lines(path: Path, limits: Limits) -> list[str]:
    try:
        content = read_file(path, limits.file_bytes)
        check_text(content, limits.points, most_bytes=len(content))
    except (LimitError, NotAFileError) as error:
        raise SourceError(f"{path}: {error}") from None
    return content.decode("ascii", errors="replace").splitlines()


def _site_of(key: str) -> tuple[str, int]:
    match = _SITE.match(key)
    if match is None:
        raise RejectedSpectrum(Reason.WRONG_TYPE, f"{key[:40]!r} is no <material>_<site>")
    return normalise_material_id(match[1]), int(match[2])


def _structure(
    material: str, crystals: Path, settings: Settings
) -> dict[str, Any] | RejectedSpectrum:
    """Row of a crystal, or why it has none: each is read once for all its sites."""
    path = crystals / f"{material}.cif"
    if not path.is_file():
        return RejectedSpectrum(Reason.NO_STRUCTURE, f"no {path.name} among the crystals")
    try:
        with one_document():
            structure = _read_cif(path, settings.limits)
            precision = settings.quality.symmetry_precision
            row = structure_row(structure, f"{NAME}:{material}", material, NAME, precision)
    except RejectedSpectrum as error:
        return RejectedSpectrum(Reason.BAD_STRUCTURE, f"{path.name}: {error.detail}"[:200])
    except (StructureError, ValueError) as error:
        return RejectedSpectrum(Reason.BAD_STRUCTURE, f"{path.name}: {error}"[:200])
    if settings.quality.oxides_only and "O" not in row["species"]:
        return RejectedSpectrum(Reason.NOT_AN_OXIDE, f"{row['formula']} has no oxygen")
    return row


def _read_cif(path: Path, limits: Limits) -> Structure:
    """The crystal with all its sites as they stand, in their order."""
    from pymatgen.io.cif import CifParser

    text = read_file(path, limits.file_bytes).decode("utf-8", errors="replace")
    check_cif(text, limits.atoms)
    parser = CifParser.from_str(text)
    (structure,) = parser.parse_structures(primitive=False, on_error="raise")
    check_atoms(len(structure), limits)
    return structure


def _check_site(structure: dict[str, Any], site: int, element: str) -> None:
    species = structure["species"]
    if site >= len(species):
        raise RejectedSpectrum(
            Reason.SITE_OUT_OF_RANGE, f"site {site} of a structure of {len(species)} sites"
        )
    if species[site] != element:
        raise RejectedSpectrum(
            Reason.ELEMENT_MISMATCH, f"site {site} of {structure['formula']} is {species[site]}"
        )


def _spectrum(row: str, element: str) -> tuple[Array, Array]:
    """Energies and mu of a line; where FEFF had not begun one value is repeated: cut off."""
    if len(row) > _LONGEST_LINE:
        raise RejectedSpectrum(Reason.WRONG_COLUMNS, f"a line of {len(row)} characters")
    try:
        mu = np.array(row.split(), dtype=float)
    except ValueError as error:
        raise RejectedSpectrum(Reason.UNREADABLE, str(error)[:80]) from None
    if len(mu) != POINTS:
        raise RejectedSpectrum(Reason.WRONG_COLUMNS, f"{len(mu)} numbers, not {POINTS}")
    changed = np.flatnonzero(mu != mu[0])
    first = max(int(changed[0]) - 1, 0) if len(changed) else 0
    energy: Array = STARTS[element] + STEP * np.arange(POINTS, dtype=float)
    return energy[first:], mu[first:]
