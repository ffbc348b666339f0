"""Ranking labels of coordination numbers and motifs (Zheng et al., Patterns 1, 100013 (2020))."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import (
    COORDINATION_NUMBERS,
    MOTIF_TASKS,
    MOTIFS,
    MOTIFS_OF,
    display_name,
)
from xascoord.core.elements import GROUP_OF
from xascoord.core.rankings import MOTIF_SEPARATOR, Ranking, cns_in, combine

Array = npt.NDArray[np.float64]


def ranking(values: Array, names: Sequence[str], threshold: float) -> list[str]:
    """Names whose value reaches the threshold, by falling value; of equals the first comes first.

    Parameters
    ----------
    values
        Order parameters of shape (n,).
    names
        Their n names.
    threshold
        Lowest value that counts.
    """
    order = np.argsort(-values, kind="stable")
    return [names[i] for i in order if values[i] >= threshold]


def cn_label(numbers: Array, threshold: float) -> str:
    """Ranking label of coordination numbers, e.g. ``CN_6-CN_4``; "" where none is reached.

    Parameters
    ----------
    numbers
        Shape (12,): weights of coordination numbers 1 to 12.
    threshold
        The paper's t1.
    """
    return "-".join(ranking(numbers, [f"CN_{n}" for n in COORDINATION_NUMBERS], threshold))


def motif_label(motifs: Array, number: int, threshold: float) -> str:
    """Ranking label of the motifs of one coordination number, e.g. ``octahedral > ...``.

    Parameters
    ----------
    motifs
        Shape (25,): weighted motif order parameters.
    number
        Coordination number, one of ``MOTIFS_OF``.
    threshold
        The paper's t2.
    """
    first = MOTIFS.index((number, MOTIFS_OF[number][0]))
    names = [display_name(name) for name in MOTIFS_OF[number]]
    return MOTIF_SEPARATOR.join(ranking(motifs[first : first + len(names)], names, threshold))


def combined_ranking(
    element: str, numbers: Array, motifs: Array, thresholds: tuple[float, float]
) -> Ranking:
    """Ranking of coordination numbers, with that of the motifs of each that has a motif task.

    Parameters
    ----------
    element
        Absorber; its group says which motif tasks there are.
    numbers, motifs
        Shapes (12,) and (25,): order parameters.
    thresholds
        The paper's t1 and t2.
    """
    label = cn_label(numbers, thresholds[0])
    tasks = set(MOTIF_TASKS[GROUP_OF[element]]) & set(cns_in(label))
    return combine(label, {n: motif_label(motifs, n, thresholds[1]) for n in tasks})
