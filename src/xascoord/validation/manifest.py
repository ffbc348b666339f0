"""The manifest of measured spectra: what each file is, and what should come out of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import LimitError, MeasurementError, NotAFileError, SourceError
from xascoord.core.files import read_file
from xascoord.core.rankings import Ranking, dominant
from xascoord.labels.expected import expected_ranking
from xascoord.measured.clean import deglitch, merge_scans
from xascoord.measured.measurement import Measurement
from xascoord.measured.prepare import normalise_measurement
from xascoord.measured.read import read_measurements
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal
from xascoord.settings.limits import DEFAULT_LIMITS

COLUMNS = ("file", "element", "compound", "sample", "expected", "source", "licence")

_MOST_COLUMNS = 100


@dataclass(frozen=True)
class Sample:
    """Repeat scans of one sample.

    Attributes
    ----------
    name, element, compound
        As in the manifest.
    files
        Paths below the folder of measured files.
    expected
        Expected environment, e.g. ``CN_4 tetrahedral``, or "" where the compound's structure
        tells.
    """

    name: str
    element: str
    compound: str
    files: tuple[str, ...]
    expected: str


def read_manifest(path: Path) -> list[Sample]:
    """Samples of a manifest, in its order.

    Raises
    ------
    SourceError
        Naming the file, the line and what is wrong with it.
    """
    try:
        text = read_file(path, DEFAULT_LIMITS.file_bytes).decode("utf-8")
        reader = csv.DictReader(StringIO(text, newline=""))
        if len(reader.fieldnames or ()) > _MOST_COLUMNS:  # each row would get all of them
            raise SourceError(f"{path}: more than {_MOST_COLUMNS} columns")
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error, LimitError, NotAFileError) as error:
        raise SourceError(f"{path}: cannot be read ({error})") from None
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for line, row in enumerate(rows, start=2):
        missing = [name for name in COLUMNS if row.get(name) is None]
        if missing or not row["file"] or not row["compound"]:
            raise SourceError(f"{path}, line {line}: {', '.join(missing) or 'file, compound'} lack")
        if row["element"] not in ELEMENTS:
            raise SourceError(f"{path}, line {line}: no element {row['element']!r}")
        file = PurePosixPath(row["file"])
        if file.is_absolute() or ".." in file.parts or "\0" in row["file"]:
            raise SourceError(
                f"{path}, line {line}: {row['file']!r} is not below the folder of measured files"
            )
        key = row["sample"] or row["file"], row["element"], row["compound"], row["expected"]
        groups.setdefault(key, []).append(row["file"])
    return [
        Sample(name, element, compound, tuple(files), expected)
        for (name, element, compound, expected), files in groups.items()
    ]


def prepare_sample(sample: Sample, folder: Path, options: Options) -> NormalisedSpectrum | Refusal:
    """Read, merge and normalise the scans of a sample, as ``predict`` does it with one.

    Parameters
    ----------
    sample
        Of a manifest; its element goes before that of the options.
    folder
        Of the measured files.
    options
        How they are read and normalised.
    """
    options = replace(options, element=sample.element)
    try:
        scans = [_scan(folder / file, file, options) for file in sample.files]
        merged = merge_scans(scans, sample.name)
    except MeasurementError as error:
        return Refusal(sample.name, sample.element, str(error))
    return normalise_measurement(replace(merged, name=sample.name), options)


def _scan(path: Path, file: str, options: Options) -> Measurement:
    """The one spectrum of a file, of the element and edge of its sample."""
    found = read_measurements(path, options.channel, options.limits, options.columns)
    if len(found) != 1:
        raise MeasurementError(f"{file}: {len(found)} spectra; a manifest wants one a file")
    (scan,) = found
    if scan.edge not in (None, "K"):
        raise MeasurementError(f"{file}: measured at the {scan.edge} edge")
    if scan.element and scan.element != options.element:
        raise MeasurementError(f"{file}: is of {scan.element}, the manifest says {options.element}")
    return deglitch(scan) if options.deglitch else scan


def expectation(
    sample: Sample, compounds: Mapping[str, Any], thresholds: tuple[float, float]
) -> tuple[Ranking | None, str]:
    """The expected ranking, where the structure is known, and the expected environment.

    Raises
    ------
    SourceError
        If there is neither a structure nor an expected environment.
    """
    if sample.compound in compounds:
        ranking = expected_ranking(compounds[sample.compound], sample.element, thresholds)
        return ranking, dominant(ranking)
    if not sample.expected:
        raise SourceError(
            f"{sample.name}: {sample.compound} is not among the compounds, and no label is expected"
        )
    return None, sample.expected
