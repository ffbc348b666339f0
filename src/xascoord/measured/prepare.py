"""Files of measured spectra made ready for the models of their element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import MeasurementError
from xascoord.measured.clean import deglitch, find_element
from xascoord.measured.columns import Channel, Columns
from xascoord.measured.doubts import doubts_of_element, doubts_of_points, is_normalised
from xascoord.measured.normalise import ModelInput, normalise_and_window
from xascoord.measured.read import Measurement, read_measurements
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.spectra import EdgeEnergy, Window

Refused = tuple[str, str, str]  # name, element, why
_NORMALISED = "came in normalised (about 0 before the edge, about 1 behind it)"


def read_and_prepare(
    path: Path,
    contracts: Mapping[str, tuple[Window, EdgeEnergy]],
    element: str | None = None,
    e0: float | None = None,
    channel: Channel = "auto",
    without_glitches: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    columns: Columns | None = None,
    as_athena: bool = False,
) -> list[ModelInput | Refused]:
    """Read a file and bring each of its spectra to the window of the models.

    Parameters
    ----------
    path
        The file.
    contracts
        Window and energy reference of the models of each element.
    element
        Absorber; None: as the file says, or from its energies.
    e0
        Energy zero to take, in eV; None: it is found.
    channel, without_glitches
        How to read the file.
    limits
        Most bytes and points that are read.
    columns
        Which columns are what, where that was said.
    as_athena
        Take e0 and normalisation of the Athena project that the spectrum is from; one from
        elsewhere gets a warning.

    Raises
    ------
    MeasurementError
        If the file cannot be read at all. What is wrong with one spectrum is in its own place.
    """
    return [
        prepare(spectrum, contracts, element, e0, without_glitches, as_athena)
        for spectrum in read_measurements(path, channel, limits, columns)
    ]


def prepare(
    spectrum: Measurement,
    contracts: Mapping[str, tuple[Window, EdgeEnergy]],
    element: str | None = None,
    e0: float | None = None,
    without_glitches: bool = False,
    as_athena: bool = False,
) -> ModelInput | Refused:
    """Bring one spectrum to the window of the models, or say why it cannot be.

    Parameters
    ----------
    spectrum
        As read.
    contracts, element, e0, without_glitches, as_athena
        As for ``read_and_prepare``.
    """
    one = deglitch(spectrum) if without_glitches else spectrum
    absorber = element or ""
    try:
        if one.edge and one.edge != "K":
            raise MeasurementError(f"measured at the {one.edge} edge; the models are for K edges")
        absorber = absorber or element_of(one)
        if absorber not in contracts:
            raise MeasurementError(
                f"no models of {absorber}; there are {' '.join(sorted(contracts))}"
            )
        theirs = as_athena and one.athena is not None
        ready = normalise_and_window(one, absorber, *contracts[absorber], e0, theirs)
        told = element is not None or one.element is not None
        doubts = [
            *spectrum.warnings,
            *(["--athena: not of an Athena project"] if as_athena and not theirs else []),
            *doubts_of_element(one, absorber, told),
            *([] if without_glitches else doubts_of_points(one, ready, contracts[absorber][0])),
        ]
        notes = [*ready.notes, *([_NORMALISED] if is_normalised(one, ready.e0) else [])]
        return replace(ready, notes=tuple(notes), warnings=(*ready.warnings, *doubts))
    except MeasurementError as error:
        reason = str(error).removeprefix(f"{one.name}: ")
        taken = next((note for note in one.notes if note.startswith("mu ")), "")
        if taken and "channel" in reason:
            reason += f" (taken: {taken})"
        return one.name, absorber, reason


def element_of(spectrum: Measurement) -> str:
    """The absorber: as the file says, else from the energies.

    What an Athena project says is only taken where the energies say nothing else.

    Raises
    ------
    MeasurementError
        If no K edge of a known element is found.
    """
    if spectrum.element:
        return spectrum.element
    said, edge = spectrum.said
    try:
        return find_element(spectrum.energy, spectrum.mu)
    except MeasurementError as error:
        if edge == "K" and said in ELEMENTS:
            return said
        if said:
            raise MeasurementError(f"{error} (the project says {said} {edge})") from None
        raise
