"""Whether a measured spectrum can be that of an oxygen compound at all.

Two marks of metals, carbides and sulfides, read off the 68 samples of ``data/experiments.csv`` and
``data/experiments_more.csv``: no white line above the edge step (metals), or a first maximum far
above the edge (sulfides of open shells), where it is not the main edge behind a strong pre-edge
peak, as in chromates. Neither tells zinc sulfide from an oxide.
"""

from __future__ import annotations

import numpy as np

from xascoord.measured.spectrum import NormalisedSpectrum

_REACH = 20.0  # eV above e0 within which the white line is looked for
_LOWEST = 1.08  # edge steps; the lowest of an oxide was 1.11 (VO), the highest metal has 1.05
_FARTHEST = 14.5  # eV above e0; oxides without pre-edge peak: up to 12.5, sulfides: from 14.8
FAR_EDGE = 8.0  # eV between the steepest point and e0: the former is a pre-edge peak
# Core holes of heavier atoms are so short-lived that an oxide's white line is no higher than 1.
_SHARP = frozenset(["Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn"])


def why_no_oxygen_compound(spectrum: NormalisedSpectrum) -> str:
    """What speaks against an oxygen compound, or "".

    Parameters
    ----------
    spectrum
        Normalised, with its e0.
    """
    above = (spectrum.energy > spectrum.e0) & (spectrum.energy < spectrum.e0 + _REACH)
    if not above.any():
        return ""
    norm = spectrum.norm[above]
    highest = float(norm.max())
    place = float(spectrum.energy[above][np.argmax(norm)] - spectrum.e0)
    # What has a strong pre-edge peak is no metal, however low its white line.
    peak = abs(spectrum.e0 - spectrum.inflection) >= FAR_EDGE
    if spectrum.element in _SHARP and highest < _LOWEST and not peak:
        return (
            f"no white line (highest {highest:.2f} edge steps): a metal, alloy or carbide? These "
            "models know oxygen compounds only"
        )
    if place > _FARTHEST and not peak:
        return (
            f"the first maximum is {place:.0f} eV above e0, no white line before it: a sulfide or "
            "a metal? These models know oxygen compounds only"
        )
    return ""
