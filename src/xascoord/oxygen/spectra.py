"""O K-edge spectra of molecular-dynamics snapshots or FEFF output, and what surrounds each oxygen.

A snapshot is a column file (relative energy, then one column for each oxygen in the order of the
structure) and a POSCAR. The class of an oxygen is the number of metal atoms within a cutoff, or
"dimer" where another oxygen is bonded to it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import LimitError, NotAFileError, SourceError
from xascoord.core.files import check_text, read_file
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.networks import Oxygen
from xascoord.sources.collect import Spectrum

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from xascoord.settings.tree import Settings


Array = npt.NDArray[np.float64]
Row = dict[str, Any]
ABSORBER, DIMER = "O", "dimer"


def environment_names(settings: Oxygen) -> tuple[str, ...]:
    """All classes in order: 0, 1, ..., dimer."""
    return (*map(str, range(settings.highest_number + 1)), DIMER)


def local_environment(structure: Structure, site: int, settings: Oxygen) -> tuple[int, bool]:
    """Metal atoms about an oxygen, and whether another oxygen is bonded to it.

    Parameters
    ----------
    structure
        Crystal.
    site
        Index of the oxygen.
    settings
        Metal and cutoffs (angstrom).
    """
    reach = max(settings.metal_cutoff, settings.dimer_cutoff)
    metals, dimer = 0, False
    for neighbour in structure.get_neighbors(structure[site], reach):
        symbol, distance = neighbour.specie.symbol, neighbour.nn_distance
        metals += symbol == settings.metal and distance <= settings.metal_cutoff
        dimer = dimer or (symbol == ABSORBER and distance <= settings.dimer_cutoff)
    return metals, dimer


def read_snapshots(
    folder: Path,
    settings: Oxygen,
    limits: Limits = DEFAULT_LIMITS,
    allow_negative: bool = False,
) -> tuple[list[Row], list[Row]]:
    """All snapshots of a folder.

    Parameters
    ----------
    folder
        Column files and POSCARs.
    settings
        Metal, cutoffs, window.
    limits
        Most that is read of a file.
    allow_negative
        ``quality.allow_negative``: keep spectra with mu below zero.

    Returns
    -------
    rows
        Rows of ``schemas.OXYGEN``.
    rejections
        Rows of ``schemas.REJECTIONS`` for the columns that cannot be used.

    Raises
    ------
    SourceError
        If the folder holds no snapshot, or a column file does not fit its structure.
    """
    rows: list[Row] = []
    rejected: list[Row] = []
    for name, columns, poscar in snapshot_files(folder):
        structure = _read_structure(poscar, limits)
        energy, table = read_columns(columns, limits)
        oxygens = [i for i, site in enumerate(structure) if site.specie.symbol == ABSORBER]
        if table.shape[1] != len(oxygens):
            raise SourceError(
                f"{columns}: {table.shape[1]} columns behind the energy, but {poscar.name} has "
                f"{len(oxygens)} oxygens; they must be in the order of the structure"
            )
        for site, mu in zip(oxygens, table.T, strict=True):
            key = f"{name}/{site}"
            try:
                if (mu < 0).any() and not allow_negative:
                    raise RejectedSpectrum(Reason.NEGATIVE_MU, f"lowest {np.nanmin(mu):.3g}")
                rows.append(_row(key, name, site, "snapshot", structure, energy, mu, 0.0, settings))
            except RejectedSpectrum as error:
                rejection = Rejection(key, error.reason, error.detail, ABSORBER)
                rejected.append(rejection.row("oxygen", "snapshot"))
    return rows, rejected


def snapshot_files(folder: Path) -> list[tuple[str, Path, Path]]:
    """Name, column file and structure of each snapshot, by name.

    Raises
    ------
    SourceError
        If there is none, or one without its other file.
    """
    if not folder.is_dir():
        raise SourceError(f"oxygen.folder: {folder} is no folder")
    poscars = {path.name.removeprefix("POSCAR_"): path for path in folder.glob("POSCAR_*")}
    found: list[tuple[str, Path, Path]] = []
    for path in sorted(folder.glob("*.dat")):
        name = max((n for n in poscars if path.name.startswith(f"{n}_")), key=len, default=None)
        if name is None:
            raise SourceError(f"{path}: no POSCAR_{path.name.partition('_')[0]} beside it")
        if name in {known for known, _, _ in found}:
            raise SourceError(f"{path}: a second column file of POSCAR_{name}; keep one of them")
        found.append((name, path, poscars[name]))
    missing = sorted(set(poscars) - {name for name, _, _ in found})
    if missing or not found:
        what = f"POSCAR_{missing[0]} has no {missing[0]}_*.dat" if missing else "no *.dat file"
        raise SourceError(f"{folder}: {what}")
    return sorted(found)


def read_columns(path: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[Array, Array]:
    """Energies (n,) and spectra (n, columns) of a column file.

    Raises
    ------
    SourceError
        If it is no table of numbers, or the energies do not rise.
    """
    try:
        content = read_file(path, limits.file_bytes)
        check_text(content, limits.points, limits.line_bytes)
        table = np.loadtxt(io.BytesIO(content), ndmin=2)
    except (OSError, ValueError, LimitError, NotAFileError) as error:
        raise SourceError(f"{path}: not a table of numbers ({error})") from None
    if table.shape[0] < 2 or table.shape[1] < 2:
        raise SourceError(f"{path}: {table.shape[0]} rows of {table.shape[1]} columns; cut off?")
    if not (np.diff(table[:, 0]) > 0).all():
        raise SourceError(f"{path}: the energies of the first column do not rise")
    return table[:, 0], table[:, 1:]


def read_feff_oxygens(settings: Settings) -> tuple[list[Row], list[Row]]:
    """O sites of FEFF output; the window lies about the onset of each spectrum.

    Returns
    -------
    rows, rejections
        As ``read_snapshots``; runs of other absorbers are among the rejections.
    """
    from xascoord.sources.feff.output import read_feff
    from xascoord.spectra.edge_energy import find_onset
    from xascoord.structures.symmetry import structure_from_row

    mine = settings.oxygen
    feff = settings.feff.model_copy(update={"path": mine.feff})
    rows: list[Row] = []
    rejected: list[Row] = []
    for spectrum, structure in read_feff(settings.model_copy(update={"feff": feff})):
        rejection = spectrum if isinstance(spectrum, Rejection) else None
        if isinstance(spectrum, Spectrum) and structure is not None:
            try:
                if spectrum.absorber != ABSORBER:
                    raise RejectedSpectrum(Reason.OTHER_ELEMENT, f"absorber {spectrum.absorber}")
                onset = find_onset(spectrum.energy, spectrum.mu, settings.edge_energy)
                rows.append(
                    _row(spectrum.key, structure["structure_id"], spectrum.site_index, "feff",
                         structure_from_row(structure), spectrum.energy, spectrum.mu, onset, mine)
                )  # fmt: skip
            except RejectedSpectrum as error:
                rejection = Rejection(spectrum.key, error.reason, error.detail, spectrum.absorber)
        if rejection is not None:
            rejected.append(rejection.row("oxygen", "feff"))
    return rows, rejected


def _row(
    key: str, snapshot: str, site: int, source: str, structure: Structure, energy: Array,
    mu: Array, zero: float, settings: Oxygen,
) -> Row:  # fmt: skip
    """One oxygen as a row of ``schemas.OXYGEN``; raises RejectedSpectrum."""
    if not np.isfinite(mu).all():
        raise RejectedSpectrum(Reason.NOT_A_NUMBER, f"at {int((~np.isfinite(mu)).sum())} energies")
    low, high = (zero + end for end in settings.window)
    if energy[0] > low or energy[-1] < high:
        raise RejectedSpectrum(
            Reason.WINDOW_NOT_COVERED,
            f"covers {energy[0]:.1f} to {energy[-1]:.1f} eV, needs {low:.1f} to {high:.1f} eV",
        )
    features = np.interp(np.linspace(low, high, settings.points), energy, mu)
    if not features.max() > 0:
        raise RejectedSpectrum(Reason.NO_EDGE, "no absorption inside the window")
    metals, dimer = local_environment(structure, site, settings)
    if metals > settings.highest_number and not dimer:
        raise RejectedSpectrum(Reason.OTHER_GEOMETRY, f"{metals} {settings.metal} atoms about it")
    return {
        "spectrum_id": key, "snapshot": snapshot, "site_index": site, "source": source,
        "metals": int(metals), "dimer": bool(dimer),
        "environment": DIMER if dimer else str(metals),
        "energy": energy.tolist(), "mu": mu.tolist(), "features": features.tolist(),
    }  # fmt: skip


def _read_structure(path: Path, limits: Limits) -> Structure:
    from xascoord.core.errors import StructureError
    from xascoord.sources.feff.output import decode, read_poscar

    try:
        return read_poscar(decode(read_file(path, limits.file_bytes), limits), limits)
    except (
        StructureError, LimitError, NotAFileError, RejectedSpectrum, ValueError, IndexError,
    ) as error:  # fmt: skip
        raise SourceError(f"{path}: not a readable POSCAR ({error})") from None


def all_rows(settings: Settings) -> Iterator[tuple[list[Row], list[Row]]]:
    """Rows and rejections of every source that is set.

    Raises
    ------
    SourceError
        If none is.
    """
    if settings.oxygen.folder is None and settings.oxygen.feff is None:
        raise SourceError(
            "oxygen.folder and oxygen.feff are both null: name a folder of snapshots or FEFF output"
        )
    if settings.oxygen.folder is not None:
        yield read_snapshots(Path(settings.oxygen.folder), settings.oxygen, settings.limits,
                             settings.quality.allow_negative)  # fmt: skip
    if settings.oxygen.feff is not None:
        yield read_feff_oxygens(settings)
