"""One measured spectrum as it was read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.measured.formats import Athena

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """One measured spectrum.

    Attributes
    ----------
    name
        File, and of several in a file the group or scan.
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
    said
        Element and edge that an Athena project keeps; its own guess, unless somebody put it right.
    athena
        How it was treated there.
    warnings
        What may be wrong.
    column, trouble
        Of one of several samples in a table: its column, and why that cannot be used; else "".
    e0
        Energy zero in eV, as a computed spectrum says it; None of measured ones.
    """

    name: str
    energy: Array
    mu: Array
    element: str | None
    edge: str | None
    channel: str
    sample: str
    notes: tuple[str, ...]
    said: tuple[str, str] = ("", "")
    athena: Athena | None = None
    warnings: tuple[str, ...] = ()
    column: str = ""
    trouble: str = ""
    e0: float | None = None
