"""One decision from computed spectra and measured references.

For 3d metals what measured references say of four, five and six neighbours is multiplied by what
the models of computed spectra say of them, each to a power. The powers were chosen leaving out
whole compounds (``benchmarks/measured_choice.py``): models that learnt hundreds of natural crystals
count in full, those of a few dozens that were chosen for balance for a quarter. Both powers are
divided by a doubt that grows with the distance to the nearest reference of the element, since most
wrong answers are of compounds that are like none of them (``docs/measured.md``). Other numbers, and
which motif a number has, are the models' of computed spectra alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xascoord.models.ranking_distribution import RankingDistribution

REFERENCES = 0.7  # power of what measured references say
COMPUTED, COMPUTED_BALANCED = 1.0, 0.25  # of what computed spectra say
# Doubt: at a distance (edge steps, rms) that half of the references have, its rise, its limits.
_USUAL, _AT_USUAL, _RISE, _DOUBTS = 0.04, 0.9, 0.75, (0.8, 2.0)
_FLOOR = 0.05  # added to shares of computed spectra: a few dozens of crystals rule nothing out


def doubt_at(distance: float) -> float:
    """What powers are divided by, from the distance to the nearest reference of the element.

    Parameters
    ----------
    distance
        In edge steps (``classifier.distance_to_nearest``).
    """
    low, high = _DOUBTS
    return min(max(_AT_USUAL + _RISE * (distance - _USUAL) / _USUAL, low), high)


def weigh(
    measured: Mapping[int, float], computed: Mapping[int, float], references: float, power: float
) -> dict[int, float]:
    """Shares of coordination numbers by measured references and computed spectra.

    Parameters
    ----------
    measured, computed
        Probabilities by coordination number; numbers that the first lacks are passed over.
    references, power
        Powers that the first and the second are taken to.
    """
    known = sum(computed.get(number, 0.0) for number in measured)
    scores = {
        number: references * np.log(max(share, 1e-6))
        + power * np.log((computed.get(number, 0.0) / known if known else 0.0) + _FLOOR)
        for number, share in measured.items()
    }
    highest = max(scores.values())
    total = sum(np.exp(score - highest) for score in scores.values())
    return {number: float(np.exp(score - highest) / total) for number, score in scores.items()}


def combined(
    learnt: RankingDistribution,
    natural: RankingDistribution,
    measured: Mapping[int, float],
    distance: float,
    balanced: bool,
) -> RankingDistribution:
    """Probabilities of one spectrum by computed spectra and measured references together.

    Parameters
    ----------
    learnt, natural
        By the models of computed spectra: as learnt, and under nature's frequencies.
    measured
        Probability of each coordination number by measured references.
    distance
        To the nearest of them of the element, as for ``doubt_at``.
    balanced
        Whether the models of computed spectra learnt from crystals chosen for balance.

    Returns
    -------
    RankingDistribution
        With a ranking for each number of the references that the models lack. Shares of rankings
        within a number are as learnt, which nature's frequencies leave as they are, and so is the
        share of numbers the references do not know.
    """
    first = natural.coordination()
    others = sum(share for number, share in first.items() if number not in measured)
    power, doubt = COMPUTED_BALANCED if balanced else COMPUTED, doubt_at(distance)
    weighed = weigh(measured, learnt.coordination(), REFERENCES / doubt, power / doubt)
    return natural.with_first_numbers({n: (1 - others) * share for n, share in weighed.items()})
