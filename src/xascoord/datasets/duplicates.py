"""The same site from two sources: kept once, by precedence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xascoord.core.rejections import Reason
from xascoord.structures.matching import OrbitNames

Row = dict[str, Any]
Rejected = list[tuple[Row, tuple[Reason, str]]]


def drop_duplicates(
    ordered: Sequence[Row], structures: dict[str, Row], names: OrbitNames
) -> tuple[list[Row], Rejected]:
    """Keep one spectrum of each inequivalent site, and one average of each material.

    Two structures of one material are compared by pymatgen's StructureMatcher, because sources
    reduce cells and order atoms differently; where they do not match, both stay. The source
    named first in the settings wins, within one source the structure and site of lower index.

    Parameters
    ----------
    ordered
        Rows of ``schemas.SPECTRA`` of one element, by precedence.
    structures
        Rows of ``schemas.STRUCTURES`` by identifier.
    names
        Their orbits, as `name_orbits` gives them.

    Returns
    -------
    kept, rejected
        All rows, in the order of precedence.
    """
    kept: list[Row] = []
    rejected: Rejected = []
    first: dict[tuple[Any, ...], str] = {}
    for row in ordered:
        if row["kind"] == "averaged":
            key: tuple[Any, ...] = ("averaged", row["material"])
        else:
            orbit = structures[row["structure_id"]]["equivalent_to"][row["site_index"]]
            key = (
                "site",
                *names[row["structure_id"]].get(orbit, (row["structure_id"], orbit)),
            )
        if key in first:
            rejected.append((row, (Reason.DUPLICATE, f"same site as {first[key]}")))
        else:
            first[key] = row["spectrum_id"]
            kept.append(row)
    return kept, rejected


def by_precedence(spectra: Sequence[Row], sources: Sequence[str]) -> list[Row]:
    """Spectra in the order of their sources, within a source by identifier."""
    rank = {name: index for index, name in enumerate(sources)}
    return sorted(spectra, key=lambda r: (rank.get(r["source"], len(rank)), r["spectrum_id"]))
