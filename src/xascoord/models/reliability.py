"""Do probabilities mean what they say: stated probability against the share of right answers.

Expected calibration error (Naeini, Cooper & Hauskrecht, AAAI 2015; Guo et al., ICML 2017): answers
are binned by the probability stated for them; the error is the mean over answers of the difference
between mean stated probability and share right of their bin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xascoord.core.rankings import dominant_cn
from xascoord.models.classifiers import BASELINE
from xascoord.models.ranking_distribution import RankingDistribution
from xascoord.models.training_sets import FULL

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Row = dict[str, Any]
BINS = 10
CONFIDENT = 0.8
STEPS = {"first CN": "first coordination number", "first environment": "first environment"}
STAGES = {"before": "step_raw", "after": "step_probabilities"}  # temperature
FIGURES = (
    "bin", "lower", "upper", "spectra", "mean_probability", "right", "ece", "confident",
    "confident_error_rate",
)  # fmt: skip
COLUMNS = ("classifier", "split", "step", "temperature", *FIGURES)
ALL = "all"  # the bin of everything, with the figures that are of all bins
_DECIMALS = 4
_EDGE = 1e-9  # 0.3 belongs to the bin from 0.3 on, whatever its last bit


@dataclass(frozen=True)
class Bin:
    """Answers whose stated probability lies between two bounds.

    Attributes
    ----------
    lower, upper
        Bounds; the lower one is in the bin, and so is 1 in the last.
    spectra
        Number of answers.
    mean_probability, right
        Mean stated probability and share of right answers.
    """

    lower: float
    upper: float
    spectra: int
    mean_probability: float
    right: float


def reliability_bins(stated: Array, right: Flags, bins: int = BINS) -> list[Bin]:
    """Bins of equal width that hold an answer, by rising probability.

    Parameters
    ----------
    stated
        Probability stated for each answer, shape (n,).
    right
        Whether it is right, shape (n,).
    bins
        Number of bins from 0 to 1.
    """
    which = np.minimum((stated * bins + _EDGE).astype(int), bins - 1)
    return [
        Bin(
            i / bins, (i + 1) / bins, int((which == i).sum()),
            float(stated[which == i].mean()), float(right[which == i].mean()),
        )
        for i in np.unique(which).tolist()
    ]  # fmt: skip


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Mean over answers of |mean stated probability - share right| of their bin; 0 for none."""
    total = sum(one.spectra for one in bins)
    return sum(one.spectra * abs(one.mean_probability - one.right) for one in bins) / max(total, 1)


def reliability_rows(stated: Array, right: Flags, bins: int = BINS) -> list[Row]:
    """One row of ``FIGURES`` for each bin, and one for all of them together, which comes last.

    Parameters
    ----------
    stated, right, bins
        As for ``reliability_bins``.
    """
    if not len(stated):
        return []
    found = reliability_bins(stated, right, bins)
    confident = stated >= CONFIDENT - _EDGE
    rows = [
        {**_row(f"{one.lower:g}-{one.upper:g}", one), "ece": "", "confident": "",
         "confident_error_rate": ""}
        for one in found
    ]  # fmt: skip
    whole = Bin(0.0, 1.0, len(stated), float(stated.mean()), float(right.mean()))
    wrong = round(float((~right[confident]).mean()), _DECIMALS) if confident.any() else ""
    return [
        *rows,
        {**_row(ALL, whole), "ece": round(expected_calibration_error(found), _DECIMALS),
         "confident": int(confident.sum()), "confident_error_rate": wrong},
    ]  # fmt: skip


def _row(name: str, one: Bin) -> Row:
    return {
        "bin": name, "lower": one.lower, "upper": one.upper, "spectra": one.spectra,
        "mean_probability": round(one.mean_probability, _DECIMALS),
        "right": round(one.right, _DECIMALS),
    }  # fmt: skip


def reliability_table(frames: Mapping[str, pd.DataFrame]) -> list[Row]:
    """Rows of ``COLUMNS``: all elements together, by classifier, split, step, before and after.

    Every held-out spectrum counts; one whose label is too rare to be learnt is answered wrongly.

    Parameters
    ----------
    frames
        Predictions (``schemas.PREDICTIONS``) by element.
    """
    pooled: dict[tuple[str, ...], list[tuple[Array, Flags]]] = {}
    for frame in frames.values():
        mine = frame[(frame["training_set"] == FULL) & (frame["classifier"] != BASELINE)]
        for (classifier, split, _), part in mine.groupby(["classifier", "split", "fold"]):
            for step, stage, stated, right in _answers(part):
                pooled.setdefault((classifier, split, step, stage), []).append((stated, right))
    rows = []
    for key, parts in sorted(pooled.items()):
        stated, right = (np.concatenate(side) for side in zip(*parts, strict=True))
        named = dict(zip(COLUMNS, key, strict=False))
        rows += [{**named, **row} for row in reliability_rows(stated, right)]
    return rows


def _answers(part: pd.DataFrame) -> Iterator[tuple[str, str, Array, Flags]]:
    """Step, before or after, stated probability and whether right, of the spectra of one fit."""
    true = np.array([dominant_cn(label) for label in part["true_cn"]])
    environment = part["true_environment"].to_numpy(dtype=object)
    by_number, by_environment = STEPS
    for stage, column in STAGES.items():
        values = np.stack(part[column].tolist()).astype(float)
        found = RankingDistribution.from_columns(part["step_labels"].iloc[0], values).decide()
        known = found.numbers > 0
        yield by_number, stage, found.number_probabilities, known & (found.numbers == true)
        right = known & (found.environments == environment)
        yield by_environment, stage, found.environment_probabilities, right.astype(bool)
