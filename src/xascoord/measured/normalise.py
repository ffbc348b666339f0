"""Normalisation of measured spectra: background removed, edge step 1.

By the edge step as Athena and larch's ``pre_edge`` find it (a line below the edge, a polynomial
above it, their distance at the edge), or by larch's MBACK (Zheng et al., Patterns 1, 100013 (2020),
"Experimental Validation"). Scans of the near edge alone are normalised by simpler means, which
notes and warnings say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.core.imports import load
from xascoord.measured.measurement import Measurement
from xascoord.measured.spectrum import Normalisation

Array = npt.NDArray[np.float64]

NEEDED = (-10.0, 35.0)  # eV about the tabulated edge; what a scan must cover
MIN_NEAR = 12  # measured points in that range; fewer are no edge
_SLACK = (1.0, 3.0)  # eV that it may lack at each end: a step of the scan, within these
_NEAR = 60.0  # eV from the tabulated edge where the steepest point is looked for
_PRE_EDGE = (-150.0, -30.0)  # eV about the edge; where the pre-edge line is fitted if measured
_PRE_EDGE_END = -15.0  # where these are few
_FEWEST = 8  # points of a line
_LEAST_LINE = 15.0  # eV that a pre-edge line needs; one through less has the slope of its noise
_POST_EDGE = (150.0, 800.0)  # eV above the edge: most of where the post-edge begins and ends
_QUADRATIC, _LINEAR, _BEHIND = 300.0, 150.0, 20.0  # eV; see _by_edge_step
_SHORT = 60.0  # eV above the edge; a mean over less depends on where the oscillations end
_CLOSE = 100.0  # eV above the edge; up to here the mean height is about the edge step
_LIKELY = (0.5, 2.0)  # of that height; a polynomial that extrapolates to another step is wrong
_LEAST_STEP = 5.0  # times the noise of the pre-edge
_LEAST_SHARE = 1e-3  # of the range of mu
_MBACK_NEEDS = 120.0  # eV above the steepest point
_MBACK_STEP, _MBACK_LOOKED = (0.5, 2.5), (40.0, 75.0)  # edge steps; eV above the steepest point
_SMOOTHED, _GRID = 0.6, 0.2  # eV: sigma for the derivative, and its grid
_NO_STEP = (
    "cannot be normalised: no edge step; is the channel right? Else name columns with --i0, --i1, "
    "--if or --mu"
)


@dataclass(frozen=True)
class Normalised:
    """Result of a normalisation.

    Attributes
    ----------
    norm
        Shape (n,): pre-edge 0, edge step 1.
    inflection
        Energy of the steepest rise, in eV.
    notes, warnings
        What was done, and what may be wrong.
    """

    norm: Array
    inflection: float
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class EdgeStep:
    """Lines below and above the edge, and their distance at e0.

    Attributes
    ----------
    pre_edge, post_edge
        Shape (n,): both lines at all energies, in units of mu.
    edge_step
        Their distance at the energy nearest to e0.
    norm
        Shape (n,): mu without the pre-edge line, over the edge step.
    """

    pre_edge: Array
    post_edge: Array
    edge_step: float
    norm: Array


def check_range(spectrum: Measurement, element: str, asked: bool, e0: float | None = None) -> None:
    """Refuse a scan that does not cover the K edge of its absorber.

    Parameters
    ----------
    spectrum
        As read.
    element
        Absorber.
    asked
        Whether the user named it.
    e0
        In eV, of a computed spectrum: its edge is there, not where it is tabulated.

    Raises
    ------
    MeasurementError
        Saying what the scan covers and what is needed.
    """
    edge = k_edge_energy(element) if e0 is None else e0
    low, high = float(spectrum.energy[0]), float(spectrum.energy[-1])
    covers = f"the scan covers {low:.0f} to {high:.0f} eV"
    source = "asked for is" if asked else "the file says"
    if not low < edge < high:
        said = f"{source} {element}, " if asked or spectrum.element else ""
        raise MeasurementError(
            f"{said}{covers}: it holds no {element} K edge, which is at {edge:.0f} eV; is the "
            "element right?"
        )
    near = (spectrum.energy > edge + NEEDED[0]) & (spectrum.energy < edge + NEEDED[1])
    if near.sum() < MIN_NEAR:
        raise MeasurementError(
            f"{near.sum()} measured points within {NEEDED[0]:+g} to {NEEDED[1]:+g} eV of the "
            f"{element} K edge at {edge:.0f} eV, {MIN_NEAR} are needed; is the element right?"
        )
    least, most = edge + NEEDED[0], edge + NEEDED[1]
    first, last = np.clip(np.diff(spectrum.energy)[[0, -1]], *_SLACK)
    if low > least + first or high < most - last:
        raise MeasurementError(
            f"too short: {covers}, {low - edge:+.0f} to {high - edge:+.0f} eV about the {element} "
            f"K edge at {edge:.0f} eV; {least:.0f} to {most:.0f} eV ({NEEDED[0]:+g} to "
            f"{NEEDED[1]:+g} eV) are needed"
        )


def normalise(
    energy: Array, mu: Array, element: str, normalisation: Normalisation = "edge_step"
) -> Normalised:
    """Remove the background of a spectrum and scale its edge step to 1.

    Parameters
    ----------
    energy, mu
        Shape (n,), energies increasing, in eV.
    element
        Absorber.
    normalisation
        ``mback`` falls back to the edge step where a scan is too short for it or its result is
        absurd.

    Raises
    ------
    MeasurementError
        If there is no edge step.
    """
    tabulated = k_edge_energy(element)
    near = np.abs(energy - tabulated) < _NEAR
    inflection = find_inflection(energy[near], mu[near]) if near.sum() > 5 else tabulated
    found = _by_edge_step(energy, mu, inflection)
    if normalisation == "edge_step":
        return found
    reach = float(energy[-1]) - inflection
    if reach < _MBACK_NEEDS:
        why = f"{reach:.0f} eV above the edge are too few for MBACK"
    else:
        norm = _by_mback(energy, mu, element, inflection)
        if norm is not None:
            return Normalised(norm, inflection, ("normalised by MBACK (larch's mback_norm)",))
        why = "MBACK gives no edge step of about 1"
    return Normalised(found.norm, inflection, (*found.notes, why), found.warnings)


def find_inflection(energy: Array, mu: Array) -> float:
    """Energy of the steepest rise, little smoothed.

    It is where larch's ``find_e0`` finds it; a rise of one point alone, a glitch, does not count.

    Parameters
    ----------
    energy, mu
        Shape (n,), energies increasing, in eV.
    """
    from scipy.ndimage import gaussian_filter1d

    slope = np.gradient(mu, energy)
    padded = np.pad(slope, 1, mode="edge")
    slope = np.minimum(slope, np.maximum(padded[:-2], padded[2:]))
    grid = np.arange(energy[0], energy[-1], _GRID)
    smooth = gaussian_filter1d(np.interp(grid, energy, slope), _SMOOTHED / _GRID, mode="nearest")
    return float(grid[int(np.argmax(smooth))])


def edge_step(
    energy: Array, mu: Array, e0: float, pre: tuple[float, float], post: tuple[float, float],
    degree: int, pre_degree: int = 1,
) -> EdgeStep:  # fmt: skip
    """Pre-edge line, post-edge polynomial and edge step as larch's ``pre_edge`` finds them.

    Parameters
    ----------
    energy, mu
        Shape (n,), energies increasing, in eV.
    e0
        In eV.
    pre, post
        Ranges that the lines are fitted in, in eV about e0.
    degree, pre_degree
        Degrees of the polynomials above and below the edge.
    """
    relative = energy - e0
    below, above = _within(relative, pre), _within(relative, post)
    under = np.polynomial.Polynomial.fit(relative[below], mu[below], pre_degree)(relative)
    over = np.polynomial.Polynomial.fit(relative[above], (mu - under)[above], degree)(relative)
    step = float(over[int(np.argmin(np.abs(relative)))])
    scale = max(abs(step), 1e-12)
    return EdgeStep(under, under + over, step, (mu - under) / scale)


def _within(relative: Array, ends: tuple[float, float]) -> slice:
    """Points of a range as larch takes them: from the last at or below its lower end."""
    first = max(int(np.searchsorted(relative, ends[0], side="right")) - 1, 0)
    last = int(np.argmin(np.abs(relative - ends[1])))
    return slice(first, max(last, first + 2))


def _by_edge_step(energy: Array, mu: Array, e0: float) -> Normalised:
    """Normalise by the edge step, with ranges that suit the length of the scan.

    Above the edge a long scan takes a quadratic polynomial, a shorter one a straight line, as in
    larch, and one that ends less than 150 eV above the edge the mean. Of the XAS Data Library's
    scans, cut 80 eV above the edge, a line through so few oscillations gave steps up to 55 % off
    those of the whole scan, the mean up to 11 %.
    """
    relative = energy - e0
    reach = float(relative[-1])
    pre = _pre_range(relative)
    inside = (relative >= pre[0]) & (relative <= pre[1])
    notes: list[str] = []
    warnings: list[str] = []
    constant = inside.sum() < _FEWEST or pre[1] - pre[0] < _LEAST_LINE
    if constant:
        warnings.append(
            f"only {-relative[0]:.0f} eV measured below the edge: a constant is taken off, not a "
            "line"
        )
    if reach >= _LINEAR:
        post = min(_POST_EDGE[0], reach / 3), min(_POST_EDGE[1], reach)
        degree = 2 if post[1] - post[0] > _QUADRATIC else 1
    else:
        post, degree = (min(_BEHIND, reach / 2), reach), 0
        if reach < _SHORT:
            warnings.append(
                f"only {reach:.0f} eV measured above the edge: its step is the mean from "
                f"{post[0]:.0f} eV on"
            )
    found = edge_step(energy, mu, e0, pre, post, degree, 0 if constant else 1)
    height = mu - found.pre_edge
    near = (relative >= min(_BEHIND, reach / 2)) & (relative <= _CLOSE)
    behind = float(height[near].mean()) if near.any() else 0.0
    noise = float(height[inside].std()) if inside.any() else 0.0
    if not behind > max(_LEAST_STEP * noise, _LEAST_SHARE * float(np.ptp(mu))):
        raise MeasurementError(_NO_STEP)
    step, norm = found.edge_step, found.norm
    if not _LIKELY[0] < step / behind < _LIKELY[1]:
        notes.append(
            f"the line above the edge gives a step of {step / behind:.2f} times the mean height; "
            "the mean is taken"
        )
        norm, degree = height / behind, 0
    below = "constant" if constant else "line"
    above = ("mean", "line", "quadratic line")[degree]
    notes.insert(
        0,
        f"normalised by the edge step ({below} {pre[0]:.0f} to {pre[1]:.0f} eV, {above} "
        f"{post[0]:.0f} to {post[1]:.0f} eV about {e0:.1f} eV)",
    )
    return Normalised(norm, e0, tuple(notes), tuple(warnings))


def _pre_range(relative: Array) -> tuple[float, float]:
    """Where the pre-edge line is fitted, in eV about the edge.

    larch's own range, in fractions of what was measured, is too far from the edge of long scans
    and leaves a slope under it; a line through three points has that of their noise.
    """
    low = max(_PRE_EDGE[0], float(relative[0]))
    high = _PRE_EDGE[1] if low < 2 * _PRE_EDGE[1] else low / 2
    inside = (relative >= low) & (relative <= high)
    return low, high if inside.sum() >= _FEWEST else max(high, _PRE_EDGE_END)


def _by_mback(energy: Array, mu: Array, element: str, e0: float) -> Array | None:
    """Norm by larch's MBACK, or None where it has no edge step of about 1."""
    load("larch.xafs")
    from larch import Group
    from larch.xafs import mback_norm
    from xraydb import atomic_number

    group: Any = Group(energy=energy, mu=mu)
    low, high = _pre_range(energy - e0)
    try:
        mback_norm(group, z=atomic_number(element), edge="K", e0=e0, pre1=low, pre2=high)
    except Exception:  # larch raises what its fits raise
        return None
    norm = np.asarray(group.norm, dtype=float)
    behind = norm[(energy > e0 + _MBACK_LOOKED[0]) & (energy < e0 + _MBACK_LOOKED[1])]
    usual = len(behind) > 0 and _MBACK_STEP[0] < behind.mean() < _MBACK_STEP[1]
    return norm if np.isfinite(norm).all() and usual else None
