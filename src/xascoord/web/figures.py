"""Pictures of one answer and of a series, as plotly draws them (plain values, no library here)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.rankings import brief
from xascoord.core.text import printable
from xascoord.prediction.answer import Answer
from xascoord.settings.spectra import Window
from xascoord.spectra.window import relative_grid
from xascoord.web.words import per_cent

Array = npt.NDArray[np.float64]
Figure = dict[str, Any]
# Okabe and Ito's colours, told apart by nearly everybody; dashes say the same without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
INK, FAINT = "#1c2833", "#d5dbe1"
_ABOUT_EDGE = (-25.0, 75.0)  # eV about e0 that the picture of references shows
_BEYOND = (60.0, 120.0)  # eV beside the window that the picture of mu shows
_MOST_BARS = 6
_LEAST = 0.005


def layout(height: int, **more: Any) -> Figure:
    """What all pictures have in common."""
    axis = {"gridcolor": "#eef1f4", "zeroline": False, "linecolor": FAINT, "ticks": "outside",
            "tickcolor": FAINT, "automargin": True}  # fmt: skip
    shared = {
        "height": height, "margin": {"l": 48, "r": 12, "t": 8, "b": 40},
        "paper_bgcolor": "white", "plot_bgcolor": "white",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
        "legend": {"x": 1, "y": 0.04, "xanchor": "right", "yanchor": "bottom", "font": {"size": 11},
                   "bgcolor": "rgba(255,255,255,0.7)"},
        "xaxis": dict(axis), "yaxis": dict(axis), "hovermode": "closest",
    }  # fmt: skip
    for name, value in more.items():
        old = shared.get(name)
        shared[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else (
            value
        )  # fmt: skip
    return shared


def empty(text: str, height: int = 250) -> Figure:
    """A picture that says why there is none."""
    note = {"text": text, "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper",
            "font": {"size": 13, "color": "#5b6770"}}  # fmt: skip
    hidden = {"visible": False}
    return {"data": [], "layout": layout(height, annotations=[note], xaxis=hidden, yaxis=hidden)}


def normalisation_lines(energy: Array, mu: Array, norm: Array) -> tuple[Array, float] | None:
    """The line under the edge and the edge step that turn mu into what is normalised.

    larch's line is a + b / E, or a straight one: all that a normalisation took off is found again
    from what it gave, exactly.

    Parameters
    ----------
    energy, mu, norm
        Shape (n,): mu as read and normalised.

    Returns
    -------
    line, step
        Or None where mu was made into norm in another way.
    """
    if mu.shape != norm.shape or len(mu) < 5:
        return None
    middle = float(energy.mean())
    columns = [np.ones_like(energy), energy / middle - 1, middle / energy - 1, norm]
    found = np.linalg.lstsq(np.stack(columns, axis=1), mu, rcond=None)[0]
    step = float(found[3])
    line = np.stack(columns[:3], axis=1) @ found[:3]
    if not step or np.abs(line + step * norm - mu).max() > 1e-3 * np.ptp(mu):
        return None
    return line, step


def mu_figure(answer: Answer, energy: Array | None, mu: Array | None, window: Window) -> Figure:
    """Mu as measured, with the lines of its normalisation, e0 and the window of the models.

    Parameters
    ----------
    answer
        With its prepared spectrum.
    energy, mu
        As they were read, in eV.
    window
        Of the models.
    """
    prepared, seen = answer.prepared, answer.seen
    if prepared is None or seen is None or energy is None or mu is None:
        return empty("Nothing to draw: the spectrum was refused.")
    low, high = seen.zero + window.lower, seen.zero + window.upper
    near = (energy > low - _BEYOND[0]) & (energy < high + _BEYOND[1])
    data = [_line(energy[near], mu[near], "μ as measured", INK, "solid", 1.6)]
    lines = normalisation_lines(energy, mu, prepared.norm)
    if lines is not None:
        under, step = lines
        data.append(_line(energy[near], under[near], "pre-edge line", COLOURS[0], "dash"))
        data.append(_line(energy[near], under[near] + step, "and one edge step", COLOURS[1], "dot"))
    box = {"type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1,
           "fillcolor": "#56B4E9", "opacity": 0.13, "line": {"width": 0},
           "layer": "below"}  # fmt: skip
    zero = {"type": "line", "xref": "x", "yref": "paper", "x0": seen.zero, "x1": seen.zero,
            "y0": 0, "y1": 1, "line": {"color": COLOURS[1], "width": 1.5}}  # fmt: skip
    note = {"x": seen.zero, "y": 1, "yref": "paper", "xanchor": "right", "yanchor": "top",
            "text": f"{window.reference} {seen.zero:.1f} ", "showarrow": False,
            "font": {"size": 11}}  # fmt: skip
    return {
        "data": data,
        "layout": layout(
            270, shapes=[box, zero], annotations=[note],
            xaxis={"title": {"text": "energy / eV"}, "tickformat": "d"},
            yaxis={"title": {"text": "μ"}},
        ),
    }  # fmt: skip


def window_figure(answer: Answer, window: Window) -> Figure:
    """The window as the models see it, over the nearest computed spectra."""
    seen = answer.seen
    if seen is None:
        return empty("Nothing to draw: the spectrum was refused.")
    grid = relative_grid(window)
    data = [_line(grid, seen.features, "measured", INK, "solid", 2.2)]
    for place, near in enumerate(answer.nearest):
        name = near.spectrum.rpartition(":")[2].split("/")
        said = " ".join(name[1:2] + name[3:]) if len(name) > 3 else near.spectrum
        line = _line(grid, near.features, f"{said} (rms {near.distance:.3f})",
                     COLOURS[place % 6], DASHES[place % 6], 1.3)  # fmt: skip
        data.append({**line, "hovertext": brief(near.label)})
    return {
        "data": data,
        "layout": layout(
            270, xaxis={"title": {"text": f"energy about {window.reference} / eV"}},
            yaxis={"title": {"text": "μ / maximum"}},
        ),
    }  # fmt: skip


def references_figure(answer: Answer) -> Figure:
    """The normalised spectrum over the nearest measured references, each about its own e0."""
    prepared = answer.prepared
    if prepared is None or not answer.references:
        return empty("No measured references of this element.")
    curves = [_about_edge(prepared.energy - prepared.e0, prepared.norm)]
    data = [_line(*curves[0], "measured", INK, "solid", 2.2)]
    for place, near in enumerate(answer.references):
        one = near.reference
        said = f"{printable(one.compound)} (rms {near.distance:.3f})"
        x, y = _about_edge(one.energy - one.e0, one.norm)
        data.append(_line(x, y, said, COLOURS[place % 6], DASHES[place % 6], 1.3))
    return {
        "data": data,
        "layout": layout(
            270, xaxis={"title": {"text": "energy about e0 / eV"}},
            yaxis={"title": {"text": "μ / edge step"}},
        ),
    }  # fmt: skip


def _about_edge(relative: Array, norm: Array) -> tuple[Array, Array]:
    near = (relative >= _ABOUT_EDGE[0]) & (relative <= _ABOUT_EDGE[1])
    return relative[near], norm[near]


def _line(
    x: Array, y: Array, name: str, colour: str, dash: str, width: float = 1.3
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "x": np.round(x, 3).tolist(),
        "y": np.round(y, 6).tolist(), "name": _escaped(name),
        "line": {"color": colour, "dash": dash, "width": width},
    }  # fmt: skip


def _escaped(text: str) -> str:
    """Text for plotly, which takes a little HTML for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def series_figure(rows: Sequence[Mapping[str, Any]], by: str) -> Figure:
    """Probability of each coordination number against file: a series of time or temperature.

    Parameters
    ----------
    rows
        Of the table of the page; refused ones leave a gap.
    by
        ``order`` of the files, or ``number``: the last number in their names.
    """
    places = places_of(rows, by)
    order = sorted(range(len(rows)), key=lambda i: places[i])
    numbers = sorted({int(n) for row in rows for n, p in row["numbers"].items() if p >= 0.02})
    data = []
    for place, number in enumerate(numbers):
        values = [rows[i]["numbers"].get(str(number), 0.0) if rows[i]["numbers"] else None
                  for i in order]  # fmt: skip
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": f"{number} neighbours",
            "x": [places[i] for i in order], "y": values,
            "text": [_escaped(rows[i]["spectrum"]) for i in order],
            "hovertemplate": "%{text}<br>%{y:.0%}",
            "line": {"color": COLOURS[place % 6], "dash": DASHES[place % 6]},
            "marker": {"symbol": place, "size": 7},
        })  # fmt: skip
    title = "last number in the name of the file" if by == "number" else "file, in order"
    return {
        "data": data,
        "layout": layout(
            290, showlegend=True, xaxis={"title": {"text": title}},
            yaxis={"title": {"text": "probability"}, "range": [-0.03, 1.03], "tickformat": ".0%"},
            legend={"x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"},
        ),
    }  # fmt: skip


def places_of(rows: Sequence[Mapping[str, Any]], by: str) -> list[float]:
    """Where each row stands in a series: the last number in its name, else its place."""
    found: list[float] = []
    for place, row in enumerate(rows, start=1):
        stem = re.sub(r"\.[A-Za-z]\w*$", "", str(row["file"]))
        numbers = re.findall(r"\d+(?:\.\d+)?", stem)
        found.append(float(numbers[-1]) if by == "number" and numbers else float(place))
    return found


def bars(answer: Answer) -> list[tuple[str, float]]:
    """Environments in words with their probabilities, the answer first; the rest as one."""
    shown = [a for a in answer.alternatives if a.probability >= _LEAST][:_MOST_BARS]
    found = [(a.words, a.probability) for a in shown]
    rest = 1.0 - sum(share for _, share in found)
    return [*found, ("others", rest)] if found and rest >= _LEAST else found


def alt_mu(answer: Answer) -> str:
    """The picture of mu in words, for who does not see it."""
    prepared = answer.prepared
    if prepared is None:
        return "No picture of mu: the spectrum was refused."
    return (
        f"Mu of {answer.name} as measured from {prepared.energy[0]:.0f} to "
        f"{prepared.energy[-1]:.0f} eV, the lines of its normalisation, and e0 at "
        f"{prepared.e0:.1f} eV."
    )


def alt_window(answer: Answer) -> str:
    """The picture of the window in words."""
    if answer.prepared is None:
        return "No picture of the window: the spectrum was refused."
    if not answer.nearest:
        return "The window of the spectrum as the models see it; no computed spectra are known."
    near = answer.nearest[0]
    return (
        f"The window of the spectrum as the models see it, over {len(answer.nearest)} nearest "
        f"computed spectra; the nearest, {near.spectrum}, {brief(near.label)}, is at rms "
        f"{near.distance:.3f}."
    )


def alt_references(answer: Answer) -> str:
    """The picture of references in words."""
    if answer.prepared is None or not answer.references:
        return "No measured references of this element."
    near = answer.references[0]
    return (
        f"The normalised spectrum over {len(answer.references)} nearest measured references; the "
        f"nearest, {printable(near.reference.compound)}, is at rms {near.distance:.3f}."
    )


def alt_bars(answer: Answer) -> str:
    """The bars in words."""
    return "Probabilities: " + "; ".join(f"{w} {per_cent(p)}" for w, p in bars(answer)) + "."
