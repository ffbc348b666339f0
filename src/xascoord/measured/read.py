"""Measured spectra from files: XDI, Athena projects and plain columns, all read by larch.

What comes out is energy and mu of one channel; every choice that was made on the way is a note.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import ELEMENTS, k_edge_energy
from xascoord.core.errors import LimitError, MeasurementError, NotAFileError
from xascoord.core.files import check_text, read_file, unpack_within
from xascoord.measured.formats import read_columns, read_project, read_xdi
from xascoord.settings.limits import DEFAULT_LIMITS, Limits

Array = npt.NDArray[np.float64]
Channel = Literal["auto", "transmission", "fluorescence", "mu"]
CHANNELS: tuple[Channel, ...] = ("auto", "transmission", "fluorescence", "mu")
SUFFIXES = (".xdi", ".prj", ".dat", ".txt", ".csv", ".xmu", ".nor", ".xye", ".asc", ".xy")


# Names of arrays, in lower case, by what they are; the first that is there is taken.
_MU = {
    "transmission": ("mutrans", "mu_trans", "xmu_trans"),
    "fluorescence": ("mufluor", "mu_fluor", "xmu_fluor"),
    "mu": ("mu", "xmu", "norm", "munorm", "flat", "normtrans", "normfluor", "absorption"),
}
_COUNTS = {
    "transmission": ("itrans", "i1", "it", "trans"),
    "fluorescence": ("ifluor", "if", "iff", "ff", "ifl", "fluor", "ipipd", "vortex"),
}
_I0 = ("i0", "io", "monitor")
_FEWEST_POINTS = 30
_LONGEST_BACK = 5.0  # eV
_SHORTEST, _LONGEST = 30.0, 20_000.0  # eV, of a spectrum
_LARGEST_DISORDER = 0.02  # share of steps to lower energy that is put down to the monochromator


@dataclass(frozen=True)
class Measurement:
    """One measured spectrum.

    Attributes
    ----------
    name
        File, and for a project the group in it.
    energy, mu
        Shape (n,); energies rising, in eV; mu not normalised.
    element
        Absorber as the file says, or None.
    edge
        Edge as the file says, or None.
    channel
        Which channel mu comes from.
    sample
        What the file says of the sample.
    notes
        What was done to the numbers.
    """

    name: str
    energy: Array
    mu: Array
    element: str | None
    edge: str | None
    channel: str
    sample: str
    notes: tuple[str, ...]


def read_measurements(
    path: Path, channel: Channel = "auto", limits: Limits = DEFAULT_LIMITS
) -> list[Measurement]:
    """Read every spectrum of a file: one, but for an Athena project.

    Parameters
    ----------
    path
        The file; ``.xdi`` and ``.prj`` by their name or content, others as columns of numbers.
    channel
        Which one; "auto" takes transmission, then mu as given, then fluorescence.
    limits
        Most bytes and points that are read.

    Raises
    ------
    MeasurementError
        Naming the file, what is wrong with it and what to do.
    """
    try:
        content = read_file(path, limits.file_bytes)
        head = content[:4096]
        if not content.strip():
            raise MeasurementError(f"{path}: the file is empty")
        packed = head[:2] == b"\x1f\x8b"
        if path.suffix.lower() == ".prj" or packed or b"Athena project" in head:
            if packed:
                unpack_within(content, limits.file_bytes)
            groups = read_project(path)
        else:
            # larch takes a hundred times the bytes of a line, in memory.
            check_text(content, limits.points, limits.line_bytes)
            is_xdi = re.match(rb"\s*#\s*XDI", head)
            groups = [read_xdi(path) if is_xdi else read_columns(path)]
        for arrays, _ in groups:
            _check_points(arrays, limits)
    except FileNotFoundError:
        raise MeasurementError(f"{path}: no such file") from None
    except OSError as error:
        raise MeasurementError(f"{path}: cannot be read ({error.strerror})") from None
    except (EOFError, zlib.error) as error:
        raise MeasurementError(f"{path}: damaged gzip ({error}); fetch it again") from None
    except (LimitError, NotAFileError) as error:
        raise MeasurementError(f"{path}: {error}") from None
    return [_measurement(path, arrays, facts, channel) for arrays, facts in groups]


def _check_points(arrays: dict[str, Array], limits: Limits) -> None:
    points = max(map(len, arrays.values()), default=0)
    if points > limits.points:
        raise LimitError(f"{points:,} points; limits.points allows {limits.points:,}")


def _measurement(
    path: Path, arrays: dict[str, Array], facts: dict[str, str], channel: Channel
) -> Measurement:
    name = path.name + (f" [{facts['sample']}]" if path.suffix.lower() == ".prj" else "")
    if "energy" not in arrays:
        raise MeasurementError(f"{path}: no column 'energy'; there are {', '.join(arrays)}")
    mu, chosen, notes = _choose(path, arrays, channel)
    energy = arrays["energy"]
    if _in_kev(energy, facts.get("units", "").lower()):
        energy = energy * 1000.0
        notes.append("energies taken for keV")
    energy, mu, more = _clean(path, energy, mu)
    element = facts.get("element", "").strip().capitalize() or None
    return Measurement(
        name, energy, mu, element,
        facts.get("edge", "").strip().upper() or None, chosen, facts.get("sample", ""),
        (*notes, *more),
    )  # fmt: skip


def _in_kev(energy: Array, units: str) -> bool:
    """Whether energies are in keV: as the file says, else if that is where a K edge is."""
    if units in ("ev", "kev"):
        return units == "kev"
    if not len(energy) or not 0 < np.nanmax(energy) < 150:
        return False
    low, high = np.nanmin(energy), np.nanmax(energy)
    return not any(low < k_edge_energy(element) < high for element in ELEMENTS)


def _choose(path: Path, arrays: dict[str, Array], channel: Channel) -> tuple[Array, str, list[str]]:
    """Mu of the wished channel, from what the file has."""
    order = ("transmission", "mu", "fluorescence") if channel == "auto" else (channel,)
    i0 = next((arrays[name] for name in _I0 if name in arrays), None)
    for kind in order:
        for name in _MU[kind]:
            if name in arrays:
                return arrays[name], kind, [f"mu is column '{name}'"]
        for name in _COUNTS.get(kind, ()):
            if name in arrays and i0 is not None:
                counts = arrays[name]
                if (i0 <= 0).any() or (kind == "transmission" and (counts <= 0).any()):
                    raise MeasurementError(
                        f"{path}: counts of '{name}' or of the monitor are not positive; take "
                        "those points out or choose another --channel"
                    )
                mu = np.log(i0 / counts) if kind == "transmission" else counts / i0
                formula = "ln(i0/{})" if kind == "transmission" else "{}/i0"
                return mu, kind, [f"mu = {formula.format(name)}"]
    raise MeasurementError(
        f"{path}: no {'channel' if channel == 'auto' else channel} in its columns "
        f"({', '.join(arrays)}); choose another --channel or name the columns"
    )


def _clean(path: Path, energy: Array, mu: Array) -> tuple[Array, Array, list[str]]:
    """Finite numbers at rising energies; what was put right is noted."""
    notes = []
    if not (np.isfinite(energy).all() and np.isfinite(mu).all()):
        row = int(np.flatnonzero(~(np.isfinite(energy) & np.isfinite(mu)))[0]) + 1
        raise MeasurementError(f"{path}: not a number in data row {row}; correct or remove it")
    if len(energy) < _FEWEST_POINTS:
        raise MeasurementError(
            f"{path}: {len(energy)} points, a spectrum needs {_FEWEST_POINTS} at least; "
            "is the file cut off?"
        )
    span = float(np.ptp(energy))
    if not _SHORTEST < span < _LONGEST:
        raise MeasurementError(
            f"{path}: energies from {energy.min():g} to {energy.max():g} eV are no spectrum; is "
            "the right column taken for the energy?"
        )
    if energy[0] > energy[-1]:
        energy, mu = energy[::-1], mu[::-1]
        notes.append("energies were falling: turned round")
    steps = np.diff(energy)
    back = int((steps < 0).sum())
    if steps.min() < -_LONGEST_BACK or back > max(1, math.floor(_LARGEST_DISORDER * len(energy))):
        raise MeasurementError(
            f"{path}: energies go back {back} times, by up to {-steps.min():.1f} eV; "
            "several scans in one file must be split"
        )
    if back:
        notes.append(f"sorted by energy ({back} steps back)")
    values, inverse = np.unique(energy, return_inverse=True)
    if len(values) < len(energy):
        notes.append(f"{len(energy) - len(values)} repeated energies averaged")
    sums = np.bincount(inverse, weights=mu) / np.bincount(inverse)
    return values, sums, notes
