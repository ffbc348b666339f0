"""From files to a reference: read, repeat scans merged, normalised, sampled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import MeasurementError
from xascoord.measured.clean import find_element, merge_scans
from xascoord.measured.measurement import Measurement
from xascoord.measured.prepare import normalise_measurement
from xascoord.measured.read import read_measurements
from xascoord.measured.spectrum import Options, Refusal
from xascoord.references.library import Reference
from xascoord.references.manifest import Entry
from xascoord.settings.limits import DEFAULT_LIMITS, Limits

Array = npt.NDArray[np.float64]

_KEPT = (-50.0, 200.0)  # eV about e0
_FINEST = 0.1  # eV between points; the core hole of the lightest of these edges is wider
_ENERGY_DIGITS, _NORM_DIGITS = 3, 5
_LEAST_BELOW, _LEAST_ABOVE = 15.0, 30.0  # eV about e0 without which there is nothing to compare


def read_entry(entry: Entry, folder: Path, limits: Limits = DEFAULT_LIMITS) -> list[Measurement]:
    """The scans in the file of an entry.

    Parameters
    ----------
    entry
        Of a manifest.
    folder
        That its file is below.
    limits
        Most bytes and points that are read.

    Raises
    ------
    MeasurementError
        Naming the file and what is wrong: not readable, of another edge, of several samples.
    """
    path = folder / entry.file
    scans = read_measurements(path, entry.reading.channel, limits, entry.reading.columns)
    groups = [scan.name for scan in scans if scan.athena is not None or scan.column]
    if len(groups) > 1:
        raise MeasurementError(
            f"{path}: holds {len(groups)} spectra ({', '.join(groups[:5])}); save the one that is "
            "meant as a file of its own"
        )
    for scan in scans:
        if scan.edge not in (None, "", "K"):
            raise MeasurementError(f"{path}: measured at the {scan.edge} edge; K edges are wanted")
    return scans


def reference_of(entries: Sequence[Entry], scans: Sequence[Measurement]) -> Reference:
    """The reference of one sample.

    Parameters
    ----------
    entries
        Those of the sample; they differ in file and note at most.
    scans
        All that was read of them.

    Raises
    ------
    MeasurementError
        If they cannot be merged or normalised, or miss the edge.
    """
    one = entries[0]
    merged = merge_scans(scans, one.sample)
    element = one.element or merged.element or find_element(merged.energy, merged.mu)
    found = normalise_measurement(merged, Options(element=element))
    if isinstance(found, Refusal):
        raise MeasurementError(f"{merged.name}: {found.reason}")
    e0 = found.e0
    energy, norm = _sampled(found.energy, found.norm, e0)
    if energy[0] > e0 - _LEAST_BELOW or energy[-1] < e0 + _LEAST_ABOVE:
        raise MeasurementError(
            f"{merged.name}: reaches from {energy[0] - e0:+.0f} to {energy[-1] - e0:+.0f} eV about "
            f"the edge; {-_LEAST_BELOW:+.0f} to {_LEAST_ABOVE:+.0f} eV are needed"
        )
    notes = dict.fromkeys(entry.note for entry in entries if entry.note)
    return Reference(
        name_of(one, element), element, one.compound, one.coordination, one.motif, one.kind,
        one.sample, one.beamline, one.source, one.licence, "; ".join(notes),
        round(e0, _ENERGY_DIGITS), energy, norm,
    )  # fmt: skip


def name_of(entry: Entry, element: str) -> str:
    """The name of a reference.

    Parameters
    ----------
    entry
        Of its sample.
    element
        Absorber.
    """
    return "/".join((element, entry.compound, entry.sample, entry.source))


def _sampled(energy: Array, norm: Array, e0: float) -> tuple[Array, Array]:
    """The measured points near the edge, thinned where they are finer than is of use."""
    inside = (energy >= e0 + _KEPT[0]) & (energy <= e0 + _KEPT[1])
    energy = np.round(energy[inside], _ENERGY_DIGITS)
    norm = np.round(norm[inside], _NORM_DIGITS) + 0.0  # no -0
    kept: list[int] = []
    for place, value in enumerate(energy):
        if not kept or value - energy[kept[-1]] >= _FINEST - 1e-6:
            kept.append(place)
    return energy[kept], norm[kept]
