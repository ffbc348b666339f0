"""The same crystal in two tables: orbits matched, each with one name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from xascoord.structures.symmetry import structure_from_row

Row = dict[str, Any]
OrbitNames = dict[str, dict[int, tuple[str, int]]]


def same_crystal(names: OrbitNames, structure_id: str) -> str:
    """The first structure that a structure matches; itself where it matches none."""
    return next((first for first, _ in names.get(structure_id, {}).values()), structure_id)


def name_orbits(rows: Sequence[Row], structures: dict[str, Row]) -> OrbitNames:
    """For each structure: its orbits as (structure, orbit) of the first structure they match.

    Only structures of one material from different sources are compared: within one source the
    distorted copies of a material are meant to differ.
    """
    by_material: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        known = by_material[row["material"]]
        if row["kind"] == "site" and row["structure_id"] not in known:
            known.append(row["structure_id"])
    names: dict[str, dict[int, tuple[str, int]]] = {}
    for ids in by_material.values():
        for position, structure_id in enumerate(ids):
            names[structure_id] = {}
            for earlier in ids[:position]:
                if structures[earlier]["source"] == structures[structure_id]["source"]:
                    continue
                mapping = match_orbits(structures[earlier], structures[structure_id])
                if mapping:
                    names[structure_id] = {
                        orbit: names[earlier].get(other, (earlier, other))
                        for orbit, other in mapping.items()
                    }
                    break
    return names


def match_orbits(first: Row, second: Row) -> dict[int, int]:
    """Orbits of a second structure in terms of those of a first one of the same material.

    Parameters
    ----------
    first, second
        Rows of ``schemas.STRUCTURES``.

    Returns
    -------
    dict
        ``{orbit of second: orbit of first}``; empty where the crystals do not match.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher

    one, two = structure_from_row(first), structure_from_row(second)
    one.add_site_property("orbit", list(first["equivalent_to"]))
    two.add_site_property("orbit", list(second["equivalent_to"]))
    one = one.get_primitive_structure(use_site_props=True)
    two = two.get_primitive_structure(use_site_props=True)
    matcher = StructureMatcher(primitive_cell=False, scale=False)
    like = matcher.get_s2_like_s1(one, two, include_ignored_species=True)
    if like is None or len(like) != len(one):
        return {}
    mapping: dict[int, int] = {}
    for site, other in zip(like, one, strict=True):
        mapping.setdefault(site.properties["orbit"], other.properties["orbit"])
    return mapping
