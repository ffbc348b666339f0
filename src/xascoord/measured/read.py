"""Measured spectra from files: XDI, Athena projects, HDF5, and columns of whatever beamline.

What comes out is energy and mu of one channel; every choice that was made on the way is a note.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import LimitError, MeasurementError, NotAFileError
from xascoord.core.files import check_text, read_file, unpack_within
from xascoord.measured.columns import Channel, Columns, find_mu
from xascoord.measured.energy_column import find_energy
from xascoord.measured.formats import (
    Group,
    foreign,
    read_columns,
    read_project,
    read_xdi,
)
from xascoord.measured.hdf5 import is_hdf5, read_hdf5
from xascoord.measured.measurement import Measurement
from xascoord.measured.points import FEWEST_POINTS, order_points
from xascoord.measured.samples import Sample, find_samples
from xascoord.measured.scans import split_scans
from xascoord.measured.text_tables import check_columns, decode, read_tables
from xascoord.settings.limits import DEFAULT_LIMITS, Limits

Array = npt.NDArray[np.float64]
CHANNELS: tuple[Channel, ...] = ("auto", "transmission", "fluorescence", "mu")
SUFFIXES = (
    ".xdi", ".prj", ".dat", ".txt", ".csv", ".xmu", ".nor", ".xye", ".asc", ".xy", ".fio",
    ".nxs", ".h5", ".hdf5",
)  # fmt: skip

_SNIFFED, _FEWEST_ROWS = 65536, 10  # bytes of a file in which there must be a table of some rows


def read_measurements(
    path: Path,
    channel: Channel = "auto",
    limits: Limits = DEFAULT_LIMITS,
    columns: Columns | None = None,
) -> list[Measurement]:
    """Read every spectrum of a file: one, but for projects, several scans, columns of samples.

    Parameters
    ----------
    path
        The file; XDI, HDF5 and Athena projects by their content, others as columns of numbers.
    channel
        Which one; "auto" takes transmission, then mu as given, then fluorescence: the first with an
        edge in it.
    limits
        Most bytes and points that are read.
    columns
        Which columns are what, where that was said; else it is told by their names and values.

    Raises
    ------
    MeasurementError
        Naming the file, what is wrong with it and what to do.
    """
    columns = columns or Columns()
    groups = read_groups(path, limits, columns)
    found, refused = [], []
    for arrays, facts in groups:
        try:
            found += _measurements(path, arrays, facts, channel, columns)
        except MeasurementError as error:
            refused.append(error)
    if not found or (refused and "athena" in groups[0][1]):
        raise refused[0]
    if refused:
        lost = f"{len(refused)} of {len(groups)} scans left out: {refused[0]}"
        found[0] = replace(found[0], warnings=(*found[0].warnings, lost.replace(f"{path}: ", "")))
    return found


def why_no_spectrum(path: Path) -> str:
    """Why a file cannot be a spectrum, by its first bytes; "" if it may be one.

    Parameters
    ----------
    path
        A file of whatever name.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(_SNIFFED)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                return "" if b"Athena project" in packed.read(4096) else "packed, and no project"
        if is_hdf5(head):
            return ""
        if why := foreign(head):
            return why
        if not head.strip():
            return "the file is empty"
        if b"Athena project" in head[:4096]:
            return ""
        tables = read_tables(decode(head[: head.rfind(b"\n") + 1] or head), path.name)
    except (OSError, EOFError, zlib.error) as error:
        return f"cannot be read ({error})"
    except MeasurementError as error:
        return "no table of numbers" if "two columns" in str(error) else ""
    longest = max(table.values.shape[1] for table in tables)
    return "" if longest >= _FEWEST_ROWS else "no table of numbers"


def read_groups(path: Path, limits: Limits, columns: Columns) -> list[Group]:
    """The tables of a file, each as named arrays and what is said of them.

    Parameters
    ----------
    path, limits, columns
        As for ``read_measurements``.

    Raises
    ------
    MeasurementError
        As there.
    """
    with explaining(path):
        groups = _groups(path, limits, columns)
        for arrays, _ in groups:
            _check_points(arrays, limits)
    return groups


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Make one message, naming the file, of what hinders reading it.

    Raises
    ------
    MeasurementError
        If it is not there, too large, damaged and the like.
    """
    try:
        yield
    except FileNotFoundError:
        raise MeasurementError(f"{path}: no such file") from None
    except OSError as error:
        raise MeasurementError(f"{path}: cannot be read ({error.strerror})") from None
    except (EOFError, zlib.error) as error:
        raise MeasurementError(f"{path}: damaged gzip ({error}); fetch it again") from None
    except (LimitError, NotAFileError) as error:
        raise MeasurementError(f"{path}: {error}") from None


def _groups(path: Path, limits: Limits, columns: Columns) -> list[Group]:
    content = read_file(path, limits.file_bytes)
    head = content[:4096]
    if not content.strip():
        raise MeasurementError(f"{path}: the file is empty")
    packed = head[:2] == b"\x1f\x8b"
    if path.suffix.lower() == ".prj" or packed or b"Athena project" in head:
        if packed:
            unpack_within(content, limits.file_bytes)
        if columns.given:
            raise MeasurementError(f"{path}: an Athena project has no columns to be named")
        return read_project(path)
    if is_hdf5(head):
        return read_hdf5(path, columns, limits)
    if why := foreign(head):
        raise MeasurementError(f"{path}: {why}")
    # A parser takes many times the bytes of a line, in memory.
    check_text(content, limits.points, limits.line_bytes)
    text = decode(content)
    check_columns(text, limits)
    if not re.match(rb"(\xef\xbb\xbf)?\s*#\s*XDI", head):
        return read_columns(path, text)
    try:
        return [read_xdi(path)]
    except MeasurementError as error:
        try:  # its columns may be read all the same
            groups = read_columns(path, text)
        except MeasurementError:
            raise error from None
        note = str(error).removeprefix(f"{path}: ")
        if max(len(values) for arrays, _ in groups for values in arrays.values()) < FEWEST_POINTS:
            raise
        return [(arrays, {**facts, "note": f"{note}: read as columns"}) for arrays, facts in groups]


def _check_points(arrays: dict[str, Array], limits: Limits) -> None:
    points = max(map(len, arrays.values()), default=0)
    if points > limits.points:
        raise LimitError(f"{points:,} points; limits.points allows {limits.points:,}")


def _measurements(
    path: Path, arrays: dict[str, Array], facts: dict[str, Any], channel: Channel, columns: Columns
) -> list[Measurement]:
    """The scans of one table."""
    name = path.name
    if "athena" in facts:
        name += f" [{facts['sample']}]"
    elif "group" in facts:
        name += f" [{facts['group']}]"
    elif "scan" in facts:
        name += f" [scan {facts['scan']}]"
    try:
        column, energy, notes = find_energy(arrays, facts, columns.energy)
        if samples := find_samples(arrays, column, energy, channel, columns, facts):
            notes = [*facts.get("notes", ()), *notes]
            return [_of_sample(name, one, energy, arrays, facts, notes) for one in samples]
        mu, chosen, more = find_mu(arrays, column, energy, channel, columns, facts)
    except MeasurementError as error:
        raise MeasurementError(f"{path}: {error}") from None
    scans, left = split_scans(energy)
    notes = [*facts.get("notes", ()), *([facts["note"]] if "note" in facts else []), *notes, *more]
    if len(scans) > 1:
        notes.append(f"{len(scans)} scans one after another: parted where the energies go back")
    if left:
        notes.append(f"{left} points of scans of fewer than {FEWEST_POINTS} left out")
    found = []
    for number, scan in enumerate(scans, start=1):
        values, clean, done = order_points(path, energy[scan], mu[scan])
        found.append(Measurement(
            f"{name} [part {number}]" if len(scans) > 1 else name, values, clean, *_said(facts),
            chosen, facts.get("sample", ""), (*notes, *done),
            (facts.get("said_element", ""), facts.get("said_edge", "").upper()),
            facts.get("athena"), e0=facts.get("e0"),
        ))  # fmt: skip
    return found


def _said(facts: dict[str, Any]) -> tuple[str | None, str | None]:
    """Element and edge of a header."""
    element, edge = (str(facts.get(name, "")).strip() for name in ("element", "edge"))
    return element.capitalize() or None, edge.upper() or None


def _of_sample(
    name: str, sample: Sample, energy: Array, arrays: dict[str, Array], facts: dict[str, Any],
    notes: list[str],
) -> Measurement:  # fmt: skip
    """The spectrum of a column that is named by its sample; cells without a number are left out."""
    mu, trouble, done = arrays[sample.name], sample.trouble, []
    filled = np.isfinite(energy) & np.isfinite(mu)
    if empty := int((~filled).sum()):
        done.append(f"{empty} energies without a number in this column left out")
    energy, mu = energy[filled], mu[filled]
    try:
        energy, mu, more = order_points(Path(name), energy, mu)
        done += more
    except MeasurementError as error:
        trouble = trouble or str(error).removeprefix(f"{name}: ")
    return Measurement(
        f"{name}: {sample.label}", energy, mu, *_said(facts), "mu", sample.label,
        (*notes, f"mu is column '{sample.name}', one of several samples", *done),
        column=sample.name, trouble=trouble,
    )  # fmt: skip
