"""Settings of the two published networks that ride on the same spectra.

Defaults of ``Geometries`` are those of Carbone et al., Phys. Rev. Materials 3, 033604 (2019).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from xascoord.elements import ELEMENTS
from xascoord.model_settings import ActivationName, Layers, SplitName
from xascoord.setting_types import Section

ElementName = Literal[ELEMENTS]  # type: ignore[valid-type]
NetworkName = Literal["mlp", "cnn"]
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
        0.98, gt=0, le=1, description="Share of an element's spectra that its grid may not lose."
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

    @model_validator(mode="after")
    def _consistent(self) -> Geometries:
        for name in ("elements", "symbols", "networks", "splits", "shifts"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: each entry may stand only once")
        if self.pre_edge >= (self.points - 1) * self.step:
            raise ValueError("pre_edge must be narrower than the grid (points x step)")
        return self
