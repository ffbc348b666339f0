"""The table of references that comes with the package, built from a manifest and its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xascoord.core.errors import AccountingError, MeasurementError, XascoordError
from xascoord.core.files import write_csv
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection
from xascoord.core.schemas import REJECTIONS
from xascoord.core.tables import write_table
from xascoord.measured.measurement import Measurement
from xascoord.references.library import Reference, table_of
from xascoord.references.manifest import Entry, read_manifest
from xascoord.references.measure import name_of, read_entry, reference_of
from xascoord.settings.limits import DEFAULT_LIMITS, Limits

STAGE = "references"


@dataclass(frozen=True)
class Built:
    """What became of the rows of a manifest.

    Attributes
    ----------
    references
        By name.
    rejections
        Rows of ``schemas.REJECTIONS``.
    rows, merged
        Rows that came in, and those that references were made of.
    """

    references: tuple[Reference, ...]
    rejections: tuple[dict[str, str], ...]
    rows: int
    merged: int


def build_table(
    folder: Path, manifest: Path, out: Path, rejections: Path, limits: Limits = DEFAULT_LIMITS
) -> Built:
    """Build the table of references, and that of what was left out and why.

    Parameters
    ----------
    folder
        Of the files of the manifest.
    manifest
        What is in them.
    out, rejections
        Parquet and CSV, to be written.
    limits
        Most bytes and points that are read of a file.

    Raises
    ------
    XascoordError
        If the manifest is wrong, or no reference comes of it: then nothing is written.
    """
    built = build(folder, read_manifest(manifest), limits)
    if not built.references:
        first = built.rejections[0]
        raise XascoordError(
            f"{folder}: no reference comes of {manifest} ({first['item']}: {first['detail']}); is "
            "it the folder of its files?"
        )
    # Dates and names of files are not in it: the same files make the same bytes.
    write_table(out, table_of(built.references), compression_level=19)
    write_csv(rejections, built.rejections, REJECTIONS.names)
    return built


def build(folder: Path, entries: Iterable[Entry], limits: Limits = DEFAULT_LIMITS) -> Built:
    """References of the samples of a manifest.

    Parameters
    ----------
    folder
        Of its files.
    entries
        Of the manifest.
    limits
        Most bytes and points that are read of a file.

    Raises
    ------
    AccountingError
        If a row was lost.
    """
    entries = list(entries)
    samples: dict[str, list[Entry]] = {}
    for entry in entries:
        samples.setdefault(name_of(entry, entry.element), []).append(entry)
    references, rejected, merged = [], [], 0
    for name in sorted(samples):
        read: list[Entry] = []
        scans: list[Measurement] = []
        for entry in samples[name]:
            if not entry.is_used:
                rejected.append(_rejection(entry, Reason.NOT_USED, entry.note or "use: no"))
                continue
            try:
                scans += read_entry(entry, folder, limits)
            except MeasurementError as error:
                detail = str(error).removeprefix(f"{folder / entry.file}: ")
                rejected.append(_rejection(entry, Reason.UNREADABLE, detail))
            else:
                read.append(entry)
        if not read:
            continue
        try:
            references.append(reference_of(read, scans))
            merged += len(read)
        except RejectedSpectrum as error:
            rejected += [_rejection(entry, error.reason, error.detail) for entry in read]
        except MeasurementError as error:
            rejected += [_rejection(entry, Reason.NO_EDGE, str(error)) for entry in read]
    if len(entries) != merged + len(rejected):
        raise AccountingError(
            f"{len(entries)} rows came in, {merged} became references and {len(rejected)} were "
            "rejected"
        )
    references.sort(key=lambda one: one.name)
    return Built(tuple(references), tuple(rejected), len(entries), merged)


def _rejection(entry: Entry, reason: Reason, detail: str) -> dict[str, str]:
    columns = " ".join(entry.reading.columns.mu)
    item = f"{entry.file} {columns}".strip()
    return Rejection(item, reason, detail, entry.element, "measured").row(STAGE, entry.source)
