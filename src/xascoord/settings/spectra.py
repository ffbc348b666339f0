"""Settings of what is done to one spectrum: energy reference, window, averages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from xascoord.settings.base import Range, Section


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
        (9.0, 14.0), description="Energies above e0 whose mean mu is the edge step, in eV."
    )


class Window(Section):
    """The part of a spectrum that the models see."""

    reference: Literal["e0", "onset", "steepest", "tabulated"] = Field(
        "e0",
        description="Energy zero: e0 (Patterns) or the onset (preprint). Of published models only: "
        "the steepest point, or the tabulated K edge.",
    )
    lower: float = Field(-10.0, description="Lower end about the energy zero, in eV.")
    upper: float = Field(30.0, description="Upper end about the energy zero, in eV.")
    points: int = Field(161, ge=2, le=5000, description="Points of the linear interpolation.")
    tail: float = Field(
        7.0,
        ge=0,
        description="Below its first energy a spectrum is continued by the tail of its edge, which "
        "falls as 1/(e0 - E), over up to this many eV.",
    )
    normalise: Literal["maximum", "range"] = Field(
        "maximum",
        description="Divide by the maximum; range, of published models only: minimum 0 as well.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.upper <= self.lower:
            raise ValueError("upper must lie above lower")
        return self


class Averaging(Section):
    """Site-averaged spectra: what a measurement sees."""

    energy_step: float = Field(0.2, gt=0, description="Step of the common energy axis, in eV.")
