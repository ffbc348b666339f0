"""Published structures of well-known compounds, and the labels of their absorbers."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.elements import GROUP_OF
from xascoord.environments import Ranking, combine
from xascoord.errors import SourceError
from xascoord.labels import motif_label, number_label, numbers_in
from xascoord.motifs import MOTIF_TASKS

_CELL = ("a", "b", "c", "alpha", "beta", "gamma")


def read_compounds(path: Path) -> dict[str, Any]:
    """Structures by the name of the compound.

    Raises
    ------
    SourceError
        Naming the file, the line and what is wrong with it.
    """
    from pymatgen.core import Lattice, Structure

    found = {}
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read ({error})") from None
    for line, row in enumerate(rows, start=2):
        try:
            sites = [site.split() for site in row["sites"].split(";")]
            found[row["compound"]] = Structure.from_spacegroup(
                row["space_group"],
                Lattice.from_parameters(*(float(row[name]) for name in _CELL)),
                [site[0] for site in sites],
                [[float(value) for value in site[1:4]] for site in sites],
            )
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise SourceError(f"{path}, line {line}: no structure ({error}); correct it") from None
    return found


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
    from xascoord.order_parameters import order_parameters

    sites = [i for i, site in enumerate(structure) if site.specie.symbol == element]
    if not sites:
        raise SourceError(f"{structure.composition.reduced_formula}: no {element} in it")
    numbers, motifs, failures = order_parameters([(structure, site) for site in sites])
    if failures:
        raise SourceError(
            f"{structure.composition.reduced_formula}: {next(iter(failures.values()))}"
        )
    mean_numbers, mean_motifs = np.mean(numbers, axis=0), np.mean(motifs, axis=0)
    label = number_label(mean_numbers, thresholds[0])
    tasks = set(MOTIF_TASKS[GROUP_OF[element]]) & set(numbers_in(label))
    return combine(label, {n: motif_label(mean_motifs, n, thresholds[1]) for n in tasks})
