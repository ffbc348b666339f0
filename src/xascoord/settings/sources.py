"""Settings of the sources of spectra and of what they must satisfy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from xascoord.core.elements import GROUPS
from xascoord.settings.base import Range, Section

SourceName = Literal[
    "embedded", "demo", "crystals", "omnixas", "feff", "xasdb_archive", "materials_project"
]  # fmt: skip
GroupName = Literal[tuple(GROUPS)]  # type: ignore[valid-type]


class MaterialsProject(Section):
    """Oxides and their averaged K-edge XANES from the Materials Project API."""

    endpoint: str = Field("https://api.materialsproject.org", description="Address of the API.")
    batch_size: int = Field(50, ge=1, le=500, description="Spectra asked for in one request.")
    retries: int = Field(8, ge=0, description="Tries after a 500, 503, dropped or empty answer.")
    max_wait: float = Field(60.0, gt=0, description="Longest pause between two tries, in s.")
    max_spectra: int | None = Field(
        None, ge=1, description="At most this many spectra an element; null: all."
    )


class XasdbArchive(Section):
    """A bulk dump of site-wise spectra as pymatgen XAS dictionaries."""

    path: str | None = Field(
        None, description="File or folder of .json, .jsonl (each also .gz) dumps."
    )


class Omnixas(Section):
    """Site-wise FEFF 9 spectra of Ti, V, Cr, Mn, Fe, Co, Ni, Cu (OmniXAS)."""

    path: str | None = Field(
        None, description="Folder or tar archive with ml_data and material_id_and_site."
    )
    structures: str | None = Field(
        None, description="Folder of <material>.cif files; null: 'cif' beside ml_data."
    )


class Embedded(Section):
    """The spectra that come with the project."""

    folder: str = Field(
        "data/crystals", description="Folder of finished FEFF10 runs and of their plan."
    )
    least_sites: int = Field(
        30, ge=1, description="An element with fewer FEFF10 spectra has its path expansions."
    )


class Demo(Section):
    """How the embedded demonstration spectra were computed (path expansion, no SCF)."""

    folder: str = Field("data/demo", description="Folder of the embedded tables.")
    cluster_radius: float = Field(7.0, gt=0, description="Cluster radius, in angstrom.")
    rattled_absorbers: int = Field(
        4, ge=0, description="Cells of more absorbers than this get no rattled copy."
    )
    path_length: float = Field(5.0, gt=0, description="RPATH: longest half path, in angstrom.")
    legs: int = Field(5, ge=2, le=8, description="NLEG: most legs of a path.")
    switch_on: Range = Field(
        (0.3, 1.0),
        description="Wavenumbers in 1/angstrom over which chi is faded in; mu0 alone below.",
    )
    energy_range: Range = Field(
        (-20.0, 70.0), description="Energies about the Fermi level that are stored, in eV."
    )
    energy_step: float = Field(0.5, gt=0, description="Step of the stored energies, in eV.")
    strain: float = Field(0.02, ge=0, le=0.1, description="Spread of the strains of a copy.")
    rattle: float = Field(0.06, ge=0, le=0.3, description="Spread of displacements, angstrom.")
    timeout: float = Field(120.0, gt=0, description="Longest time of one spectrum, in s.")
    coordination_numbers: dict[GroupName, tuple[int, ...]] = Field(  # type: ignore[valid-type]
        default={
            "alkali": (3, 4, 5, 6, 7, 8),
            "alkaline_earth": (4, 5, 6, 7, 8),
            "metalloid": (3, 4, 6),
            "carbon": (2, 3, 4),
            "transition_metal": (4, 5, 6),
            "post_transition_metal": (4, 5, 6),
        },
        description="Which coordination numbers are built for each group of elements.",
    )


class Quality(Section):
    """What a spectrum must satisfy to enter the data sets."""

    min_points: int = Field(30, ge=4, description="Fewest energies of a spectrum.")
    edge_tolerance: float = Field(
        100.0, gt=0, description="Largest distance of the tabulated K edge from the energies, eV."
    )
    allow_negative: bool = Field(
        False, description="Keep spectra with mu below zero (they are unphysical)."
    )
    oxides_only: bool = Field(True, description="Keep only spectra of crystals with oxygen.")
    symmetry_precision: float = Field(
        0.01, gt=0, description="Tolerance of the space-group search, in angstrom."
    )
