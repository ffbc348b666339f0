"""Coordination numbers of 3d metals, learnt from measured references.

Computed spectra do not tell four from six neighbours well: their pre-edges are twice as strong as
measured ones and a few eV nearer to the edge. What tells them is learnt here from measured spectra
of known compounds instead, by two classifiers whose probabilities are multiplied:

- *descriptors*: a logistic regression of pre-edge height, pre-edge centroid and white line, for the
  metals whose pre-edge is strong enough (Wilke et al., Am. Mineral. 86, 714 (2001));
- *shape*: a kernel logistic regression of log mu from -13 to 20 eV about e0, in near steps, with
  copies of each reference that are shifted, broadened or over-absorbed, as other beamlines' are.

Compounds weigh equally, and so do coordination numbers (what is rare in the library is not rare in
nature for that), but that a number of few compounds counts for less: three compounds are no class.
All 3d metals are learnt together, since like environments look alike.

What is fitted are arrays, so that an answer needs no scikit-learn: ``arrays`` and ``from_arrays``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from xascoord.core.rejections import RejectedSpectrum
from xascoord.references.library import Reference
from xascoord.references.logistic import Logistic, balanced_weights, fit_kernel, fit_linear
from xascoord.spectra.descriptors import STEP, Descriptors, describe, grid, on_grid

Array = npt.NDArray[np.float64]

ELEMENTS = ("Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn")
NUMBERS = (4, 5, 6)
# Their 3d shells have room for an electron from 1s, and the pre-edge stands clear of the edge.
PRE_EDGE_ELEMENTS = frozenset(["Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co"])
_SHAPE = (grid >= -13.0 - STEP / 2) & (grid <= 20.0 + STEP / 2)
_EVERY = round(1.0 / STEP)  # points of the grid, 1 eV
_FLOOR = 0.03  # edge steps; below it the logarithm would be that of noise
# Shift (eV), further broadening (eV) and over-absorption of the copies of each reference.
_COPIES = ((0.0, 0.0, 0.0), (-0.8, 0.3, 0.2), (0.8, 0.8, 0.0), (0.0, 0.8, 0.4))
_DESCRIPTORS_C, _SHAPE_C = 0.5, 3.0
_CLIP = 0.03  # least probability that one of the two gives; neither forbids a number alone
FULL_CLASS = 10  # compounds of a coordination number from which on it weighs as much as any other


@dataclass(frozen=True)
class Profile:
    """A spectrum as classifiers of references see it.

    Attributes
    ----------
    element
        Absorber.
    mu
        Shape (len(grid),), in near steps (``descriptors.on_grid``).
    descriptors
        Read off it.
    """

    element: str
    mu: Array
    descriptors: Descriptors


def profile_of(element: str, energy: Array, norm: Array, e0: float) -> Profile:
    """A normalised spectrum as classifiers of references see it.

    Parameters
    ----------
    element
        Absorber.
    energy, norm, e0
        As for ``descriptors.on_grid``, whose errors it raises.
    """
    mu = on_grid(energy, norm, e0)
    return Profile(element, mu, describe(mu))


def profiles_of(references: Sequence[Reference]) -> list[tuple[Reference, Profile]]:
    """References with what is seen of them; one that is too short is left out.

    Parameters
    ----------
    references
        Of a library.
    """
    found = []
    for one in references:
        try:
            found.append((one, profile_of(one.element, one.energy, one.norm, one.e0)))
        except RejectedSpectrum:
            continue
    return found


def is_learnt_from(reference: Reference) -> bool:
    """Whether a reference teaches a coordination number."""
    return reference.element in ELEMENTS and reference.coordination in NUMBERS


class CoordinationClassifier:
    """Probabilities of four, five and six neighbours from measured references.

    Parameters
    ----------
    shape, descriptors
        Of log mu about the edge, and of the descriptors.
    """

    def __init__(self, shape: Logistic, descriptors: Logistic) -> None:
        self.shape, self.descriptors = shape, descriptors
        self.numbers = tuple(int(name) for name in shape.classes)

    @classmethod
    def fit(
        cls, references: Sequence[tuple[Reference, Profile]], full_class: int = FULL_CLASS
    ) -> Self:
        """Learn from references of known coordination number; the others are passed over.

        Parameters
        ----------
        references
            Of a library, with what is seen of them.
        full_class
            Compounds from which on a coordination number weighs as much as any other.

        Raises
        ------
        ValueError
            If fewer than two coordination numbers are left.
        """
        learnt = [(one, shown) for one, shown in references if is_learnt_from(one)]
        windows = np.array([_window(copy) for _, shown in learnt for copy in _copies(shown.mu)])
        numbers = [str(one.coordination) for one, _ in learnt for _ in _COPIES]
        weights = np.repeat(_weights([one for one, _ in learnt], full_class), len(_COPIES))
        shape = fit_kernel(windows, numbers, weights, _SHAPE_C)
        # Four against six neighbours: there are too few of five to draw a line by.
        kept = [
            (one, shown)
            for one, shown in learnt
            if one.element in PRE_EDGE_ELEMENTS and one.coordination in (4, 6)
        ]
        rows = np.array([_descriptor_row(shown.descriptors) for _, shown in kept])
        numbers = [str(one.coordination) for one, _ in kept]
        weights = _weights([one for one, _ in kept], full_class)
        return cls(shape, fit_linear(rows, numbers, weights, _DESCRIPTORS_C))

    def predict_proba(self, spectra: Sequence[Profile]) -> list[dict[int, float]]:
        """Probability of each coordination number, for each spectrum."""
        if not spectra:
            return []
        windows = np.array([_window(one.mu) for one in spectra])
        logs = np.log(np.clip(self.shape.predict_proba(windows), _CLIP, None))
        logs += np.log(np.clip(self._of_descriptors(spectra), _CLIP, None))
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [dict(zip(self.numbers, map(float, row), strict=True)) for row in shares]

    def _of_descriptors(self, spectra: Sequence[Profile]) -> Array:
        """Even for elements without pre-edge; five neighbours lie between four and six."""
        found = np.ones((len(spectra), len(self.numbers)))
        asked = [i for i, one in enumerate(spectra) if one.element in PRE_EDGE_ELEMENTS]
        if not asked:
            return found
        values = self.descriptors.predict_proba(
            np.array([_descriptor_row(spectra[i].descriptors) for i in asked])
        )
        of = dict(zip(self.descriptors.classes, values.T, strict=True))
        between = np.sqrt(of["4"] * of["6"])
        for column, number in enumerate(self.numbers):
            found[asked, column] = of.get(str(number), between)
        return found


def _window(mu: Array) -> Array:
    return np.log(np.clip(mu[_SHAPE][::_EVERY], 0.0, None) + _FLOOR)


def shape_distance(one: Array, other: Array) -> float:
    """Root mean square difference of two spectra from -13 to 20 eV about e0, in edge steps.

    Parameters
    ----------
    one, other
        ``Profile.mu``.
    """
    return float(np.sqrt(np.mean((one[_SHAPE] - other[_SHAPE]) ** 2)))


def distance_to_nearest(profile: Profile, library: Sequence[tuple[Reference, Profile]]) -> float:
    """Shape distance to the nearest oxygen compound of the same element; infinite without any.

    Parameters
    ----------
    profile
        Of a spectrum.
    library
        References with what is seen of them.
    """
    return min(
        (
            shape_distance(profile.mu, shown.mu)
            for one, shown in library
            if one.element == profile.element and one.is_oxygen_compound
        ),
        default=float("inf"),
    )


def _descriptor_row(one: Descriptors) -> list[float]:
    return [
        float(np.log(one.pre_edge_height + 0.01)),
        one.pre_edge_centroid,
        float(np.log(one.white_line_height)),
    ]


def _copies(mu: Array) -> list[Array]:
    """The spectrum as other beamlines may see it: moved, less resolved, over-absorbed."""
    from scipy.ndimage import gaussian_filter1d

    found = []
    for shift, broadening, absorption in _COPIES:
        copy = np.interp(grid + shift, grid, mu)
        if broadening:
            copy = gaussian_filter1d(copy, broadening / STEP, mode="nearest")
        copy = np.clip(copy, 0.0, None)
        found.append(copy * (1 + absorption) / (1 + absorption * copy))
    return found


def _weights(references: Sequence[Reference], full_class: int) -> Array:
    return balanced_weights(
        [one.coordination for one in references],
        [(one.element, one.compound) for one in references],
        full_class,
    )


def likeliest(shares: Mapping[int, float]) -> int:
    """The likeliest coordination number; of equals the lowest."""
    return max(sorted(shares), key=lambda number: shares[number])
