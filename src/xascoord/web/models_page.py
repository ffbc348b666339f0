"""The page that says what the models are: a periodic table, and behind each element its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from xascoord.core.errors import XascoordError
from xascoord.models.bundles import read_record
from xascoord.models.card import model_card
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.store import Entry, find_models
from xascoord.web.words import per_cent, sentence

# Rows of the periodic table, a dot where there is none; the last two stand apart.
_TABLE = """
H . . . . . . . . . . . . . . . . He
Li Be . . . . . . . . . . B C N O F Ne
Na Mg . . . . . . . . . . Al Si P S Cl Ar
K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe
Cs Ba . Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn
Fr Ra . Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
. . La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu .
. . Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr .
"""
# Darker is better; ink on the light ones, white on the dark ones.
_STEPS = ((0.95, "#084594", "white"), (0.9, "#2171b5", "white"), (0.8, "#6baed6", "#10202c"),
          (0.6, "#bdd7e7", "#10202c"), (0.0, "#eff3ff", "#10202c"))  # fmt: skip


def models_page(classifiers: list[str], classifier: str) -> list[Any]:
    """The page before anything is known; callbacks fill it."""
    return [
        html.Div([
            html.H2("What these models are"),
            html.Div([html.Label("Classifier", htmlFor="models-classifier"),
                      dcc.Dropdown(classifiers, classifier, id="models-classifier",
                                   clearable=False)], className="beside"),
        ], className="line"),
        html.P("They learnt computed K-edge spectra of crystals with oxygen and know nothing else. "
               "The figures are shares of held-out computed spectra, all of a material held out "
               "together, whose first coordination number and motif were right."),
        html.Div(id="table"),
        html.Div(id="card", tabIndex=-1, **{"aria-live": "polite"}),
    ]  # fmt: skip


def records(predictor: Predictor) -> dict[str, list[tuple[Entry, dict[str, Any] | str]]]:
    """Records of all models of a predictor's classifier; what cannot be read is a sentence."""
    classifier = predictor.settings.classifier
    found: dict[str, list[tuple[Entry, dict[str, Any] | str]]] = {}
    for element, entries in find_models(predictor.folders, classifier).items():
        for entry in entries:
            try:
                record: dict[str, Any] | str = read_record(entry.folder / f"{classifier}.skops")
            except XascoordError as error:
                record = sentence(str(error))
            found.setdefault(element, []).append((entry, record))
    return found


def held_out(record: Mapping[str, Any] | str) -> tuple[float, int] | None:
    """Share of held-out spectra that were right, of the honest split, and how many there were."""
    if isinstance(record, str):
        return None
    for scope in ("kept", "all"):
        for row in record.get("metrics", ()):
            if (row["split"], row["scope"]) == (record["split"], scope) and row["top1"] != "":
                return float(row["top1"]), int(row["spectra"])
    return None


def periodic_table(predictor: Predictor, chosen: str | None = None) -> html.Div:
    """The elements; those with models are buttons, darker the better."""
    known = records(predictor)
    cells = []
    for row, line in enumerate(_TABLE.split("\n")[1:-1], start=1):
        for column, symbol in enumerate(line.split(), start=1):
            if symbol == ".":
                continue
            place = {"gridRow": row + (row > 7), "gridColumn": column}
            if symbol in predictor.elements:
                entry = predictor.entry(symbol)
                record = next(r for e, r in known[symbol] if e == entry)
                cells.append(_button(symbol, held_out(record), place, symbol == chosen))
            else:
                cells.append(html.Div(symbol, className="cell none", style=place,
                                      **{"aria-hidden": "true"}))  # fmt: skip
    legend = html.P([
        "Right, of held-out computed spectra: ",
        *(html.Span(f"{'from ' if low else 'below '}{(low or 0.6):.0%}", className="step",
                    style={"background": back, "color": ink}) for low, back, ink in _STEPS),
    ], className="legend")  # fmt: skip
    return html.Div([
        html.Div(cells, className="periodic", role="group",
                 **{"aria-label": "Periodic table: elements with models are buttons"}),
        legend,
    ])  # fmt: skip


def _button(
    symbol: str, right: tuple[float, int] | None, place: dict[str, Any], chosen: bool
) -> html.Button:
    low = -1.0 if right is None else right[0]
    back, ink = next(((b, i) for least, b, i in _STEPS if low >= least), ("#eeeeee", "#10202c"))
    said = "not known" if right is None else f"{low:.0%}"
    return html.Button(
        [html.B(symbol), html.Small("?" if right is None else said)],
        id={"type": "element", "symbol": symbol}, className="cell" + (" chosen" if chosen else ""),
        style={**place, "background": back, "color": ink},
        **{"aria-label": f"{symbol}: {said} of held-out spectra right",
           "aria-pressed": "true" if chosen else "false"},
    )  # fmt: skip


def element_card(predictor: Predictor, element: str) -> list[Any]:
    """All that the records say of the models of an element.

    Parameters
    ----------
    predictor
        With the models.
    element
        That was clicked.
    """
    entries = records(predictor).get(element, [])
    if not entries:
        return [html.P(f"There are no models of {element}.")]
    answering = predictor.entry(element) if element in predictor.elements else None
    parts: list[Any] = [html.H3(f"Models of {element}")]
    for entry, record in entries:
        title = f"Origin: {entry.origin}" + (" (these answer)" if entry == answering else "")
        parts.append(html.H4(title))
        parts.append(html.P(entry.known()))
        if isinstance(record, str):
            parts.append(html.P(record, className="no"))
            continue
        parts.append(_facts(record))
        parts.append(html.Details([
            html.Summary("Model card"),
            # Brackets of lists are no links.
            dcc.Markdown(model_card(record, entry.known()).replace("[", "\\["),
                         className="markdown"),
        ], open=entry == answering and len(entries) == 1))  # fmt: skip
    return parts


def _facts(record: Mapping[str, Any]) -> html.Div:
    right, labels = held_out(record), str(len(record["tasks"]["CN"]["classes"]))
    told = "not known" if right is None else f"{per_cent(right[0])} of {right[1]}"
    data = record.get("data", {})
    lines: Sequence[tuple[str, str]] = (
        (
            ("Published by", record["published"]["citation"]),
            ("Labels of the first step", labels),
        )
        if "published" in record
        else (
            ("Sites learnt", str(data["site"])),
            ("Crystals", str(data["materials"])),
            ("Sources", ", ".join(data["sources"])),
            ("Engines", "; ".join(data.get("engines", ())) or "not told"),
            ("Held-out spectra right", told),
            ("Labels of the first step", labels),
        )
    )
    return html.Div(
        [html.Div([html.Span(name), html.B(value)]) for name, value in lines], className="facts"
    )
