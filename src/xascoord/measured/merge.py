"""Repeat scans of one sample, merged into one spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from xascoord.core.elements import k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.measured.clean import deglitch, find_element, merge_scans
from xascoord.measured.edges import edge_step
from xascoord.measured.measurement import Measurement
from xascoord.measured.prepare import normalise_measurement
from xascoord.measured.read import read_measurements
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal

_NEAR = (-20.0, 50.0)  # eV about the edge, where the spread of scans is said
_MUCH = 0.05  # edge steps; scans of one sample differ by less


def merge_and_normalise(paths: Sequence[Path], options: Options) -> NormalisedSpectrum | Refusal:
    """Read every scan of some files, merge them, and normalise their mean.

    Parameters
    ----------
    paths
        Files of one sample; a file may hold several scans.
    options
        How they are read and normalised.

    Raises
    ------
    MeasurementError
        If a file cannot be read, or they are not of one sample: of several elements, without
        energies in common, of different channels. Files are named.
    """
    scans = [scan for path in paths for scan in _scans(path, options)]
    if len(scans) < 2:
        raise MeasurementError(f"--merge: {paths[0]} is one scan; name all those of the sample")
    elements = {scan.name: _element(scan, options) for scan in scans}
    if len(set(elements.values())) > 1:
        said = ", ".join(f"{name} of {element}" for name, element in elements.items())
        raise MeasurementError(f"--merge: scans of different elements: {said}")
    merged = merge_scans(scans, f"{scans[0].name} and {len(scans) - 1} more, merged")
    return normalise_measurement(_with_spread(merged, scans, elements[scans[0].name]), options)


def _scans(path: Path, options: Options) -> list[Measurement]:
    found = read_measurements(path, options.channel, options.limits, options.columns)
    samples = [one.name for one in found if one.column or one.athena is not None]
    if len(samples) > 1:
        raise MeasurementError(
            f"--merge: {path} holds several samples ({', '.join(samples[:5])}); choose one with "
            "--mu, or save it as a file of its own"
        )
    return [deglitch(one) for one in found] if options.deglitch else found


def _element(scan: Measurement, options: Options) -> str:
    if options.element or scan.element:
        return options.element or scan.element or ""
    try:
        return find_element(scan.energy, scan.mu)
    except MeasurementError as error:
        raise MeasurementError(f"--merge: {scan.name}: {error}") from None


def _with_spread(merged: Measurement, scans: Sequence[Measurement], element: str) -> Measurement:
    """The merged spectrum with a note on how far its scans are from it."""
    relative = merged.energy - k_edge_energy(element)
    near = (relative > _NEAR[0]) & (relative < _NEAR[1])
    step = edge_step(merged.energy, merged.mu, element) or float(np.ptp(merged.mu))
    if not near.any() or not step > 0:
        return merged
    off = [np.interp(merged.energy[near], one.energy, one.mu) - merged.mu[near] for one in scans]
    spread = float(np.sqrt(np.mean(np.square(off)))) / step
    words = f"scans are {spread:.1%} of the edge step (rms) from their mean near the edge"
    if spread > _MUCH:
        warning = f"{words}: are they of one sample, and none damaged?"
        return replace(merged, warnings=(*merged.warnings, warning))
    return replace(merged, notes=(*merged.notes, words))
