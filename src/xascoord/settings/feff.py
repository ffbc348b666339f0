"""Settings of FEFF: output that is there, and spectra that this project computes itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from xascoord.settings.base import Section


class Preset(Section):
    """One set of FEFF cards for full multiple scattering at the K edge."""

    scf_radius: float = Field(gt=1, description="Cluster of the self-consistency, in angstrom.")
    fms_radius: float = Field(gt=1, description="Cluster of the scattering, in angstrom.")
    l_max: int | None = Field(
        ge=1, le=4, description="Highest angular momentum; null: as FEFF chooses."
    )
    cluster_radius: float = Field(gt=1, description="Atoms listed in feff.inp, in angstrom.")
    core_hole: Literal["FSR", "RPA"] = Field(
        description="Final-state rule, or the screened core hole."
    )
    highest_k: float = Field(gt=0, description="XANES: highest wavenumber, in 1/angstrom.")
    k_step: float = Field(gt=0, description="XANES: step of the wavenumber, in 1/angstrom.")
    edge_step: float = Field(gt=0, description="XANES: step at the edge, in eV.")
    mixings: tuple[float, ...] = Field(
        min_length=1, description="SCF: shares of the new density; the next where one fails."
    )
    iterations: tuple[int, ...] = Field(
        min_length=1, description="SCF: most iterations of each of these tries."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Preset:
        if self.cluster_radius < max(self.scf_radius, self.fms_radius):
            raise ValueError("cluster_radius: must not be smaller than scf_radius and fms_radius")
        if not all(0 < mixing <= 1 for mixing in self.mixings):
            raise ValueError("mixings: each must lie above 0 and not above 1")
        if len(self.iterations) != len(self.mixings):
            raise ValueError("iterations: one number for each of the mixings")
        if not all(1 <= number <= 100 for number in self.iterations):
            raise ValueError("iterations: each must be a number from 1 to 100")
        return self


# pymatgen's MPXANESSet, the cards of the Materials Project (Mathew et al., Sci. Data 5, 180151
# (2018)); smaller mixings are tried where its own, 0.2, fails (ours).
PUBLISHED = Preset(
    scf_radius=4.5, fms_radius=7.5, l_max=None, cluster_radius=10.0, core_hole="FSR",
    highest_k=3.7, k_step=0.04, edge_step=0.1, mixings=(0.2, 0.1, 0.05, 0.02),
    iterations=(30, 30, 30, 30),
)  # fmt: skip


# Chosen by benchmarks/feff_presets.py on the Cu sites of OmniXAS (SCF 7 A, FMS 9 A).
FAST = Preset(
    scf_radius=3.5, fms_radius=6.0, l_max=2, cluster_radius=9.0, core_hole="FSR",
    highest_k=4.2, k_step=0.07, edge_step=0.1, mixings=(0.1, 0.05, 0.02),
    iterations=(12, 30, 40),
)  # fmt: skip


class Convergence(Section):
    """When the self-consistency of a FEFF run counts as converged (FEFF's own word always does)."""

    fermi_drift: float = Field(
        0.1, gt=0, description="Largest range of the last three Fermi levels, in eV."
    )
    charge_distance: float = Field(0.1, gt=0, description="Largest last charge distance.")


class FeffRun(Section):
    """Computing spectra for crystals that have none."""

    engine: Literal["feff10", "executable"] = Field(
        "feff10", description="FEFF10 (PyPI's feff10-rs), or a FEFF of your own."
    )
    executable: str | None = Field(
        None, description="Your FEFF command, run in a folder with feff.inp."
    )
    structures: str | None = Field(
        None, description="Folder of POSCAR/CIF files to compute; null: none."
    )
    missing: bool = Field(
        False, description="Compute the sites of feff.path that have no usable spectrum."
    )
    preset: str = Field("fast", description="Which of the presets.")
    presets: dict[str, Preset] = Field(
        default={"published": PUBLISHED, "fast": FAST}, description="Sets of FEFF cards, by name."
    )
    convergence: Convergence = Convergence()
    timeout: float = Field(3600.0, gt=0, description="Longest time of one run, in s.")
    chunks: int = Field(8, ge=1, le=10_000, description="Jobs over which the runs are shared out.")

    @property
    def cards(self) -> Preset:
        """The preset in force."""
        return self.presets[self.preset]

    @property
    def wanted(self) -> bool:
        """Whether there is anything to compute at all."""
        return self.missing or self.structures is not None

    @model_validator(mode="after")
    def _consistent(self) -> FeffRun:
        if self.preset not in self.presets:
            raise ValueError(f"preset: no {self.preset!r}; there are {', '.join(self.presets)}")
        if (self.engine == "executable") != (self.executable is not None):
            raise ValueError("executable: goes with 'engine: executable', and only with it")
        return self


class Feff(Section):
    """FEFF output folders (Lightshow's layout or plain run folders), also as .tar.gz."""

    path: str | None = Field(None, description="Folder or .tar/.tar.gz archive of FEFF output.")
    run: FeffRun = FeffRun()

    @model_validator(mode="after")
    def _consistent(self) -> Feff:
        if self.run.missing and self.path is None:
            raise ValueError("run.missing: name the output in feff.path")
        return self


class Crystals(Section):
    """Which crystals this project computes spectra of, for each element."""

    most_atoms: int = Field(60, ge=1, description="Most atoms of a primitive cell.")
    most_inequivalent: int = Field(8, ge=1, description="Most inequivalent sites of the absorber.")
    sites: int = Field(150, ge=1, description="Sites of an element.")
    largest_fraction: float = Field(
        0.5, gt=0, le=1, description="Largest share of one coordination number among them."
    )
    materials_project: str | None = Field(
        None,
        description="Folder of CIF files of the Materials Project ('xascoord fetch "
        "topology_databases' brings them to data/external/topology_databases); null: none.",
    )
    most_of_formula: int = Field(
        2, ge=1, description="Most crystals of one formula from the Materials Project."
    )
    substitute: bool = Field(
        True, description="Put the element into crystals of like cations where it has too few."
    )
    preset: str = Field("fast", description="Which of feff.run.presets.")
    packed: str | None = Field(
        "data/crystals", description="Folder of finished runs that came with the project."
    )
