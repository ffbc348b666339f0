"""Models evaluated on spectra as an experiment gives them.

Four training sets, {site, site and averaged} x {augmented, not}, as in Table 1 of Zheng et al.,
Patterns 1, 100013 (2020), and for the first of them what resolution, noise (Fig. S8) and a wrong
e0 cost. Measured spectra are given to models of all computed spectra, those of the same compounds
among them, as in the paper. Without measured spectra, held-out averaged ones are broadened and made
noisy about the e0 they had and evaluated by models that have not seen their materials; with
``models.search`` those materials did help to choose hyper-parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import MeasurementError
from xascoord.core.hashing import seed_of
from xascoord.core.kinds import DEGRADED
from xascoord.core.rankings import Ranking, dominant
from xascoord.measured.spectrum import NormalisedSpectrum
from xascoord.models.data import ElementData, Flags
from xascoord.models.training_sets import TrainingSet
from xascoord.settings.tree import Settings
from xascoord.spectra.distortion import Distortion, distort

Array = npt.NDArray[np.float64]
Row = dict[str, Any]
TRAINING_SETS = (
    TrainingSet("site+averaged, augmented", True, True),
    TrainingSet("site+averaged", True, False),
    TrainingSet("site, augmented", False, True),
    TrainingSet("site", False, False),
)
PLAIN = "as it is"
CLEAN = "clean"  # without what degrades all the others
COLUMNS = (
    "element", "group", "data", "sample", "compound", "training_set", "condition", "value",
    "true_label", "true_environment", "predicted_label", "predicted_environment", "raw_probability",
    "top1", "cn_top1", "exact", "jaccard", "why", "certain", "in_certain",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One spectrum to be evaluated.

    Attributes
    ----------
    name, compound
        Of the sample, or of the computed spectrum and its material.
    energy, mu
        Shape (n,), in eV; pre-edge 0.
    zero
        Energy zero, in eV.
    ranking
        True ranking, or None where only the environment is known.
    environment
        True first coordination number and motif.
    base
        What is done to it under every condition.
    """

    name: str
    compound: str
    energy: Array
    mu: Array
    zero: float
    ranking: Ranking | None
    environment: str
    base: Distortion


def conditions(settings: Settings, kind: str = "") -> list[tuple[str, float]]:
    """As it is first, then each resolution, noise and error of e0; degraded ones clean too."""
    validation = settings.validation
    return [
        (PLAIN, 0.0),
        *([(CLEAN, 0.0)] if kind == DEGRADED else []),
        *(("resolution", value) for value in validation.resolutions),
        *(("noise", value) for value in validation.noises),
        *(("e0 error", value) for value in validation.shifts),
    ]


def distorted(case: Case, condition: str, value: float, settings: Settings) -> Array:
    """The window of a case under a condition.

    Raises
    ------
    RejectedSpectrum
        If the spectrum does not cover the window then.
    """
    base, zero = Distortion() if condition == CLEAN else case.base, case.zero
    resolution, noise = base.resolution, base.noise
    if condition == "resolution":
        resolution = float(np.hypot(resolution, value))
    elif condition == "noise":
        noise = float(np.hypot(noise, value))
    elif condition == "e0 error":
        zero += value
    rng = np.random.default_rng(seed_of(settings.seed, case.name, condition, value))
    numbers = rng.standard_normal(settings.window.points)
    what = Distortion(resolution=resolution, noise=noise)
    features = distort(case.energy, case.mu, zero, settings.window, what, numbers)
    return features / features.max()


def degraded_cases(
    data: ElementData,
    spectra: Mapping[str, tuple[Array, Array, float]],
    tested: Flags,
    settings: Settings,
) -> list[Case]:
    """Held-out averaged spectra (site-specific ones if there are none), to be degraded.

    Parameters
    ----------
    data
        Computed spectra.
    spectra
        (energy, mu, energy zero) by spectrum.
    tested
        Shape (n,): the held-out ones.
    settings
        Resolution and noise.
    """
    averaged = np.asarray(data.kinds) == "averaged"
    chosen = tested & averaged if (tested & averaged).any() else tested
    base = Distortion(
        resolution=settings.validation.degrade_resolution, noise=settings.validation.degrade_noise
    )
    cases = []
    for i in np.flatnonzero(chosen).tolist():
        ranking = data.truth(i)
        if ranking:
            cases.append(
                Case(data.spectra[i], data.materials[i], *spectra[data.spectra[i]], ranking,
                     dominant(ranking), base)
            )  # fmt: skip
    if not cases:
        raise MeasurementError(f"{data.element}: no held-out spectrum to degrade")
    return cases


def measured_case(
    compound: str, spectrum: NormalisedSpectrum, zero: float, ranking: Ranking | None,
    environment: str,
) -> Case:  # fmt: skip
    """A measured spectrum as a case; nothing is done to it."""
    return Case(spectrum.name, compound, spectrum.energy, spectrum.norm, zero, ranking, environment,
                Distortion())  # fmt: skip
