"""Motif order parameters of many coordination shells at once.

The order parameters are those of Zimmermann et al., Front. Mater. 4, 34 (2017), as pymatgen's
``LocalStructOrderParams`` defines them; here they are evaluated on arrays of shells, because one
shell after the other they cost four times as much as finding the shells. Which order parameter
stands for which motif, and its parameters, are read from matminer's featurizer, so that there is
one place where they are set; tests hold the values equal to the featurizer's.

A shell of n neighbours is looked at from every neighbour j as the north pole, with every other
neighbour k on the prime meridian. A(j, k) scores the angle of k, B(j, k, m) the place of each
third neighbour m; the order parameter is the best mean score over all (j, k).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import MOTIFS_OF

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Parameters = dict[Any, float]
_TINY = 1e-12


@dataclass(frozen=True)
class Angles:
    """Angles of S shells of n neighbours, in radians.

    ``theta`` (S, n, n): angle between j and k. ``phi`` (S, n, n, n): azimuth of m against k about
    j. ``pairs`` (n, n), ``triples`` (S, n, n, n) and ``azimuths`` (S, n, n, n) tell which of them
    count: distinct neighbours, k off the axis of j, and for an azimuth m off it too.
    """

    theta: Array
    phi: Array
    pairs: Mask
    triples: Mask
    azimuths: Mask


def shell_angles(vectors: Array) -> Angles:
    """All angles of shells given as vectors (S, n, 3) from the central atom."""
    unit = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    cosine = np.einsum("sjx,skx->sjk", unit, unit)
    theta = np.arccos(np.clip(cosine, -1.0, 1.0))
    across = unit[:, None, :, :] - cosine[..., None] * unit[:, :, None, :]
    length = np.linalg.norm(across, axis=3)
    off_axis = length >= _TINY
    across = across / np.where(off_axis, length, 1.0)[..., None]
    phi = np.arccos(np.clip(np.einsum("sjkx,sjmx->sjkm", across, across), -1.0, 1.0))
    number = vectors.shape[1]
    j, k, m = np.ogrid[:number, :number, :number]
    distinct = (j != k) & (j != m) & (k != m)
    triples = distinct & off_axis[:, :, :, None]
    return Angles(
        theta, phi, ~np.eye(number, dtype=bool), triples, triples & off_axis[:, :, None, :]
    )


def _bell(value: Array, width: float, center: float) -> Array:
    """Gaussian score of an angle given in units of pi."""
    return np.exp(-0.5 * (width * (value / np.pi - center)) ** 2)


def _best(angles: Angles, a: Array, a_norm: Any, b: Array, b_mask: Mask) -> Array:
    """Best mean score over all (j, k): (A + sum of B) / (number of scores)."""
    total = a + np.where(b_mask, b, 0.0).sum(axis=3)
    norm = a_norm + b_mask.sum(axis=3)
    score = np.where(norm > _TINY, total / np.maximum(norm, _TINY), 0.0)
    return np.where(angles.pairs, score, -np.inf).max(axis=(1, 2))


def _third(theta: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The angle of m, at the place of (j, k, m)."""
    return theta[:, :, None, :]


def _azimuth(angles: Angles, p: Parameters) -> Array:
    return np.cos(p["fac_AA"] * angles.phi) ** p["exp_cos_AA"]


def _bent(angles: Angles, p: Parameters) -> Array:
    score = _bell(angles.theta, p["IGW_TA"], p["TA"])
    return score[:, angles.pairs].mean(axis=1)


def _at_angle(angles: Angles, p: Parameters) -> Array:
    """All neighbours at one angle from the pole: trigonal planar, tetrahedral."""
    score = _bell(angles.theta, p["IGW_TA"], p["TA"])
    return _best(angles, score, 1.0, _third(score) * _azimuth(angles, p), angles.azimuths)


def _pyramid(angles: Angles, p: Parameters) -> Array:
    """All others in the equatorial plane: T, trigonal to hexagonal pyramids."""
    score = _bell(angles.theta, p["IGW_EP"], 0.5)
    return _best(angles, score, 1.0, _third(score) * _azimuth(angles, p), angles.azimuths)


def _two_poles(angles: Angles, p: Parameters, equator: Array, allowed: Mask | None = None) -> Array:
    """One neighbour at the south pole, the others on the equator."""
    above = angles.theta < p["min_SPP"]
    south = angles.triples & ~_third(above)
    plane = angles.azimuths & _third(above) & above[..., None]
    if allowed is not None:
        plane = plane & allowed
    pole = _third(_bell(angles.theta, p["IGW_SPP"], 1.0))
    b = np.where(south, pole, _third(equator) * _azimuth(angles, p))
    return _best(angles, np.where(above, equator, 0.0), above, b, south | plane)


def _bipyramid(angles: Angles, p: Parameters) -> Array:
    """Square planar, octahedral, bipyramids."""
    return _two_poles(angles, p, _bell(angles.theta, p["IGW_EP"], 0.5))


def _rectangular_see_saw(angles: Angles, p: Parameters) -> Array:
    equator = _bell(angles.theta, p["IGW_EP"], 0.5)
    return _two_poles(angles, p, equator, angles.phi < 0.75 * np.pi)


def _hexagonal_plane(angles: Angles, p: Parameters) -> Array:
    off_plane = np.abs(angles.theta / np.pi - 0.5) - p["TA"]
    return _two_poles(angles, p, np.exp(-0.5 * (p["IGW_TA"] * off_plane) ** 2))


def _pentagonal_plane(angles: Angles, p: Parameters) -> Array:
    center = np.where(angles.theta <= p["TA"] * np.pi, 0.4, 0.8)
    score = np.exp(-0.5 * (p["IGW_TA"] * (angles.theta / np.pi - center)) ** 2)
    return _best(angles, score, 1.0, _third(score) * np.cos(angles.phi) ** 2, angles.azimuths)


def _body_centred(angles: Angles, p: Parameters) -> Array:
    """Sum over ordered pairs; the only one that depends on the order of the neighbours."""
    number = angles.theta.shape[1]
    if number < 4:
        return np.zeros(len(angles.theta))
    ordered = np.triu(np.ones((number, number), dtype=bool), 1)
    south = ordered & (angles.theta >= p["min_SPP"])
    a = np.where(south, p["w_SPP"] * _bell(angles.theta, p["IGW_SPP"], 1.0), 0.0)
    side = np.where(angles.theta > np.pi / 2, 1.0, -1.0)[..., None]
    off = _third((angles.theta - np.pi / 2) / np.arcsin(1 / 3))
    b = side * np.cos(3 * angles.phi) / np.exp(-0.5) * off * np.exp(-0.5 * off**2)
    counted = angles.azimuths & (ordered & (angles.theta < p["min_SPP"]))[..., None]
    total = a.sum(axis=(1, 2)) + np.where(counted, b, 0.0).sum(axis=(1, 2, 3))
    return total / (0.5 * number * (6 + (number - 2) * (number - 3)))


def _cuboctahedral(angles: Angles, p: Parameters) -> Array:
    theta, below = angles.theta, angles.theta < p["min_SPP"]
    south = ~below
    a = np.where(south, p["w_SPP"] * _bell(theta, p["IGW_SPP"], 1.0), 0.0)
    middle = (theta > p[4]) & (theta < p[2])
    plane = np.cos(angles.phi) ** 2 * _third(np.exp(-0.5 * (p[5] * (theta / np.pi - 0.5)) ** 2))
    turn = 0.0556 * (np.cos(angles.phi - 0.5 * np.pi) - 0.81649658)
    slanted = np.exp(-0.5 * turn**2)
    third = np.where(theta < p[4], 1 / 3, 2 / 3)
    cone = slanted * _third(np.exp(-0.5 * (p[6] * (theta / np.pi - third)) ** 2))
    scored = middle | (theta < p[4]) | (theta > p[2])
    mask = angles.azimuths & middle[..., None] & _third(below & scored)
    return _best(
        angles, a, np.where(south, p["w_SPP"], 0.0), np.where(_third(middle), plane, cone), mask
    )


_FORMULAS: dict[str, Callable[[Angles, Parameters], Array]] = {
    "bent": _bent,
    **dict.fromkeys(("tri_plan_max", "tet_max"), _at_angle),
    **dict.fromkeys(("T", "tri_pyr", "sq_pyr", "pent_pyr", "hex_pyr"), _pyramid),
    **dict.fromkeys(("sq_plan_max", "oct_max", "tri_bipyr", "pent_bipyr", "hex_bipyr"), _bipyramid),
    "see_saw_rect": _rectangular_see_saw,
    "hex_plan_max": _hexagonal_plane,
    "pent_plan_max": _pentagonal_plane,
    "bcc": _body_centred,
    "cuboct_max": _cuboctahedral,
}


@lru_cache(maxsize=1)
def featurizer() -> Any:
    """Matminer's ``CrystalNNFingerprint.from_preset("ops")``, made once."""
    from matminer.featurizers.site import CrystalNNFingerprint

    return CrystalNNFingerprint.from_preset("ops")


@cache
def _definitions(number: int) -> tuple[tuple[str, Parameters], ...]:
    """Type and parameters of each motif of a coordination number, from the featurizer."""
    operators = [op for op in featurizer().ops[number] if op != "wt"][: len(MOTIFS_OF[number])]
    return tuple((op._types[0], op._params[0]) for op in operators)


def motif_values(number: int, vectors: Array) -> Array:
    """Order parameters of the motifs of one coordination number, for many shells.

    Parameters
    ----------
    number
        Coordination number, one of ``MOTIFS_OF``.
    vectors
        Positions (S, number, 3) of the neighbours from their central atoms, in angstrom, those
        of highest weight first.

    Returns
    -------
    numpy.ndarray
        Shape (S, motifs).
    """
    if number == 1:
        return np.ones((len(vectors), 1))  # a single bond is always one
    angles = shell_angles(vectors)
    values = [_FORMULAS[name](angles, parameters) for name, parameters in _definitions(number)]
    return np.stack(values, axis=1)
