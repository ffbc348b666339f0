"""What stands where on the page."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash_ag_grid import AgGrid

from xascoord.core.elements import ELEMENTS
from xascoord.measured.read import CHANNELS, SUFFIXES
from xascoord.settings.limits import Limits
from xascoord.settings.models import ERROR_RATES, Prediction
from xascoord.web.figures import empty
from xascoord.web.models_page import models_page
from xascoord.web.panels import start_panel

MOST_FILES = 500
_GRAPH = {"displaylogo": False, "responsive": True, "displayModeBar": False}
_CHANNEL_WORDS = {"auto": "as the file offers", "mu": "μ as given"}
REACH = 10.0  # eV that the slider moves e0
_COLUMNS: list[dict[str, Any]] = [
    {"field": "picture", "headerName": "", "cellRenderer": "Picture", "width": 130,
     "sortable": False, "filter": False},
    {"field": "spectrum", "headerName": "spectrum", "flex": 2, "minWidth": 170,
     "tooltipField": "spectrum"},
    {"field": "element", "headerName": "element", "width": 115},
    {"field": "cn", "headerName": "number", "width": 110, "filter": "agNumberColumnFilter"},
    {"field": "cn_probability", "headerName": "probability", "width": 130,
     "filter": "agNumberColumnFilter",
     "valueFormatter": {"function": "params.value == null ? '' : d3.format('.0%')(params.value)"}},
    {"field": "set", "headerName": "set", "width": 95},
    {"field": "answer", "headerName": "environment", "flex": 2, "minWidth": 190,
     "tooltipField": "answer"},
    {"field": "probability", "headerName": "of environment", "width": 130,
     "filter": "agNumberColumnFilter",
     "valueFormatter": {"function": "params.value == null ? '' : d3.format('.0%')(params.value)"}},
    {"field": "kind", "headerName": "kind", "flex": 1, "minWidth": 130, "tooltipField": "kind"},
    {"field": "reference", "headerName": "nearest reference", "flex": 1, "minWidth": 150,
     "tooltipField": "reference"},
    {"field": "e0", "headerName": "e0 / eV", "width": 115, "filter": "agNumberColumnFilter",
     "valueFormatter": {"function": "params.value == null ? '' : d3.format('.1f')(params.value)"}},
    {"field": "distance", "headerName": "rms", "width": 95, "filter": "agNumberColumnFilter",
     "valueFormatter": {"function": "params.value == null ? '' : d3.format('.3f')(params.value)"}},
    {"field": "reason", "headerName": "why no answer", "flex": 2, "minWidth": 140,
     "tooltipField": "reason"},
    {"field": "warnings", "headerName": "warnings", "flex": 2, "minWidth": 140,
     "tooltipField": "warnings"},
]  # fmt: skip


def page(settings: Prediction, limits: Limits, classifiers: list[str]) -> html.Div:
    """The whole page: both of its parts and what a tab keeps.

    Parameters
    ----------
    settings
        Values of the fields at the start.
    limits
        Most bytes of a file.
    classifiers
        Those there are models of.
    """
    kept = ("ask", "answered", "rows", "current", "revised", "lean", "drawn-later")
    return html.Div([
        dcc.Location(id="address"),
        *(dcc.Store(id=name) for name in kept),
        dcc.Download(id="download"),
        html.A("Skip to the answer", href="#answer", className="skip"),
        html.Header([
            html.H1("xascoord"),
            html.Nav(
                [dcc.Link("Spectra", href="/", id="to-spectra"),
                 dcc.Link("What these models are", href="/models", id="to-models")],
                **{"aria-label": "Pages"},
            ),
            html.Small("Everything stays on this machine."),
        ]),
        html.Div(id="fault", role="alert", className="fault"),
        html.Main([
            html.Div([_aside(settings, limits, classifiers), _answer(), _many()], id="spectra",
                     className="spectra"),
            html.Div(models_page(classifiers, settings.classifier), id="models", hidden=True),
        ]),
    ])  # fmt: skip


def _aside(settings: Prediction, limits: Limits, classifiers: list[str]) -> html.Aside:
    largest = limits.file_bytes
    drop = html.Div(
        [dcc.Upload(
            [html.Button("Choose files", className="main", **{"aria-describedby": "formats"}),
             html.P("or drop them here: XDI, Athena projects, HDF5, columns; a folder as well",
                    id="formats")],
            id="upload", multiple=True, max_size=largest, className="drop",
            className_active="drop over", className_reject="drop over",
        ),
         dcc.Upload(html.Button("Choose a folder"), id="folder", multiple=True, max_size=largest,
                    enable_folder_selection=True, className="folder")],
        id="drop",
        **{"data-bytes": str(largest), "data-files": str(MOST_FILES),
           "data-suffixes": " ".join(SUFFIXES)},
    )  # fmt: skip
    return html.Aside(
        [drop,
         html.Div(id="status", role="status", className="status"),
         html.Div(id="refused", role="alert", className="refused"),
         *_fields(settings, classifiers),
         html.Div([html.Button("Ask again for all files", id="again"),
                   html.Button("Clear", id="clear")], className="buttons")],
        **{"aria-label": "Files and fields"},
    )  # fmt: skip


def _fields(settings: Prediction, classifiers: list[str]) -> list[Any]:
    def chosen(name: str, label: str, options: list[Any], value: Any) -> html.Div:
        return html.Div([
            html.Label(label, htmlFor=name),
            dcc.Dropdown(options, value, id=name, clearable=False, searchable=len(options) > 8),
        ], className="field")  # fmt: skip

    elements = [{"label": "as the file says", "value": "auto"}, *ELEMENTS]
    channels = [{"label": _CHANNEL_WORDS.get(c, c), "value": c} for c in CHANNELS]
    rates = [{"label": f"{rate:.0%}", "value": rate} for rate in ERROR_RATES]
    marks = {-10: "−10", -5: "−5", 0: "0", 5: "5", 10: "10"}
    return [
        html.Div([
            html.Label("Move e0 / eV", htmlFor="shift", id="shift-label"),
            dcc.Slider(-REACH, REACH, 0.25, value=0, marks=marks, id="shift", included=False,
                       updatemode="mouseup"),
        ], className="field slider", role="group", **{"aria-labelledby": "shift-label"}),
        html.Div([
            html.Label("Energy zero / eV", htmlFor="e0"),
            dcc.Input(id="e0", type="number", placeholder="found", debounce=True, step="any"),
        ], className="field"),
        chosen("element", "Element", elements, "auto"),
        chosen("channel", "Channel", channels, settings.channel),
        chosen("classifier", "Classifier", classifiers, settings.classifier),
        chosen("rate", "Error rate of the set of numbers", rates, settings.error_rate),
        dcc.Checklist([{"label": " Take glitches out", "value": "deglitch"}],
                      ["deglitch"] if settings.deglitch else [], id="deglitch"),
    ]  # fmt: skip


def figure_box(name: str, title: str, height: int = 270) -> html.Figure:
    """A picture, its title, and its words for who does not see it."""
    graph = dcc.Graph(id=name, figure=empty("", height), config=_GRAPH,
                      style={"height": f"{height}px"})  # fmt: skip
    return html.Figure([html.Figcaption(title), graph], id=f"{name}-box",
                       **{"aria-label": title})  # fmt: skip


def _answer() -> html.Section:
    return html.Section([
        html.Div(start_panel(), id="answer", tabIndex=-1, **{"aria-live": "polite"}),
        html.Div([
            figure_box("mu", "As measured, with the lines of the normalisation"),
            html.Div(id="references-facts", className="card", hidden=True),
            figure_box("references", "Normalised, over the nearest measured references"),
            figure_box("window", "What the models see, over the nearest computed spectra"),
            html.Div([html.H3("Nearest computed crystal"), html.Div(id="crystal-facts")],
                     className="card"),
            figure_box("crystal", "Its absorber and coordination shell (drag to turn, wheel to "
                       "zoom)", 300),
            html.Div(id="done", className="card wide"),
        ], id="pictures", className="pictures", hidden=True),
    ], className="result", **{"aria-label": "Answer"})  # fmt: skip


def _many() -> html.Section:
    grid = AgGrid(
        id="grid", columnDefs=_COLUMNS, rowData=[], getRowId="params.data.id",
        defaultColDef={"sortable": True, "filter": True, "resizable": True},
        dashGridOptions={
            "rowSelection": {"mode": "singleRow", "checkboxes": False,
                             "enableClickSelection": True},
            "rowHeight": 40, "animateRows": False, "tooltipShowDelay": 300,
            "ensureDomOrder": True,
        },
        style={"height": "340px"}, className="ag-theme-alpine",
    )  # fmt: skip
    exports = [html.Button(text, id=f"to-{kind}") for kind, text in
               (("csv", "CSV"), ("json", "JSON"), ("report", "HTML report"))]  # fmt: skip
    by = dcc.RadioItems(
        [{"label": " order of the files", "value": "order"},
         {"label": " last number in the name", "value": "number"}],
        "order", id="series-by", inline=True,
    )  # fmt: skip
    return html.Section([
        html.Div([html.H2("All files"),
                  html.Div(exports, className="buttons", role="group",
                           **{"aria-label": "Take along"})], className="line"),
        html.Div(grid, role="region", **{"aria-label": "Table of all files"}),
        html.Details([
            html.Summary("As a series (time, temperature)"), by,
            figure_box("series", "Probability of each coordination number against file", 290),
        ], id="series-details"),
    ], id="many", hidden=True, className="many", **{"aria-label": "All files"})  # fmt: skip
