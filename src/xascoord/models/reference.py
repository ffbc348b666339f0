"""The computed spectra that a prediction is compared with, as they lie beside the models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import BundleError, XascoordError
from xascoord.core.schemas import REFERENCE
from xascoord.core.tables import read_table

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """Names, labels and windows (n, points) of computed spectra."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    features: Array


def read_reference(path: Path, points: int) -> Reference:
    """Read the table and check that it can be compared with.

    Parameters
    ----------
    path
        The Parquet file.
    points
        Of a window.

    Raises
    ------
    BundleError
        If it is missing, damaged, empty, or has windows of other points or values that are no
        numbers.
    """
    try:
        table = read_table(path, REFERENCE)
        return Reference(
            tuple(table["spectrum_id"].to_pylist()),
            tuple(table["label"].to_pylist()),
            _windows(table, points),
        )
    except (XascoordError, ValueError) as error:
        text = str(error)
        raise BundleError(text if str(path) in text else f"{path}: {text}") from None


def _windows(table: Any, points: int) -> Array:
    import pyarrow.compute as pc

    if table.num_rows == 0:
        raise ValueError("holds no spectrum")
    if any(table[name].null_count for name in table.column_names):
        raise ValueError("holds nothing where a value should be")
    column = table["features"].combine_chunks()
    if not pc.all(pc.equal(pc.list_value_length(column), points)).as_py():
        raise ValueError(f"holds windows that have not {points} points")
    flat = column.flatten()
    with np.errstate(invalid="ignore"):  # what it warns of is looked for below
        values = flat.to_numpy(zero_copy_only=False).astype(float)
    if flat.null_count or not np.isfinite(values).all():
        raise ValueError("holds windows with values that are no numbers")
    return values.reshape(-1, points)
