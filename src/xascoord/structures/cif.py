"""What a CIF must not hold before a parser is given it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from xascoord.core.errors import OF_THE_MACHINE, LimitError, StructureError

_LONGEST_NUMBER = 40  # digits; what programs write has up to 17
_LONGEST_LINE = 4_096  # characters; the standard (CIF 1.1) allows 2,048
_MOST_BLANK_LINES = 100  # one after the other
_NUMBER = re.compile(rf"[\d.]{{{_LONGEST_NUMBER + 1},}}")
_SITES = "_atom_site_fract_"  # of the loops of sites: x, y, z
_OPERATIONS = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz")
_MOST_OPERATIONS = 192  # of a space group
_SPECIAL = 10  # images of a site that may fall together, where all of a cell are counted


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
        Bound of the rows of the loops of sites and of operations, and of a tenth of their product:
        at special positions several images are one atom, so those of the cell are to be counted
        again when it is parsed.

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
    loops = list(_loops(text))
    sites, operations = _rows(loops, _SITES), _rows(loops, *_OPERATIONS)
    for what, rows in (("sites", sites), ("symmetry operations", operations)):
        if rows > most_atoms:
            raise LimitError(f"{rows:,} {what}; limits.atoms allows {most_atoms:,}")
    if sites * max(operations, _MOST_OPERATIONS) > _SPECIAL * most_atoms:
        images = sites * _count_operations(text)
        if images > _SPECIAL * most_atoms:
            raise LimitError(
                f"{images:,} images of {sites:,} sites; limits.atoms allows {most_atoms:,} atoms"
            )


def _count_operations(text: str) -> int:
    """Symmetry operations, listed or of the space group named; of several crystals the most."""
    from pymatgen.io.cif import CifFile, CifParser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser = CifParser.from_str(text)
            blocks = CifFile.from_str(text).data.values()
            return max(len(parser.get_symops(block)) for block in blocks)
    except OF_THE_MACHINE:
        raise
    except Exception as error:  # pymatgen raises many kinds on malformed text
        raise StructureError(f"CIF not readable: {type(error).__name__}: {error}"[:200]) from None


def _rows(loops: list[tuple[set[str], int]], *tags: str) -> int:
    """Rows of all loops that have one of some columns."""
    return sum(rows for columns, rows in loops if any(c.startswith(tags) for c in columns))


def _loops(text: str) -> Iterator[tuple[set[str], int]]:
    """Columns and number of rows of each loop, wherever its lines are broken."""
    columns: list[str] = []
    values, heading = 0, False
    for word in _words(text):
        if word.startswith("loop_") or (word.startswith("_") and not heading):
            if columns:
                yield set(columns), values // len(columns)
            columns, values, heading = [], 0, word.startswith("loop_")
        elif word.startswith("_"):
            columns.append(word)
        else:
            heading = False
            values += 1
    if columns:
        yield set(columns), values // len(columns)


def _words(text: str) -> Iterator[str]:
    """Words of the lines, as pymatgen sees them: without comments, ASCII only, quoted ones one."""
    for line in text.splitlines():
        quote, quoted = "", []
        for word in line.split():
            if word.startswith("#"):
                break
            if quote:
                quoted.append(word)
            elif word[0] in "'\"" and not (len(word) > 1 and word.endswith(word[0])):
                quote = word[0]
                yield word
            else:
                yield word.encode("ascii", "ignore").decode("ascii")
            if quoted and word.endswith(quote):
                quote, quoted = "", []
        yield from quoted  # of a quotation that does not end
