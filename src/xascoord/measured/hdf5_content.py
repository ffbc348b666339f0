"""Datasets of an HDF5 file, within limits; what lies in other files is not followed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import LimitError, MeasurementError
from xascoord.core.imports import load
from xascoord.measured.formats import EXPORT
from xascoord.settings.limits import Limits

Array = npt.NDArray[np.float64]
_FEWEST = 10  # values; what is shorter is no scan
_SHOWN = 30  # datasets in a message


@dataclass
class Content:
    """Datasets by their paths.

    Attributes
    ----------
    lines, single, others
        Of numbers in one dimension, single values, and all else.
    """

    lines: dict[str, Any] = field(default_factory=dict)
    single: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Content]:
    """The datasets of a file while it is open; whatever goes wrong within is one message.

    Parameters
    ----------
    path
        The file.
    limits
        Most depth and number of groups, and number of datasets.

    Raises
    ------
    MeasurementError
        If it is damaged.
    """
    load("h5py")
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            content = Content()
            root = h5py.h5o.get_info(file.id)
            _walk(file, "", content, {root.addr}, (root.fileno, limits))
            yield content
    except (MeasurementError, LimitError, FileNotFoundError):
        raise
    except Exception as error:  # h5py raises what it meets in a damaged file
        short = re.sub(r"\s+", " ", str(error))[:120] or type(error).__name__
        raise MeasurementError(
            f"{path}: not readable as HDF5 ({short}); fetch it again, or {EXPORT}"
        ) from None


def _walk(
    group: Any, path: str, content: Content, seen: set[int], within: tuple[int, Limits]
) -> None:
    """Sort the datasets below a group; groups are entered once, whatever links lead there."""
    import h5py

    number, limits = within
    if path.count("/") > limits.nesting:
        raise LimitError(f"groups deeper than limits.nesting allows ({limits.nesting})")
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
            continue
        one, where = group.get(name), f"{path}/{name}"
        if one is None:  # a soft link to nothing
            continue
        info = h5py.h5o.get_info(one.id)
        if info.fileno != number:
            continue
        if isinstance(one, h5py.Group):
            if info.addr not in seen:
                seen.add(info.addr)
                _walk(one, where, content, seen, within)
        elif isinstance(one, h5py.Dataset) and not one.is_virtual and not one.external:
            _sort_in(one, where, content)
        if len(content.lines) + len(content.single) + len(content.others) > limits.points:
            raise LimitError(f"more datasets than limits.points allows ({limits.points:,})")


def _sort_in(dataset: Any, path: str, content: Content) -> None:
    if dataset.shape in ((), (1,)):
        content.single[path] = dataset
    elif dataset.ndim == 1 and dataset.dtype.kind in "iuf" and len(dataset) >= _FEWEST:
        content.lines[path] = dataset
    else:
        content.others[path] = dataset


def list_hdf5(path: Path, limits: Limits) -> list[str]:
    """Every dataset of a file with its shape, and the range of those that may be columns.

    Parameters
    ----------
    path
        The file.
    limits
        As for ``read_hdf5``.
    """
    with opened(path, limits) as content:
        every = content.lines | content.single | content.others
        found = dict.fromkeys(every, "")
        for name, dataset in content.lines.items():
            if len(dataset) <= limits.points and fits(dataset, limits):
                values = values_of(dataset)
                found[name] = f", {np.nanmin(values):g} to {np.nanmax(values):g}"
        return [
            f"{name}: {' x '.join(map(str, every[name].shape)) or 'single value'} "
            f"({every[name].dtype}){found[name]}"
            for name in sorted(every)
        ]


def fits(dataset: Any, limits: Limits) -> bool:
    """Whether no piece of a dataset, which is unpacked as a whole, is larger than a file may be.

    Parameters
    ----------
    dataset
        Of h5py.
    limits
        Most bytes of a file.
    """
    pieces = int(np.prod(dataset.chunks or (1,), dtype=float)) * dataset.dtype.itemsize
    return pieces <= limits.file_bytes


def text_of(value: Any) -> str:
    """A string as files keep it: bytes, text, or the one of an array."""
    value = value[0] if isinstance(value, np.ndarray) and value.shape == (1,) else value
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    return text.strip()[:200]


def values_of(dataset: Any) -> Array:
    """The numbers of a dataset."""
    return np.asarray(dataset[()], dtype=float)


def listed(datasets: Mapping[str, Any]) -> str:
    """Paths and lengths of datasets, for a message."""
    shown = [f"{path} ({len(dataset)})" for path, dataset in datasets.items()]
    return (", ".join(shown[:_SHOWN]) or "none of numbers in one dimension") + (
        f" ... ({len(shown)} in all)" if len(shown) > _SHOWN else ""
    )
