"""A spectrum normalised as it was in the Athena project that it is from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.core.imports import load
from xascoord.measured.measurement import Measurement
from xascoord.measured.normalise import Normalised, find_inflection

Array = npt.NDArray[np.float64]
_NEAR = 60.0  # eV from the tabulated edge where the steepest point is looked for


def as_in_athena(spectrum: Measurement, element: str) -> tuple[Measurement, Normalised]:
    """Normalise by larch's ``pre_edge`` with the ranges of the project; normalised data stay.

    Parameters
    ----------
    spectrum
        Of an Athena project.
    element
        Absorber.

    Returns
    -------
    spectrum, normalised
        With the project's shift of energies, and its normalisation.

    Raises
    ------
    MeasurementError
        If it is of no project, or cannot be normalised that way.
    """
    load("larch.xafs")
    from larch import Group
    from larch.xafs import pre_edge

    wished = spectrum.athena
    if wished is None or wished.e0 is None:
        raise MeasurementError("--athena: the project says no e0 of this spectrum")
    moved = replace(spectrum, energy=spectrum.energy + wished.shift)
    near = np.abs(moved.energy - k_edge_energy(element)) < _NEAR
    try:
        steepest = find_inflection(moved.energy[near], moved.mu[near])
        if wished.normalised:
            note = "normalised already, as the Athena project says"
            return moved, Normalised(moved.mu, steepest, (note,))
        group: Any = Group(energy=moved.energy, mu=moved.mu)
        degree = max(wished.order - 1, 0)  # Athena counts the terms of the polynomial
        pre_edge(group, e0=wished.e0, pre1=wished.pre[0], pre2=wished.pre[1],
                 norm1=wished.post[0], norm2=wished.post[1], nnorm=degree)  # fmt: skip
        norm = np.asarray(group.flat, dtype=float)
    except Exception as error:  # larch raises what its fits raise
        raise MeasurementError(
            f"cannot be normalised as in the Athena project ({type(error).__name__}: "
            f"{str(error)[:80]}); leave --athena out"
        ) from None
    if not np.isfinite(norm).all():
        raise MeasurementError("cannot be normalised as in the Athena project: no edge step")
    note = (
        f"normalised as in the Athena project (lines {wished.pre[0]:g} to {wished.pre[1]:g} and "
        f"{wished.post[0]:g} to {wished.post[1]:g} eV, degree {degree}; flattened)"
    )
    return moved, Normalised(norm, steepest, (note,))
