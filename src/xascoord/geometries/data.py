"""Spectra of known geometry on one grid an element, near-duplicates taken out (Carbone 2019, II.A).

The grid is one of absolute energies, as the paper's: the position of the edge is part of what is
learnt. Shifted copies are read off the whole spectrum; beyond its ends (which FEFF's begin at, some
eV below the edge) the last value holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.spatial.distance import cdist

from xascoord.core.errors import XascoordError
from xascoord.core.rejections import Reason, Rejection
from xascoord.settings.networks import Geometries

Array = npt.NDArray[np.float64]
Row = dict[str, Any]


@dataclass(frozen=True)
class GeometryData:
    """The cleaned spectra of one element.

    Attributes
    ----------
    element
        Absorber.
    spectra, materials
        Identifier and material of each of the n spectra.
    labels
        Class of each, an index of ``symbols``; shape (n,).
    symbols
        Names of the classes.
    grid
        Energies, shape (points,), in eV.
    curves
        (energy, mu) of each whole spectrum.
    """

    element: str
    spectra: tuple[str, ...]
    materials: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    symbols: tuple[str, ...]
    grid: Array
    curves: tuple[tuple[Array, Array], ...]

    def features(self, members: npt.NDArray[np.intp], shift: float = 0.0) -> Array:
        """Spectra on the grid, maximum 1, moved to higher energies by ``shift`` (eV)."""
        shape = (len(members), len(self.grid))
        rows = []
        for i in members:
            energy, mu = self.curves[i]
            rows.append(on_grid(energy, mu, self.grid, shift))
        return np.asarray(rows).reshape(shape)


def on_grid(energy: Array, mu: Array, grid: Array, shift: float = 0.0) -> Array:
    """A spectrum interpolated by a cubic spline and divided by its maximum there.

    Parameters
    ----------
    energy, mu
        Whole spectrum, shape (n,), energies rising, in eV.
    grid
        Energies, shape (points,), in eV.
    shift
        By how much the spectrum moves to higher energies, in eV.
    """
    wanted = np.clip(grid - shift, energy[0], energy[-1])
    values: Array = CubicSpline(energy, mu)(wanted)
    scaled: Array = values / values.max()
    return scaled


def element_grid(starts: Array, settings: Geometries) -> Array:
    """The grid of an element: as early as ``coverage`` of its spectra allow.

    Parameters
    ----------
    starts
        First energy of each spectrum, shape (n,), in eV.
    settings
        Points, step, coverage.
    """
    start = float(np.quantile(starts, settings.coverage, method="higher"))
    return grid_from(start, settings)


def grid_from(start: float, settings: Geometries) -> Array:
    """Energies of a grid that begins at ``start`` (eV), shape (points,)."""
    return start + settings.step * np.arange(settings.points, dtype=np.float64)


def first_of_duplicates(features: Array, difference: float) -> npt.NDArray[np.intp]:
    """For each spectrum the earlier one that it is a near-duplicate of, or itself.

    Parameters
    ----------
    features
        Shape (n, points); of two alike the earlier one stays.
    difference
        Mean absolute difference below which two are alike.
    """
    kept: list[int] = []
    found = np.arange(len(features))
    for i in range(len(features)):
        if kept:
            others = cdist(features[i : i + 1], features[kept], "cityblock")[0] / features.shape[1]
            nearest = int(others.argmin())
            if others[nearest] < difference:
                found[i] = kept[nearest]
                continue
        kept.append(i)
    return found


def clean(
    element: str, rows: Sequence[Row], orbits: Sequence[tuple[str, int]], settings: Geometries
) -> tuple[list[Row], list[Row]]:
    """Take out sites of other geometries, equivalent sites, uncovered spectra, near-duplicates.

    Parameters
    ----------
    element
        Absorber.
    rows
        Site-specific spectra (``schemas.SPECTRA``) with symbol, neighbours, measure.
    orbits
        Structure and orbit of each.
    settings
        Classes, grid, largest difference.

    Returns
    -------
    kept
        Rows of ``schemas.GEOMETRIES``, in the order given: of two alike the first one stays.
    rejections
        Rows of ``schemas.REJECTIONS`` for the others.

    Raises
    ------
    XascoordError
        If no spectrum covers the grid.
    """
    kept: list[Row] = []
    rejected: list[Row] = []

    def reject(row: Row, reason: Reason, detail: str) -> None:
        rejection = Rejection(row["spectrum_id"], reason, detail, element)
        rejected.append(rejection.row("geometries", row["source"]))

    seen: dict[tuple[str, int], str] = {}
    for row, orbit in zip(rows, orbits, strict=True):
        if row["symbol"] not in settings.symbols:
            found = row["symbol"] or f"{row['neighbours']} neighbours"
            reject(row, Reason.OTHER_GEOMETRY, f"{found}, not {', '.join(settings.symbols)}")
        elif orbit in seen:
            reject(row, Reason.EQUIVALENT_SITE, f"equivalent to {seen[orbit]}")
        else:
            seen[orbit] = row["spectrum_id"]
            kept.append(row)
    if not kept:
        return [], rejected
    grid = element_grid(np.array([row["energy"][0] for row in kept]), settings)
    covered: list[Row] = []
    for row in kept:
        first, last = row["energy"][0], row["energy"][-1]
        if first > grid[0] or last < grid[-1]:
            wanted = f"{grid[0]:.1f} to {grid[-1]:.1f} eV"
            reject(
                row, Reason.WINDOW_NOT_COVERED, f"{first:.1f} to {last:.1f} eV, the grid {wanted}"
            )
        else:
            covered.append(row)
    if not covered:
        raise XascoordError(
            f"{element}: no spectrum reaches from {grid[0]:.1f} to {grid[-1]:.1f} eV; lower "
            "geometries.points or geometries.step"
        )
    features = np.array([on_grid(np.array(r["energy"]), np.array(r["mu"]), grid) for r in covered])
    firsts = first_of_duplicates(features, settings.duplicate_difference)
    final: list[Row] = []
    for i, row in enumerate(covered):
        if firsts[i] == i:
            final.append({**row, "features": features[i].tolist(), "grid_start": float(grid[0])})
        else:
            reject(row, Reason.DUPLICATE, f"like {covered[firsts[i]]['spectrum_id']}")
    return final, rejected


def geometry_data(element: str, rows: Sequence[Row], settings: Geometries) -> GeometryData:
    """Rows of ``schemas.GEOMETRIES`` as what the networks learn from.

    Classes of fewer spectra than folds are left out: they cannot be in every test set.
    """
    counts = {symbol: sum(row["symbol"] == symbol for row in rows) for symbol in settings.symbols}
    symbols = tuple(symbol for symbol in settings.symbols if counts[symbol] >= settings.folds)
    mine = [row for row in rows if row["symbol"] in symbols]
    start = mine[0]["grid_start"] if mine else 0.0
    return GeometryData(
        element=element,
        spectra=tuple(row["spectrum_id"] for row in mine),
        materials=tuple(row["group"] for row in mine),
        labels=np.array([symbols.index(row["symbol"]) for row in mine], dtype=np.int64),
        symbols=symbols,
        grid=grid_from(start, settings),
        curves=tuple((np.array(row["energy"]), np.array(row["mu"])) for row in mine),
    )


def standardise(learnt: Array, others: Sequence[Array], how: str) -> tuple[Array, list[Array]]:
    """Zero mean and unit variance, of each spectrum or of each point of the learnt spectra.

    Parameters
    ----------
    learnt
        Shape (n, points).
    others
        LeftOut spectra, shapes (m, points).
    how
        "spectrum" or "point".
    """
    if how == "point":
        mean, scale = learnt.mean(axis=0), learnt.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        return (learnt - mean) / scale, [(other - mean) / scale for other in others]

    def each(values: Array) -> Array:
        scale = values.std(axis=1, keepdims=True)
        return (values - values.mean(axis=1, keepdims=True)) / np.where(scale > 0, scale, 1.0)

    return each(learnt), [each(other) for other in others]
