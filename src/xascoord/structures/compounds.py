"""Published structures of well-known compounds."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from xascoord.core.errors import SourceError

_CELL = ("a", "b", "c", "alpha", "beta", "gamma")


def read_compounds(path: Path) -> dict[str, Any]:
    """Structures by the name of the compound.

    Raises
    ------
    SourceError
        Naming the file, the line and what is wrong with it.
    """
    from pymatgen.core import Lattice, Structure

    found = {}
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read ({error})") from None
    for line, row in enumerate(rows, start=2):
        try:
            sites = [site.split() for site in row["sites"].split(";")]
            found[row["compound"]] = Structure.from_spacegroup(
                row["space_group"],
                Lattice.from_parameters(*(float(row[name]) for name in _CELL)),
                [site[0] for site in sites],
                [[float(value) for value in site[1:4]] for site in sites],
            )
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise SourceError(f"{path}, line {line}: no structure ({error}); correct it") from None
    return found
