"""The library of references: what one is, and those of the package and of the user together."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xascoord.core.errors import XascoordError
from xascoord.core.schemas import REFERENCES
from xascoord.core.tables import read_table, to_table

Array = npt.NDArray[np.float64]

EMBEDDED = Path(__file__).with_name("references.parquet")
VARIABLE = "XASCOORD_REFERENCES"  # names the folder of the user's own
# What may surround an absorber, or be it. Only an oxide has a coordination number here.
KINDS = (
    "oxide", "metal", "sulfide", "selenide", "halide", "phosphide", "arsenide", "silicide",
    "carbide", "nitride", "element",
)  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """A measured spectrum of a known compound.

    Attributes
    ----------
    name
        Of this one alone: element/compound/sample/source.
    element, compound
        Absorber, and what was measured.
    coordination
        Oxygen neighbours of the absorber; None: of several numbers, not certain, or no oxide.
    motif
        Their arrangement, "" where it has no name or is not known.
    kind
        One of ``KINDS``.
    sample, beamline
        What was measured where; spectra of one sample are not independent.
    source, licence
        Who published it and how it may be used.
    note
        What to mind, "" if nothing.
    e0
        Energy reference in eV (``spectra.edge_energy``).
    energy, norm
        Shape (n,), from -50 to +200 eV about e0 as far as measured; pre-edge 0, edge step 1.
    own
        Whether the user added it.
    """

    name: str
    element: str
    compound: str
    coordination: int | None
    motif: str
    kind: str
    sample: str
    beamline: str
    source: str
    licence: str
    note: str
    e0: float
    energy: Array = field(compare=False, repr=False)
    norm: Array = field(compare=False, repr=False)
    own: bool = False

    @property
    def is_oxygen_compound(self) -> bool:
        """Whether oxygen surrounds the absorber."""
        return self.kind == "oxide"


def is_same_compound(name: str, other: str) -> bool:
    """Whether two names are of one compound: alike but for marks, or of one formula.

    Parameters
    ----------
    name, other
        Such as ``hematite Fe2O3`` or ``Fe2O3``; polymorphs of one formula count as one compound.
    """
    words, others = (
        [word for word in text.split() if word.lower() not in ("metal", "foil")]
        for text in (name, other)
    )
    if _plain(words) == _plain(others):
        return True
    return bool(_formulas(words) & _formulas(others))


def _plain(words: Iterable[str]) -> str:
    return "".join(filter(str.isalnum, "".join(words))).lower()


def _formulas(words: Iterable[str]) -> set[str]:
    """Words with a capital or a digit after their first letter."""
    return {word for word in words if any(mark.isupper() or mark.isdigit() for mark in word[1:])}


@cache
def embedded_references() -> tuple[Reference, ...]:
    """The references that come with the package, read when they are first asked for."""
    return read_references(EMBEDDED)


def load_references(folder: Path | None = None) -> tuple[Reference, ...]:
    """The references of the package and the user's own, in this order.

    Parameters
    ----------
    folder
        Of the user's own; None: the usual one (``own_folder``).

    Raises
    ------
    XascoordError
        If one of the tables cannot be read.
    """
    return (*embedded_references(), *own_references(folder))


def own_references(folder: Path | None = None) -> tuple[Reference, ...]:
    """The references that the user added, by name.

    Parameters
    ----------
    folder
        As for ``load_references``.

    Raises
    ------
    XascoordError
        If the folder is a file, or one of its tables cannot be read.
    """
    folder = folder or own_folder()
    if folder.exists() and not folder.is_dir():
        raise XascoordError(f"{folder}: is a file; name a folder for references of your own")
    found = [
        one
        for path in sorted(folder.glob("*.parquet"))
        if not path.name.startswith(".")  # half-written
        for one in read_references(path, own=True)
    ]
    return tuple(sorted(found, key=lambda one: one.name))


def own_folder() -> Path:
    """Where the user's own references are: as the environment says, else where programs keep data.

    Not in the project: what somebody measured is theirs in whatever folder they work.
    """
    if given := os.environ.get(VARIABLE):
        return Path(given)
    home = Path.home()
    if sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    elif sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "xascoord" / "references"


def read_references(path: Path, own: bool = False) -> tuple[Reference, ...]:
    """References of a table.

    Parameters
    ----------
    path
        Parquet file.
    own
        Whether the user added them.

    Raises
    ------
    XascoordError
        If it cannot be read, or energies and spectrum of one are not of one length.
    """
    table = read_table(path, REFERENCES)
    energies, norms = (_arrays(table.column(name)) for name in ("energy", "norm"))
    facts = table.drop_columns(["energy", "norm"]).to_pylist()
    found = []
    for row, energy, norm in zip(facts, energies, norms, strict=True):
        if len(energy) != len(norm) or not len(energy):
            raise XascoordError(
                f"{path}: {row['name']}: {len(energy)} energies and {len(norm)} values; remove "
                "this reference and add it again"
            )
        found.append(Reference(**row, energy=energy, norm=norm, own=own))
    return tuple(found)


def table_of(references: Iterable[Reference]) -> pa.Table:
    """References as a table.

    Parameters
    ----------
    references
        In the order of its rows.
    """
    return to_table([_row(one) for one in references], REFERENCES)


def _row(reference: Reference) -> dict[str, Any]:
    names = [one.name for one in fields(Reference) if one.name != "own"]
    return {name: getattr(reference, name) for name in names}


def _arrays(column: pa.ChunkedArray) -> Sequence[Array]:
    """The lists of a column, without a Python object for each number.

    From the memory of Arrow: its own way to numpy imports pandas, for 0.8 s.
    """
    lists = column.combine_chunks()
    values = lists.values
    if values.null_count or not len(values):
        return [np.array([])] * len(lists)
    start, memory = values.offset, np.frombuffer(values.buffers()[1], dtype=np.float64)
    ends = lists.offsets.to_pylist()
    return [memory[start + a : start + b] for a, b in pairwise(ends)]
