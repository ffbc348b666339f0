"""Answers for what was dropped: the models are loaded once, everything else is of one request.

Reading and asking happen in one thread, whatever the number of tabs: the readers redirect standard
output and the tables of X-ray data are open files, neither of which is for two at a time.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import k_edge_energy
from xascoord.core.errors import BundleError, MeasurementError, XascoordError
from xascoord.core.origin import PUBLISHED
from xascoord.measured.columns import Channel
from xascoord.measured.measurement import Measurement
from xascoord.measured.spectrum import Options, Refusal
from xascoord.prediction.answer import Answer
from xascoord.prediction.predictor import Predictor
from xascoord.settings.limits import Limits
from xascoord.settings.models import CLASSIFIERS, Prediction
from xascoord.web.words import shown_name

Array = npt.NDArray[np.float64]
_FILES, _ANSWERS = 4, 64  # remembered, by the bytes of the file and what was wished
# What plotly looks at, where it is there, to write a page; it fails on what another thread has half
# imported.
_HALF_IMPORTED = ("pandas", "PIL.Image")
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
        self._predictor = Predictor(bundles, settings, origin, limits)
        self.ready = threading.Event()  # what the page is written with is imported
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="asker")
        self._read, self._asked = _Memory(_FILES), _Memory(_ANSWERS)
        names = (*CLASSIFIERS, PUBLISHED)
        self.classifiers: list[str] = [name for name in names if self._has(name)]
        if self.classifiers and settings.classifier not in self.classifiers:
            self.settings = Prediction.model_validate(
                {**settings.model_dump(), "classifier": self.classifiers[0]}
            )
        _ = self.predictor(self.settings.classifier).elements  # no models: said at once

    def _has(self, classifier: str) -> bool:
        """Whether there are models of a classifier that answer."""
        try:
            return bool(self.predictor(classifier).elements)
        except BundleError:
            return False

    def predictor(self, classifier: str) -> Predictor:
        """The models of a classifier."""
        return self._predictor.with_classifier(classifier)

    def in_turn(self, work: Callable[..., _Found], *arguments: Any) -> _Found:
        """Do something in the one thread of readers and models."""
        return self._thread.submit(work, *arguments).result()

    def warm_up(self) -> None:
        """Import and load in the background what the first file will need."""
        self._thread.submit(self._load)

    def _load(self) -> None:
        """A made-up spectrum of one element goes the whole way; what comes out is nobody's."""
        try:
            for name in _HALF_IMPORTED:
                with suppress(ImportError):
                    import_module(name)
        finally:
            self.ready.set()
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

    def ask(
        self, content: bytes, name: str, wishes: Wishes, place: int | None = None
    ) -> list[Asked]:
        """Answers for every spectrum of a file.

        Parameters
        ----------
        content, name
            Of the file, as uploaded.
        wishes
            Of the fields.
        place
            Of the one spectrum that is asked for; None: all.

        Raises
        ------
        XascoordError
            If the file cannot be read at all, or something that is wished cannot be.
        """
        return self.in_turn(self._ask, content, name, wishes, place)

    def _ask(
        self, content: bytes, name: str, wishes: Wishes, place: int | None = None
    ) -> list[Asked]:
        settings = self._settings(wishes)
        digest = hashlib.sha256(content).digest()
        key = (digest, name, settings.channel)
        spectra = self._read.of(key, lambda: self._measurements(content, name, settings.channel))
        if place is not None and not 0 <= place < len(spectra):
            raise MeasurementError("this spectrum is not in the file any more")
        places = range(len(spectra)) if place is None else [place]

        def answer(at: int, how: Wishes) -> Asked:
            return self._asked.of(
                (digest, name, at, how), lambda: self._of_spectrum(spectra[at], how, settings)
            )

        found = []
        for at in places:
            one = answer(at, replace(wishes, shift=0.0))
            if wishes.shift and one.answer.seen is not None:
                zero = one.answer.seen.zero + wishes.shift
                one = answer(at, replace(wishes, e0=zero, shift=0.0))
            found.append(one)
        return found

    def _measurements(self, content: bytes, name: str, channel: Channel) -> list[Measurement]:
        """The spectra of a file, under the visitor's name of it."""
        from xascoord.measured.read import read_measurements

        shown = shown_name(name)
        with tempfile.TemporaryDirectory(prefix="xascoord_") as folder:
            # The name of the visitor's file goes nowhere near a path.
            project = Path(name).suffix.lower() == ".prj"
            path = Path(folder) / ("upload.prj" if project else "upload.dat")
            path.write_bytes(content)
            try:
                spectra = read_measurements(path, channel, self.limits)
            except XascoordError as error:
                text = str(error).removeprefix(f"{path}: ").replace(str(path), shown)
                raise MeasurementError(text) from None
        return [replace(one, name=one.name.replace(path.name, shown, 1)) for one in spectra]

    def _settings(self, wishes: Wishes) -> Prediction:
        if abs(wishes.shift) > _LARGEST_SHIFT:
            raise MeasurementError(f"a shift of {wishes.shift:g} eV is more than a slip of e0")
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

    def _of_spectrum(self, spectrum: Measurement, wishes: Wishes, settings: Prediction) -> Asked:
        from xascoord.measured.prepare import normalise_measurement

        options = Options.from_settings(settings, self.limits, wishes.element, wishes.e0)
        found = normalise_measurement(spectrum, options)
        (answer,) = self._predictor.predict([found], settings)
        if isinstance(found, Refusal) or answer.seen is None:
            return Asked(answer)
        # Its energies are some of those that were read: glitches may be gone.
        return Asked(answer, found.energy, np.interp(found.energy, spectrum.energy, spectrum.mu))


class _Memory:
    """The last few results by what they were made from."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[Any, Any] = OrderedDict()

    def of(self, key: Any, make: Callable[[], _Found]) -> _Found:
        """What was made before, or is made now."""
        if key not in self._found:
            self._found[key] = make()
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        return self._found[key]
