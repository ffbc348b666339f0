"""The 33 absorbers of the method, their groups and their K edges.

Source: Zheng et al., Patterns 1, 100013 (2020), Fig. 1 and Table 2.
"""

from __future__ import annotations

from functools import cache

# fmt: off
GROUPS: dict[str, tuple[str, ...]] = {
    "alkali": ("Li", "Na", "K", "Rb"),
    "alkaline_earth": ("Be", "Mg", "Ca", "Sr"),
    "metalloid": ("B", "Si", "Ge"),
    "carbon": ("C",),
    "transition_metal": (
        "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn",
        "Y", "Zr", "Nb", "Mo", "Pd", "Ag", "Cd",
    ),
    "post_transition_metal": ("Al", "Ga", "In", "Sn"),
}


# Elements that models may learn together: all of a pool are of one group, so of the same tasks.
POOLS: dict[str, tuple[str, ...]] = {
    "alkali": GROUPS["alkali"],
    "alkaline_earth": GROUPS["alkaline_earth"],
    "metalloid": GROUPS["metalloid"],
    "3d_metal": ("Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn"),
    "4d_metal": ("Y", "Zr", "Nb", "Mo", "Pd", "Ag", "Cd"),
    "post_transition_metal": GROUPS["post_transition_metal"],
}
POOL_NAMES: tuple[str, ...] = tuple(POOLS)


# By atomic number, as the paper lists them (Tc, Ru and Rh are always six-coordinated).
ELEMENTS: tuple[str, ...] = (
    "Li", "Be", "B", "C", "Na", "Mg", "Al", "Si", "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe",
    "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Pd", "Ag", "Cd",
    "In", "Sn",
)
GROUP_OF: dict[str, str] = {
    element: group for group, elements in GROUPS.items() for element in elements
}


# Formal charge used where a bond length has to be guessed (demo structures only).
TYPICAL_VALENCE: dict[str, int] = {
    **dict.fromkeys(("Li", "Na", "K", "Rb", "Ag"), 1),
    **dict.fromkeys(("Be", "Mg", "Ca", "Sr", "Mn", "Co", "Ni", "Cu", "Zn", "Pd", "Cd"), 2),
    **dict.fromkeys(("B", "Al", "Sc", "Cr", "Fe", "Ga", "Y", "In"), 3),
    **dict.fromkeys(("C", "Si", "Ti", "V", "Ge", "Zr", "Mo", "Sn"), 4),
    "Nb": 5,
}


def group_of(name: str) -> str:
    """Group of an element, or of the elements of a pool."""
    return GROUP_OF[POOLS.get(name, (name,))[0]]


@cache
def k_edge_energy(element: str) -> float:
    """Tabulated K-edge energy of an element.

    Parameters
    ----------
    element
        Element symbol.

    Returns
    -------
    float
        Energy in eV (Elam tables, through xraydb).
    """
    from xraydb import xray_edge

    return float(xray_edge(element, "K").energy)
