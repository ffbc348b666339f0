"""Settings of the two published networks that ride on the same spectra.

Defaults of ``Geometries`` are those of Carbone et al., Phys. Rev. Materials 3, 033604 (2019), those
of ``Oxygen`` of the deep network for the O K edge of Li3FeO3.5: Li, Lu and Chan, arXiv:1905.03928
(2019).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from xascoord.core.elements import ELEMENTS
from xascoord.settings.base import Range, Section
from xascoord.settings.models import ActivationName, Layers, SplitName

ElementName = Literal[ELEMENTS]  # type: ignore[valid-type]
NetworkName = Literal["mlp", "cnn"]
OxygenSplit = Literal["examples", "raw", "snapshot"]
Symbol = Annotated[str, Field(pattern=r"^[A-Z]+:\d+$")]


class Geometries(Section):
    """Networks that tell tetrahedral, square pyramidal and octahedral sites apart."""

    elements: tuple[ElementName, ...] = Field(
        ("Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu"),
        min_length=1,
        description="Absorbers; those that are among 'elements' are worked on.",
    )
    neighbour_cutoff: float = Field(
        1.2, gt=1, description="Atoms within this many nearest-neighbour distances are neighbours."
    )
    symbols: tuple[Symbol, ...] = Field(
        ("T:4", "S:5", "O:6"), min_length=2, description="Classes, as ChemEnv's symbols."
    )
    duplicate_difference: float = Field(
        0.015, ge=0, description="Of two spectra of a smaller mean absolute difference one stays."
    )
    points: int = Field(100, ge=10, description="Points of the grid.")
    step: float = Field(0.5, gt=0, description="Of the grid, in eV.")
    coverage: float = Field(
        0.98, gt=0, le=1, description="Share of the spectra that reach the start of the grid."
    )
    standardise: Literal["spectrum", "point"] = Field(
        "spectrum", description="Zero mean and unit variance of each spectrum, or of each point."
    )
    pre_edge: float = Field(
        12.5, gt=0, description="Width of the pre-edge region from the start of the grid, in eV."
    )
    networks: tuple[NetworkName, ...] = Field(
        ("mlp", "cnn"), min_length=1, description="Without and with a convolutional layer."
    )
    dense: Layers = Field((90, 60, 20), description="Neurons of each dense layer.")
    filters: int = Field(8, ge=1, description="Filters of the convolutional layer.")
    kernel: int = Field(10, ge=1, description="Points of a filter.")
    pool: int = Field(2, ge=1, description="Points of the max-pooling.")
    activation: ActivationName = Field("relu", description="Activation of hidden neurons.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Dropout behind each dense layer.")
    learning_rate: float = Field(0.001, gt=0, description="Of Adam (Keras' default).")
    batch: int = Field(32, ge=1, description="Spectra in a step.")
    epochs: int = Field(50, ge=1, description="Passes over the training spectra.")
    device: Literal["auto", "cpu"] = Field("cpu", description="auto: a GPU if there is one.")
    splits: tuple[SplitName, ...] = Field(
        ("random", "grouped"),
        min_length=1,
        description="random: the paper's, stratified; grouped: a material stays in one fold.",
    )
    folds: int = Field(10, ge=2, description="Disjoint test sets.")
    shifts: tuple[float, ...] = Field(
        (-2.0, -1.0, 1.0, 2.0), description="Shifted copies of the training spectra, in eV."
    )
    noise: float = Field(
        0.03, ge=0, description="Sigma of noisy copies, as a share of the maximum."
    )
    tested_shifts: tuple[float, ...] = Field(
        (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0), description="Shifts of test spectra, in eV."
    )
    tested_noises: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.0, 0.02, 0.04, 0.06, 0.08, 0.1), description="Noise of test spectra."
    )

    published: str = Field(
        "data/carbone2019.csv", description="Table of the paper's figures, shown beside ours."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Geometries:
        for name in ("elements", "symbols", "networks", "splits", "shifts"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: each entry may stand only once")
        if self.pre_edge >= (self.points - 1) * self.step:
            raise ValueError("pre_edge must be narrower than the grid (points x step)")
        return self


class OxygenClassifier(Section):
    """Number of metal atoms about one oxygen."""

    examples: int = Field(8000, ge=10, description="Examples made, of all three parts.")
    averaged: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = Field(
        (2, 10), description="Raw spectra of one class in an example: from, to."
    )
    learning_rate: float = Field(0.01, gt=0, description="Of Adam.")
    batch: int = Field(32, ge=1, description="Examples in a step.")
    epochs: int = Field(1500, ge=1, description="Passes over the examples.")


class OxygenRegressor(Section):
    """Mean number of metal atoms over many oxygens."""

    examples: int = Field(10000, ge=10, description="Examples made, of all three parts.")
    ensemble: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = Field(
        (20, 70), description="Raw spectra in an example: from, to."
    )
    learning_rate: float = Field(0.001, gt=0, description="Of Adam.")
    batch: int = Field(256, ge=1, description="Examples in a step.")
    epochs: int = Field(400, ge=1, description="Passes over the examples.")


class Oxygen(Section):
    """Network that counts metal atoms about oxygens from O K-edge spectra."""

    folder: str | None = Field(
        None, description="Folder of snapshots: NAME_*.dat and POSCAR_NAME for each."
    )
    feff: str | None = Field(
        None, description="Folder or archive of FEFF output with oxygen as absorber."
    )
    metal: str = Field("Fe", description="Element that is counted.")
    metal_cutoff: float = Field(2.5, gt=0, description="Largest metal-oxygen distance, angstrom.")
    dimer_cutoff: float = Field(
        1.7, gt=0, description="Oxygens nearer to one another are a dimer, in angstrom."
    )
    highest_number: int = Field(4, ge=1, description="Most metal atoms of a class.")
    window: Range = Field((-1.2, 11.5), description="Energies learnt from, in eV.")
    points: int = Field(70, ge=2, description="Points in it.")
    dense: Layers = Field((8, 6), description="Neurons of each layer.")
    activation: ActivationName = Field("relu", description="Activation of hidden neurons.")
    l2: float = Field(
        0.1, ge=0, description="L2 regularisation, over the number of examples in a step."
    )
    classifier: OxygenClassifier = OxygenClassifier()
    regressor: OxygenRegressor = OxygenRegressor()
    splits: tuple[OxygenSplit, ...] = Field(
        ("examples", "raw", "snapshot"),
        min_length=1,
        description="examples: the paper's, which leaks; raw: no raw spectrum on two sides; "
        "snapshot: tested on another snapshot.",
    )
    repeats: int = Field(3, ge=1, description="Times each split is drawn.")
    tried_layers: tuple[Layers, ...] = Field(
        ((5, 3), (6, 4), (8, 6), (10, 8), (16, 14)), description="Learning curve over nodes."
    )
    tried_examples: tuple[Annotated[int, Field(ge=10)], ...] = Field(
        (1000, 2000, 5000, 8000), description="Learning curve over examples of the classifier."
    )
    tried_rates: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (0.01, 0.001), description="Learning rates of the regressor's curves over epochs."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Oxygen:
        for name, (low, high) in (
            ("classifier.averaged", self.classifier.averaged),
            ("regressor.ensemble", self.regressor.ensemble),
        ):
            if high < low:
                raise ValueError(f"{name}: the second number must not lie below the first")
        return self
