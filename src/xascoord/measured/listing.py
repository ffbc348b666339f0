"""What is in a file of measured spectra, for people who have to name its columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import MeasurementError
from xascoord.core.files import read_file
from xascoord.measured.columns import Columns
from xascoord.measured.formats import Group
from xascoord.measured.hdf5 import is_hdf5
from xascoord.measured.hdf5_content import list_hdf5
from xascoord.measured.read import explaining, read_groups
from xascoord.settings.limits import Limits

Array = npt.NDArray[np.float64]


def list_file(path: Path, limits: Limits) -> list[str]:
    """Columns with their names and ranges, groups of a project, or datasets with their shapes.

    Parameters
    ----------
    path
        The file.
    limits
        Most that is read of it.

    Raises
    ------
    MeasurementError
        If it cannot be read.
    """
    if path.is_dir():
        raise MeasurementError(f"{path}: is a folder; name a file")
    with explaining(path):
        if is_hdf5(read_file(path, limits.file_bytes)[:8]):
            if datasets := list_hdf5(path, limits):
                return datasets
            raise MeasurementError(f"{path}: an HDF5 file without datasets")
    groups = read_groups(path, limits, Columns())
    if "athena" in groups[0][1]:
        return [_of_project(number, group) for number, group in enumerate(groups, start=1)]
    lines = []
    for number, (arrays, facts) in enumerate(groups, start=1):
        if len(groups) > 1:
            scan = f" (scan {facts['scan']})" if "scan" in facts else ""
            lines.append(f"table {number}{scan}, {len(next(iter(arrays.values())))} rows:")
        lines += [f"{at} {name}: {_range(one)}" for at, (name, one) in enumerate(arrays.items(), 1)]
    return lines


def _of_project(number: int, group: Group) -> str:
    arrays, facts = group
    said = f"{facts['said_element']} {facts['said_edge']}".strip()
    return (
        f"{number} {facts['sample']}: {len(arrays['energy'])} points, {_range(arrays['energy'])} eV"
        + (f", {said} as the project says" if said else "")
    )


def _range(values: Array) -> str:
    finite = values[np.isfinite(values)]
    return f"{finite.min():.8g} to {finite.max():.8g}" if len(finite) else "no numbers"
