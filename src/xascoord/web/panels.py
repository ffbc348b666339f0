"""An answer as parts of the page."""

from __future__ import annotations

from typing import Any

from dash import html

from xascoord.core.rankings import brief
from xascoord.core.text import printable
from xascoord.prediction.answer import BY_REFERENCES, Answer, measured_at, number_or_kind
from xascoord.web.crystals import Site
from xascoord.web.figures import alt_bars, bars
from xascoord.web.words import per_cent, plain, sentence


def answer_panel(answer: Answer, file: str) -> list[Any]:
    """The sentence, warnings or the refusal, the bars, and what is known beside them.

    Parameters
    ----------
    answer
        Of one spectrum.
    file
        Name of the file, fit to be shown.
    """
    where = f" in {file}" if file != answer.name and not answer.name.startswith(file) else ""
    edge = f", {answer.element} K edge" if answer.element else ""
    parts: list[Any] = [html.P(f"{answer.name}{edge}{where}{_zero(answer)}", className="of")]
    if answer.abstains:
        parts.append(html.H2("No answer"))
        parts.append(html.P(sentence(answer.abstains), className="no"))
    else:
        parts.append(html.H2(plain(answer.sentence())))
    if answer.warnings:
        parts.append(html.Ul([html.Li(sentence(w)) for w in answer.warnings], className="warn"))
    if not answer.abstains:
        parts.append(html.Div([_bars(answer), _beside(answer)], className="ranked"))
    if answer.pre_edge:
        parts.append(html.P(sentence(answer.pre_edge), className="measured"))
    if answer.evidence and not answer.abstains:
        parts.append(html.P(answer.evidence, className="measured"))
    return parts


def start_panel() -> list[Any]:
    """What stands in place of an answer before there is a file."""
    return [
        html.H2("Drop a spectrum"),
        html.P("A K-edge XANES of an oxide, raw or normalised. What surrounds the absorber stands "
               "here: the number of neighbours, with probabilities, or why it cannot be told."),
    ]  # fmt: skip


def _zero(answer: Answer) -> str:
    """Which energy zero, where it was given by hand."""
    prepared = answer.prepared
    if prepared is None or not prepared.given_e0:
        return ""
    return f", e0 set by hand to {prepared.e0:.2f} eV"


def _bars(answer: Answer) -> html.Div:
    lines = []
    for place, (words, share) in enumerate(bars(answer)):
        lines.append(html.Div([
            html.Span(words, className="words"),
            html.Span(html.Span(style={"width": f"{100 * share:.1f}%"},
                                className="bar first" if place == 0 else "bar"),
                      className="track"),
            html.Span(per_cent(share), className="share"),
        ], className="row"))  # fmt: skip
    return html.Div(lines, className="bars", role="img", **{"aria-label": alt_bars(answer)})


def _beside(answer: Answer) -> html.Div:
    """Numbers, the set of them, the kind of compound, and the whole ranking."""
    numbers = ", ".join(
        f"{n} ({per_cent(p)})" for n, p in answer.coordination.items() if p >= 0.005
    )
    lines: list[Any] = [html.P(["Coordination number: ", html.B(numbers)])]
    if answer.certain:
        lines.append(html.P([
            f"In {per_cent(1 - answer.error_rate)} of such cases it is ",
            html.B(" or ".join(map(str, answer.certain))), f" (tested on {_basis(answer)}).",
        ]))  # fmt: skip
    elif answer.certain is None:
        lines.append(html.P("These models do not say how often which numbers are right."))
    else:
        lines.append(html.P(f"At an error rate of {answer.error_rate:.0%} no number is left."))
    if answer.likeliest_kind is not None:
        kind, share = answer.likeliest_kind
        lines.append(html.P(["Kind: ", html.B(f"{kind} ({per_cent(share)})")]))
    best = answer.best
    if best is not None and best.label != best.environment:
        lines.append(html.P(["Whole ranking: ", brief(best.label)]))
    return html.Div(lines, className="beside-bars")


def _basis(answer: Answer) -> str:
    """Whose rate of errors that of the set is, beside a sentence on how often it was right."""
    return "measured compounds" if answer.basis == BY_REFERENCES else answer.basis


def references_panel(answer: Answer) -> list[Any]:
    """The nearest measured references; nothing where there are none.

    Parameters
    ----------
    answer
        Of one spectrum.
    """
    if not answer.references:
        return []
    heads = ("compound", "number or kind", "measured at", "rms")
    lines = [
        html.Tr([
            html.Td(printable(near.reference.compound)), html.Td(printable(number_or_kind(near))),
            html.Td(printable(measured_at(near))), html.Td(f"{near.distance:.3f}"),
        ])
        for near in answer.references
    ]  # fmt: skip
    return [
        html.H3("Nearest measured references"),
        html.Table([html.Thead(html.Tr([html.Th(head) for head in heads])), html.Tbody(lines)]),
        html.P(html.Small("rms: root mean square difference, in edge steps.")),
    ]


def done_panel(answer: Answer) -> list[Any]:
    """What was done, and what the models are."""
    notes = [sentence(note) for note in answer.notes]
    if answer.prepared is not None:
        low, high = answer.prepared.energy[[0, -1]]
        notes.append(f"Measured from {low:.1f} to {high:.1f} eV.")
    if answer.shift:
        notes.append(f"Fits the nearest computed spectrum best with e0 {answer.shift:+.1f} eV.")
    if answer.nearest:
        usual, rarely = (answer.quantiles.get(q) for q in ("0.5", "0.95"))
        more = f" (usual {usual:.3f}, rarely over {rarely:.3f})" if usual and rarely else ""
        notes.append(f"Nearest computed spectrum at rms {answer.distance:.3f}{more}.")
    known = [sentence(text) for text in answer.known]
    return [
        html.H3("What was done"), html.Ul([html.Li(note) for note in notes]),
        *([html.H3("Who answers"), html.Ul([html.Li(text) for text in known])] if known else []),
    ]  # fmt: skip


def crystal_facts(answer: Answer, site: Site | None) -> list[Any]:
    """Name, formula, reference and link of the nearest computed crystal.

    Parameters
    ----------
    answer
        With its nearest computed spectra.
    site
        Of the first of them; None: no structure is known.
    """
    if not answer.nearest:
        return [html.P("These models bring no computed spectra, so none is nearest.")]
    near = answer.nearest[0]
    facts: list[Any] = [html.P([html.B(brief(near.label)), f", rms {near.distance:.3f}"])]
    if site is None:
        return [*facts, html.P(f"No structure is known here for {near.spectrum}.")]
    name = site.mineral or site.formula
    head: list[Any] = [html.B(name)]
    if site.formula and site.formula != name:
        head.append(f", {site.formula}")
    if site.substituted:
        head.append(f" (with {site.element} put in)")
    facts.insert(0, html.P(head, className="name"))
    if site.reference:
        facts.append(html.P(site.reference))
    if site.title:
        facts.append(html.P(html.Small(site.title)))
    if site.code:
        facts.append(html.P(f"American Mineralogist Crystal Structure Database, {site.code:0>7}"))
    if site.link:
        facts.append(html.P(html.A(f"{site.mineral} in the AMCSD", href=site.link, target="_blank",
                                   rel="noreferrer noopener")))  # fmt: skip
    which = "the mean over its sites; one of them is drawn" if site.index < 0 else (
        f"site {site.index}"
    )  # fmt: skip
    return [*facts, html.P(html.Small(f"{near.spectrum}: {which}."))]
