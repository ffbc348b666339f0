"""Prediction for one measured spectrum: ranked, with probabilities, and abstaining when unsure.

>>> from xascoord.prediction import Predictor
>>> answer = Predictor("data/04_models/bundles").predict_file("CuO.xdi")[0]
>>> print(answer.text())
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.text import printable

Array = npt.NDArray[np.float64]

_NEAREST = 3
_SHOWN = 5


@dataclass(frozen=True)
class Alternative:
    """One ranking: as text, its CN ranking label, and both probabilities."""

    label: str
    cn_label: str
    environment: str
    probability: float
    cn_probability: float


@dataclass(frozen=True)
class Answer:
    """What can be said of one spectrum.

    Attributes
    ----------
    name, element, classifier
        Spectrum, absorber, and which models were asked.
    alternatives
        Rankings by falling probability of the CN ranking.
    abstains
        Why no answer is given, or "".
    distance, quantiles
        Distance to the nearest computed spectrum; quantiles of that of held-out computed spectra.
    nearest
        The nearest computed spectra.
    notes, warnings
        What was done, and what may be wrong.
    prepared
        The spectrum as the models see it, or None.
    """

    name: str
    element: str
    classifier: str
    alternatives: tuple[Alternative, ...] = ()
    abstains: str = ""
    distance: float = float("nan")
    quantiles: Mapping[str, float] = field(default_factory=dict)
    nearest: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    prepared: Any = None

    @property
    def best(self) -> Alternative | None:
        """The answer, or None if there is none."""
        return None if self.abstains or not self.alternatives else self.alternatives[0]

    def record(self) -> dict[str, Any]:
        """JSON values."""
        prepared = self.prepared
        return {
            "name": self.name,
            "element": self.element,
            "classifier": self.classifier,
            "answer": None if self.best is None else self.best.label,
            "abstains": self.abstains,
            "alternatives": [vars(a) for a in self.alternatives[:_SHOWN]],
            "distance": round(self.distance, 5) if np.isfinite(self.distance) else None,
            "distance_quantiles": dict(self.quantiles),
            "nearest": [
                {"spectrum": n.spectrum, "label": n.label, "distance": round(n.distance, 5)}
                for n in self.nearest
            ],
            "e0": None if prepared is None else round(prepared.e0, 3),
            "larch_e0": None if prepared is None else round(prepared.larch_e0, 3),
            "energies": None
            if prepared is None
            else [round(float(prepared.energy[i]), 3) for i in (0, -1)],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """The answer for people."""
        what = f"{self.element} K edge, {self.classifier}" if self.element else "not used"
        lines = [f"{self.name}: {what}"]
        lines += [f"  {note}" for note in self.notes]
        if self.prepared is not None:
            low, high = self.prepared.energy[[0, -1]]
            lines.append(f"  measured from {low:.1f} to {high:.1f} eV")
        if self.abstains:
            lines.append(f"  NO ANSWER: {self.abstains}")
        for rank, one in enumerate(self.alternatives[:_SHOWN], start=1):
            lines.append(
                f"  {rank}. {one.probability:6.1%}  {one.label}"
                f"  (CN ranking alone {one.cn_probability:.1%})"
            )
        if self.nearest:
            lines.append(
                f"  nearest computed spectra (rms {self.distance:.3f}; usual "
                f"{self.quantiles.get('0.5', float('nan')):.3f}, rarely over "
                f"{self.quantiles.get('0.95', float('nan')):.3f}):"
            )
            lines += [f"    {n.distance:.3f}  {n.spectrum}: {n.label}" for n in self.nearest]
        lines += [f"  warning: {warning}" for warning in self.warnings]
        return "\n".join(map(printable, lines))
