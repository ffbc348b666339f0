"""Crystals behind computed spectra: where their atoms are, what they are called, who found them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
PLAN = Path("data/crystals/plan")
_AROUND = 5.0  # angstrom about the absorber that are drawn
_MOST_ATOMS = 150
_MINERALS = "https://rruff.geo.arizona.edu/AMS/minerals/"
# A mineral as the IMA writes it: one word, perhaps an element in brackets; others are formulas.
_MINERAL = re.compile(r"[A-Z][a-z]{3,}(?:[ -](?:\([A-Za-z]+\)|[a-z]+))*$")


@dataclass(frozen=True)
class Site:
    """The site of a computed spectrum and its surroundings.

    Attributes
    ----------
    material, element, index
        Crystal, absorber, and the number of its site; -1: the mean over sites, of which one is
        shown.
    mineral, formula, reference, code, title, substituted
        As the table of crystals has them; "" where it says nothing.
    species, positions
        Atoms within 5 angstrom, the absorber first, in angstrom from it.
    shell
        Places in those lists of the atoms of the coordination shell.
    lattice
        Row vectors, in angstrom.
    """

    material: str
    element: str
    index: int
    mineral: str = ""
    formula: str = ""
    reference: str = ""
    code: str = ""
    title: str = ""
    substituted: bool = False
    species: tuple[str, ...] = ()
    positions: Array = field(default_factory=lambda: np.zeros((0, 3)))
    shell: tuple[int, ...] = ()
    lattice: Array = field(default_factory=lambda: np.zeros((0, 3)))

    @property
    def link(self) -> str:
        """Page of the mineral in the AMCSD, or "" where it has none."""
        if not self.code or not _MINERAL.fullmatch(self.mineral):
            return ""
        return _MINERALS + quote(self.mineral)


class Crystals:
    """Structures by the names of computed spectra.

    Parameters
    ----------
    folder
        With ``structures.parquet`` and ``sites.csv``; where it is not there, no structure is
        known.
    """

    def __init__(self, folder: Path = PLAN) -> None:
        self.folder = folder

    @cached_property
    def _sites(self) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        try:
            with (self.folder / "sites.csv").open(newline="", encoding="utf-8") as handle:
                for row in csv.DictReader(handle):
                    found.setdefault(row.get("material", ""), []).append(row)
        except OSError:
            return {}
        return found

    @cached_property
    def _structures(self) -> Mapping[str, dict[str, Any]]:
        from pyarrow.parquet import read_table

        try:
            rows = read_table(self.folder / "structures.parquet").to_pylist()
        except OSError:
            return {}
        return {str(row["material"]): row for row in rows}

    def site(self, spectrum: str, neighbours: int) -> Site | None:
        """The site of a computed spectrum, or None where its structure is not known.

        Parameters
        ----------
        spectrum
            Name of the computed spectrum: ``source:engine/material/element/site``.
        neighbours
            Coordination number of its label.
        """
        parts = spectrum.rpartition(":")[2].split("/")
        if len(parts) < 3 or parts[-3] not in self._structures:
            return None
        material, element, place = parts[-3:]
        structure = self._structures[material]
        own = [i for i, species in enumerate(structure["species"]) if species == element]
        if not own:
            return None
        index = int(place) if place.isdigit() else -1
        centre = index if index in own else own[0]
        rows = self._sites.get(material, [])
        row = next((r for r in rows if r["element"] == element), rows[0] if rows else {})
        told = {
            name: str(row.get(name) or "")
            for name in ("mineral", "formula", "reference", "code", "title")
        }
        told["formula"] = told["formula"] or str(structure["formula"])
        species, positions, shell = _around(structure, centre, neighbours)
        return Site(
            material, element, index, **told, substituted=row.get("origin") == "substituted",
            species=species, positions=positions, shell=shell,
            lattice=np.reshape(structure["lattice"], (3, 3)),
        )  # fmt: skip


def _around(
    structure: Mapping[str, Any], centre: int, neighbours: int
) -> tuple[tuple[str, ...], Array, tuple[int, ...]]:
    """Atoms about a site by falling nearness, and which of them are its coordination shell."""
    lattice = np.reshape(structure["lattice"], (3, 3))
    fractions = np.reshape(structure["frac_coords"], (-1, 3))
    species = np.array(structure["species"])
    # Cells that a sphere can reach: its radius over the distance of the planes of the cell.
    reach = np.ceil(_AROUND * np.linalg.norm(np.linalg.inv(lattice), axis=0)).astype(int) + 1
    cells = np.array(np.meshgrid(*(np.arange(-n, n + 1) for n in reach))).reshape(3, -1).T
    places = (fractions[None] - fractions[centre] + cells[:, None]).reshape(-1, 3) @ lattice
    names = np.tile(species, len(cells))
    distances = np.linalg.norm(places, axis=1)
    order = [i for i in np.argsort(distances, kind="stable") if distances[i] <= _AROUND]
    order = order[:_MOST_ATOMS]
    oxygens = [k for k, i in enumerate(order) if k > 0 and names[i] != species[centre]]
    anions = [k for k in oxygens if names[order[k]] in ("O", "F", "S", "Cl")] or oxygens
    return tuple(map(str, names[order])), places[order], tuple(anions[:neighbours])
