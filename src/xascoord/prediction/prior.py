"""How common coordination numbers are in nature, which balanced training sets do not tell.

The embedded crystals of an element are chosen so that no coordination number dominates; a model
learnt from them expects five neighbours as often as six. By Bayes' rule its probabilities are
multiplied by the ratio of the frequency in nature to that in training (Saerens, Latinne &
Decaestecker, Neural Comput. 14, 21 (2002)). In nature: inequivalent sites with oxygen alone in
their first shell of the American Mineralogist Crystal Structure Database, each mineral of one
composition counted once for each number (``xascoord sources count-coordination``).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from xascoord.core.rankings import described_cn
from xascoord.models.ranking_distribution import RankingDistribution

TABLE = Path(__file__).parent.parent / "core" / "frequencies.csv"
_PSEUDOCOUNT = 1.0  # of each number that the models know: nothing is impossible


@cache
def natural_counts(path: Path = TABLE) -> dict[str, dict[int, int]]:
    """Sites by element and coordination number."""
    found: dict[str, dict[int, int]] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            counts = found.setdefault(row["element"], {})
            counts[int(row["coordination"])] = int(row["sites"])
    return found


class Prior:
    """Ratios by which probabilities of an element's first coordination numbers are multiplied.

    Parameters
    ----------
    element
        Absorber.
    labels
        Labels of the spectra that were learnt from, e.g. ``CN_6 (octahedral) > CN_5``.
    strength
        Power of the ratios: 1 is Bayes' rule, 0 leaves everything as it was learnt.
    """

    def __init__(self, element: str, labels: Sequence[str], strength: float) -> None:
        trained = Counter(described_cn(label) for label in labels if label)
        natural = natural_counts().get(element, {})
        total, kinds = sum(trained.values()), len(trained)
        sites = sum(natural.get(number, 0) for number in trained)
        self.ratios = {
            number: (
                (natural.get(number, 0) + _PSEUDOCOUNT) / (sites + kinds * _PSEUDOCOUNT)
                / (count / total)
            ) ** strength
            for number, count in trained.items()
        }  # fmt: skip

    def applied(self, learnt: RankingDistribution) -> RankingDistribution:
        """Probabilities of rankings under nature's frequencies."""
        return learnt.reweighted(self.ratios)
