"""Sets of coordination numbers that hold the true one at a chosen error rate.

Split conformal prediction (Vovk, Gammerman & Shafer, 2005; Angelopoulos & Bates, arXiv:2107.07511):
of held-out spectra, folds grouped by material, the score is one minus the probability of the true
first coordination number. A number is in the set if its score is within the quantile of those. The
promise holds for spectra like the held-out ones; measured ones differ, so how often it held for
them is counted by the benchmark (``xascoord validate``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK
from xascoord.core.rankings import cns_in
from xascoord.models.ranking_distribution import RankingDistribution, by_probability
from xascoord.settings.models import ERROR_RATES

if TYPE_CHECKING:
    from xascoord.models.cross_validation import Fit, Folds
    from xascoord.models.data import ElementData
    from xascoord.models.ranking_distribution import Scores

Array = npt.NDArray[np.float64]


def conformal_quantiles(
    data: ElementData, folds: Folds, entries: Mapping[Fit, Scores], temperature: float, split: str
) -> dict[str, float]:
    """Largest score within which the true first coordination number lies, by error rate.

    Rates that the number of held-out spectra cannot support (n + 1 < 1 / rate) have 1: every
    number is in the set then.

    Parameters
    ----------
    data, folds, entries
        What was held out, and how it was scored.
    temperature
        Of the CN step.
    split
        The folds that count.
    """
    from xascoord.models.training_sets import FULL

    scores: list[float] = []
    for fit, entry in entries.items():
        if fit.split != split or fit.training_set.name != FULL:
            continue
        cn_scores = {CN_TASK: entry[CN_TASK]}
        distribution = RankingDistribution.from_scores(cn_scores, {CN_TASK: temperature})
        numbers, values = distribution.first_numbers
        if not numbers:
            continue
        for position, row in enumerate(np.flatnonzero(folds[split] == fit.fold).tolist()):
            label = data.labels[CN_TASK][row]
            if not label:
                continue
            first = cns_in(label)[0]
            share = values[position, numbers.index(first)] if first in numbers else 0.0
            scores.append(1.0 - float(share))
    return {f"{rate:g}": _quantile(np.sort(scores), rate) for rate in ERROR_RATES}


def _quantile(scores: Array, rate: float) -> float:
    rank = int(np.ceil((len(scores) + 1) * (1.0 - rate)))
    return 1.0 if rank > len(scores) else round(float(scores[rank - 1]), 6)


def certain_set(shares: Mapping[int, float], quantile: float) -> list[int]:
    """Coordination numbers whose score is within the quantile, by falling probability.

    The likeliest is always among them: a set may be larger than the promise asks for, and an empty
    one would say nothing (spectra far from all are refused by their distance).
    """
    order = by_probability(shares)
    return [number for number in order if 1.0 - shares[number] <= quantile + 1e-9] or order[:1]
