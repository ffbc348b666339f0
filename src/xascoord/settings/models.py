"""Settings of augmentation, classifiers, folds and the search for hyper-parameters.

Defaults are those of Zheng et al., Patterns 1, 100013 (2020) where it has one; its grids are the
defaults of ``Grids``.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from xascoord.core.elements import POOL_NAMES
from xascoord.settings.base import Section

ClassifierName = Literal["knn", "forest", "mlp", "svc", "cnn"]
CLASSIFIERS: tuple[ClassifierName, ...] = get_args(ClassifierName)
AskedName = Literal["knn", "forest", "mlp", "svc", "cnn", "published"]
PoolName = Literal[POOL_NAMES]  # type: ignore[valid-type]
SplitName = Literal["grouped", "random"]
ActivationName = Literal["logistic", "tanh", "relu"]
TrainingSetName = Literal["not_augmented", "site", "site_not_augmented"]
Layers = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
Choices = Field(min_length=1)
Counts = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Choices]
Share = Annotated[float, Field(gt=0, lt=1)]


class Augmentation(Section):
    """Distorted copies of spectra, made from the un-windowed spectrum, for training only."""

    fraction: float = Field(1.0, ge=0, le=1, description="Share of the spectra that get copies.")
    copies: int = Field(3, ge=1, le=20, description="Copies of each of them.")
    stretch: float = Field(
        2.0, ge=0, description="Broadening or compression of the window: up to +- this, in eV."
    )
    shift: float = Field(3.0, ge=0, description="Energy shift: up to +- this, in eV.")
    resolution: float = Field(
        1.2, ge=0, description="Sigma of a Gaussian broadening: up to this, in eV."
    )
    noise: float = Field(
        0.01, ge=0, description="Sigma of Gaussian noise, as a share of the maximum."
    )
    slope: float = Field(
        0.05,
        ge=0,
        description="A straight line that normalisation left: up to +- this at the upper end of "
        "the window, as a share of the maximum.",
    )


class NearestNeighbours(Section):
    """k nearest neighbours."""

    n_neighbors: int = Field(10, ge=1, description="Number of neighbours.")
    p: int = Field(1, ge=1, le=2, description="1: Manhattan distance, 2: Euclidean.")


class Forest(Section):
    """Random forest."""

    cn_trees: int = Field(30, ge=1, description="Trees of the CN step.")
    motif_trees: int = Field(50, ge=1, description="Trees of the motif step.")


class Perceptron(Section):
    """Multi-layer perceptron."""

    hidden: Layers = Field((50, 100), description="Neurons of each hidden layer.")
    activation: ActivationName = Field("relu", description="Activation of hidden neurons.")


class SupportVectors(Section):
    """Support vector classifier with a Gaussian kernel."""

    C: float = Field(100.0, gt=0, description="Regularisation: large is weak.")
    gamma: Literal["scale", "auto"] = Field(
        "scale", description="scale: 1 / (features x variance); auto: 1 / features."
    )


class ConvolutionalNetwork(Section):
    """Two convolutional layers, dense layers, softmax (what Patterns leaves open is ours)."""

    filters: Layers = Field((8, 16), description="Filters of each convolutional layer.")
    kernel: int = Field(7, ge=1, description="Points of a filter.")
    pool: int = Field(2, ge=1, description="Points of the max-pooling behind each of them.")
    dense: Layers = Field((50, 100), description="Neurons of each dense layer.")
    activation: ActivationName = Field("relu", description="Activation of hidden neurons.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout behind each dense layer.")
    learning_rate: float = Field(0.003, gt=0, description="Of Adam.")
    weight_decay: float = Field(0.0, ge=0, description="L2 penalty.")
    batch: int = Field(32, ge=1, description="Spectra in a step.")
    epochs: int = Field(120, ge=1, description="Most passes over the training spectra.")
    patience: int = Field(
        15, ge=1, description="Passes without a better validation loss before it stops."
    )
    validation: float = Field(
        0.1, gt=0, lt=1, description="Share of the training materials held out for stopping."
    )
    device: Literal["auto", "cpu"] = Field("auto", description="auto: a GPU if there is one.")


class Grids(Section):
    """Hyper-parameters tried under ``search: true`` (Patterns, "Classification Models")."""

    n_neighbors: Counts = Field((10, 20, 30, 50), description="kNN.")
    p: Annotated[tuple[Literal[1, 2], ...], Choices] = Field((1, 2), description="kNN.")
    trees: Counts = Field((10, 20, 30, 50, 100, 200), description="Random forest.")
    layers: Counts = Field((1, 2, 3), description="MLP: numbers of hidden layers.")
    neurons: Counts = Field((10, 50, 100), description="MLP: neurons of each of them.")
    activation: Annotated[tuple[ActivationName, ...], Choices] = Field(
        ("logistic", "tanh", "relu"), description="MLP and CNN."
    )
    C: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Choices] = Field(
        (0.001, 0.01, 0.1, 1.0, 10.0, 100.0), description="SVC."
    )
    gamma: Annotated[tuple[Literal["scale", "auto"], ...], Choices] = Field(
        ("auto", "scale"), description="SVC."
    )
    dense: Annotated[tuple[Layers, ...], Choices] = Field(
        ((50, 100), (100, 50), (50, 50), (100, 100)), description="CNN."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Grids:
        for name, values in self:
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: each entry may stand only once")
        return self


class Importance(Section):
    """Drop-region importance (random forest, CN step)."""

    bounds: tuple[float, float] = Field(
        (10.0, 20.0),
        description="Upper ends of the pre and main regions above the start of the window, eV.",
    )


class Validation(Section):
    """Experimental validation (random forest), or validation on degraded computed spectra."""

    folder: str | None = Field(
        None, description="Folder of the measured files; null: held-out computed spectra."
    )
    manifest: str = Field(
        "data/experiments.csv", description="Table of the measured files and what they are."
    )
    compounds: str = Field(
        "data/compounds.csv", description="Table of published structures of known compounds."
    )
    degrade_resolution: float = Field(
        1.0, ge=0, description="Sigma that makes computed spectra look measured, in eV."
    )
    degrade_noise: float = Field(
        0.01, ge=0, description="Noise that does the same, as a share of the maximum."
    )
    resolutions: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.5, 1.0, 1.5, 2.0, 3.0), description="Further broadening tried, sigma in eV."
    )
    noises: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.01, 0.02, 0.05, 0.1), description="Further noise tried, shares of the maximum."
    )
    shifts: tuple[float, ...] = Field(
        (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0), description="Errors of e0 tried, in eV."
    )


# Of conformal sets: what bundles hold quantiles for.
ERROR_RATES = (0.01, 0.05, 0.1, 0.2)


class Prediction(Section):
    """Answers for measured spectra."""

    classifier: AskedName = Field(
        "forest",
        description="Which models are asked; published: the forests of Zheng et al., as they are.",
    )
    channel: Literal["auto", "transmission", "fluorescence", "mu"] = Field(
        "auto", description="Channel of a measured file."
    )
    deglitch: bool = Field(False, description="Take single outlying points out.")
    normalisation: Literal["edge_step", "mback"] = Field(
        "edge_step",
        description="Of measured spectra: by the edge step as in Athena, or by MBACK.",
    )
    references: bool = Field(
        True,
        description="Decide with measured references too: coordination numbers of 3d metals, and "
        "whether it is an oxygen compound.",
    )
    shifts: float = Field(
        2.0,
        ge=0,
        le=5,
        description="The answer is the mean over energy zeros up to this many eV off the one that "
        "is found, in steps of 0.5 eV; 0: that one alone.",
    )
    prior: float = Field(
        1.0,
        ge=0,
        le=1,
        description="How far to follow nature's frequencies of coordination numbers where the "
        "training set has others; 0: not at all.",
    )
    error_rate: float = Field(
        0.1,
        description="Of the set of coordination numbers that is certain: "
        f"{', '.join(map(str, ERROR_RATES))}.",
        json_schema_extra={"enum": list(ERROR_RATES)},
    )
    warn_probability: float = Field(
        0.6, ge=0, le=1, description="A first coordination number of less gets a warning."
    )
    abstain_probability: float = Field(
        0.35, ge=0, le=1, description="A best first coordination number of less gets no answer."
    )
    abstain_distance: float = Field(
        1.0,
        gt=0,
        description="No answer farther from every computed spectrum than this many times the "
        "distance within which 99 % of held-out computed spectra lie.",
    )

    @field_validator("error_rate")
    @classmethod
    def _known_rate(cls, value: float) -> float:
        if value not in ERROR_RATES:
            raise ValueError(f"must be one of {', '.join(map(str, ERROR_RATES))}")
        return value


class Models(Section):
    """Classifiers, how they are trained and how they are evaluated."""

    classifiers: tuple[ClassifierName, ...] = Field(
        CLASSIFIERS, min_length=1, description="What is trained."
    )
    averaged: bool = Field(True, description="Train on site-averaged spectra too.")
    splits: tuple[SplitName, ...] = Field(
        ("grouped", "random"),
        min_length=1,
        description="grouped: a material stays in one fold; random: the paper's, which leaks.",
    )
    folds: int = Field(5, ge=2, description="Folds of the cross-validation.")
    compare: tuple[TrainingSetName, ...] = Field(
        ("not_augmented", "site", "site_not_augmented"),
        description="Other training sets the random forest is evaluated with.",
    )
    learning_curve: tuple[Share, ...] = Field(
        (0.1, 0.2, 0.5), description="Shares of the training materials, for the random forest."
    )
    bootstrap: int = Field(1000, ge=0, description="Resamplings of the materials; 0: none.")
    pooled: tuple[PoolName, ...] = Field(
        (),
        description="Pools whose elements are learnt together as well, by the random forest: "
        f"{', '.join(POOL_NAMES)}.",
    )
    search: bool = Field(False, description="Search the grids instead of the values below.")
    knn: NearestNeighbours = NearestNeighbours()
    forest: Forest = Forest()
    mlp: Perceptron = Perceptron()
    svc: SupportVectors = SupportVectors()
    cnn: ConvolutionalNetwork = ConvolutionalNetwork()
    grids: Grids = Grids()

    @property
    def main_split(self) -> SplitName:
        """The split that chooses and calibrates: the honest one if it is there."""
        return "grouped" if "grouped" in self.splits else self.splits[0]

    @model_validator(mode="after")
    def _each_once(self) -> Models:
        for name in ("classifiers", "splits", "compare", "learning_curve", "pooled"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: each entry may stand only once")
        return self
