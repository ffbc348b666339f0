"""What happens on the page: which part answers to which."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update, set_props
from dash.exceptions import PreventUpdate

from xascoord.core.errors import XascoordError
from xascoord.prediction.answer import Answer
from xascoord.web import rows as tables
from xascoord.web.asking import Asked, Asker
from xascoord.web.crystal_figure import alt_crystal, crystal_figure
from xascoord.web.crystals import Crystals, Site
from xascoord.web.figures import (
    alt_mu,
    alt_references,
    alt_window,
    mu_figure,
    references_figure,
    series_figure,
    window_figure,
)
from xascoord.web.models_page import element_card, periodic_table
from xascoord.web.panels import (
    answer_panel,
    crystal_facts,
    done_panel,
    references_panel,
    start_panel,
)
from xascoord.web.received import content_of, wishes_of
from xascoord.web.report import html_report
from xascoord.web.words import shown_name, unexpected

_LOG = logging.getLogger(__name__)
_FIELDS = ("element", "channel", "classifier", "rate", "deglitch")
_PARTS = 13  # pictures of one spectrum and what is said beside them


def register(app: Dash, asker: Asker, crystals: Crystals) -> None:
    """Tie the parts of the page to what they show.

    Parameters
    ----------
    app
        With its layout.
    asker, crystals
        What is known.
    """
    _in_the_browser(app)
    _answers(app, asker, crystals)
    _of_many(app)
    _models(app, asker)


def _answers(app: Dash, asker: Asker, crystals: Crystals) -> None:
    fields = [Input(name, "value") for name in ("shift", "e0", *_FIELDS)]

    @app.callback(Output("answered", "data"), Input("ask", "data"), prevent_initial_call=True)
    def answered(asked: Any) -> Any:
        return answer_file(asker, asked)

    @app.callback(
        Output("answer", "children"), Output("mu", "figure"), Output("mu-box", "aria-label"),
        Output("window", "figure"), Output("window-box", "aria-label"),
        Output("drawn-later", "data"), Output("crystal-box", "aria-label"),
        Output("crystal-facts", "children"), Output("done", "children"),
        Output("references", "figure"), Output("references-box", "aria-label"),
        Output("references-box", "hidden"), Output("references-facts", "children"),
        Output("references-facts", "hidden"),
        Output("pictures", "hidden"), Output("revised", "data"),
        Input("current", "data"), *fields, prevent_initial_call=True,
    )  # fmt: skip
    def shown(current: Any, *values: Any) -> Any:
        named = dict(zip(("shift", "e0", *_FIELDS), values, strict=True))
        return show(asker, crystals, current, named)


def _of_many(app: Dash) -> None:
    @app.callback(
        Output("series", "figure"), Input("lean", "data"), Input("series-by", "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def series(lean: Any, by: Any) -> Any:
        return series_figure(lean or [], str(by))

    @app.callback(
        Output("download", "data"),
        *(Input(f"to-{kind}", "n_clicks") for kind in ("csv", "json", "report")),
        State("rows", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def taken_along(_csv: Any, _json: Any, _report: Any, kept: Any) -> Any:
        if not ctx.triggered_id or not kept:
            raise PreventUpdate
        return export(str(ctx.triggered_id), kept)


def _in_the_browser(app: Dash) -> None:
    def own(name: str, *parts: Any) -> None:
        app.clientside_callback(
            ClientsideFunction("page", name), *parts, prevent_initial_call=name != "turn"
        )

    own(
        "pump", Output("rows", "data"), Output("status", "children"),
        Input("upload", "contents"), Input("folder", "contents"), Input("answered", "data"),
        Input("revised", "data"), Input("again", "n_clicks"), Input("clear", "n_clicks"),
        State("upload", "filename"), State("folder", "filename"),
        *(State(name, "value") for name in _FIELDS),
    )  # fmt: skip
    own(
        "choose", Output("current", "data"), Output("shift", "value"), Output("e0", "value"),
        Input("grid", "selectedRows"), Input("rows", "data"), State("current", "data"),
    )  # fmt: skip
    own(
        "table", Output("grid", "rowData"), Output("many", "hidden"),
        Output("grid", "selectedRows"), Output("lean", "data"), Output("grid", "style"),
        Input("rows", "data"), Input("current", "data"),
    )  # fmt: skip
    own(
        "turn", Output("spectra", "hidden"), Output("models", "hidden"),
        Output("to-spectra", "className"), Output("to-models", "className"),
        Input("address", "pathname"),
    )  # fmt: skip
    # The first picture in three dimensions takes a second: the sentence does not wait for it.
    own("later", Output("crystal", "figure"), Input("drawn-later", "data"))
    own("look", Output("card", "title"), Input("card", "children"))


def _models(app: Dash, asker: Asker) -> None:
    @app.callback(
        Output("table", "children"), Output("card", "children"),
        Input("address", "pathname"), Input("models-classifier", "value"),
        Input({"type": "element", "symbol": ALL}, "n_clicks"), State("card", "children"),
    )  # fmt: skip
    def models(address: Any, classifier: Any, clicks: Any, card: Any) -> Any:
        if address != "/models" or classifier not in asker.classifiers:
            raise PreventUpdate
        which = ctx.triggered_id
        predictor = asker.predictor(classifier)
        if not isinstance(which, Mapping):
            # The page anew, or another classifier; buttons that came into being are no clicks.
            if not which and card:
                raise PreventUpdate
            return asker.in_turn(periodic_table, predictor), []
        if not any(clicks):
            raise PreventUpdate
        symbol = str(which["symbol"])
        return (
            asker.in_turn(periodic_table, predictor, symbol),
            asker.in_turn(element_card, predictor, symbol),
        )


def fault(error: Exception) -> None:
    """A fault of ours anywhere is one sentence on the page, and a traceback for us."""
    _LOG.error("a fault of the page", exc_info=error)
    set_props("fault", {"children": unexpected(error)})


def answer_file(asker: Asker, asked: Any) -> dict[str, Any]:
    """Rows for one uploaded file; whatever goes wrong with it is a row too.

    Parameters
    ----------
    asker
        Of the models.
    asked
        What the browser sent: ``key, name, content, wishes``.
    """
    if not isinstance(asked, Mapping):
        raise PreventUpdate
    key, name = str(asked.get("key")), str(asked.get("name"))
    file, found = _asked(asker, asked, asked.get("wishes") or {})
    if isinstance(found, str):
        return {"key": key, "rows": [tables.refused(shown_name(name), key, found)]}
    rows = [tables.row_of(one.answer, file, key, i) for i, one in enumerate(found)]
    return {"key": key, "rows": rows}


def _asked(
    asker: Asker, file: Mapping[str, Any], wishes: Mapping[str, Any], place: int | None = None
) -> tuple[str, list[Asked] | str]:
    """Name of a file and its answers, or why there are none."""
    name = shown_name(file.get("name"))
    try:
        content = content_of(file.get("content"), asker.limits)
        return name, asker.ask(content, name, wishes_of(wishes, asker.classifiers), place)
    except XascoordError as error:
        return name, str(error)
    except Exception as error:  # a fault of ours in one file must not cost the others
        _LOG.error("a fault of the page", exc_info=error)
        return name, unexpected(error)


def show(
    asker: Asker, crystals: Crystals, current: Any, fields: Mapping[str, Any]
) -> tuple[Any, ...]:
    """All that is shown of one spectrum, with the fields as they are now.

    Parameters
    ----------
    asker, crystals
        What is known.
    current
        The spectrum: ``key, place, name, content``; None: none.
    fields
        Values of the fields by their names.
    """
    if not isinstance(current, Mapping):
        return (start_panel(), *(no_update,) * _PARTS, True, no_update)
    set_props("fault", {"children": ""})
    key, place = str(current.get("key")), int(current.get("place") or 0)
    file, found = _asked(asker, current, fields, place)
    if isinstance(found, str):
        row = {**tables.refused(file, key, found), "id": current["id"], "place": place}
        return (
            answer_panel(Answer(file, "", "", abstains=found), file),
            *(no_update,) * _PARTS, True, row,
        )  # fmt: skip
    (one,) = found
    row = tables.row_of(one.answer, file, key, place)
    return (answer_panel(one.answer, file), *_pictures(asker, crystals, one, row["id"]), row)


def _pictures(asker: Asker, crystals: Crystals, one: Asked, name: str) -> tuple[Any, ...]:
    answer = one.answer
    if answer.seen is None:
        return (*(no_update,) * _PARTS, True)
    window = answer.seen.window
    site = nearest_site(crystals, answer)
    mu = mu_figure(answer, one.energy, one.mu, window)
    mu["layout"]["uirevision"] = name  # what was zoomed stays so while the slider moves
    no_references = not answer.references
    return (
        mu, alt_mu(answer), window_figure(answer, window), alt_window(answer),
        crystal_figure(site), alt_crystal(site), crystal_facts(answer, site),
        done_panel(answer), references_figure(answer), alt_references(answer), no_references,
        references_panel(answer), no_references, False,
    )  # fmt: skip


def nearest_site(crystals: Crystals, answer: Answer) -> Site | None:
    """The site behind the nearest computed spectrum of an answer."""
    if not answer.nearest:
        return None
    near = answer.nearest[0]
    number = near.label.split()[0].removeprefix("CN_") if near.label else ""
    return crystals.site(near.spectrum, int(number) if number.isdigit() else 0)


def export(kind: str, kept: list[dict[str, Any]]) -> dict[str, str]:
    """A file to take along.

    Parameters
    ----------
    kind
        ``to-csv``, ``to-json`` or ``to-report``.
    kept
        Rows of the tab.
    """
    stamp = datetime.now().strftime("%Y%m%d_%H%M")
    makers: dict[str, tuple[Callable[[list[dict[str, Any]]], str], str, str]] = {
        "to-csv": (tables.as_csv, "csv", "text/csv"),
        "to-json": (tables.as_json, "json", "application/json"),
        "to-report": (html_report, "html", "text/html"),
    }
    make, suffix, mime = makers[kind]
    return {"content": make(kept), "filename": f"xascoord_{stamp}.{suffix}", "type": mime}
