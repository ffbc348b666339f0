"""What a CIF must not hold before a parser is given it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xascoord.core.errors import LimitError, StructureError

_LONGEST_NUMBER = 40  # digits; what programs write has up to 17
_LONGEST_LINE = 4_096  # characters; the standard (CIF 1.1) allows 2,048
_MOST_BLANK_LINES = 100  # one after the other
_NUMBER = re.compile(rf"[\d.]{{{_LONGEST_NUMBER + 1},}}")
_SITES = "_atom_site_fract_"  # of the loops of sites: x, y, z


def check_cif(text: str, most_atoms: int) -> None:
    """Look for lines that no program writes, and for more sites than a cell may have atoms.

    pymatgen takes a CIF apart by expressions whose time grows with the square of the length of a
    line or of a run of blank ones, and with the cube of the length of a number in a symmetry
    operation: 5,000 digits take hours. The time of its sites grows with the square of their
    number: 10,000 take ten seconds.

    Parameters
    ----------
    text
        Of the file.
    most_atoms
        Rows of the loops of sites, before symmetry multiplies them: the atoms of the parsed cell
        are to be counted again.

    Raises
    ------
    StructureError
        Naming the line.
    LimitError
        If there are more sites.
    """
    blank = 0
    for number, line in enumerate(text.splitlines(), 1):
        blank = 0 if line.strip() else blank + 1
        if blank > _MOST_BLANK_LINES:
            raise StructureError(f"line {number}: more than {_MOST_BLANK_LINES} blank lines")
        if len(line) > _LONGEST_LINE:
            raise StructureError(f"line {number}: {len(line):,} characters")
        if found := _NUMBER.search(line):
            raise StructureError(f"line {number}: a number of {len(found[0])} digits")
    rows = sum(_rows_of_sites(text))
    if rows > most_atoms:
        raise LimitError(f"{rows:,} sites; limits.atoms allows {most_atoms:,}")


def _rows_of_sites(text: str) -> Iterator[int]:
    """Rows of each loop of sites: its values by its columns, wherever lines are broken."""
    columns, values, heading, sites = 0, 0, False, False
    for word in _words(text):
        if word.startswith("loop_") or (word.startswith("_") and not heading):
            if sites:
                yield values // columns
            columns, values, heading, sites = 0, 0, word.startswith("loop_"), False
        elif word.startswith("_"):
            columns += 1
            sites |= word.startswith(_SITES)
        else:
            heading = False
            values += 1
    if sites:
        yield values // columns


def _words(text: str) -> Iterator[str]:
    """Words of the lines, as pymatgen sees them: without comments, and ASCII only."""
    for line in text.splitlines():
        for word in line.split():
            if word.startswith("#"):
                break
            yield word.encode("ascii", "ignore").decode("ascii")
