"""What a CIF must not hold before a parser is given it."""

from __future__ import annotations

import re

from xascoord.core.errors import StructureError

_LONGEST_NUMBER = 40  # digits; what programs write has up to 17
_LONGEST_LINE = 4_096  # characters; the standard (CIF 1.1) allows 2,048
_MOST_BLANK_LINES = 100  # one after the other
_NUMBER = re.compile(rf"[\d.]{{{_LONGEST_NUMBER + 1},}}")


def check_cif(text: str) -> None:
    """Look for lines that no program writes.

    pymatgen takes a CIF apart by expressions whose time grows with the square of the length of a
    line or of a run of blank ones, and with the cube of the length of a number in a symmetry
    operation: 5,000 digits take hours.

    Parameters
    ----------
    text
        Of the file.

    Raises
    ------
    StructureError
        Naming the line.
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
