"""Normalised spectra, refusals, and the options of reading and normalising."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import k_edge_energy
from xascoord.measured.columns import Channel, Columns
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.models import Prediction
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.spectra.edge_energy import find_e0, find_onset, find_steepest

Array = npt.NDArray[np.float64]
Normalisation = Literal["edge_step", "mback"]

# Range about the tabulated edge that an energy reference is searched in, in eV.
_SEARCHED = (-120.0, 180.0)
_SEARCHES: dict[str, Callable[[Array, Array, EdgeEnergy], float]] = {
    "e0": find_e0, "onset": find_onset, "steepest": find_steepest,
}  # fmt: skip


@dataclass(frozen=True)
class NormalisedSpectrum:
    """A measured spectrum with its background removed and an edge step of 1; knows no model.

    Attributes
    ----------
    name, element
        Name of the spectrum, and its absorber.
    energy, norm
        Shape (n,): energies in eV, increasing; mu, about 0 before the edge, edge step 1.
    e0
        Energy reference as ``find_e0`` defines it by default, or the one that was given, in eV.
    inflection
        Energy of the steepest rise, in eV.
    given_e0
        Whether e0 was given rather than found.
    notes, warnings
        What was done, and what may be wrong.
    """

    name: str
    element: str
    energy: Array
    norm: Array
    e0: float
    inflection: float
    given_e0: bool = False
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A spectrum that cannot be normalised, and the reason.

    Attributes
    ----------
    name, element
        Name of the spectrum, and its absorber; "" where that is unknown.
    reason
        What is wrong, and what to do about it.
    """

    name: str
    element: str
    reason: str


@dataclass(frozen=True)
class Options:
    """How files are read and normalised.

    Attributes
    ----------
    element
        Absorber; None: as the file says, or from the energies.
    e0
        Energy reference in eV; None: it is found.
    channel
        Channel of a measured file.
    deglitch
        Whether single outlying points are removed.
    columns
        Columns that were named by hand.
    athena
        Take e0 and normalisation from the Athena project that a spectrum comes from; a spectrum
        from elsewhere gets a warning.
    normalisation
        By the edge step, or by MBACK.
    limits
        Upper bounds on what is read.
    """

    element: str | None = None
    e0: float | None = None
    channel: Channel = "auto"
    deglitch: bool = False
    columns: Columns = field(default_factory=Columns)
    athena: bool = False
    normalisation: Normalisation = "edge_step"
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def from_settings(
        cls,
        settings: Prediction,
        limits: Limits = DEFAULT_LIMITS,
        element: str | None = None,
        e0: float | None = None,
        columns: Columns | None = None,
        athena: bool = False,
    ) -> Self:
        """Options of the settings, with what was given by hand.

        Parameters
        ----------
        settings
            Channel, removal of glitches, normalisation.
        limits, element, e0, columns, athena
            As the attributes.
        """
        return cls(
            element, e0, settings.channel, settings.deglitch, columns or Columns(), athena,
            settings.normalisation, limits,
        )  # fmt: skip


def find_reference(
    energy: Array, norm: Array, element: str, reference: str, edge_energy: EdgeEnergy
) -> float:
    """Energy reference of a normalised spectrum, searched near the tabulated edge only.

    Parameters
    ----------
    energy, norm
        Shape (n,), in eV; normalised.
    element
        Absorber.
    reference
        As ``Window.reference``.
    edge_energy
        How it is searched.

    Raises
    ------
    RejectedSpectrum
        If it cannot be found.
    """
    tabulated = k_edge_energy(element)
    if reference == "tabulated":
        return tabulated
    near = (energy > tabulated + _SEARCHED[0]) & (energy < tabulated + _SEARCHED[1])
    return _SEARCHES[reference](energy[near], norm[near], edge_energy)


def window_zero(spectrum: NormalisedSpectrum, window: Window, edge_energy: EdgeEnergy) -> float:
    """Energy that the window of a model is relative to; an e0 that was given is obeyed.

    Parameters
    ----------
    spectrum
        Normalised.
    window, edge_energy
        Input specification of the model.

    Raises
    ------
    RejectedSpectrum
        If it cannot be found.
    """
    if spectrum.given_e0 or (window.reference == "e0" and edge_energy == EdgeEnergy()):
        return spectrum.e0
    return find_reference(
        spectrum.energy, spectrum.norm, spectrum.element, window.reference, edge_energy
    )
