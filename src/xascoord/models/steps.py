"""Probabilities of every label of every step, as the table of predictions holds them.

A classifier answers in steps: rankings of coordination numbers, then for each coordination number
rankings of its motifs. What is asked of it is often simpler, which number or which environment
comes first: both are sums over rankings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.coordination import CN_TASK, MOTIF_TASKS, motif_task
from xascoord.core.elements import group_of
from xascoord.core.rankings import MOTIF_SEPARATOR
from xascoord.models.conformal import first_numbers

Array = npt.NDArray[np.float64]
Row = dict[str, Any]
Steps = dict[str, tuple[Sequence[str], Array]]  # by task: labels, (spectra, labels)
NO_STEPS: Row = {"step_labels": [], "step_raw": [], "step_probabilities": []}
_SEPARATOR = ": "  # of task and label
_DECIMALS = 6


def step_columns(raw: Steps, calibrated: Steps, position: int) -> Row:
    """The three columns of ``schemas.PREDICTIONS`` that hold all probabilities of a spectrum.

    Parameters
    ----------
    raw, calibrated
        Probabilities before and after temperature.
    position
        Which of the spectra.
    """

    def of(steps: Steps) -> list[float]:
        return [float(v) for names, array in steps.values() if names for v in array[position]]

    labels = [f"{task}{_SEPARATOR}{name}" for task, (names, _) in raw.items() for name in names]
    return {"step_labels": labels, "step_raw": of(raw), "step_probabilities": of(calibrated)}


def stored_steps(element: str, labels: Sequence[str], values: Array) -> Steps:
    """Steps of some spectra of one fit from what is stored of them.

    Parameters
    ----------
    element
        Absorber; its group has the motif tasks.
    labels
        ``step_labels``, the same for all of them.
    values
        One of the other two columns, shape (spectra, labels).
    """
    pairs = [label.partition(_SEPARATOR)[::2] for label in labels]
    found: Steps = {}
    for task in (CN_TASK, *map(motif_task, MOTIF_TASKS[group_of(element)])):
        columns = [i for i, (of, _) in enumerate(pairs) if of == task]
        found[task] = tuple(pairs[i][1] for i in columns), values[:, columns]
    return found


def steps_of(
    element: str, values: Mapping[str, tuple[Sequence[str], Array]], position: int
) -> tuple[tuple[Sequence[str], Array], dict[int, tuple[Sequence[str], Array]]]:
    """Labels and probabilities of one spectrum for the CN step and for each motif step.

    Parameters
    ----------
    element
        Absorber, or the name of a pool.
    values
        By task: ranking labels, and probabilities of shape (spectra, labels).
    position
        Which of the spectra.
    """

    def of(task: str) -> tuple[Sequence[str], Array]:
        names, array = values[task]
        return names, array[position] if names else np.zeros(0)

    motifs = {n: of(motif_task(n)) for n in MOTIF_TASKS[group_of(element)]}
    return of(CN_TASK), motifs


@dataclass(frozen=True)
class FirstAnswers:
    """What comes first in each of n spectra, and how likely it is said to be.

    Attributes
    ----------
    numbers, number_probabilities
        Likeliest first coordination number (0: the models know no label), shape (n,).
    environments, environment_probabilities
        Likeliest environment of that number, e.g. ``CN_6 octahedral``, shape (n,).
    """

    numbers: npt.NDArray[np.intp]
    number_probabilities: Array
    environments: npt.NDArray[np.object_]
    environment_probabilities: Array


def first_answers(steps: Steps) -> FirstAnswers:
    """The likeliest first coordination number and its likeliest environment.

    Parameters
    ----------
    steps
        Of ``stored_steps``. Of equals the smaller number and the first name are taken.
    """
    labels, values = steps[CN_TASK]
    n = len(values)
    environments, of_environments = np.full(n, "", dtype=object), np.zeros(n)
    if not labels:
        nothing = np.zeros(n)
        return FirstAnswers(nothing.astype(np.intp), nothing, environments, of_environments)
    numbers, shares = first_numbers(labels, values)
    best = np.argmax(shares.round(_DECIMALS), axis=1)
    stated = shares[np.arange(n), best]
    for column in np.unique(best).tolist():
        mine = best == column
        names, motifs = _first_motifs(steps, numbers[column])
        chosen = np.argmax(motifs[mine].round(_DECIMALS), axis=1)
        environments[mine] = [f"CN_{numbers[column]} {names[i]}".strip() for i in chosen]
        of_environments[mine] = stated[mine] * motifs[mine, chosen]
    return FirstAnswers(
        np.asarray(numbers, dtype=np.intp)[best], stated, environments, of_environments
    )


def _first_motifs(steps: Mapping[str, Any], number: int) -> tuple[list[str], Array]:
    """First motifs of a coordination number and their probabilities, shape (n, motifs).

    A number that has no motif step, or whose motifs are all too rare, has one: "".
    """
    rankings, values = steps.get(motif_task(number), ((), None))
    if not rankings:
        return [""], np.ones((len(steps[CN_TASK][1]), 1))
    firsts = [ranking.split(MOTIF_SEPARATOR)[0] for ranking in rankings]
    names = sorted(set(firsts))
    summed = np.zeros((len(values), len(names)))
    for column, name in enumerate(firsts):
        summed[:, names.index(name)] += values[:, column]
    return names, summed
