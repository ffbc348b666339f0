"""Answers for what was dropped: the models are loaded once, everything else is of one request.

Reading and asking happen in one thread, whatever the number of tabs: the readers redirect standard
output and the tables of X-ray data are open files, neither of which is for two at a time.
"""

from __future__ import annotations

import copy
import hashlib
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import ELEMENTS, k_edge_energy
from xascoord.core.errors import MeasurementError, XascoordError
from xascoord.prediction.answer import Answer
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.store import find_models
from xascoord.settings.limits import Limits
from xascoord.settings.models import CLASSIFIERS, Prediction
from xascoord.web.words import shown_name

Array = npt.NDArray[np.float64]
_REMEMBERED = 12  # files; by their bytes and what was wished
_LARGEST_SHIFT = 30.0  # eV
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Wishes:
    """What a visitor set in the fields.

    Attributes
    ----------
    element, channel, deglitch, classifier, error_rate
        As on the command line; element None: as the file says or from its energies.
    e0
        Energy zero in eV, or None: it is found.
    shift
        Added to the energy zero that is found, in eV; 0 leaves the answer its own way.
    """

    element: str | None = None
    channel: str = "auto"
    deglitch: bool = False
    classifier: str = "forest"
    error_rate: float = 0.1
    e0: float | None = None
    shift: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One spectrum of a file: its answer, and mu as it was read (None: it was refused)."""

    answer: Answer
    energy: Array | None = None
    mu: Array | None = None


class Asker:
    """Asks the models of all elements and classifiers for the spectra of uploaded files.

    Parameters
    ----------
    bundles, origin
        As for ``Predictor``.
    settings
        Those in force where the fields of the page say nothing.
    limits
        Most that is read of a file.
    """

    def __init__(
        self, bundles: Path | None, settings: Prediction, origin: str | None, limits: Limits
    ) -> None:
        self.settings, self.limits = settings, limits
        self._bundles, self._origin = bundles, origin
        self._predictors: dict[str, Predictor] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="asker")
        self._remembered: OrderedDict[tuple[Any, ...], list[Asked]] = OrderedDict()
        folders = self.predictor(settings.classifier).folders
        self.classifiers: list[str] = [name for name in CLASSIFIERS if find_models(folders, name)]
        _ = self.predictor(settings.classifier).elements  # no models at all is said at once

    def predictor(self, classifier: str) -> Predictor:
        """The models of a classifier."""
        if classifier not in self._predictors:
            settings = Prediction.model_validate(
                {**self.settings.model_dump(), "classifier": classifier}
            )
            self._predictors[classifier] = Predictor(
                self._bundles, settings, self._origin, self.limits
            )
        return self._predictors[classifier]

    def elements(self, classifier: str) -> tuple[str, ...]:
        """Elements that a classifier has models of, by atomic number."""
        return tuple(sorted(self.predictor(classifier).elements, key=ELEMENTS.index))

    def in_turn(self, work: Callable[..., _Found], *arguments: Any) -> _Found:
        """Do something in the one thread of readers and models."""
        return self._thread.submit(work, *arguments).result()

    def warm_up(self) -> None:
        """Import and load in the background what the first file will need."""
        self._thread.submit(self._load)

    def _load(self) -> None:
        """A made-up spectrum of one element goes the whole way; what comes out is nobody's."""
        predictor = self.predictor(self.settings.classifier)
        element = predictor.elements[0]
        relative = np.linspace(-150.0, 400.0, 551)
        mu = 1.0 + np.arctan(relative / 2) / np.pi
        text = "\n".join(
            f"{e:.2f} {m:.5f}" for e, m in zip(k_edge_energy(element) + relative, mu, strict=True)
        )
        wishes = Wishes(element, classifier=predictor.settings.classifier)
        with suppress(Exception):  # what is wrong is said when somebody asks
            self._ask(text.encode(), "made-up.dat", wishes)

    def ask(self, content: bytes, name: str, wishes: Wishes) -> list[Asked]:
        """Answers for every spectrum of a file.

        Parameters
        ----------
        content, name
            Of the file, as uploaded.
        wishes
            Of the fields.

        Raises
        ------
        XascoordError
            If the file cannot be read at all, or something that is wished cannot be.
        """
        return self.in_turn(self._remember, content, name, wishes)

    def _remember(self, content: bytes, name: str, wishes: Wishes) -> list[Asked]:
        key = (hashlib.sha256(content).digest(), name, wishes)
        if key in self._remembered:
            self._remembered.move_to_end(key)
            return self._remembered[key]
        found = self._ask_shifted(content, name, wishes)
        self._remembered[key] = found
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    def _ask_shifted(self, content: bytes, name: str, wishes: Wishes) -> list[Asked]:
        """Each spectrum at its own energy zero, moved by the wished shift."""
        if not wishes.shift:
            return self._ask(content, name, wishes)
        if abs(wishes.shift) > _LARGEST_SHIFT:
            raise MeasurementError(f"a shift of {wishes.shift:g} eV is more than a slip of e0")
        unmoved = self._remember(content, name, replace(wishes, shift=0.0))
        zeros = {one.answer.prepared.e0 for one in unmoved if one.answer.prepared is not None}
        moved = {
            zero: self._ask(content, name, replace(wishes, e0=zero + wishes.shift, shift=0.0))
            for zero in zeros
        }
        return [
            one if one.answer.prepared is None else moved[one.answer.prepared.e0][place]
            for place, one in enumerate(unmoved)
        ]

    def _ask(self, content: bytes, name: str, wishes: Wishes) -> list[Asked]:
        settings = self._settings(wishes)
        with tempfile.TemporaryDirectory(prefix="xascoord_") as folder:
            # The name of the visitor's file goes nowhere near a path.
            project = Path(name).suffix.lower() == ".prj"
            path = Path(folder) / ("upload.prj" if project else "upload.dat")
            path.write_bytes(content)
            try:
                return [
                    Asked(_renamed(one.answer, path, name), one.energy, one.mu)
                    for one in self._of_file(path, wishes, settings)
                ]
            except XascoordError as error:
                text = str(error).removeprefix(f"{path}: ").replace(str(path), shown_name(name))
                raise MeasurementError(text) from None

    def _settings(self, wishes: Wishes) -> Prediction:
        try:
            return Prediction.model_validate(
                {
                    **self.settings.model_dump(),
                    "classifier": wishes.classifier,
                    "channel": wishes.channel,
                    "deglitch": wishes.deglitch,
                    "error_rate": wishes.error_rate,
                }
            )
        except ValueError:
            raise XascoordError("a field of the page has a value that it cannot have") from None

    def _of_file(self, path: Path, wishes: Wishes, settings: Prediction) -> list[Asked]:
        from xascoord.measured.clean import deglitch
        from xascoord.measured.prepare import read_and_prepare
        from xascoord.measured.read import read_measurements

        predictor = self.predictor(settings.classifier)
        contracts = {element: predictor.input_spec(element) for element in predictor.elements}
        found = read_and_prepare(
            path, contracts, wishes.element, wishes.e0, settings.channel, settings.deglitch,
            self.limits,
        )  # fmt: skip
        asked = []
        measured = read_measurements(path, settings.channel, self.limits)
        for prepared, spectrum in zip(found, measured, strict=True):
            if isinstance(prepared, tuple):
                asked.append(Asked(predictor.answer(prepared)))
                continue
            # The models with the settings of this request: what is loaded is shared.
            models = copy.copy(predictor.models(prepared.element))
            models.settings = settings
            one = deglitch(spectrum) if settings.deglitch else spectrum
            asked.append(Asked(models.answer(prepared), one.energy, one.mu))
        return asked


def _renamed(answer: Answer, path: Path, name: str) -> Answer:
    """An answer with the visitor's name of the file instead of ours."""
    mine = shown_name(name)
    return replace(
        answer,
        name=answer.name.replace(path.name, mine),
        abstains=answer.abstains.removeprefix(f"{path}: ").replace(str(path), mine),
    )
