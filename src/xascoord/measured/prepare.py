"""Read measured files and normalise their spectra: the one way for all who need them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xascoord.core.elements import ELEMENTS, k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.athena import as_in_athena
from xascoord.measured.clean import deglitch, find_element
from xascoord.measured.doubts import doubts_of_element, doubts_of_points, is_normalised
from xascoord.measured.edges import stretch_of
from xascoord.measured.measurement import Measurement
from xascoord.measured.normalise import Normalised, check_range, normalise
from xascoord.measured.read import read_measurements
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal, find_reference
from xascoord.settings.spectra import EdgeEnergy

_FARTHEST = 60.0  # eV from the tabulated edge that an e0 may be
_SUSPECT = 40.0  # eV; monochromators are off by 30 eV at 16 keV, chromates by 20 at 6 keV
_NOWHERE_NEAR = 1000.0  # eV; an e0 that is given may correct a monochromator, not more
_STEP, _PRE_EDGE = (40.0, 75.0), (-60.0, -15.0)  # eV about e0; where norm is looked at
_LARGEST_PRE_EDGE = 0.06  # edge steps
_ABSURD_STEP = (0.5, 2.5)  # of data that a project calls normalised
_CONSTANT = 1e-9  # of mu: what rounding leaves
_NORMALISED = "came in normalised (about 0 before the edge, about 1 behind it)"


def read_and_normalise(path: Path, options: Options) -> list[NormalisedSpectrum | Refusal]:
    """Read a file and normalise each of its spectra.

    Parameters
    ----------
    path
        The file.
    options
        How it is read and normalised.

    Raises
    ------
    MeasurementError
        If the file cannot be read at all. What is wrong with one spectrum is in its refusal.
    """
    measurements = read_measurements(path, options.channel, options.limits, options.columns)
    return [normalise_measurement(one, options) for one in measurements]


def normalise_measurement(
    measurement: Measurement, options: Options
) -> NormalisedSpectrum | Refusal:
    """Normalise one spectrum and find its e0, or say why that cannot be done.

    Parameters
    ----------
    measurement
        As read, or the mean of repeat scans.
    options
        How it is normalised.
    """
    element = options.element or ""
    if measurement.trouble:
        return Refusal(measurement.name, element, measurement.trouble)
    spectrum = deglitch(measurement) if options.deglitch else measurement
    try:
        if spectrum.edge and spectrum.edge != "K":
            raise MeasurementError(
                f"measured at the {spectrum.edge} edge; the models are for K edges"
            )
        if np.ptp(spectrum.mu) <= _CONSTANT * np.abs(spectrum.mu).max():
            raise MeasurementError("cannot be normalised: there is no rise; mu is constant")
        element = element or _element_of(spectrum)
        return _normalised(spectrum, element, options)
    except RejectedSpectrum as error:
        reason = error.detail
    except MeasurementError as error:
        reason = str(error).removeprefix(f"{spectrum.name}: ")
    taken = next((note for note in spectrum.notes if note.startswith("mu ")), "")
    if taken and spectrum.athena is None:
        reason += f" (taken: {taken})"
    return Refusal(spectrum.name, element, reason)


def _normalised(spectrum: Measurement, element: str, options: Options) -> NormalisedSpectrum:
    e0, tabulated = options.e0, k_edge_energy(element)
    e0 = spectrum.e0 if e0 is None else e0
    if e0 is not None and not abs(e0 - tabulated) < _NOWHERE_NEAR:
        raise MeasurementError(f"e0 of {e0:g} eV is nowhere near the K edge of {element}")
    check_range(spectrum, element, options.element is not None, spectrum.e0)
    cut = stretch_of(spectrum, element)
    if cut is not spectrum:
        try:
            check_range(cut, element, options.element is not None, spectrum.e0)
        except MeasurementError:
            raise MeasurementError(f"{cut.warnings[-1]}: too little about its own edge") from None
        spectrum = cut
    as_project = options.athena and spectrum.athena is not None
    if as_project:
        spectrum, found = as_in_athena(spectrum, element)
        e0 = spectrum.athena.e0 if e0 is None and spectrum.athena else e0
    else:
        found = normalise(spectrum.energy, spectrum.mu, element, options.normalisation)
    zero = e0
    if zero is None:
        zero = find_reference(spectrum.energy, found.norm, element, "e0", EdgeEnergy())
        if abs(zero - tabulated) > _FARTHEST:
            raise MeasurementError(
                f"the edge found at {zero:.1f} eV is {zero - tabulated:+.0f} eV from the K edge of "
                f"{element}; is the element right? Else give --e0"
            )
    if as_project:
        _check_step(spectrum, found, zero)
    told = options.element is not None or spectrum.element is not None
    warnings = (
        *found.warnings,
        *_doubts(spectrum, found, zero, element),
        *spectrum.warnings,
        *(["--athena: not of an Athena project"] if options.athena and not as_project else []),
        *doubts_of_element(spectrum, element, told),
        *([] if options.deglitch else doubts_of_points(spectrum, zero)),
    )
    how = "given" if e0 is not None else "found"
    notes = (
        *spectrum.notes,
        *found.notes,
        f"e0 {zero:.2f} eV {how} (steepest point: {found.inflection:.2f} eV)",
        *([_NORMALISED] if is_normalised(spectrum, zero) else []),
    )
    return NormalisedSpectrum(
        spectrum.name, element, spectrum.energy, found.norm, zero, found.inflection,
        e0 is not None, notes, warnings,
    )  # fmt: skip


def _element_of(spectrum: Measurement) -> str:
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


def _check_step(spectrum: Measurement, found: Normalised, e0: float) -> None:
    """Refuse what a project calls normalised, or normalises, without an edge step of about 1."""
    relative = spectrum.energy - e0
    step = found.norm[(relative > _STEP[0]) & (relative < _STEP[1])]
    if len(step) and not _ABSURD_STEP[0] < step.mean() < _ABSURD_STEP[1]:
        raise MeasurementError(
            f"edge step {step.mean():.2f} as the Athena project normalises it, should be about 1; "
            "leave --athena out"
        )


def _doubts(spectrum: Measurement, found: Normalised, e0: float, element: str) -> list[str]:
    """What may be wrong with a normalised spectrum."""
    warnings = []
    off = e0 - k_edge_energy(element)
    if abs(off) > _SUSPECT:
        warnings.append(
            f"e0 {e0:.1f} eV is {off:+.1f} eV from the tabulated K edge of {element}; if it is "
            "wrong give --e0"
        )
    # About the edge that is there, whatever e0 was given.
    relative = spectrum.energy - found.inflection
    before = found.norm[(relative > _PRE_EDGE[0]) & (relative < _PRE_EDGE[1])]
    if len(before) and abs(np.mean(before)) > _LARGEST_PRE_EDGE:
        warnings.append(
            f"the pre-edge is at {np.mean(before):+.2f} after normalisation, should be about 0"
        )
    return warnings
