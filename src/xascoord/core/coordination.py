"""The 12 coordination numbers and 25 coordination motifs of the label vectors.

Names are those of matminer's ``CrystalNNFingerprint.from_preset("ops")`` (Zheng et al.,
Patterns 1, 100013 (2020), Fig. S1). There is no motif for CN 9 to 11; that featurizer's q2, q4
and q6 and its weights above CN 12 are not part of the vectors.
"""

from __future__ import annotations

COORDINATION_NUMBERS: tuple[int, ...] = tuple(range(1, 13))


# fmt: off
MOTIFS_OF: dict[int, tuple[str, ...]] = {
    1: ("sgl_bd",),
    2: ("L-shaped", "water-like", "bent 120 degrees", "bent 150 degrees", "linear"),
    3: ("trigonal planar", "trigonal non-coplanar", "T-shaped"),
    4: ("square co-planar", "tetrahedral", "rectangular see-saw-like", "see-saw-like",
        "trigonal pyramidal"),
    5: ("pentagonal planar", "square pyramidal", "trigonal bipyramidal"),
    6: ("hexagonal planar", "octahedral", "pentagonal pyramidal"),
    7: ("hexagonal pyramidal", "pentagonal bipyramidal"),
    8: ("body-centered cubic", "hexagonal bipyramidal"),
    12: ("cuboctahedral",),
}

MOTIFS: tuple[tuple[int, str], ...] = tuple(
    (number, name) for number, names in MOTIFS_OF.items() for name in names
)


# Which coordination numbers have a motif task, by group (Patterns, Table 2).
MOTIF_TASKS: dict[str, tuple[int, ...]] = {
    "alkali": (3, 4, 5, 6, 7, 8),
    "alkaline_earth": (4, 5, 6, 7, 8),
    "metalloid": (3, 4),
    "carbon": (2, 3, 4),
    "transition_metal": (4, 5, 6),
    "post_transition_metal": (4, 5, 6),
}


def display_name(motif: str) -> str:
    """The name of a motif for people; ``sgl_bd`` is a single bond."""
    return "single bond" if motif == "sgl_bd" else motif


CN_TASK = "CN"


def motif_task(number: int) -> str:
    """Name of the motif step of a coordination number, as in ``tasks.csv``."""
    return f"CN_{number} motifs"


def tasks_of(group: str) -> tuple[str, ...]:
    """The steps of a group of elements: that of coordination numbers, then those of motifs."""
    return CN_TASK, *map(motif_task, MOTIF_TASKS[group])


MOTIF_CNS = (2, 3, 4, 5, 6, 7, 8)  # coordination numbers with a motif task in some group
