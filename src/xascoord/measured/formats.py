"""Formats of measured files: named arrays, and what the file says of them."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import MeasurementError
from xascoord.core.imports import load
from xascoord.measured.headers import photon_factory, read_header
from xascoord.measured.text_tables import Table, read_tables

Array = npt.NDArray[np.float64]
Group = tuple[dict[str, Array], dict[str, Any]]
EXPORT = "export energy and mu (or counts) as columns of text"
_FOREIGN = {
    b"\x93NUMPY": "NumPy's .npy",
    b"PK\x03\x04": "a zip archive (Excel's .xlsx, .npz)",
    b"\xd0\xcf\x11\xe0": "old Excel (.xls)",
    b"%PDF": "PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


@dataclass(frozen=True)
class Athena:
    """How a spectrum was treated in Athena.

    Attributes
    ----------
    e0, shift
        In eV; the shift is to be added to the energies, e0 counts after it.
    pre, post
        Where the lines before and behind the edge are fitted, in eV from e0.
    order
        Athena's nnorm: 3 is a quadratic line behind the edge.
    normalised
        Whether the data came in normalised.
    """

    e0: float | None
    shift: float
    pre: tuple[float, float]
    post: tuple[float, float]
    order: int
    normalised: bool


def foreign(head: bytes) -> str:
    """What is said of a file that is no text, by its first bytes; "" if it may be one.

    Parameters
    ----------
    head
        Some kB of the file.
    """
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            return f"{name} is not read; {EXPORT}"
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b") and b"\0" in head:
        return f"not a text; {EXPORT}"
    return ""


def read_xdi(path: Path) -> Group:
    """The arrays of an XDI file, and what it says of them.

    Raises
    ------
    MeasurementError
        If it cannot be read.
    """
    load("larch.io")
    from larch import io

    try:
        group = io.read_xdi(str(path))
    except Exception as error:  # larch raises what it meets in a damaged file
        raise MeasurementError(f"{path}: not readable as XDI ({_short(error)})") from None
    labels = {str(label).lower(): str(label) for label in group.array_labels}
    copies = {re.sub(r"\W+", "_", name) for name in labels} - set(labels)
    arrays = {
        name.lower(): np.asarray(getattr(group, name), dtype=float)
        for name in [*group.array_labels, *vars(group)]
        if isinstance(getattr(group, name, None), np.ndarray)
        and getattr(group, name).ndim == 1
        and len(getattr(group, name)) == group.npts
        # larch keeps columns under names of Python, too.
        and name not in copies
    }
    attributes: dict[str, Any] = getattr(group, "attrs", {})
    facts: dict[str, Any] = {
        "element": str(group.element or ""),
        "edge": str(group.edge or ""),
        "sample": str(attributes.get("sample", {}).get("name", "")),
        "units": str(group.array_units[0] if group.array_units else ""),
        "labels": labels,
    }
    # Energies of FEFF are off by its potential; the file of a computed spectrum says its e0.
    if match := re.match(r"[\d.]+(?= eV$)", str(attributes.get("simulation", {}).get("e0", ""))):
        facts["e0"] = float(match[0])
    if getattr(group, "dspacing", None):
        facts["spacing"] = float(group.dspacing)
    return arrays, facts


def read_project(path: Path) -> list[Group]:
    """The same of every spectrum of an Athena project.

    ``element`` and ``edge`` of a project are Athena's guesses, or what was put right there:
    they come as ``said_element`` and ``said_edge``; ``athena`` is an ``Athena``.
    """
    load("larch.io")
    from larch.io import read_athena

    try:
        # It prints what it does not understand, and reads in the encoding of what it prints to.
        with redirect_stdout(TextIOWrapper(BytesIO(), encoding="utf-8", errors="replace")):
            groups = read_athena(str(path), do_preedge=False)
    except Exception as error:
        raise MeasurementError(
            f"{path}: not readable as Athena project ({_short(error)})"
        ) from None
    found = []
    for group in vars(groups).values():
        energy, mu = getattr(group, "energy", None), getattr(group, "mu", None)
        if isinstance(energy, np.ndarray) and isinstance(mu, np.ndarray):
            if energy.ndim != 1 or energy.shape != mu.shape:
                raise MeasurementError(
                    f"{path}: a spectrum of {energy.size} energies and {mu.size} values of mu; is "
                    "the file damaged?"
                )
            arrays = {"energy": energy.astype(float), "mu": mu.astype(float)}
            found.append((arrays, _project_facts(group)))
    if not found:
        raise MeasurementError(f"{path}: no spectrum in this Athena project")
    return found


def _project_facts(group: Any) -> dict[str, Any]:
    parameters = getattr(group, "athena_params", None)
    background = getattr(parameters, "bkg", None)

    def text(owner: Any, name: str) -> str:
        value = getattr(owner, name, "")
        return value.strip().capitalize() if isinstance(value, str) else ""

    def number(owner: Any, name: str, default: float) -> float:
        try:
            value = float(getattr(owner, name, default))
        except (TypeError, ValueError):
            return default
        return value if np.isfinite(value) else default

    e0 = number(background, "e0", 0.0)
    return {
        "said_element": text(group, "atsym") or text(background, "z"),
        "said_edge": (text(group, "edge") or text(getattr(parameters, "fft", None), "edge")),
        "sample": str(getattr(group, "label", "") or ""),
        "athena": Athena(
            e0 if e0 > 0 else None,
            number(background, "eshift", 0.0),
            (number(background, "pre1", -150.0), number(background, "pre2", -30.0)),
            (number(background, "nor1", 150.0), number(background, "nor2", 800.0)),
            int(number(background, "nnorm", 3.0)),
            number(parameters, "is_nor", 0.0) > 0,
        ),
    }


def read_columns(path: Path, text: str) -> list[Group]:
    """The same of each table of a text, its columns by the names in the lines above it.

    Raises
    ------
    MeasurementError
        If it has no table of two columns.
    """
    groups: list[Group] = []
    names: list[str] = []
    for table in read_tables(text, str(path)):
        arrays, facts = _named(table, names)
        names = list(arrays)
        if match := next((re.match(r"#S\s+(\S+)", line) for line in table.header[::-1]
                          if line.startswith("#S")), None):  # fmt: skip
            facts["scan"] = match[1]
        groups.append((arrays, {**facts, "notes": table.notes}))
    return groups


def _named(table: Table, before: list[str]) -> Group:
    """A table with names of its columns; without any, those of the table before it."""
    arrays = photon_factory(table.header, table.values)
    if arrays is not None:
        return arrays, {"note": "energies from the angles of the monochromator (9809 format)"}
    names, facts = read_header(table.header, len(table.values))
    if "nameless" in facts and len(before) == len(names) and before != names:
        names = before
        del facts["nameless"]
    return dict(zip(names, table.values, strict=True)), facts


def _short(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))[:120] or type(error).__name__
