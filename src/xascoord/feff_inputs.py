"""Texts of ``feff.inp``, made by pymatgen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xascoord.settings import Demo

if TYPE_CHECKING:
    from pymatgen.core import Structure


def _text(parts: dict[str, Any]) -> str:
    order = ("HEADER", "PARAMETERS", "POTENTIALS", "ATOMS")
    return "\n\n".join(str(parts[name]) for name in order if name in parts) + "\n"


def path_expansion_input(structure: Structure, site: int, settings: Demo) -> str:
    """Input of a FEFF8L K-edge path expansion without self-consistency.

    Parameters
    ----------
    structure
        Ordered crystal.
    site
        Index of the absorber.
    settings
        Cluster radius, longest path and legs.
    """
    from pymatgen.io.feff.sets import FEFFDictSet

    tags = {
        "EDGE": "K",
        "S02": "1.0",
        "EXCHANGE": "0 0.0 0.0",
        "EXAFS": "6",
        "NLEG": str(settings.legs),
        "RPATH": f"{settings.path_length:g}",
        "CRITERIA": "4 2.5",
        "CONTROL": "1 1 1 1 1 1",
        "PRINT": "0 0 0 0 0 0",
    }
    return _text(
        FEFFDictSet(
            absorbing_atom=site,
            structure=structure,
            radius=settings.cluster_radius,
            config_dict=tags,
            edge="K",
            spectrum="EXAFS",
        ).all_input()
    )


def xanes_input(structure: Structure, site: int, radius: float) -> str:
    """Input of a full-multiple-scattering K-edge XANES run (pymatgen's MPXANESSet)."""
    from pymatgen.io.feff.sets import MPXANESSet

    return _text(MPXANESSet(site, structure, edge="K", radius=radius).all_input())
