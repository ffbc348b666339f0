"""From a measured spectrum to what the models see: normalised, e0 found, window cut.

Normalisation is larch's MBACK (Patterns, "Experimental Validation"), or the edge step where a scan
is too short for it. The energy reference of the window is the models' own (``edge_energy``), the
same as for computed spectra; larch's e0, the steepest point, is reported beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.core.imports import load
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.athena import as_in_athena
from xascoord.measured.read import Measurement
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.spectra.edge_energy import find_e0, find_onset, find_steepest
from xascoord.spectra.window import cut_window

Array = npt.NDArray[np.float64]

_FARTHEST = 60.0  # eV from the tabulated edge that an e0 may be
_SUSPECT = 40.0  # eV; monochromators are off by 30 eV at 16 keV, chromates by 20 at 6 keV
# How the energy zero of a window is found; None: it is the tabulated K edge.
_SEARCHES: dict[str, Callable[[Array, Array, EdgeEnergy], float] | None] = {
    "e0": find_e0, "onset": find_onset, "steepest": find_steepest, "tabulated": None,
}  # fmt: skip
_LEAST_ABOVE = 20.0  # eV above the steepest point; there must be an edge step behind it
_PRE_EDGE = (-150.0, -30.0)  # eV about e0; where the pre-edge line is fitted if measured
_PRE_EDGE_END = -15.0  # where these are few
_FEWEST = 8  # points of a line
_MBACK_NEEDS = 120.0  # eV above the steepest point
_BEHIND = 30.0  # eV above the steepest point; behind the white line
_LEAST_STEP = 5.0  # times the noise of the pre-edge
_STEP = (40.0, 75.0)  # eV above e0; where the edge step is looked at
_USUAL_STEP, _ABSURD_STEP = (0.75, 1.35), (0.5, 2.5)  # without, and with no answer outside


@dataclass(frozen=True)
class ModelInput:
    """A measured spectrum as the models see it.

    Attributes
    ----------
    name, element
        Of the spectrum.
    energy, norm
        Shape (n,), in eV; mu with the pre-edge line taken off and an edge step of about 1.
    e0
        Energy zero of the window, in eV.
    larch_e0
        Steepest point as larch finds it, in eV.
    features
        Shape (points,): the window, maximum 1.
    notes
        What was done.
    warnings
        What may be wrong.
    given_e0
        Whether e0 was given, not found.
    """

    name: str
    element: str
    energy: Array
    norm: Array
    e0: float
    larch_e0: float
    features: Array
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    given_e0: bool = False


def normalise(energy: Array, mu: Array, element: str) -> tuple[Array, float, str]:
    """Take off the background and scale the edge step to about 1.

    By larch's MBACK, or by the edge step alone where a scan ends so soon that the scale of MBACK
    means nothing (cut short, 65 spectra of the XAS Data Library came out up to 2.5 times too high
    60 eV above the edge; by the edge step they keep to 10 %).

    Parameters
    ----------
    energy, mu
        Shape (n,), energies rising, in eV.
    element
        Absorber.

    Returns
    -------
    norm
        Shape (n,): pre-edge 0, edge step 1.
    e0
        larch's e0, in eV.
    how
        What was done.

    Raises
    ------
    MeasurementError
        If there is no edge of the element in the spectrum, or the fit fails.
    """
    load("larch.xafs")
    from larch import Group
    from larch.xafs import find_e0 as find_larch_e0

    tabulated = k_edge_energy(element)
    if not energy[0] + 10 < tabulated < energy[-1] - 20:
        raise MeasurementError(
            f"energies {energy[0]:.0f} to {energy[-1]:.0f} eV hold no {element} K edge "
            f"({tabulated:.0f} eV); is the element right?"
        )
    near = np.abs(energy - tabulated) < _FARTHEST
    group: Any = Group(energy=energy, mu=mu)
    try:
        e0 = float(find_larch_e0(energy[near], mu[near])) if near.sum() > 5 else tabulated
        pre = _pre_edge(energy - e0)
        reach = float(energy[-1]) - e0
        if reach < _MBACK_NEEDS:
            norm = _by_step(group, e0, pre)
            how = f"normalised by the edge step: {reach:.0f} eV above it are too few for MBACK"
        else:
            norm = _by_mback(group, element, e0, pre)
            how = "normalised by MBACK (larch's mback_norm)"
    except Exception as error:  # larch raises what its fits raise
        raise MeasurementError(
            f"cannot be normalised ({type(error).__name__}: {str(error)[:80]}); does it reach far "
            "enough below and above the edge?"
        ) from None
    after = norm[energy > e0 + _LEAST_ABOVE]
    if not len(after):
        raise MeasurementError(
            f"ends {energy[-1] - e0:.0f} eV above the edge, more than {_LEAST_ABOVE:g} eV are "
            "needed to normalise it"
        )
    if not np.isfinite(norm).all() or not after.mean() > 0.1:
        raise MeasurementError(
            "cannot be normalised: no edge step; is the channel right? Else name columns with "
            "--i0, --i1, --if or --mu"
        )
    return norm, e0, how


def _pre_edge(relative: Array) -> tuple[float, float]:
    """Where the pre-edge line is fitted, in eV about e0.

    larch's own range, in fractions of what was measured, is too far from the edge of long scans
    and leaves a slope under it; a line through three points has that of their noise.
    """
    low = max(_PRE_EDGE[0], float(relative[0]))
    high = _PRE_EDGE[1] if low < 2 * _PRE_EDGE[1] else low / 2
    inside = (relative >= low) & (relative <= high)
    return low, high if inside.sum() >= _FEWEST else max(high, _PRE_EDGE_END)


def _by_mback(group: Any, element: str, e0: float, pre: tuple[float, float]) -> Array:
    from larch.xafs import mback_norm
    from xraydb import atomic_number

    mback_norm(group, z=atomic_number(element), edge="K", e0=e0, pre1=pre[0], pre2=pre[1])
    return np.asarray(group.norm, dtype=float)


def _by_step(group: Any, e0: float, pre: tuple[float, float]) -> Array:
    """Over the mean height behind the white line; of no sign where there is no edge step."""
    from larch.xafs import pre_edge

    above = group.energy - e0
    within = (above >= pre[0]) & (above <= pre[1])
    pre_edge(group, e0=e0, pre1=pre[0], pre2=pre[1], nnorm=0, npre=int(within.sum() >= _FEWEST))
    height = np.asarray(group.mu - group.pre_edge, dtype=float)
    behind, line = height[above > min(_BEHIND, above[-1] / 2)], height[within]
    if not behind.mean() > _LEAST_STEP * line.std():
        return np.zeros_like(height)
    return np.asarray(height / behind.mean(), dtype=float)


def normalise_and_window(
    spectrum: Measurement,
    element: str,
    window: Window,
    edge_energy: EdgeEnergy,
    e0: float | None = None,
    as_athena: bool = False,
) -> ModelInput:
    """Normalise a measured spectrum, find its energy zero and cut the window.

    Parameters
    ----------
    spectrum
        As read.
    element
        Absorber.
    window, edge_energy
        Of the models.
    e0
        Energy zero to take instead of the one that is found, in eV.
    as_athena
        Normalise as the Athena project did that the spectrum is from, and take its e0.

    Raises
    ------
    MeasurementError
        Naming the spectrum, what is wrong and what to do.
    """
    try:
        if as_athena:
            spectrum, norm, larch_e0, how = as_in_athena(spectrum, element)
            e0 = spectrum.athena.e0 if e0 is None and spectrum.athena else e0
        else:
            norm, larch_e0, how = normalise(spectrum.energy, spectrum.mu, element)
        if e0 is not None and not abs(e0 - k_edge_energy(element)) < 1000:
            raise MeasurementError(f"e0 of {e0:g} eV is nowhere near the K edge of {element}")
        zero = _zero(spectrum, norm, element, window, edge_energy) if e0 is None else e0
        features, _ = cut_window(spectrum.energy, norm, zero, window)
    except RejectedSpectrum as error:
        raise MeasurementError(f"{spectrum.name}: {error.detail}") from None
    except MeasurementError as error:
        raise MeasurementError(f"{spectrum.name}: {error}") from None
    tabulated = k_edge_energy(element)
    if e0 is None and abs(zero - tabulated) > _FARTHEST:
        raise MeasurementError(
            f"{spectrum.name}: the edge found at {zero:.1f} eV is {zero - tabulated:+.0f} eV from "
            f"the K edge of {element}; is the element right? Else give --e0"
        )
    warnings = _doubts(spectrum, norm, zero, element)
    inside = (spectrum.energy > zero + window.lower) & (spectrum.energy < zero + window.upper)
    if inside.sum() < 25:
        warnings.append(f"only {inside.sum()} measured points in the window")
    notes = (
        *spectrum.notes,
        how,
        f"{window.reference} {zero:.2f} eV "
        + ("given" if e0 is not None else "of the K edge" if zero == tabulated else "found")
        + f" (larch's steepest point: {larch_e0:.2f} eV)",
    )  # fmt: skip
    return ModelInput(
        spectrum.name, element, spectrum.energy, norm, zero, larch_e0, features, notes,
        tuple(warnings), e0 is not None,
    )  # fmt: skip


def _zero(
    spectrum: Measurement, norm: Array, element: str, window: Window, edge_energy: EdgeEnergy
) -> float:
    """The energy zero of the window, found where the models' own were."""
    tabulated = k_edge_energy(element)
    search = _SEARCHES[window.reference]
    if search is None:
        return tabulated
    beyond = spectrum.energy - tabulated
    near = (beyond > -_FARTHEST - 60) & (beyond < _FARTHEST + 120)
    return search(spectrum.energy[near], norm[near], edge_energy)


def _doubts(spectrum: Measurement, norm: Array, zero: float, element: str) -> list[str]:
    """What may be wrong with a normalised spectrum.

    Raises
    ------
    MeasurementError
        If its edge step is no edge step.
    """
    warnings = []
    tabulated = k_edge_energy(element)
    if abs(zero - tabulated) > _SUSPECT:
        warnings.append(
            f"e0 {zero:.1f} eV is {zero - tabulated:+.1f} eV from the tabulated K edge of "
            f"{element}; if it is wrong give --e0"
        )
    relative = spectrum.energy - zero
    step = norm[(relative > _STEP[0]) & (relative < _STEP[1])]
    before = norm[(relative > -60) & (relative < -15)]
    if len(step) and not _ABSURD_STEP[0] < step.mean() < _ABSURD_STEP[1]:
        raise MeasurementError(
            f"{spectrum.name}: edge step {step.mean():.2f} after normalisation, should be about 1; "
            "is this a spectrum of mu, with its pre-edge, and the right channel?"
        )
    if len(step) and not _USUAL_STEP[0] < step.mean() < _USUAL_STEP[1]:
        warnings.append(f"edge step {step.mean():.2f} after normalisation, should be about 1")
    if len(before) and len(step) and abs(before.mean()) > 0.06 * step.mean():
        warnings.append(
            f"the pre-edge is at {before.mean():+.2f} after normalisation, should be about 0"
        )
    return warnings


def windows_about(
    prepared: ModelInput, window: Window, shifts: Sequence[float]
) -> tuple[list[float], Array]:
    """The windows of a measured spectrum at energy zeros about the one that was found.

    Parameters
    ----------
    prepared
        The spectrum.
    window
        Of the models.
    shifts
        In eV.

    Returns
    -------
    shifts, windows
        Those at which the spectrum covers the window, 0 among them, and their windows, shape
        (n, points).
    """
    covered, windows = [], []
    for shift in shifts:
        try:
            features, _ = cut_window(prepared.energy, prepared.norm, prepared.e0 + shift, window)
        except RejectedSpectrum:
            continue
        covered.append(shift)
        windows.append(features)
    return (covered, np.array(windows)) if covered else ([0.0], prepared.features[None])
