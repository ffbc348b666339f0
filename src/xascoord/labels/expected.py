"""The label that a measurement of a known compound should give."""

from __future__ import annotations

from typing import Any

import numpy as np

from xascoord.core.errors import SourceError
from xascoord.core.rankings import Ranking
from xascoord.labels.ranking import combined_ranking


def expected_ranking(structure: Any, element: str, thresholds: tuple[float, float]) -> Ranking:
    """The ranking that a measurement of a compound should give: the mean over its absorbers.

    Parameters
    ----------
    structure
        pymatgen structure.
    element
        Absorber.
    thresholds
        t1 and t2 of the labels.

    Raises
    ------
    SourceError
        If the compound lacks the element or a site has no shell.
    """
    from xascoord.structures.order_parameters import order_parameters

    sites = [i for i, site in enumerate(structure) if site.specie.symbol == element]
    if not sites:
        raise SourceError(f"{structure.composition.reduced_formula}: no {element} in it")
    numbers, motifs, failures = order_parameters([(structure, site) for site in sites])
    if failures:
        raise SourceError(
            f"{structure.composition.reduced_formula}: {next(iter(failures.values()))}"
        )
    means = np.mean(numbers, axis=0), np.mean(motifs, axis=0)
    return combined_ranking(element, *means, thresholds)
