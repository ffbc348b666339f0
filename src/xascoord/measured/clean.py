"""What is done to measured numbers: glitches out, scans merged, the element found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import ELEMENTS, k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.measured.edges import edge_step
from xascoord.measured.measurement import Measurement
from xascoord.measured.points import FEWEST_POINTS

Array = npt.NDArray[np.float64]


def deglitch(spectrum: Measurement, limit: float = 8.0) -> Measurement:
    """Take single points out that stand far off the line of their neighbours.

    Parameters
    ----------
    spectrum
        As read.
    limit
        A point goes if its distance from the line between its neighbours is more than this many
        times the median such distance among the 21 points about it, and more than 2 % of the
        range of mu.
    """
    energy, mu = spectrum.energy, spectrum.mu
    weight = (energy[1:-1] - energy[:-2]) / (energy[2:] - energy[:-2])
    signed = mu[1:-1] - (mu[:-2] + weight * (mu[2:] - mu[:-2]))
    off = np.abs(signed)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(off, 10, mode="reflect"), 21)
    typical = np.median(windows, axis=1)
    bad = (off > limit * typical) & (off > 0.02 * np.ptp(mu))
    # A glitch pulls the lines of both its neighbours the other way; a sharp edge does not.
    sides = np.r_[0, signed[:-1]], np.r_[signed[1:], 0]
    peak = bad & np.all([side * signed < -0.25 * off**2 for side in sides], axis=0)
    if not peak.any():
        return spectrum
    keep = np.r_[True, ~peak, True]
    gone = ", ".join(f"{e:.1f}" for e in energy[~keep])
    note = f"glitches removed at {gone} eV"
    return replace(spectrum, energy=energy[keep], mu=mu[keep], notes=(*spectrum.notes, note))


def merge_scans(scans: Sequence[Measurement], name: str) -> Measurement:
    """Mean of repeat scans on the energies of the first that all of them cover.

    Parameters
    ----------
    scans
        Of one sample, element and channel.
    name
        Of the merged spectrum.

    Raises
    ------
    MeasurementError
        If they have too few energies in common, or are of different channels.
    """
    if len(scans) == 1:
        return scans[0]
    low = max(scan.energy[0] for scan in scans)
    high = min(scan.energy[-1] for scan in scans)
    first = scans[0]
    inside = (first.energy >= low) & (first.energy <= high)
    if inside.sum() < FEWEST_POINTS:
        ranges = ", ".join(f"{s.name} {s.energy[0]:.0f} to {s.energy[-1]:.0f} eV" for s in scans)
        raise MeasurementError(
            f"{name}: its scans have too few energies in common to be merged ({ranges})"
        )
    energy = first.energy[inside]
    mu = np.mean([np.interp(energy, scan.energy, scan.mu) for scan in scans], axis=0)
    if len({scan.channel for scan in scans}) > 1:
        which = ", ".join(f"{scan.name} {scan.channel}" for scan in scans)
        raise MeasurementError(
            f"{name}: its scans are of different channels ({which}); choose one with --channel"
        )
    note = f"mean of {len(scans)} scans: {', '.join(scan.name for scan in scans)}"
    notes = dict.fromkeys(n for scan in scans for n in scan.notes)
    return replace(first, name=name, energy=energy, mu=mu, notes=(*notes, note))


def find_element(energy: Array, mu: Array) -> str:
    """The element whose K edge is at the steepest rise of a spectrum.

    Parameters
    ----------
    energy, mu
        As read, in eV.

    Raises
    ------
    MeasurementError
        If no K edge of a known element is near it.
    """
    even = np.arange(energy[0], energy[-1], 1.0)
    smooth = np.convolve(np.interp(even, energy, mu), np.ones(9) / 9, mode="valid")
    centre = even[4:-4]
    # The jump over 20 eV, not the steepest step, which may be a glitch.
    jump = smooth[20:] - smooth[:-20]
    where = float(centre[10 : 10 + len(jump)][int(np.argmax(jump))]) if len(jump) else math.nan
    distances = {element: abs(k_edge_energy(element) - where) for element in ELEMENTS}
    near = {element: distance for element, distance in distances.items() if distance < 50}
    if not near:  # a few bad points may jump more than the edge: look for what rises for good
        steps = {element: step for element in ELEMENTS if (step := edge_step(energy, mu, element))}
        near = {max(steps, key=lambda e: steps[e]): 0.0} if steps else {}
    if not near:
        raise MeasurementError(
            f"no K edge of a known element near the rise at {where:.0f} eV; give --element"
        )
    return min(near, key=lambda e: near[e])
