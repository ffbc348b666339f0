"""Probabilities of what surrounds the absorber, summed over all rankings that say so.

A classifier gives probabilities of whole CN rankings, and for each coordination number of rankings
of its motifs. What a person asks is simpler: which coordination number comes first, which
environment. Both are sums over rankings, and each adds up to 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.core.rankings import Ranking, cns_in, combine, describe, dominant

Array = npt.NDArray[np.float64]
_DECIMALS = 6
NUMBER_WORDS = {
    1: "one neighbour", 2: "two neighbours", 3: "three neighbours", 4: "four neighbours",
    5: "five neighbours", 6: "six neighbours", 7: "seven neighbours", 8: "eight neighbours",
    9: "nine neighbours", 10: "ten neighbours", 11: "eleven neighbours", 12: "twelve neighbours",
}  # fmt: skip


@dataclass(frozen=True)
class Alternative:
    """An environment, its likeliest whole ranking, and probabilities.

    Attributes
    ----------
    label
        The likeliest ranking that begins with the environment, as text.
    cn_label
        That ranking's coordination numbers.
    environment
        First coordination number and motif, e.g. ``CN_6 octahedral``.
    probability
        Of the environment: all environments add up to 1.
    cn_probability
        Of its coordination number as the first: all numbers add up to 1.
    ranking
        The likeliest ranking.
    """

    label: str
    cn_label: str
    environment: str
    probability: float
    cn_probability: float
    ranking: Ranking = ()

    def record(self) -> dict[str, str | float]:
        """JSON values."""
        names = ("label", "cn_label", "environment", "probability", "cn_probability")
        return {name: getattr(self, name) for name in names}

    @property
    def number(self) -> int:
        """The first coordination number."""
        return cns_in(self.cn_label)[0]

    @property
    def words(self) -> str:
        """The environment in words, e.g. ``octahedral, six neighbours``."""
        motif = self.environment.partition(" ")[2]
        return f"{motif}, {NUMBER_WORDS[self.number]}" if motif else NUMBER_WORDS[self.number]


def coordination(labels: Sequence[str], values: Array) -> dict[int, float]:
    """Probability of each first coordination number, the likeliest first.

    Parameters
    ----------
    labels, values
        CN ranking labels and their probabilities, shape (labels,).
    """
    summed: dict[int, float] = defaultdict(float)
    for label, value in zip(labels, values, strict=True):
        summed[cns_in(label)[0]] += float(value)
    rounded = {number: round(value, _DECIMALS) for number, value in summed.items()}
    return dict(sorted(rounded.items(), key=lambda item: (-item[1], item[0])))


def alternatives(
    numbers: tuple[Sequence[str], Array], motifs: Mapping[int, tuple[Sequence[str], Array]]
) -> list[Alternative]:
    """Every environment: those of the likeliest coordination number first, then by probability.

    Parameters
    ----------
    numbers, motifs
        Ranking labels of the CN step and of the motif step of each coordination number, with the
        probabilities of one spectrum, as for ``models.held_out.best_label``.
    """
    labels, values = numbers
    first = coordination(labels, values)
    summed: dict[str, float] = defaultdict(float)
    rankings: dict[str, list[tuple[float, str, str, Ranking]]] = defaultdict(list)
    for label, value in zip(labels, values, strict=True):
        chosen = {
            n: names[int(np.argmax(shares))] for n, (names, shares) in motifs.items() if names
        }
        number = cns_in(label)[0]
        names, shares = motifs.get(number, ((), np.zeros(0)))
        options: list[tuple[str | None, float]] = [(None, 1.0)]
        if names:
            options = list(zip(names, shares, strict=True))
        for motif, share in options:
            ranking = combine(label, {**chosen, number: motif})
            environment = dominant(ranking)
            summed[environment] += float(value * share)
            rankings[environment].append(
                (round(float(value * share), _DECIMALS), describe(ranking), label, ranking)
            )
    found = []
    for environment, probability in summed.items():
        _, label, cn_label, ranking = max(rankings[environment], key=lambda r: (r[0], r[1]))
        number = cns_in(cn_label)[0]
        found.append(
            Alternative(
                label, cn_label, environment, round(probability, _DECIMALS), first[number], ranking
            )
        )
    likeliest = next(iter(first), 0)
    best = max(
        (a for a in found if a.number == likeliest),
        key=lambda a: (a.probability, a.environment), default=None,
    )  # fmt: skip
    found.sort(key=lambda a: (a is not best, -a.probability, a.environment))
    return found
