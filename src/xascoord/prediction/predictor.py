"""Answers for measured spectra, from the bundles of their elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import BundleError, MeasurementError
from xascoord.prediction.answer import _NEAREST, _SHOWN, Alternative, Answer
from xascoord.settings.models import Prediction
from xascoord.settings.spectra import EdgeEnergy, Window

Array = npt.NDArray[np.float64]


class Predictor:
    """Models of one folder, loaded when they are first asked for.

    Parameters
    ----------
    bundles
        Folder with one folder an element.
    settings
        Which classifier, and when to abstain.
    """

    def __init__(self, bundles: Path | str, settings: Prediction | None = None) -> None:
        self.folder = Path(bundles)
        self.settings = settings or Prediction()
        self._loaded: dict[str, _ElementModels] = {}
        self._specs: dict[str, tuple[Window, EdgeEnergy]] = {}

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Elements there are models of."""
        name = f"{self.settings.classifier}.skops"
        found = tuple(sorted(path.parent.name for path in self.folder.glob(f"*/{name}")))
        if not found:
            raise BundleError(
                f"{self.folder}: no models of {self.settings.classifier} here; run "
                "'snakemake --cores 2', or say where they are with --models"
            )
        return found

    def models(self, element: str) -> _ElementModels:
        """Models of one element."""
        if element not in self.elements:
            raise BundleError(
                f"{self.folder}: no models of {element}; there are {' '.join(self.elements)}"
            )
        if element not in self._loaded:
            self._loaded[element] = _ElementModels(self.folder / element, self.settings)
        return self._loaded[element]

    def predict_file(
        self, path: Path | str, element: str | None = None, e0: float | None = None
    ) -> list[Answer]:
        """Answers for every spectrum of a file.

        Raises
        ------
        MeasurementError, BundleError
            If the file cannot be read, or there are no models of its element.
        """
        from xascoord.measured.prepare import read_and_prepare

        contracts = {e: self.input_spec(e) for e in ([element] if element else self.elements)}
        return [
            self.answer(found)
            for found in read_and_prepare(
                Path(path), contracts, element, e0, self.settings.channel, self.settings.deglitch
            )
        ]

    @staticmethod
    def import_libraries() -> None:
        """Import what loading a bundle and asking its models will need."""
        from importlib import import_module

        for name in (
            "skops.io",
            "sklearn.ensemble",
            "sklearn.neighbors",
            "xascoord.models.held_out",
        ):
            import_module(name)

    def input_spec(self, element: str) -> tuple[Window, EdgeEnergy]:
        """Window and energy reference of an element's models, without loading them."""
        from xascoord.models.bundles import read_record

        if element in self._specs:
            return self._specs[element]
        if element not in self.elements:
            return self.models(element).input_spec  # says what there is
        record = read_record(self.folder / element / f"{self.settings.classifier}.skops")
        self._specs[element] = (
            Window.model_validate(record["input_spec"]["window"]),
            EdgeEnergy.model_validate(record["input_spec"]["edge_energy"]),
        )
        return self._specs[element]

    def answer(self, found: Any) -> Answer:
        """Answer for a prepared spectrum, or for the reason why it could not be prepared."""
        if isinstance(found, tuple):
            name, element, reason = found
            return Answer(name, element, self.settings.classifier, abstains=reason)
        return self.models(found.element).answers([found])[0]

    def predict(self, element: str, features: Array) -> list[Answer]:
        """Answers for windows of shape (n, points)."""
        return self.models(element).of_features(features, [f"{i}" for i in range(len(features))])


class _ElementModels:
    """Bundle and computed spectra of one element."""

    def __init__(self, folder: Path, settings: Prediction) -> None:
        from xascoord.core.schemas import REFERENCE
        from xascoord.core.tables import read_table
        from xascoord.models.bundles import load_bundle

        self.settings = settings
        self.bundle = load_bundle(folder / f"{settings.classifier}.skops")
        record = self.bundle.record
        self.element = record["element"]
        self.input_spec = (
            Window.model_validate(record["input_spec"]["window"]),
            EdgeEnergy.model_validate(record["input_spec"]["edge_energy"]),
        )
        points = self.input_spec[0].points
        self.names: list[str] = []
        self.labels: list[str] = []
        self.reference = np.empty((0, points))
        if "published" in record:  # the spectra that they learnt were not published
            return
        table = read_table(folder / "reference.parquet", REFERENCE)
        self.names = table["spectrum_id"].to_pylist()
        self.labels = table["label"].to_pylist()
        flat = table["features"].combine_chunks().flatten().to_numpy()
        self.reference = flat.astype(float).reshape(-1, points)

    def answers(self, spectra: Sequence[Any]) -> list[Answer]:
        from dataclasses import replace

        features = np.array([spectrum.features for spectrum in spectra])
        found = self.of_features(features, [spectrum.name for spectrum in spectra])
        return [
            replace(
                answer, notes=spectrum.notes, prepared=spectrum,
                warnings=(*spectrum.warnings, *answer.warnings),
            )
            for answer, spectrum in zip(found, spectra, strict=True)
        ]  # fmt: skip

    def of_features(self, features: Array, names: Sequence[str]) -> list[Answer]:
        """Answers for windows of shape (n, points)."""
        from xascoord.core.rankings import describe, dominant
        from xascoord.models.held_out import ranked, steps_of
        from xascoord.models.novelty import Nearest, nearest
        from xascoord.models.temperature import probabilities

        points = self.input_spec[0].points
        if features.ndim != 2 or features.shape[1] != points or not np.isfinite(features).all():
            raise MeasurementError(f"windows must have {points} finite values each")
        distances, indices = nearest(features, self.reference, _NEAREST)
        values = {
            task: (model.classes, probabilities(model.scores(features),
                                                self.bundle.temperature(task)))
            for task, model in self.bundle.models.items()
        }  # fmt: skip
        quantiles = self.bundle.record.get("novelty", {})
        found = []
        for i, name in enumerate(names):
            rankings = ranked(*steps_of(self.element, values, i))[:_SHOWN]
            alternatives = tuple(
                Alternative(describe(r), number, dominant(r), round(p, 6), round(q, 6))
                for number, r, p, q in rankings
            )
            close = tuple(
                Nearest(self.names[j], self.labels[j], float(d), self.reference[j])
                for j, d in zip(indices[i], distances[i], strict=True)
            )
            distance = float(distances[i][0]) if close else float("nan")
            abstains, warnings = self._judge(distance, quantiles, alternatives)
            found.append(
                Answer(
                    name, self.element, self.settings.classifier, alternatives, abstains,
                    distance, quantiles, close, warnings=warnings,
                )
            )  # fmt: skip
        return found

    def _judge(
        self, distance: float, quantiles: Mapping[str, float], alternatives: Sequence[Alternative]
    ) -> tuple[str, tuple[str, ...]]:
        """Why to abstain, and what to warn of."""
        settings, warnings = self.settings, []
        if not alternatives:
            return "the models know no label of this element", ()
        if not len(self.reference):
            warnings.append(
                "published models bring no computed spectra: none is shown as nearest, and no "
                "answer is withheld for being far from all"
            )
        best = alternatives[0]
        rarely = quantiles.get("0.95", float("inf"))
        if distance > rarely:
            warnings.append(
                f"farther from every computed spectrum (rms {distance:.3f}) than 95 % of computed "
                f"spectra are from those of other materials ({rarely:.3f})"
            )
        if best.cn_probability < settings.warn_probability:
            warnings.append(f"low confidence: {best.cn_probability:.0%} in the CN ranking")
        abstains = ""
        if distance > settings.abstain_distance * quantiles.get("0.99", float("inf")):
            abstains = (
                f"looks like nothing the models have seen (rms {distance:.3f} from the nearest "
                f"computed spectrum; 99 % lie within {quantiles['0.99']:.3f})"
            )
        elif distance > rarely and best.cn_probability < settings.warn_probability:
            abstains = (
                f"far from every computed spectrum (rms {distance:.3f}; 95 % lie within "
                f"{rarely:.3f}), and the best CN ranking has "
                f"{best.cn_probability:.0%} only"
            )
        elif best.cn_probability < settings.abstain_probability:
            abstains = (
                f"the best CN ranking has {best.cn_probability:.0%} only, less than "
                f"prediction.abstain_probability ({settings.abstain_probability:.0%})"
            )
        return abstains, tuple(warnings)
