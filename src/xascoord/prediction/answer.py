"""Prediction for one measured spectrum: ranked, with probabilities, and abstaining when unsure.

>>> from xascoord.prediction import Predictor
>>> answer = Predictor().predict_file("CuO.xdi")[0]
>>> print(answer.text())
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from xascoord.core.text import printable
from xascoord.measured.spectrum import NormalisedSpectrum
from xascoord.models.environments import NUMBER_WORDS, Alternative
from xascoord.models.novelty import Nearest
from xascoord.prediction.windows import Seen
from xascoord.references.classifier import ELEMENTS
from xascoord.references.models import NearReference
from xascoord.spectra.descriptors import Descriptors

_NEAREST = 3
_SHOWN = 5
_LEAST_SHOWN = 0.005
BY_REFERENCES = "measured references, each compound left out"
BY_COMPUTED = "computed spectra"


@dataclass(frozen=True)
class Answer:
    """What can be said of one spectrum.

    Attributes
    ----------
    name, element, classifier
        Spectrum, absorber, and which models were asked.
    alternatives
        Environments; the first is the answer, the others follow by falling probability.
    coordination
        Probability of each first coordination number, the likeliest first.
    certain, error_rate
        Coordination numbers that hold the true one but for this rate of errors, as on what
        ``basis`` says; None where nothing says so.
    abstains
        Why no answer is given, or "".
    distance, quantiles
        Distance to the nearest computed spectrum; quantiles of that of held-out computed spectra.
    shift
        How far off e0 the window lies that fits the nearest computed spectrum best, in eV.
    nearest
        The nearest computed spectra.
    known
        What the models were learnt from and how often they were right.
    notes, warnings
        What was done, and what may be wrong.
    descriptors, pre_edge
        Read off the edge, and the pre-edge in words, beside that of references.
    kinds
        Probability of each kind of compound by measured references; empty: not known.
    references
        The nearest measured references of the element.
    evidence
        How often such answers were right on measured compounds that were left out.
    prepared
        The normalised spectrum; None where it was refused.
    seen
        The window of it that the models saw; None where it was refused.
    """

    name: str
    element: str
    classifier: str
    alternatives: tuple[Alternative, ...] = ()
    coordination: Mapping[int, float] = field(default_factory=dict)
    certain: tuple[int, ...] | None = None
    error_rate: float = float("nan")
    abstains: str = ""
    distance: float = float("nan")
    quantiles: Mapping[str, float] = field(default_factory=dict)
    shift: float = 0.0
    nearest: tuple[Nearest, ...] = ()
    known: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    descriptors: Descriptors | None = None
    pre_edge: str = ""
    kinds: Mapping[str, float] = field(default_factory=dict)
    references: tuple[NearReference, ...] = ()
    evidence: str = ""
    prepared: NormalisedSpectrum | None = None
    seen: Seen | None = None

    @property
    def best(self) -> Alternative | None:
        """The answer, or None if there is none."""
        return None if self.abstains or not self.alternatives else self.alternatives[0]

    @property
    def basis(self) -> str:
        """What the set of coordination numbers was tested on."""
        # Sets of measured references are of the elements whose numbers are learnt from these.
        measured = bool(self.evidence) and self.element in ELEMENTS
        return BY_REFERENCES if measured else BY_COMPUTED

    @property
    def likeliest_kind(self) -> tuple[str, float] | None:
        """The likeliest kind of compound and its probability; None: not known."""
        if not self.kinds:
            return None
        kind = max(sorted(self.kinds), key=lambda name: self.kinds[name])
        return kind, self.kinds[kind]

    def record(self) -> dict[str, Any]:
        """JSON values."""
        prepared, seen, best = self.prepared, self.seen, self.best
        return {
            "name": self.name,
            "element": self.element,
            "classifier": self.classifier,
            "answer": None if best is None else best.label,
            "environment": None if best is None else best.environment,
            "coordination_number": None if best is None else best.number,
            "abstains": self.abstains,
            "alternatives": [a.record() for a in self.alternatives[:_SHOWN]],
            "coordination": {str(n): p for n, p in self.coordination.items()},
            "certain": None if self.certain is None else list(self.certain),
            "error_rate": self.error_rate if np.isfinite(self.error_rate) else None,
            "certain_basis": self.basis if self.certain else "",
            "distance": round(self.distance, 5) if np.isfinite(self.distance) else None,
            "distance_quantiles": dict(self.quantiles),
            "nearest": [
                {"spectrum": n.spectrum, "label": n.label, "distance": round(n.distance, 5)}
                for n in self.nearest
            ],
            "nearest_references": [
                {
                    "name": n.reference.name,
                    "compound": n.reference.compound,
                    "coordination": n.reference.coordination,
                    "kind": n.reference.kind,
                    "distance": round(n.distance, 5),
                }
                for n in self.references
            ],
            "kinds": {name: round(share, 4) for name, share in self.kinds.items()},
            "descriptors": None
            if self.descriptors is None
            else {k: round(v, 4) for k, v in asdict(self.descriptors).items()},
            "pre_edge": self.pre_edge,
            "evidence": self.evidence,
            "e0": None if seen is None else round(seen.zero, 3),
            "shift": self.shift,
            "inflection": None if prepared is None else round(prepared.inflection, 3),
            "energies": None
            if prepared is None
            else [round(float(prepared.energy[i]), 3) for i in (0, -1)],
            "known": list(self.known),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def sentence(self) -> str:
        """The answer in one line."""
        best = self.best
        if best is None:
            why = self.abstains or "the models know no label of this element"
            return f"No answer: {why}" + ("" if why[-1] in ".?!" else ".")
        motif = best.environment.partition(" ")[2]
        said = f"{NUMBER_WORDS[best.number].capitalize()}: {best.cn_probability:.0%}"
        if motif:
            said += f" ({motif} {best.probability:.0%})"
        others = [(n, p) for n, p in self.coordination.items() if n != best.number]
        if others and others[0][1] >= _LEAST_SHOWN:
            said += f". Next: {NUMBER_WORDS[others[0][0]]} {others[0][1]:.0%}"
        return f"{said}."

    def text(self, verbose: bool = False) -> str:
        """The answer for people: what it is and what may be wrong; all that is known if verbose.

        Parameters
        ----------
        verbose
            Whether to tell every environment, the nearest computed spectra and what was done too.
        """
        what = f"{self.element} K edge" if self.element else "not used"
        lines = [f"{self.name}: {what}", f"  {self.sentence()}"]
        if self.best is not None:
            lines += self._numbers()
        lines += [f"  warning: {warning}" for warning in self.warnings]
        if self.pre_edge:
            lines.append(f"  {self.pre_edge[0].upper()}{self.pre_edge[1:]}.")
        if self.references:
            lines.append("  Nearest measured references (rms in edge steps):")
            lines += [f"    {near.distance:.3f}  {_described(near)}" for near in self.references]
        if self.evidence and self.best is not None:
            lines.append(f"  {self.evidence}")
        if verbose:
            lines += self._details()
        return "\n".join(map(printable, lines))

    def _numbers(self) -> list[str]:
        numbers = [f"{n} {p:.0%}" for n, p in self.coordination.items() if p >= _LEAST_SHOWN]
        text = f"  Coordination number: {', '.join(numbers)}."
        if self.certain:
            among = " or ".join(map(str, self.certain))
            text += f" In {1 - self.error_rate:.0%} of such cases it is {among}."
        return [text]

    def _details(self) -> list[str]:
        lines = []
        best = self.best
        if best is not None:
            lines.append("  Environments:")
            shown = [a for a in self.alternatives if a.probability >= _LEAST_SHOWN][:_SHOWN]
            lines += [f"    {one.probability:6.1%}  {one.environment}" for one in shown]
            rest = 1.0 - sum(one.probability for one in shown)
            if rest >= _LEAST_SHOWN:
                lines.append(f"    {rest:6.1%}  others")
            if best.label != best.environment:
                lines.append(f"  Ranking of the whole neighbourhood: {best.label}.")
        if self.kinds:
            shares = sorted(self.kinds.items(), key=lambda item: -item[1])
            lines.append(f"  Kind: {', '.join(f'{kind} {p:.0%}' for kind, p in shares)}.")
        if self.descriptors is not None:
            d = self.descriptors
            lines.append(
                f"  White line {d.white_line_height:.2f} edge steps, {d.white_line_position:.1f} "
                f"eV above e0; minimum {d.minimum_height:.2f} at {d.minimum_position:.1f} eV; "
                f"steepest rise {d.edge_slope:.2f} per eV; 20 to 80 % within {d.edge_width:.1f} eV."
            )
        if best is not None and self.nearest:
            usual, rarely = (self.quantiles.get(q, float("nan")) for q in ("0.5", "0.95"))
            lines.append(
                f"  Nearest computed spectra (rms {self.distance:.3f}; usual {usual:.3f}, rarely "
                f"over {rarely:.3f}):"
            )
            lines += [f"    {n.distance:.3f}  {n.spectrum}: {n.label}" for n in self.nearest]
        lines += [f"  {line}" for line in self.known]
        return lines + self._done()

    def _done(self) -> list[str]:
        lines = [f"  {note}" for note in self.notes]
        if self.prepared is not None:
            low, high = self.prepared.energy[[0, -1]]
            lines.append(f"  measured from {low:.1f} to {high:.1f} eV")
        if self.shift:
            lines.append(f"  fits the nearest computed spectrum best with e0 {self.shift:+.1f} eV")
        return lines


def number_or_kind(near: NearReference) -> str:
    """What surrounds the absorber of a reference: a number, a note on several, or the kind."""
    one = near.reference
    return f"{one.coordination}-fold" if one.coordination else one.note or one.kind


def measured_at(near: NearReference) -> str:
    """Where a reference was measured, or by whom it was published or added."""
    one = near.reference
    return "your own" if one.own else one.beamline or one.source


def _described(near: NearReference) -> str:
    """A reference in words: the compound, its number or kind, where it was measured."""
    return f"{near.reference.compound}: {number_or_kind(near)} ({measured_at(near)})"
