"""Models judged on spectra as an experiment gives them.

Four training sets, {site, site and averaged} x {augmented, not}, as in Table 1 of Zheng et al.,
Patterns 1, 100013 (2020), and for the first of them what resolution, noise (Fig. S8) and a wrong
e0 cost. Measured spectra are judged by models of all computed spectra, those of the same compounds
among them, as in the paper. Without measured spectra, held-out averaged ones are broadened and made
noisy about the e0 they had and judged by models that have not seen their materials; with
``models.search`` those materials did help to choose hyper-parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.augmentation import Distortion, distort
from xascoord.classifiers import TaskModel, probabilities
from xascoord.elements import GROUP_OF
from xascoord.environments import Ranking, describe, dominant, score
from xascoord.errors import MeasurementError
from xascoord.predictions import best_label, steps_of
from xascoord.quality import RejectedSpectrum
from xascoord.settings import Settings
from xascoord.training import Parameters, fit_all_tasks
from xascoord.training_data import ElementData, Flags, TrainingSet, seed_of

Array = npt.NDArray[np.float64]
Row = dict[str, Any]

MEASURED = "measured"
DEGRADED = "computed, held out and degraded"
TRAINING_SETS = (
    TrainingSet("site+averaged, augmented", True, True),
    TrainingSet("site+averaged", True, False),
    TrainingSet("site, augmented", False, True),
    TrainingSet("site", False, False),
)
COLUMNS = (
    "element", "group", "data", "sample", "compound", "training_set", "condition", "value",
    "true_label", "true_environment", "predicted_label", "predicted_environment", "raw_probability",
    "top1", "number_top1", "exact", "jaccard", "why",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One spectrum to be judged.

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


def conditions(settings: Settings) -> list[tuple[str, float]]:
    """As it is first, then each resolution, noise and error of e0."""
    validation = settings.validation
    return [
        ("as it is", 0.0),
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
    base, zero = case.base, case.zero
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


def judge(
    data: ElementData,
    cases: Sequence[Case],
    kind: str,
    learnt: Flags,
    parameters: Parameters,
    settings: Settings,
) -> tuple[list[Row], list[Row]]:
    """Predictions of all cases by all training sets and under all conditions.

    Parameters
    ----------
    data
        Computed spectra of the element.
    cases
        What is judged.
    kind
        ``MEASURED`` or ``DEGRADED``.
    learnt
        Shape (n,): computed spectra that may be learnt from.
    parameters
        Hyper-parameters.
    settings
        Conditions, window, seed.

    Returns
    -------
    rows
        Rows of ``COLUMNS``.
    refused
        What could not be judged, and why: broadening and a wrong e0 need more of the spectrum.
    """
    rows: list[Row] = []
    refused: list[Row] = []
    for training_set in TRAINING_SETS:
        models = fit_all_tasks(data, "forest", parameters, training_set, learnt, settings.seed)
        first = training_set is TRAINING_SETS[0]
        for condition, value in conditions(settings) if first else conditions(settings)[:1]:
            kept, features = [], []
            for case in cases:
                try:
                    features.append(distorted(case, condition, value, settings))
                    kept.append(case)
                except RejectedSpectrum as error:
                    reason = {"element": data.element, "sample": case.name, "reason": error.detail,
                              "training_set": training_set.name}  # fmt: skip
                    refused.append({**reason, "condition": condition, "value": value})
            if kept:
                named = {"training_set": training_set.name, "condition": condition, "value": value}
                rows += [
                    {**row, "data": kind, **named}
                    for row in _predict(data.element, models, kept, np.array(features))
                ]
    return rows, refused


def _predict(
    element: str, models: Mapping[str, TaskModel], cases: Sequence[Case], features: Array
) -> list[Row]:
    values = {t: (m.classes, probabilities(m.scores(features))) for t, m in models.items()}
    rows = []
    for i, case in enumerate(cases):
        ranking, _, probability, _ = best_label(*steps_of(element, values, i))
        rows.append(
            {
                "element": element,
                "group": GROUP_OF[element],
                "sample": case.name,
                "compound": case.compound,
                "true_label": "" if case.ranking is None else describe(case.ranking),
                "true_environment": case.environment,
                "predicted_label": describe(ranking),
                "predicted_environment": dominant(ranking),
                "raw_probability": round(probability, 6),  # not calibrated
                **_scores(case, ranking),
            }
        )
    return rows


def _scores(case: Case, predicted: Ranking) -> Row:
    """Right or wrong, and why; where no ranking is known only its first environment is judged."""
    environment = dominant(predicted)
    number = case.environment.partition(" ")[0] == environment.partition(" ")[0] != ""
    top1 = environment == case.environment
    found: Row = {"top1": float(top1), "number_top1": float(number), "exact": "", "jaccard": ""}
    if case.ranking is not None:
        whole = asdict(score(case.ranking, predicted))
        found |= {name: round(whole[name], 6) for name in ("exact", "jaccard")}
    if not number:
        why = "first coordination number"
    elif not top1:
        why = "first motif"
    elif found["exact"] == 0:
        why = "rest of the ranking"
    else:
        why = ""
    return {**found, "why": why}


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
    name: str, compound: str, prepared: Any, ranking: Ranking | None, environment: str
) -> Case:
    """A measured spectrum as a case; nothing is done to it."""
    return Case(name, compound, prepared.energy, prepared.norm, prepared.e0, ranking, environment,
                Distortion())  # fmt: skip
