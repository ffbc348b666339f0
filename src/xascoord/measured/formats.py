"""Formats of beamlines, read by larch: named arrays, and what the file says of them."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import MeasurementError

Array = npt.NDArray[np.float64]
Group = tuple[dict[str, Array], dict[str, str]]
# Each number in one way only: else a long one is tried in as many as it has digits.
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf"
_MOST_COLUMNS = 1000  # larch compares the name of each with all others
_NUMBERS = re.compile(rf"\s*(?:{_NUMBER})(?:[\s,;]+(?:{_NUMBER}))*[\s,;]*$", re.IGNORECASE)


def read_xdi(path: Path) -> Group:
    """The arrays of an XDI file, and what it says of them.

    Raises
    ------
    MeasurementError
        If it cannot be read.
    """
    from larch import io

    try:
        group = io.read_xdi(str(path))
    except Exception as error:  # larch raises what it meets in a damaged file
        raise MeasurementError(f"{path}: not readable as XDI ({_short(error)})") from None
    arrays = {
        name.lower(): np.asarray(value, dtype=float)
        for name, value in vars(group).items()
        if isinstance(value, np.ndarray) and value.ndim == 1 and len(value) == group.npts
    }
    attributes: dict[str, Any] = getattr(group, "attrs", {})
    facts = {
        "element": str(group.element or ""),
        "edge": str(group.edge or ""),
        "sample": str(attributes.get("sample", {}).get("name", "")),
        "units": str(group.array_units[0] if group.array_units else ""),
    }
    return arrays, facts


def read_project(path: Path) -> list[Group]:
    """The same of every spectrum of an Athena project."""
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
            facts = {
                "element": str(getattr(group, "atsym", "") or ""),
                "edge": str(getattr(group, "edge", "") or ""),
                "sample": str(getattr(group, "label", "") or ""),
            }
            found.append(({"energy": energy.astype(float), "mu": mu.astype(float)}, facts))
    if not found:
        raise MeasurementError(f"{path}: no spectrum in this Athena project")
    return found


def read_columns(path: Path) -> Group:
    """The same of a file of columns, whose names stand in its last comment line."""
    from larch.io import read_ascii

    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if any(
        len(line) > 2 * _MOST_COLUMNS and len(re.split(r"[\s,;]+", line)) > _MOST_COLUMNS
        for line in lines
    ):
        raise MeasurementError(f"{path}: a line of more than {_MOST_COLUMNS} columns")
    try:
        group = read_ascii(str(path))
        table = np.asarray(group.data, dtype=float)
    except Exception as error:
        raise MeasurementError(
            f"{path}: no columns of numbers in it ({_short(error)}); wanted: energy and mu, or "
            "energy and counts with a line of column names"
        ) from None
    if table.ndim != 2 or len(table) < 2:
        raise MeasurementError(f"{path}: needs two columns at least, energy and mu")
    rows = sum(1 for line in lines if _NUMBERS.match(line))
    if rows > table.shape[1]:
        raise MeasurementError(
            f"{path}: {rows} rows of numbers, but only {table.shape[1]} behind the last other "
            "line; take lines that are no numbers out of the data"
        )
    names = [str(name).lower() for name in group.array_labels]
    energy = next((n for n in names if re.fullmatch(r"e|en|ev|energy.*", n)), None)
    if energy is not None:
        arrays = dict(zip(names, table, strict=False))
        return {**arrays, "energy": arrays[energy]}, {}
    if len(table) == 2 and not re.search(r"angle|lambda|wavelength|i0", " ".join(names)):
        return {"energy": table[0], "mu": table[1]}, {}
    raise MeasurementError(
        f"{path}: no column 'energy' among {', '.join(names)}; write a last comment line with the "
        "names of the columns, e.g. '# energy i0 itrans'"
    )


def _short(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))[:120] or type(error).__name__
