"""Site-averaged spectra: what a measurement sees of a crystal with several absorbing sites."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def average_sites(
    spectra: Sequence[tuple[Array, Array]], multiplicities: Sequence[int], step: float
) -> tuple[Array, Array]:
    """Multiplicity-weighted mean of the spectra of all inequivalent sites of an element.

    Parameters
    ----------
    spectra
        (energy, mu) of each site; energies increasing, in eV.
    multiplicities
        Number of symmetry-equivalent sites behind each.
    step
        Step of the common energy axis, in eV.

    Returns
    -------
    energy, mu
        On the energies that all sites cover; a single spectrum comes back as it is.

    Raises
    ------
    ValueError
        If there is no spectrum, or the spectra have no energy in common.
    """
    if not spectra or len(spectra) != len(multiplicities):
        raise ValueError("one multiplicity for each of at least one spectrum")
    if len(spectra) == 1:
        return spectra[0]
    start = max(energy[0] for energy, _ in spectra)
    end = min(energy[-1] for energy, _ in spectra)
    if end <= start:
        raise ValueError("the sites have no energy in common")
    count = int(np.floor((end - start) / step + 1e-9)) + 1
    axis = start + step * np.arange(count)
    values = np.stack([np.interp(axis, energy, mu) for energy, mu in spectra])
    weights = np.asarray(multiplicities, dtype=float)
    return axis, weights @ values / weights.sum()


def missing_orbits(equivalent_to: Sequence[int], species: Sequence[str], absorber: str,
                   sites: Sequence[int]) -> list[int]:  # fmt: skip
    """Inequivalent sites of an absorber for which no spectrum is there.

    Parameters
    ----------
    equivalent_to, species
        For each site of the structure the first site of its orbit, and its element.
    absorber
        Element.
    sites
        Site indices with a spectrum.

    Returns
    -------
    list of int
        First site of each missing orbit.
    """
    wanted = {o for o, s in zip(equivalent_to, species, strict=True) if s == absorber}
    return sorted(wanted - {equivalent_to[site] for site in sites})
