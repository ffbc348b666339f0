"""Several scans one after another in one table: where one ends and the next begins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_FEWEST = 30  # points of a scan
_BACK = 0.3  # of the range of energies; a step back of more begins a scan
_LEAST_BACK = 20.0  # eV


def split_scans(energy: Array) -> tuple[list[slice], int]:
    """The scans in a column of energies.

    Parameters
    ----------
    energy
        Shape (n,), in eV, as measured.

    Returns
    -------
    scans, left
        One slice a scan; and how many points are in scans too short to be one.
    """
    if len(energy) < 2 * _FEWEST or not np.isfinite(energy).all():
        return [slice(0, len(energy))], 0
    back = max(_LEAST_BACK, _BACK * float(np.ptp(energy)))
    starts = [0, len(energy)]
    for direction in (1.0, -1.0):
        jumps = np.flatnonzero(direction * np.diff(energy) < -back) + 1
        # One jump the other way is a single far point; a scan is what lies between two of them.
        if len(jumps) and np.diff(direction * energy)[jumps[0] - 2] >= 0:
            starts = [0, *jumps.tolist(), len(energy)]
            break
    pieces = [slice(a, b) for a, b in pairwise(starts)]
    scans = [half for piece in pieces for half in _halves(energy, piece, back)]
    long = [one for one in scans if one.stop - one.start >= _FEWEST]
    if len(long) < 2 and len(scans) > 1 and len(energy) - sum(s.stop - s.start for s in long) < 3:
        return [slice(0, len(energy))], 0  # a far point or two: said elsewhere
    return (long, len(energy) - sum(s.stop - s.start for s in long)) if long else (
        [slice(0, len(energy))], 0,
    )  # fmt: skip


def _halves(energy: Array, piece: slice, back: float) -> list[slice]:
    """A scan up and the scan down behind it, or the one piece."""
    part = energy[piece]
    for turn in (int(np.argmax(part)), int(np.argmin(part))):
        ends = abs(part[0] - part[turn]), abs(part[-1] - part[turn])
        if min(ends) > back and min(turn, len(part) - turn) >= _FEWEST:
            middle = piece.start + turn
            return [slice(piece.start, middle), slice(middle, piece.stop)]
    return [piece]
