"""The models of one element: what they say of a window, and when they say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import POOLS
from xascoord.core.engines import PATHS, is_balanced
from xascoord.core.errors import BundleError, MeasurementError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.spectrum import NormalisedSpectrum
from xascoord.models.environments import Alternative
from xascoord.prediction.answer import _NEAREST, Answer
from xascoord.prediction.decision import combined
from xascoord.prediction.evidence import Evidence
from xascoord.prediction.prior import Prior
from xascoord.prediction.windows import cut_windows
from xascoord.settings.models import Prediction
from xascoord.settings.spectra import EdgeEnergy, Window

Array = npt.NDArray[np.float64]
_STEP = 0.5  # eV between the energy zeros that are averaged over
FAR_EDGE = 8.0  # eV between the steepest point and e0: the former is a pre-edge peak
_DOUBT = (
    "these models were learnt from path expansions, which are poor near the edge: do not rely on "
    "this answer"
)


class ElementModels:
    """Bundle and computed spectra of one element.

    Parameters
    ----------
    folder
        With ``<classifier>.skops`` and ``reference.parquet``.
    classifier
        Which models.
    known
        What is to be said of the models beside what their record says.
    element
        Absorber, where the models are of a pool; None: of which the folder is named.
    """

    def __init__(
        self,
        folder: Path,
        classifier: str,
        known: Sequence[str] = (),
        element: str | None = None,
    ) -> None:
        from xascoord.models.bundles import load_bundle
        from xascoord.models.reference import read_reference

        self.classifier = classifier
        path = folder / f"{classifier}.skops"
        self.bundle = load_bundle(path)
        record = self.bundle.record
        named = record.get("element") or record["pool"]
        self.element = element or folder.name
        if (named, record["classifier"]) != (folder.name, classifier):
            raise BundleError(
                f"{path}: holds models of {named} by {record['classifier']}; put it where "
                "it belongs"
            )
        if self.element not in POOLS.get(named, (named,)):
            raise BundleError(f"{path}: its models of {named} are not of {self.element}")
        self.input_spec = (
            Window.model_validate(record["input_spec"]["window"]),
            EdgeEnergy.model_validate(record["input_spec"]["edge_energy"]),
        )
        engines = record.get("data", {}).get("engines", ())
        self.doubts = [_DOUBT] if PATHS in engines else []
        self.known = (_learnt_from(record, classifier, self.element), *known)
        points = self.input_spec[0].points
        self.names: Sequence[str] = []
        self.labels: Sequence[str] = []
        self.reference: Array = np.empty((0, points))
        if "published" not in record:  # the spectra that those learnt were not published
            table = read_reference(folder / "reference.parquet", points)
            self.names, self.labels, self.reference = table.names, table.labels, table.features
        self.balanced = bool(self.names) and all(map(is_balanced, self.names))
        self._priors: dict[float, Prior] = {}

    def answer(
        self, spectrum: NormalisedSpectrum, settings: Prediction, evidence: Evidence | None = None
    ) -> Answer:
        """Answer for a spectrum: the mean over energy references about the one found.

        Parameters
        ----------
        spectrum
            Normalised.
        settings
            Range of the references, prior, error rate, when to abstain.
        evidence
            What measured references say of the spectrum; None: computed spectra alone decide.
        """
        reach = 0.0 if spectrum.given_e0 else settings.shifts
        steps = round(reach / _STEP)
        shifts = [_STEP * step for step in range(-steps, steps + 1)]
        try:
            cut = cut_windows(spectrum, *self.input_spec, shifts)
        except RejectedSpectrum as error:
            return Answer(spectrum.name, self.element, self.classifier, abstains=error.detail)
        measured = evidence.coordination if evidence else {}
        distance = evidence.distance if evidence else float("inf")
        found = self.of_windows(
            cut.features, spectrum.name, settings, cut.shifts, measured, distance
        )
        abstains = found.abstains
        if evidence is not None:
            found = evidence.told(found)
            if evidence.refusal:  # how sure its number is, is then no matter
                abstains, found = evidence.refusal, replace(found, warnings=())
        warnings = [*self.doubts, *spectrum.warnings, *cut.warnings, *found.warnings]
        notes, reference = spectrum.notes, self.input_spec[0].reference
        if cut.seen.zero != spectrum.e0:
            notes = (*notes, f"window of the models about {reference} at {cut.seen.zero:.2f} eV")
        if abs(spectrum.e0 - spectrum.inflection) > FAR_EDGE:
            warnings.append(
                f"e0 is {spectrum.e0 - spectrum.inflection:+.1f} eV from the steepest point: a "
                "strong pre-edge peak, or e0 is wrong (then give --e0)"
            )
        return replace(
            found, abstains=abstains, notes=notes, prepared=spectrum, seen=cut.seen,
            warnings=tuple(warnings),
        )  # fmt: skip

    def of_windows(
        self,
        windows: Array,
        name: str,
        settings: Prediction,
        shifts: Sequence[float] = (0.0,),
        measured: Mapping[int, float] = MappingProxyType({}),
        distance: float = float("inf"),
    ) -> Answer:
        """Answer for one spectrum from its windows.

        Parameters
        ----------
        windows, shifts
            Shape (n, points), at these distances from the energy reference in eV.
        name, settings
            As for ``answer``.
        measured
            Probability of coordination numbers by measured references; empty: they say nothing.
        distance
            To the nearest of them, as for ``decision.doubt_at``.
        """
        from xascoord.models.conformal import certain_set
        from xascoord.models.novelty import Nearest, nearest

        points = self.input_spec[0].points
        if windows.ndim != 2 or windows.shape[1] != points or not np.isfinite(windows).all():
            raise MeasurementError(f"windows must have {points} finite values each")
        distances, indices = nearest(windows, self.reference, _NEAREST)

        # Ties go to the energy zero that was found, whatever the last bits say.
        def misfit(i: int) -> tuple[float, float]:
            return round(float(distances[i][0]), 6) if len(self.reference) else 0.0, abs(shifts[i])

        fits = min(range(len(windows)), key=misfit)
        learnt = self.bundle.classifier.predict_proba(windows).mean()
        decided = self._prior(settings).applied(learnt)
        if measured:
            decided = combined(learnt, decided, measured, distance, self.balanced)
        first = decided.coordination()
        quantile = self.bundle.record.get("conformal", {}).get(f"{settings.error_rate:g}")
        certain = None
        if quantile is not None:
            within = certain_set(learnt.coordination(), quantile)
            # Promised by what was learnt; the answer, which nature's frequencies change, is in it.
            certain = tuple(n for n in first if n in within or n == next(iter(first)))
        close = tuple(
            Nearest(self.names[j], self.labels[j], float(d), self.reference[j])
            for j, d in zip(indices[fits], distances[fits], strict=True)
        )
        quantiles = self.bundle.record.get("novelty", {})
        distance = float(distances[fits][0]) if close else float("nan")
        found = tuple(decided.alternatives())
        abstains, warnings = self._judge(distance, quantiles, found, settings, bool(measured))
        return Answer(
            name, self.element, self.classifier, found, first, certain,
            settings.error_rate, abstains, distance, quantiles, float(shifts[fits]), close,
            self.known, warnings=warnings,
        )  # fmt: skip

    def _prior(self, settings: Prediction) -> Prior:
        strength = settings.prior if self.balanced else 0.0
        if strength not in self._priors:
            self._priors[strength] = Prior(self.element, self.labels, strength)
        return self._priors[strength]

    def _judge(
        self,
        distance: float,
        quantiles: dict[str, float],
        found: Sequence[Alternative],
        settings: Prediction,
        by_references: bool,
    ) -> tuple[str, tuple[str, ...]]:
        """Why to abstain, and what to warn of.

        Far from all computed spectra is a reason only where these decide alone.
        """
        warnings: list[str] = []
        if not found:
            return "the models know no label of this element", ()
        if not len(self.reference):
            warnings.append(
                "published models bring no computed spectra: none is shown as nearest, and no "
                "answer is withheld for being far from all"
            )
        share = found[0].cn_probability
        usual, rarely = (quantiles.get(q, float("inf")) for q in ("0.95", "0.99"))
        if distance > usual:
            warnings.append(
                f"farther from every computed spectrum (rms {distance:.3f}) than 95 % of computed "
                f"spectra are from those of other materials ({usual:.3f})"
            )
        if share < settings.warn_probability:
            warnings.append(f"low confidence: {share:.0%} for {found[0].number} neighbours")
        abstains = ""
        if by_references:
            distance = 0.0
        if distance > settings.abstain_distance * rarely:
            abstains = (
                f"looks like nothing the models have seen (rms {distance:.3f} from the nearest "
                f"computed spectrum; 99 % lie within {rarely:.3f})"
            )
        elif distance > usual and share < settings.warn_probability:
            abstains = (
                f"far from every computed spectrum (rms {distance:.3f}; 95 % lie within "
                f"{usual:.3f}), and the likeliest coordination number has {share:.0%} only"
            )
        elif share < settings.abstain_probability:
            abstains = (
                f"the likeliest coordination number has {share:.0%} only, less than "
                f"prediction.abstain_probability ({settings.abstain_probability:.0%})"
            )
        return abstains, tuple(warnings)


def _learnt_from(record: dict[str, Any], classifier: str, element: str) -> str:
    """What the models are, in one sentence."""
    if "published" in record:
        return f"Models ({classifier}): as published by {record['published']['citation']}."
    data = record.get("data", {})
    engines = "; ".join(data.get("engines", ())) or "computed spectra"
    together = ""
    if "pool" in record:
        own = record["learnt"].get(element, {}).get("site", 0)
        together = f", {own} of them of {element}, the others of like elements"
    return (
        f"Models ({classifier}): learnt from {data.get('site', 0)} sites of "
        f"{data.get('materials', 0)} crystals with oxygen{together}, {engines}. Oxygen compounds "
        "only."
    )
