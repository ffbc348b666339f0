"""A crystal in three dimensions: the absorber, its coordination shell, what lies about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.web.crystals import Site
from xascoord.web.figures import COLOURS, INK, empty

Array = npt.NDArray[np.float64]
_FLAT = 0.3  # angstrom: a shell this flat is no polyhedron
_COLOURS = {"O": "#d62f2f", "H": "#c9c9c9", "S": "#d8b400", "P": "#e08a2c", "Si": "#c9a26b",
            "C": "#555555", "F": "#7fb560", "Cl": "#4fae4f"}  # fmt: skip
_OTHERS = ("#7a8fb8", "#9a7fb8", "#6fa8a0", "#b0897a", "#8b9a5b", "#5f7f95")


def crystal_figure(site: Site | None) -> dict[str, Any]:
    """The surroundings of a site, to be turned and zoomed.

    Parameters
    ----------
    site
        With its atoms, the absorber first; None: nothing is known.
    """
    if site is None or not site.species:
        return empty("No structure is known for it here.", 300)
    others = sorted(set(site.species) - {site.element} - set(_COLOURS))
    colours = {**_COLOURS, **{e: _OTHERS[i % 6] for i, e in enumerate(others)}}
    colours[site.element] = COLOURS[0]
    data = [*_polyhedron(site), _cell(site), _bonds(site)]
    near = {0, *site.shell}
    for element in dict.fromkeys(site.species):
        for close in (True, False):
            own = [i for i, e in enumerate(site.species)
                   if e == element and (i in near) == close and i > 0]  # fmt: skip
            if own:
                data.append(_atoms(site, own, element, colours[element], close))
    data.append(_atoms(site, [0], f"{site.element} (absorber)", COLOURS[0], True, 15))
    hidden = {"visible": False}
    scene = {
        "xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "data",
        "dragmode": "turntable", "camera": {"eye": {"x": 0.95, "y": 0.75, "z": 0.45}},
    }  # fmt: skip
    return {
        "data": data,
        "layout": {
            "height": 300, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "scene": scene,
            "paper_bgcolor": "white", "uirevision": f"{site.material}/{site.index}",
            "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
            "legend": {"x": 0, "y": 1, "bgcolor": "rgba(255,255,255,0.6)",
                       "itemsizing": "constant"},
        },
    }  # fmt: skip


def _atoms(
    site: Site, own: list[int], name: str, colour: str, close: bool, size: int = 9
) -> dict[str, Any]:
    x, y, z = np.round(site.positions[own], 3).T.tolist()
    distances = np.linalg.norm(site.positions[own], axis=1)
    return {
        "type": "scatter3d", "mode": "markers", "x": x, "y": y, "z": z,
        "name": name if close else f"{name}, farther",
        "text": [f"{site.species[i]}, {d:.2f} Å" for i, d in zip(own, distances, strict=True)],
        "hoverinfo": "text", "showlegend": close,
        "marker": {"size": size if close else 5, "color": colour, "opacity": 1 if close else 0.35,
                   "line": {"color": INK, "width": 1 if close else 0}},
    }  # fmt: skip


def _bonds(site: Site) -> dict[str, Any]:
    points: list[list[float | None]] = []
    for i in site.shell:
        points += [[0.0, 0.0, 0.0], site.positions[i].tolist(), [None] * 3]
    x, y, z = zip(*points, strict=True) if points else ((), (), ())
    return {
        "type": "scatter3d", "mode": "lines", "x": x, "y": y, "z": z, "hoverinfo": "skip",
        "line": {"color": INK, "width": 5}, "showlegend": False,
    }  # fmt: skip


def _cell(site: Site) -> dict[str, Any]:
    """Edges of the unit cell, with the absorber in its middle."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) - 0.5
    points: list[list[float | None]] = []
    for a in range(8):
        for b in range(a + 1, 8):
            if np.abs(corners[a] - corners[b]).sum() == 1:
                ends = (corners[[a, b]] @ site.lattice).tolist()
                points += [*ends, [None] * 3]
    x, y, z = zip(*points, strict=True)
    return {
        "type": "scatter3d", "mode": "lines", "x": x, "y": y, "z": z, "hoverinfo": "skip",
        "line": {"color": "#9aa5ae", "width": 2}, "name": "unit cell", "visible": "legendonly",
    }  # fmt: skip


def _polyhedron(site: Site) -> list[dict[str, Any]]:
    """Faces of the coordination shell, where it is not flat."""
    from scipy.spatial import ConvexHull, QhullError

    corners: Array = site.positions[list(site.shell)]
    if len(corners) < 4:
        return []
    if np.linalg.svd(corners - corners.mean(axis=0), compute_uv=False)[-1] < _FLAT:
        return []
    try:
        faces = ConvexHull(corners).simplices
    except QhullError:
        return []
    (x, y, z), (i, j, k) = np.round(corners, 3).T.tolist(), faces.T.tolist()
    return [{
        "type": "mesh3d", "x": x, "y": y, "z": z, "i": i, "j": j, "k": k, "color": COLOURS[5],
        "opacity": 0.35, "hoverinfo": "skip", "flatshading": True, "showlegend": False,
    }]  # fmt: skip


def alt_crystal(site: Site | None) -> str:
    """The picture in words."""
    if site is None or not site.species:
        return "No structure is known for the nearest computed spectrum."
    lengths = np.linalg.norm(site.positions[list(site.shell)], axis=1)
    shell = ", ".join(
        f"{site.species[i]} at {d:.2f} Å" for i, d in zip(site.shell, lengths, strict=True)
    )
    return (
        f"{site.element} in {site.mineral or site.formula} with {len(site.shell)} neighbours: "
        f"{shell}."
    )
