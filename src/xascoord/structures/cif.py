"""What a CIF must not hold before a parser is given it."""

from __future__ import annotations

import re

from xascoord.core.errors import StructureError

_LONGEST = 40  # digits; what programs write has up to 17
_NUMBER = re.compile(rf"[\d.]{{{_LONGEST + 1},}}")


def check_cif(text: str) -> None:
    """Look for numbers that no program writes.

    pymatgen takes symmetry operations apart by an expression whose time grows with the cube of the
    length of a number: one of 5,000 digits takes hours.

    Parameters
    ----------
    text
        Of the file.

    Raises
    ------
    StructureError
        Naming the line.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if found := _NUMBER.search(line):
            raise StructureError(f"line {number}: a number of {len(found[0])} digits")
