"""Names of materials and structures: one form for one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymatgen.core import Structure
from xascoord.core.hashing import digest, rounded

CLUSTER = "cluster"  # in place of the formula, where a structure is no crystal


def normalise_material_id(text: str) -> str:
    """One form for identifiers that changed theirs: ``mp-aaaaaadw`` reads ``mp-100``.

    Numeric ids of other prefixes (``mvc-123``) and unknown forms stay as they are.
    """
    from emmet.core.mpid import AlphaID

    prefix, _, rest = text.partition("-")
    if prefix == "mp" and rest.isalpha():
        try:
            return f"mp-{int(AlphaID(text))}"
        except ValueError:
            return text
    return text


def structure_digest(structure: Structure) -> str:
    """Digest of lattice, species and positions, in the order of the sites."""
    return digest(
        [rounded(value, 5) for value in structure.lattice.matrix.ravel()],
        [str(site.species) for site in structure],
        [rounded(value, 5) for value in structure.frac_coords.ravel()],
    )
