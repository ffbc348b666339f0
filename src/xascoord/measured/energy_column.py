"""Energies from the columns of a table: as they were named, else as can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import ELEMENTS, k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.measured.column_names import ANGLE, energy_names, holds_edge, is_scan, monitor_name
from xascoord.measured.columns import REMEDY, Arrays, column, listed
from xascoord.measured.headers import energies

Array = npt.NDArray[np.float64]


def in_kev(energy: Array, units: str) -> bool:
    """Whether energies are in keV: as the file says, else if that is where a K edge is."""
    if units in ("ev", "kev"):
        return units == "kev"
    if not len(energy) or not 0 < np.nanmax(energy) < 150:
        return False
    low, high = np.nanmin(energy), np.nanmax(energy)
    return not any(low < k_edge_energy(element) < high for element in ELEMENTS)


def find_energy(
    arrays: Arrays, facts: Mapping[str, Any], asked: str | None
) -> tuple[str, Array, list[str]]:
    """The energies of a table, in eV.

    Parameters
    ----------
    arrays
        By name.
    facts
        Of the header: ``units``, ``spacing``, ``edge_energy``, ``nameless``, ``fio``.
    asked
        The column that was named, or None.

    Returns
    -------
    name, energy, notes
        Of the column, shape (n,), and what was done.

    Raises
    ------
    MeasurementError
        If it cannot be told which column it is.
    """
    notes: list[str] = []
    if asked is not None:
        name = column(arrays, asked, "--energy-column")
    else:
        name = _guessed_energy(arrays, facts)
    energy, spacing = arrays[name], facts.get("spacing")
    if name != "energy":
        notes.append(f"energy is column '{name}'" + ("" if asked else " (else --energy-column)"))
    largest = np.nanmax(np.abs(energy)) if len(energy) else 0.0
    if ANGLE.search(name) and "energ" not in name and largest < 90:
        if not spacing:
            raise MeasurementError(
                f"column '{name}' holds angles, and the file does not say the d spacing of the "
                "crystal; convert them to energies"
            )
        energy = energies(energy / 2 if "two" in name else energy, spacing)
        return name, energy, [*notes, f"energies from angles (d = {spacing:g} A)"]
    if "edge_energy" in facts and np.nanmin(energy) < 0:
        notes.append(f"energies count from {facts['edge_energy']:.1f} eV, as the file says")
        return name, energy + facts["edge_energy"], notes
    if np.nanmin(energy, initial=0.0) < 0 < np.nanmax(energy, initial=0.0):
        raise MeasurementError(
            f"energies from {np.nanmin(energy):g} to {np.nanmax(energy):g} eV count from an edge "
            "that the file does not say; add its energy to the column"
        )
    if in_kev(energy, str(facts.get("units", "")).lower()):
        return name, energy * 1000.0, [*notes, "energies taken for keV"]
    return name, energy, notes


def _guessed_energy(arrays: Arrays, facts: Mapping[str, Any]) -> str:
    if "energy" in arrays:
        return "energy"
    found = energy_names(arrays)
    if found:
        return found[0]
    names = list(arrays)
    by_values = [n for n in names if is_scan(arrays[n]) and holds_edge(arrays[n])]
    if "nameless" in facts and len(by_values) == 1:
        return by_values[0]
    if "fio" in facts and names[0] in by_values:  # what is scanned comes first
        return names[0]
    angle = next((n for n in names if ANGLE.search(n) and is_scan(arrays[n])), None)
    if angle and facts.get("spacing"):
        return angle
    if len(names) == 2 and angle is None and monitor_name(arrays) is None:
        return (by_values or names)[0]
    raise MeasurementError(f"no column 'energy' can be told among {listed(arrays)}; {REMEDY}")
