"""A warning where crystals of different material names are copies of each other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from xascoord.core.files import write_csv
from xascoord.core.schemas import STRUCTURES
from xascoord.core.tables import read_rows
from xascoord.structures.copies import find_copies

COLUMNS = ("element", "material", "like", "formula", "atoms")
_log = logging.getLogger(__name__)


def report_copies(elements: Sequence[str], folder: Path) -> int:
    """List materials that look like copies of others in ``copies.csv``, and warn of them.

    Distorted copies of a crystal in folders of their own count as materials of their own: models
    would learn from one and be tested on another.

    Parameters
    ----------
    elements
        Absorbers, each compared within itself.
    folder
        Of the tables of the source.

    Returns
    -------
    int
        How many there are.
    """
    found, left = [], 0
    for element in elements:
        rows = read_rows(folder / f"structures/{element}.parquet", STRUCTURES)
        copies, undone = find_copies(rows)
        found += [{"element": element, **copy} for copy in copies]
        left += undone
    write_csv(folder / "copies.csv", found, COLUMNS)
    if left:
        print(f"copies: {left} pairs of crystals were not compared (too many, or too large)")
    if found:
        _log.warning(
            "%d materials look like strained or rattled copies of others (first: %s of %s); folds "
            "keep materials apart, not copies under other names, so that accuracies may be too "
            "good: put the copies of a crystal in one folder. All: %s",
            len(found), found[0]["material"], found[0]["like"], folder / "copies.csv",
        )  # fmt: skip
    return len(found)
