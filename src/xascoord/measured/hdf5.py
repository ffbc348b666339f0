"""Spectra in HDF5 and NeXus files: datasets of one group are the columns of a table.

An entry of NXxas, old or new, is such a table as well. What lies in other files (external links and
storage, virtual datasets) is not followed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import LimitError, MeasurementError
from xascoord.measured.column_names import MU, energy_names, monitor_name
from xascoord.measured.columns import Columns, column
from xascoord.measured.formats import Group
from xascoord.measured.hdf5_content import Content, fits, listed, opened, text_of, values_of
from xascoord.measured.headers import fix_name
from xascoord.settings.limits import Limits

Array = npt.NDArray[np.float64]
_OF_PARENT = {"data", "value", "values", "counts"}  # NXdetector/data: named as the detector is
_ENERGY = re.compile(r"energ|^(e|en|ev|kev)$")
_MONITOR = re.compile(r"/(monitor|incoming_beam|i0)/data$", re.I)
_FACTS = {
    "element": (r"(^|/)(element(/symbol|/name)?|absorbing_element)$", r"[A-Z][a-z]?"),
    "edge": (r"(^|/)(edge(/name)?|absorption_edge(/name)?)$", r"K|[LM]\d?"),
    "sample": (r"(^|/)sample/name$", r".+"),
    "spacing": (r"(^|/)d_spacing$", r"[\d.]+"),
    "mode": (r"(^|/)mode$", r".*(?:trans|fluor|yield|auger).*"),
}


def is_hdf5(head: bytes) -> bool:
    """Whether a file is HDF5, by its first bytes.

    Parameters
    ----------
    head
        Eight bytes at least.
    """
    return head.startswith(b"\x89HDF\r\n\x1a\n")


def read_hdf5(path: Path, columns: Columns, limits: Limits) -> list[Group]:
    """The arrays of each table of energies, and what the file says of them.

    Parameters
    ----------
    path
        The file.
    columns
        Columns that were named: by the names of datasets in their group, or by paths.
    limits
        Most points, values and objects.

    Raises
    ------
    MeasurementError
        If it is damaged or holds no energies; its datasets are listed.
    LimitError
        Naming the limit.
    """
    with opened(path, limits) as content:
        tables = _tables(content, columns)
        if not tables:
            raise MeasurementError(
                f"{path}: no energies with mu or counts can be told among its datasets "
                f"({listed(content.lines)}); name them with --energy-column PATH and --mu PATH, or "
                "--i0, --i1 or --if"
            )
        values = sum(len(content.lines[one]) for table in tables for one in table.values())
        if values > limits.values:
            raise LimitError(f"{values:,} values; limits.values allows {limits.values:,}")
        found = [_read(content, table, limits) for table in tables]
    found = [one for one in found if columns.energy or energy_names(one[0])] or found[:1]
    if len(found) == 1:
        found[0][1].pop("group", None)
    return found


def _tables(content: Content, columns: Columns) -> list[dict[str, str]]:
    """Tables as names of columns and paths of datasets of one length."""
    wished = [columns.energy, columns.i0, columns.i1, *columns.fluorescence, *columns.mu]
    if any(one and "/" in one for one in wished):
        return _by_path(content, columns)
    groups: dict[str, dict[str, str]] = {}
    for path in content.lines:
        above, _, name = path.rpartition("/")
        groups.setdefault(above, {})[fix_name(name)] = path
    asked = fix_name(columns.energy or "")
    tables = [_of_one_length(t, content, asked) for t in groups.values()]
    tables = [table for table in tables if len(table) > 1]
    if not tables:  # each detector of an entry in a group of its own
        entries: dict[str, dict[str, str]] = {}
        for path in content.lines:
            table = entries.setdefault(path.split("/")[1], {})
            table.setdefault(_short_name(path), path)
        tables = [_of_one_length(table, content, asked) for table in entries.values()]
    return _without_copies([t for t in tables if len(t) > 1], content)


def _by_path(content: Content, columns: Columns) -> list[dict[str, str]]:
    """The one table of all datasets that are as long as the energies that were named."""
    every = {path.strip("/").lower(): path for path in content.lines}
    if columns.energy:
        energy = column(every, columns.energy, "--energy-column")
    else:
        energy = next((n for n in every if _ENERGY.search(n.rpartition("/")[2])), "")
    if not energy:
        return []
    length = len(content.lines[every[energy]])
    return [{n: path for n, path in every.items() if len(content.lines[path]) == length}]


def _short_name(path: str) -> str:
    *_, above, name = ["", *path.strip("/").split("/")]
    return fix_name(above if name.lower() in _OF_PARENT and above else name)


def _of_one_length(table: dict[str, str], content: Content, asked: str) -> dict[str, str]:
    """The columns as long as the energies; {} where there are none."""
    energy = next((n for n in table if (n == asked if asked else _ENERGY.search(n))), None)
    if energy is None:
        return {}
    length = len(content.lines[table[energy]])
    return {name: path for name, path in table.items() if len(content.lines[path]) == length}


def _without_copies(tables: list[dict[str, str]], content: Content) -> list[dict[str, str]]:
    """Tables that are not part of another one by links to the same datasets."""
    import h5py

    kept: list[tuple[set[int], dict[str, str]]] = []
    for table in sorted(tables, key=len, reverse=True):
        places = {h5py.h5o.get_info(content.lines[path].id).addr for path in table.values()}
        if not any(places <= others for others, _ in kept):
            kept.append((places, table))
    chosen = [table for _, table in kept]
    return [table for table in tables if table in chosen]


def _read(content: Content, table: dict[str, str], limits: Limits) -> Group:
    """The arrays of a table, and what its entry says of them."""
    longest = max(len(content.lines[path]) for path in table.values())
    for what, number, most in (("points", longest, limits.points),
                               ("columns", len(table), limits.columns)):  # fmt: skip
        if number > most:
            raise LimitError(f"{number:,} {what}; limits.{what} allows {most:,}")
    for path in table.values():
        if not fits(content.lines[path], limits):
            raise LimitError(f"{path}: in pieces larger than limits.file_bytes allows")
    arrays = {name: values_of(content.lines[path]) for name, path in table.items()}
    energy = next((path for name, path in table.items() if _ENERGY.search(name)), "")
    path = energy or next(iter(table.values()))
    facts = _facts(content, path.split("/")[1] if path.count("/") > 1 else "")
    facts["labels"] = {name: one.rpartition("/")[2] for name, one in table.items()}
    facts["group"] = path.rpartition("/")[0] or "/"
    return _with_signal(arrays, content, path, facts), facts


def _with_signal(
    arrays: dict[str, Array], content: Content, path: str, facts: dict[str, Any]
) -> dict[str, Array]:
    """Names of channels for the signal of NXxas, where no other name is of a channel.

    By the names that NXxas prescribes: HDF5's library may hang on damaged attributes.
    """
    if monitor_name(arrays) or any(name in arrays for names in MU.values() for name in names):
        return arrays
    signal = next((n for n in ("absorbed_beam", "intensity") if n in arrays), "")
    if not signal:
        return arrays
    if signal != "absorbed_beam":
        return {"mu" if name == signal else name: values for name, values in arrays.items()}
    # Of the old NXxas: counts, with the monitor elsewhere in the entry.
    kind = "itrans" if "trans" in facts.get("mode", "").lower() else "ifluor"
    found = {kind if name == signal else name: values for name, values in arrays.items()}
    entry = path.split("/")[1]
    for other, dataset in content.lines.items():
        same = len(dataset) == len(arrays[signal]) and other.startswith(f"/{entry}/")
        if same and _MONITOR.search(other):
            found["i0"] = values_of(dataset)
    return found


def _facts(content: Content, entry: str) -> dict[str, Any]:
    """Element, edge, sample, spacing and mode of an entry; what it does not say is left out."""
    facts: dict[str, Any] = {}
    for name, (place, form) in _FACTS.items():
        for path, dataset in content.single.items():
            inside = not entry or path.startswith(f"/{entry}/")
            if not (inside and re.search(place, path.lower())):
                continue
            value = text_of(dataset[()])
            if re.fullmatch(form, value, re.I if name == "mode" else 0):
                facts[name] = float(value) if name == "spacing" else value
                break
    return facts
