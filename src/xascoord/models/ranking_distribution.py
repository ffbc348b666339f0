"""Probabilities of rankings, and the answers that follow from them.

A classifier answers in steps: rankings of coordination numbers, then for each coordination number
rankings of its motifs. What is asked of it is often simpler, which number or which environment
comes first: both are sums over rankings, which are made here and nowhere else. What comes first is
the likeliest one to six decimals; of equals the smaller number, the first name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK, MOTIF_CNS, motif_task
from xascoord.core.rankings import MOTIF_SEPARATOR, Ranking, cns_in, combine, describe, dominant
from xascoord.models.environments import Alternative
from xascoord.models.temperature import probabilities

Array = npt.NDArray[np.float64]
Scores = Mapping[str, tuple[tuple[str, ...], Array]]  # by task: its classes, (spectra, classes)
_Name = TypeVar("_Name", int, str)
_DECIMALS = 6
_SEPARATOR = ": "  # of task and label


class Step(NamedTuple):
    """What a classifier says in one step.

    Attributes
    ----------
    labels
        Ranking labels; none: the classifier knows nothing of this step.
    probabilities
        Shape (n, labels).
    """

    labels: Sequence[str]
    probabilities: Array


_NOTHING = Step((), np.zeros((0, 0)))


@dataclass(frozen=True)
class LikeliestRanking:
    """The likeliest whole ranking of a spectrum: what Patterns (2020) predicts.

    Attributes
    ----------
    ranking, cn_label
        Of both steps, and of the CN step alone; empty if that step knows no label.
    probability, cn_probability
        Of the whole ranking, the product of its steps, and of the CN ranking.
    """

    ranking: Ranking
    cn_label: str
    probability: float
    cn_probability: float


@dataclass(frozen=True)
class Decision:
    """What comes first in each of n spectra, and how likely it is said to be.

    Attributes
    ----------
    numbers, number_probabilities
        Likeliest first coordination number (0: the classifier knows no label), shape (n,).
    environments, environment_probabilities
        Likeliest environment of that number, e.g. ``CN_6 octahedral``, shape (n,).
    """

    numbers: npt.NDArray[np.intp]
    number_probabilities: Array
    environments: npt.NDArray[np.object_]
    environment_probabilities: Array


@dataclass(frozen=True, eq=False)
class RankingDistribution:
    """Probabilities of the rankings of n spectra.

    Attributes
    ----------
    steps
        By task: the CN step (``CN``), and the motif steps (``CN_6 motifs``) there are.
    """

    steps: Mapping[str, Step]

    @classmethod
    def from_scores(
        cls, scores: Scores, temperatures: Mapping[str, float] = MappingProxyType({})
    ) -> RankingDistribution:
        """Probabilities of scores.

        Parameters
        ----------
        scores
            By task: ranking labels, and logarithms of unnormalised probabilities, shape
            (n, labels).
        temperatures
            By task; those that are not given are 1.
        """
        return cls(
            {
                task: Step(labels, probabilities(values, temperatures.get(task, 1.0)))
                for task, (labels, values) in scores.items()
            }
        )

    @classmethod
    def from_columns(cls, columns: Sequence[str], values: Array) -> RankingDistribution:
        """What ``columns`` and ``values`` of another distribution say.

        Parameters
        ----------
        columns
            Task and label of each column, e.g. ``CN: CN_6-CN_4``.
        values
            Shape (n, columns).
        """
        places: dict[str, list[int]] = {CN_TASK: []}
        for place, column in enumerate(columns):
            places.setdefault(column.partition(_SEPARATOR)[0], []).append(place)
        return cls(
            {
                task: Step([columns[i].partition(_SEPARATOR)[2] for i in mine], values[:, mine])
                for task, mine in places.items()
            }
        )

    @property
    def columns(self) -> list[str]:
        """Task and label of every column of ``values``, step by step."""
        return [f"{task}{_SEPARATOR}{name}" for task, step in self.steps.items()
                for name in step.labels]  # fmt: skip

    @property
    def values(self) -> Array:
        """Probabilities of every label of every step, shape (n, columns)."""
        known = [step.probabilities for step in self.steps.values() if step.labels]
        return np.hstack(known) if known else np.zeros((len(self), 0))

    @property
    def cn(self) -> Step:
        """The step of coordination numbers."""
        return self.steps[CN_TASK]

    def motifs(self, number: int) -> Step:
        """The motif step of a coordination number; without labels if there is none."""
        return self.steps.get(motif_task(number), _NOTHING)

    def __len__(self) -> int:
        return len(self.cn.probabilities)

    @cached_property
    def first_numbers(self) -> tuple[tuple[int, ...], Array]:
        """Rising coordination numbers, and how likely each is the first, shape (n, numbers)."""
        return _summed(self._firsts, self.cn.probabilities)

    @property
    def _firsts(self) -> list[int]:
        """The first number of each CN ranking."""
        return [cns_in(label)[0] for label in self.cn.labels]

    @cached_property
    def first_environments(self) -> tuple[tuple[str, ...], Array]:
        """Environments, by number and name, and how likely each is the first.

        The second has the shape (n, environments).
        """
        numbers, shares = self.first_numbers
        names: list[str] = []
        found = [np.zeros((len(self), 0))]
        for column, number in enumerate(numbers):
            motifs, of_motifs = self._first_motifs(number)
            names += [_environment(number, motif) for motif in motifs]
            found.append(shares[:, [column]] * of_motifs)
        return tuple(names), np.hstack(found)

    def _first_motifs(self, number: int) -> tuple[tuple[str, ...], Array]:
        """First motifs of a coordination number and their probabilities, shape (n, motifs).

        A number that has no motif step, or whose motifs are all too rare, has one: "".
        """
        labels, values = self.motifs(number)
        if not labels:
            return ("",), np.ones((len(self), 1))
        return _summed([label.split(MOTIF_SEPARATOR)[0] for label in labels], values)

    def coordination(self, position: int = 0) -> dict[int, float]:
        """Probability of each first coordination number of a spectrum, the likeliest first."""
        numbers, shares = self.first_numbers
        found = dict(zip(numbers, _rounded(shares[position]).tolist(), strict=True))
        return {number: found[number] for number in by_probability(found)}

    def decide(self) -> Decision:
        """The likeliest first coordination number of each spectrum, and its environment."""
        numbers, shares = self.first_numbers
        n = len(self)
        environments, of_environments = np.full(n, "", dtype=object), np.zeros(n)
        if not numbers:
            return Decision(np.zeros(n, dtype=np.intp), np.zeros(n), environments, of_environments)
        best = _first_of(shares)
        stated = shares[np.arange(n), best]
        for column in np.unique(best).tolist():
            mine = best == column
            names, motifs = self._first_motifs(numbers[column])
            chosen = _first_of(motifs[mine])
            environments[mine] = [_environment(numbers[column], names[i]) for i in chosen]
            of_environments[mine] = stated[mine] * motifs[mine, chosen]
        return Decision(
            np.asarray(numbers, dtype=np.intp)[best], stated, environments, of_environments
        )

    def likeliest(self) -> list[LikeliestRanking]:
        """Of each spectrum the best CN ranking, with the best motifs of each of its numbers."""
        if not self.cn.labels:
            return [LikeliestRanking((), "", 0.0, 0.0)] * len(self)
        found = []
        for position, values in enumerate(self.cn.probabilities):
            first = int(np.argmax(values))
            label = self.cn.labels[first]
            probability = cn_probability = float(values[first])
            motifs = self._likeliest_motifs(position, cns_in(label))
            for _, share in motifs.values():
                probability *= share
            ranking = combine(label, {number: name for number, (name, _) in motifs.items()})
            found.append(LikeliestRanking(ranking, label, probability, cn_probability))
        return found

    def _likeliest_motifs(
        self, position: int, numbers: Sequence[int] = MOTIF_CNS
    ) -> dict[int, tuple[str, float]]:
        """The likeliest motif ranking of coordination numbers, and its probability."""
        found = {}
        for number in numbers:
            labels, values = self.motifs(number)
            if labels:
                best = int(np.argmax(values[position]))
                found[number] = labels[best], float(values[position, best])
        return found

    def alternatives(self, position: int = 0) -> list[Alternative]:
        """Every environment of a spectrum: the decided one first, then by falling probability.

        Each comes with the likeliest ranking that begins with it. Of equally likely environments
        of the decided number the last name goes first.
        """
        motifs = {n: name for n, (name, _) in self._likeliest_motifs(position).items()}
        rankings: dict[str, list[tuple[float, str, str, Ranking]]] = defaultdict(list)
        for column, number in enumerate(self._firsts):
            label, value = self.cn.labels[column], self.cn.probabilities[position, column]
            names, shares = self.motifs(number)
            # A number without motifs has one environment.
            options = dict(zip(names, shares[position], strict=True)) if names else {"": 1.0}
            for motif, share in options.items():
                ranking = combine(label, {**motifs, number: motif})
                whole = round(float(value * share), _DECIMALS)
                rankings[dominant(ranking)].append((whole, describe(ranking), label, ranking))
        of_numbers = self.coordination(position)
        environments, sums = self.first_environments
        found = []
        for environment, probability in zip(environments, sums[position], strict=True):
            _, label, cn_label, ranking = max(rankings[environment], key=lambda one: one[:2])
            share, of_number = round(float(probability), _DECIMALS), of_numbers[ranking[0][0]]
            found.append(Alternative(label, cn_label, environment, share, of_number, ranking))
        decided = next(iter(of_numbers), 0)
        best = max(
            (a for a in found if a.number == decided),
            key=lambda a: (a.probability, a.environment), default=None,
        )  # fmt: skip
        return sorted(found, key=lambda a: (a is not best, -a.probability, a.environment))

    def mean(self) -> RankingDistribution:
        """One spectrum with the mean probabilities of all, e.g. over shifts of the energy zero."""
        return RankingDistribution(
            {
                task: Step(labels, values.mean(axis=0, keepdims=True))
                for task, (labels, values) in self.steps.items()
            }
        )

    def reweighted(self, ratios: Mapping[int, float]) -> RankingDistribution:
        """Rankings with other odds of their first coordination numbers; sums stay 1.

        Parameters
        ----------
        ratios
            What rankings that begin with a number are multiplied by; 1 where there is none.
        """
        labels, values = self.cn
        weighted = values * np.array([ratios.get(number, 1.0) for number in self._firsts])
        totals = weighted.sum(axis=1, keepdims=True)
        scaled = np.divide(weighted, totals, out=values.copy(), where=totals > 0)
        return self._with_cn(labels, scaled)

    def with_first_numbers(self, shares: Mapping[int, float]) -> RankingDistribution:
        """Rankings with given probabilities of some first coordination numbers.

        Parameters
        ----------
        shares
            By number. Rankings that begin with it keep their ratios; a number that has no
            probability here gets a ranking of its own. Other numbers stay as they are.
        """
        labels, values = self.cn
        numbers, sums = self.first_numbers
        nothing = np.zeros(len(self))
        had = dict.fromkeys(shares, nothing) | dict(zip(numbers, _rounded(sums).T, strict=True))
        scaled = values.copy()
        for i, number in enumerate(self._firsts):
            if number in shares:
                there = had[number] > 0
                scaled[:, i] = np.divide(
                    values[:, i] * shares[number], had[number], out=nothing.copy(), where=there
                )
        absent = {number: had[number] == 0 for number in shares if (had[number] == 0).any()}
        own = [np.where(flags, shares[number], 0.0) for number, flags in absent.items()]
        return self._with_cn(
            [*labels, *(f"CN_{number}" for number in absent)], np.column_stack([scaled, *own])
        )

    def _with_cn(self, labels: Sequence[str], values: Array) -> RankingDistribution:
        return RankingDistribution({**self.steps, CN_TASK: Step(labels, values)})


def by_probability(shares: Mapping[int, float]) -> list[int]:
    """Numbers by falling probability; of equals the smaller first."""
    return sorted(shares, key=lambda number: (-round(shares[number], _DECIMALS), number))


def _first_of(values: Array) -> npt.NDArray[np.intp]:
    """Column of the likeliest in each row; of equals the first."""
    return np.argmax(_rounded(values), axis=1)


def _rounded(values: Array) -> Array:
    """By Python's rule: NumPy's is off where the product with a power of ten is rounded."""
    found = [round(value, _DECIMALS) for value in values.ravel().tolist()]
    return np.array(found, dtype=float).reshape(values.shape)


def _environment(number: int, motif: str) -> str:
    return f"CN_{number} {motif}".strip()


def _summed(firsts: Sequence[_Name], values: Array) -> tuple[tuple[_Name, ...], Array]:
    """Sorted names, and for each the sum of the columns that are of it, shape (n, names)."""
    names = tuple(sorted(set(firsts)))
    summed = np.zeros((len(values), len(names)))
    for column, name in enumerate(firsts):
        summed[:, names.index(name)] += values[:, column]
    return names, summed
