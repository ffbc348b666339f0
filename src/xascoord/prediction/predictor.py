"""Answers for measured spectra, from the bundles of their elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import BundleError, MeasurementError
from xascoord.core.origin import PUBLISHED
from xascoord.measured.columns import Columns
from xascoord.measured.measurement import Measurement
from xascoord.measured.prepare import normalise_measurement, read_and_normalise
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal
from xascoord.prediction.answer import Answer
from xascoord.prediction.element_models import ElementModels
from xascoord.prediction.evidence import evidence_of
from xascoord.prediction.store import (
    Entry,
    answering,
    asked_for,
    choose,
    default_folders,
    find_models,
    how_to_get,
)
from xascoord.references.models import ReferenceModels
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.models import Prediction

Array = npt.NDArray[np.float64]


class Predictor:
    """Models of the 33 elements, each loaded when it is first asked for.

    Parameters
    ----------
    bundles
        Folder of models, or None: ``XASCOORD_MODELS``, else those of a run here and the released.
    settings
        Which classifier, and when to abstain; ``published``: the forests of that origin.
    origin
        Take models of this origin only, e.g. ``embedded``.
    limits
        Most that is read of a measured file.
    references
        What measured references say; None: those of the package and the user's own, unless
        ``settings.references`` is off.
    """

    def __init__(
        self,
        bundles: Path | str | None = None,
        settings: Prediction | None = None,
        origin: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        references: ReferenceModels | None = None,
    ) -> None:
        self.folders = default_folders() if bundles is None else [Path(bundles)]
        self.limits = limits
        settings = settings or Prediction()
        self._given = bundles, settings, origin
        classifier, self.origin = asked_for(settings.classifier, origin)
        self.settings = settings.model_copy(update={"classifier": classifier})
        self._loaded: dict[str, ElementModels] = {}
        self._chosen: dict[str, Entry] = {}
        self._others: dict[str, Predictor] = {}
        if references is not None:
            self.references = references

    @cached_property
    def references(self) -> ReferenceModels:
        """What is learnt from measured references."""
        return ReferenceModels.load()

    @cached_property
    def _entries(self) -> dict[str, list[Entry]]:
        found = find_models(self.folders, self.settings.classifier)
        answer = answering(found, self.origin)
        if not answer:
            of = f" of origin {self.origin!r}" if self.origin else ""
            others = sorted({entry.origin for entries in found.values() for entry in entries})
            there = f" (--origin asks for those of {', '.join(others)})" if others else ""
            raise BundleError(
                f"{' and '.join(map(str, self.folders))}: no models of "
                f"{self.settings.classifier}{of} here{there}; {how_to_get(self.origin)}"
            )
        return answer

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements there are models of."""
        return tuple(sorted(self._entries))

    def entry(self, element: str) -> Entry:
        """The models that answer for an element, and where they are from.

        Raises
        ------
        BundleError
            If there are none.
        """
        if element not in self._chosen:
            self._chosen[element] = choose(self._entries, element, self.origin)
        return self._chosen[element]

    def models(self, element: str) -> ElementModels:
        """Models of one element."""
        if element not in self._loaded:
            entry = self.entry(element)
            said = (f"Origin of the models: {entry.origin}. {entry.known()}",)
            self._loaded[element] = ElementModels(
                entry.folder, self.settings.classifier, said, element
            )
        return self._loaded[element]

    def with_classifier(self, name: str) -> Predictor:
        """The predictor of the same folders that asks another classifier; loaded models are kept.

        Raises
        ------
        BundleError
            If the classifier does not go with the origin.
        """
        bundles, settings, origin = self._given
        if asked_for(name, origin) == (self.settings.classifier, self.origin):
            return self
        if name not in self._others:
            settings = settings.model_copy(update={"classifier": name})
            own = self.__dict__.get("references")
            self._others[name] = Predictor(bundles, settings, origin, self.limits, own)
        return self._others[name]

    def with_references(self, references: ReferenceModels) -> Predictor:
        """The predictor of the same models that asks other references; loaded models are shared.

        Parameters
        ----------
        references
            Fitted.
        """
        bundles, settings, origin = self._given
        other = Predictor(bundles, settings, origin, self.limits, references)
        other._loaded, other._chosen = self._loaded, self._chosen
        return other

    def without_compound(self, compound: str) -> Predictor:
        """The predictor that has not seen the references of a compound.

        Parameters
        ----------
        compound
            Name or formula.
        """
        if not self.settings.references or self.origin == PUBLISHED:
            return self
        left = self.references.without(compound)
        return self if left is self.references else self.with_references(left)

    def predict(
        self,
        spectra: Iterable[NormalisedSpectrum | Refusal],
        settings: Prediction | None = None,
    ) -> list[Answer]:
        """Answers for normalised spectra; a refusal, or an element without models, abstains.

        Parameters
        ----------
        spectra
            As ``read_and_normalise`` gives them.
        settings
            Of this request: classifier, error rate, when to abstain; None: those of the predictor.

        Raises
        ------
        BundleError
            If there are no models at all, or a bundle is damaged.
        """
        if settings is None:
            return [self._answer(one, self.settings) for one in spectra]
        predictor = self.with_classifier(settings.classifier)
        return [predictor._answer(one, settings) for one in spectra]

    def _answer(self, spectrum: NormalisedSpectrum | Refusal, settings: Prediction) -> Answer:
        if isinstance(spectrum, Refusal):
            reason = spectrum.reason
        elif spectrum.element not in self.elements:
            reason = f"no models of {spectrum.element}; there are {' '.join(self.elements)}"
        else:
            # Published forests answer as they were published.
            by_references = settings.references and self.origin != PUBLISHED
            evidence = evidence_of(spectrum, self.references) if by_references else None
            return self.models(spectrum.element).answer(spectrum, settings, evidence)
        return Answer(spectrum.name, spectrum.element, self.settings.classifier, abstains=reason)

    def predict_file(
        self, path: Path | str, element: str | None = None, e0: float | None = None, *,
        energy_column: str | int | None = None, i0: str | int | None = None,
        i1: str | int | None = None, if_: Sequence[str | int] = (), mu: Sequence[str | int] = (),
        athena: bool = False,
    ) -> list[Answer]:  # fmt: skip
        """Answers for every spectrum of a file.

        Parameters
        ----------
        path
            The file.
        element, e0
            Absorber, and energy zero in eV, instead of found.
        energy_column, i0, i1, if_, mu
            Columns by name or number from 1, where they cannot be told: energies, monitor, what the
            sample let through, fluorescence (summed), mu itself (the mean).
        athena
            Take e0 and normalisation of an Athena project.

        Raises
        ------
        MeasurementError, BundleError
            If the file cannot be read, or there are no models of its element.
        """
        energies, monitor, behind = (
            None if given is None else str(given) for given in (energy_column, i0, i1)
        )
        columns = Columns(energies, monitor, behind, tuple(map(str, if_)), tuple(map(str, mu)))
        if element is not None:
            self.entry(element)  # without models it is an error, not an answer
        options = Options.from_settings(self.settings, self.limits, element, e0, columns, athena)
        return self.predict(read_and_normalise(Path(path), options))

    @staticmethod
    def import_libraries() -> None:
        """Import what loading a bundle and asking its models will need."""
        from importlib import import_module

        from xascoord.models.bundles import import_skops

        import_skops()
        for name in ("sklearn.ensemble", "sklearn.neighbors"):
            import_module(name)

    def predict_windows(self, element: str, features: Array) -> list[Answer]:
        """Answers for windows of shape (n, points)."""
        models = self.models(element)
        return [
            models.of_windows(one[None], f"{i}", self.settings) for i, one in enumerate(features)
        ]

    def predict_arrays(
        self, energy: Sequence[float], mu: Sequence[float], element: str, name: str = "spectrum",
        e0: float | None = None,
    ) -> Answer:  # fmt: skip
        """Answer for a spectrum that is at hand as numbers.

        Parameters
        ----------
        energy
            Shape (n,), rising, in eV.
        mu
            Shape (n,), raw or normalised.
        element
            Absorber.
        name
            For the answer.
        e0
            Energy zero in eV, instead of found.

        Raises
        ------
        MeasurementError
            If it cannot be normalised, or does not reach far enough.
        """
        self.entry(element)
        measurement = Measurement(
            name, np.asarray(energy, dtype=float), np.asarray(mu, dtype=float), element, "K", "mu",
            "", (),
        )  # fmt: skip
        options = Options.from_settings(self.settings, self.limits, element, e0)
        (answer,) = self.predict([normalise_measurement(measurement, options)])
        if answer.seen is None:
            raise MeasurementError(f"{name}: {answer.abstains}")
        return answer
