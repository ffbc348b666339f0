"""Inequivalent sites behind spectra."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class SiteTask:
    """One inequivalent site: its key depends on the structure's numbers, not on its name."""

    key: str
    structure_id: str
    orbit: int


def site_tasks(
    element: str, structures: Sequence[Row], spectra: Sequence[Row], code: str
) -> list[SiteTask]:
    """The inequivalent sites of an element that some spectra are about.

    Parameters
    ----------
    element
        Absorber.
    structures
        Rows of ``schemas.STRUCTURES``.
    spectra
        Rows of ``schemas.SPECTRA``.
    code
        Fingerprint of what is computed of a site: part of its key.
    """
    by_id = {row["structure_id"]: row for row in structures}
    wanted: dict[str, set[int]] = {}
    for spectrum in spectra:
        orbits = sites_behind(element, spectrum, by_id[spectrum["structure_id"]])
        wanted.setdefault(spectrum["structure_id"], set()).update(orbits)
    tasks = []
    for row in structures:
        content = [row["lattice"], row["species"], row["frac_coords"]]
        digest = hashlib.sha256(json.dumps([code, *content]).encode()).hexdigest()[:24]
        tasks += [
            SiteTask(f"{digest}/{orbit}", row["structure_id"], orbit)
            for orbit in sorted(wanted.get(row["structure_id"], ()))
        ]
    return tasks


def sites_behind(element: str, spectrum: Row, structure: Row) -> dict[int, int]:
    """Orbits that a spectrum is about, each with its number of sites (1 for a site's own)."""
    orbits = structure["equivalent_to"]
    if spectrum["kind"] == "site":
        return {orbits[spectrum["site_index"]]: 1}
    mine = [o for o, s in zip(orbits, structure["species"], strict=True) if s == element]
    return {orbit: mine.count(orbit) for orbit in sorted(set(mine))}
