"""Crystals of the American Mineralogist Crystal Structure Database (AMCSD).

They come with the package ``larixite``, a part of xraylarch. To cite: Downs & Hall-Wallace,
American Mineralogist 88, 247 (2003), and the paper of each crystal.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xascoord.core.errors import OF_THE_MACHINE, LimitError, SourceError, StructureError
from xascoord.core.rejections import Reason, Rejection
from xascoord.settings.limits import DEFAULT_LIMITS
from xascoord.structures.cif import check_cif

if TYPE_CHECKING:
    from pymatgen.core import Structure


_LARGEST_ATOM = 35.0  # cubic angstrom; an upper bound, to leave large cells unread
_CENTRING = {"F": 4, "I": 2, "A": 2, "B": 2, "C": 2, "R": 3}
_FULL = 0.995  # occupancy
_SAME_PLACE = 0.01  # angstrom
_PRESSURE = re.compile(
    r"\bP\s*=\s*([\d.]+)\s*(GPa|kbar|kb|MPa)|([\d.]+)\s*(GPa|kbar|kilobar)", re.I
)
_IN_GPA = {"gpa": 1.0, "kbar": 0.1, "kb": 0.1, "kilobar": 0.1, "mpa": 0.001}
_TEMPERATURE = re.compile(r"\bT\s*=\s*([\d.]+)\s*(deg)?\s*(K|C)\b", re.I)
_AMBIENT_GPA, _HOTTEST = 0.01, 350.0  # GPa, K


@dataclass(frozen=True)
class Crystal:
    """One crystal and where it is from.

    Attributes
    ----------
    material
        Name that all copies of it share.
    structure
        Primitive cell, ordered, without oxidation states.
    origin
        ``published`` (data/compounds.csv), ``amcsd``, ``mp`` (Materials Project), ``substituted``
        or ``prototype``.
    copy
        What tells a distorted copy from its original, e.g. ``-strained``; empty for an original.
    ambient
        Measured at room pressure and not hot, as far as its title says.
    mineral, reference, code, title
        As in the source; empty where there is none.
    """

    material: str
    structure: Structure
    origin: str
    copy: str = ""
    ambient: bool = True
    mineral: str = ""
    reference: str = ""
    code: str = ""
    title: str = ""

    @property
    def identifier(self) -> str:
        """Name of this copy."""
        return self.material + self.copy


def read_amcsd(
    elements: Iterable[str], most_atoms: int
) -> Iterator[tuple[Crystal | Rejection, tuple[int, int]]]:
    """Ordered oxygen compounds of some elements, by their code.

    Parameters
    ----------
    elements
        At least one of them must be in a crystal.
    most_atoms
        In the primitive cell.

    Yields
    ------
    crystal, (done, total)
        A crystal or why an entry is none.

    Raises
    ------
    SourceError
        If the database is not installed.
    """
    try:
        from larixite import get_amcsd
    except ImportError:
        raise SourceError(
            "larixite is not installed; it comes with xraylarch (./setup.sh)"
        ) from None
    database, wanted = get_amcsd(), set(elements)
    entries = {
        code: set(found)
        for code, found in sorted(database.get_cif_elems().items())
        if "O" in found and wanted & set(found)
    }
    # Codes of the table of elements whose crystals this edition leaves out.
    present = {row.id for row in database.get_all("cif")}
    codes = [code for code in entries if code in present]
    for done, code in enumerate(codes, start=1):
        try:
            yield (
                _crystal(database.get_cif(code), code, entries[code], most_atoms),
                (done, len(codes)),
            )
        except StructureError as error:
            rejection = Rejection(f"amcsd-{code}", Reason.BAD_STRUCTURE, str(error))
            yield rejection, (done, len(codes))


def _crystal(entry: Any, code: int, elements: set[str], most_atoms: int) -> Crystal:
    occupancy = entry.atoms_occupancy
    if isinstance(occupancy, list) and any(float(value) < _FULL for value in occupancy):
        raise StructureError("partially occupied sites")
    centring = _CENTRING.get(str(entry.hm_symbol).strip()[:1], 1)
    volume = entry.cell_volume
    if isinstance(volume, float) and volume / centring > _LARGEST_ATOM * most_atoms:
        raise StructureError(f"more than {most_atoms} atoms in the primitive cell")
    structure = parse_cif(entry.ciftext, most_atoms)
    found = {site.specie.symbol for site in structure}
    formula = {"H" if symbol == "D" else symbol for symbol in elements}
    if found != formula:
        lost, more = sorted(formula - found), sorted(found - formula)
        raise StructureError(
            f"formula and positions differ: {' '.join(lost) or 'none'} without position, "
            f"{' '.join(more) or 'none'} not in the formula"
        )
    publication = entry.publication
    title = re.sub(r"\s+", " ", str(entry.pub_title or "")).strip()
    author = publication.authors[0] if publication.authors else ""
    return Crystal(
        material=f"amcsd-{code}",
        structure=structure,
        origin="amcsd",
        ambient=is_ambient(title),
        mineral=str(entry.get_mineralname()),
        reference=f"{author} et al., {publication.journalname} {publication.volume}, "
        f"{publication.page_first} ({publication.year})",
        code=str(code),
        title=title,
    )


def parse_cif(text: str, most_atoms: int) -> Structure:
    """The primitive cell of the first crystal of a CIF, without oxidation states.

    Raises
    ------
    StructureError
        If it cannot be read, is disordered or too large.
    """
    from pymatgen.io.cif import CifParser

    try:
        # A primitive cell may be given by a larger one.
        check_cif(text, max(most_atoms, DEFAULT_LIMITS.atoms))
    except LimitError as error:
        raise StructureError(str(error)) from None
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            whole = CifParser.from_str(text).parse_structures(primitive=False)[0]
    except OF_THE_MACHINE:
        raise
    except Exception as error:  # pymatgen raises many kinds on malformed text
        if any("sum to > 1" in str(warning.message) for warning in said):
            raise StructureError(
                "sites coincide by symmetry, so that their occupancies add up to more than 1; if "
                "the file lists all atoms of the cell, its space group must be 'P 1'"
            ) from None
        raise StructureError(f"CIF not readable: {type(error).__name__}: {error}"[:200]) from None
    if not whole.is_ordered:
        raise StructureError("partially occupied sites")
    structure = primitive_cell(whole)
    if len(structure) > most_atoms:
        raise StructureError(f"more than {most_atoms} atoms in the primitive cell")
    structure.remove_oxidation_states()
    if "D" in structure.symbol_set:
        structure.replace_species({"D": "H"})
    return structure


def primitive_cell(structure: Structure) -> Structure:
    """The primitive cell, true to every displacement.

    pymatgen's usual tolerance of 0.25 angstrom takes a superstructure (titanite, a tilted
    perovskite) for its parent and averages the positions.
    """
    return structure.get_primitive_structure(tolerance=_SAME_PLACE)


def is_ambient(title: str) -> bool:
    """Whether the title of an entry names neither pressure nor heat."""
    for number, unit, other, other_unit in _PRESSURE.findall(title):
        try:
            if float(number or other) * _IN_GPA[(unit or other_unit).lower()] > _AMBIENT_GPA:
                return False
        except ValueError:
            continue
    for number, _, unit in _TEMPERATURE.findall(title):
        try:
            if float(number) + (273.0 if unit.upper() == "C" else 0.0) > _HOTTEST:
                return False
        except ValueError:
            continue
    return True
