"""Every scientific setting, in one tree that also generates the schema of ``params.yaml``.

Defaults are those of Zheng et al., Patterns 1, 100013 (2020) ("Patterns"), where it has one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from xascoord.elements import ELEMENTS, GROUPS
from xascoord.errors import SettingsError
from xascoord.feff_settings import Crystals, Feff
from xascoord.model_settings import Augmentation, Importance, Models, Prediction, Validation
from xascoord.network_settings import ElementName, Geometries, Oxygen
from xascoord.setting_types import Range, Section

SourceName = Literal["demo", "crystals", "feff", "xasdb_archive", "materials_project"]
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


class EdgeEnergy(Section):
    """The energy reference e0: where the broadened mu first reaches a level of its step."""

    level: float = Field(0.5, gt=0, lt=1, description="Fraction of the edge step at e0.")
    onset_level: float = Field(
        0.1, gt=0, lt=1, description="Fraction of the edge step at the onset (preprint's window)."
    )
    broadening: float = Field(
        3.0, ge=0, description="Sigma of the Gaussian applied before the search only, in eV."
    )
    step_range: Range = Field(
        (15.0, 45.0), description="Energies above e0 whose mean mu is the edge step, in eV."
    )


class Window(Section):
    """The part of a spectrum that the models see."""

    reference: Literal["e0", "onset"] = Field(
        "e0", description="Energy zero: e0 (Patterns) or the onset (preprint)."
    )
    lower: float = Field(-5.0, description="Lower end about the energy zero, in eV.")
    upper: float = Field(45.0, description="Upper end about the energy zero, in eV.")
    points: int = Field(200, ge=2, le=5000, description="Points of the linear interpolation.")
    normalise: Literal["maximum"] = Field("maximum", description="Divide by the maximum.")

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.upper <= self.lower:
            raise ValueError("upper must lie above lower")
        return self


class Averaging(Section):
    """Site-averaged spectra: what a measurement sees."""

    energy_step: float = Field(0.2, gt=0, description="Step of the common energy axis, in eV.")


class Labels(Section):
    """Ranking labels of coordination numbers and motifs."""

    calibrate: bool = Field(
        False, description="Calibrate both thresholds on the data instead of fixing them."
    )
    number_threshold: float = Field(
        0.20, gt=0, le=1, description="t1: lowest weight of a coordination number in a label."
    )
    motif_threshold: float = Field(
        0.05, gt=0, le=1, description="t2: lowest weighted motif order parameter in a label."
    )
    highest_candidate: float = Field(
        0.40, gt=0, le=1, description="Highest threshold tried; from 0 in steps of 0.01."
    )
    degenerate_share: float = Field(
        0.9, gt=0, lt=1, description="Candidates with more of all labels on are left out."
    )
    min_samples: int = Field(30, ge=1, description="Rarer ranking labels are not learnt.")


class Settings(Section):
    """The whole of ``params.yaml``."""

    seed: int = Field(20200413, ge=0, description="Seed of everything random.")
    elements: tuple[ElementName, ...] = Field(
        ELEMENTS, min_length=1, description="Absorbers to work on."
    )
    sources: tuple[SourceName, ...] = Field(
        ("demo",), min_length=1, description="Sources of spectra; of a doublet the first wins."
    )
    demo: Demo = Demo()
    feff: Feff = Feff()
    crystals: Crystals = Crystals()
    xasdb_archive: XasdbArchive = XasdbArchive()
    materials_project: MaterialsProject = MaterialsProject()
    quality: Quality = Quality()
    edge_energy: EdgeEnergy = EdgeEnergy()
    window: Window = Window()
    averaging: Averaging = Averaging()
    labels: Labels = Labels()
    augmentation: Augmentation = Augmentation()
    models: Models = Models()
    importance: Importance = Importance()
    validation: Validation = Validation()
    prediction: Prediction = Prediction()
    geometries: Geometries = Geometries()
    oxygen: Oxygen = Oxygen()

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        for name in ("elements", "sources"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: each entry may stand only once")
        if self.augmentation.stretch >= self.window.upper - self.window.lower:
            raise ValueError("augmentation.stretch: must be smaller than the window")
        if "feff" in self.sources and not (self.feff.path or self.feff.run.structures):
            raise ValueError("feff.path: name the folder or archive that the feff source reads")
        if self.crystals.preset not in self.feff.run.presets:
            raise ValueError(f"crystals.preset: no {self.crystals.preset!r} in feff.run.presets")
        if "xasdb_archive" in self.sources and not self.xasdb_archive.path:
            raise ValueError(
                "xasdb_archive.path: name the dump that the xasdb_archive source reads"
            )
        return self


def parse_settings(values: dict[str, Any], origin: str) -> Settings:
    """Check a settings dictionary.

    Parameters
    ----------
    values
        Nested settings as read from YAML or JSON.
    origin
        Name of the file the values came from, for messages.

    Raises
    ------
    SettingsError
        Naming the file, each wrong field, what is wrong and the remedy.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem, origin) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def _explain(problem: Any, origin: str) -> str:
    field = ".".join(str(part) for part in problem["loc"]) or "(top level)"
    remedy = {
        "extra_forbidden": "no such setting; remove it or correct its name",
        "missing": "set it",
    }.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    given = "" if problem["type"] == "extra_forbidden" else f" (got {problem.get('input')!r:.80})"
    if field == "(top level)":
        given = ""
    return f"{origin}: {field}: {remedy}{given}. See workflow/schemas/params.schema.json."


def load_settings(path: Path, override: str | None = None) -> Settings:
    """Read ``params.yaml``; sections given as JSON text replace those of the file.

    Raises
    ------
    SettingsError
        If the file is missing, is not YAML, or does not fit the schema.
    """
    values: Any = {}
    if override is None or path.exists():
        if not path.exists():
            raise SettingsError(
                f"{path}: no such file; run from the project folder or give --params"
            )
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: not readable as YAML: {error}") from None
        if not isinstance(values, dict):
            raise SettingsError(
                f"{path}: must hold 'name: value' pairs, not a {type(values).__name__}"
            )
    if override is not None:
        try:
            values = {**values, **json.loads(override)}
        except (ValueError, TypeError) as error:
            raise SettingsError(f"--settings: not a JSON object ({error})") from None
    return parse_settings(values, str(path))


def load_or_default(path: Path, usual: Path) -> Settings:
    """Read the settings, or take the defaults where the usual file is not there.

    Commands for one file work in any folder; a file that was named must be there.
    """
    return load_settings(path) if path.exists() or path != usual else Settings()


def json_schema() -> dict[str, Any]:
    """The JSON schema of ``params.yaml``, generated from this module."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
