"""One HTML file to keep: every spectrum of a tab with its picture, without scripts or links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from xascoord import __version__
from xascoord.core.text import printable
from xascoord.web.rows import polyline
from xascoord.web.words import per_cent, plain

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#1c2833;max-width:64rem;margin:2rem auto}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{border-bottom:1px solid #d5dbe1;text-align:left;padding:.3rem .5rem;vertical-align:top}
section{border-top:2px solid #d5dbe1;margin-top:2rem;page-break-inside:avoid}
.bar{display:inline-block;height:.8em;background:#0072B2;margin-right:.5em}
.warn{background:#fff4d6;padding:.4rem .6rem}.no{background:#fde8e4;padding:.4rem .6rem}
small{color:#4a555e}svg{background:#fff;border:1px solid #d5dbe1}
"""


def html_report(rows: Sequence[Mapping[str, Any]], now: datetime | None = None) -> str:
    """The whole page; whatever comes from a file is escaped.

    Parameters
    ----------
    rows
        Of the table of the page.
    now
        When it was made.
    """
    made = (now or datetime.now()).strftime("%Y-%m-%d %H:%M")
    head = "".join(f"<th>{name}</th>" for name in ("file", "element", "answer", "probability"))
    lines = "".join(
        f'<tr><td><a href="#s{i}">{escape(row["spectrum"])}</a></td>'
        f"<td>{escape(row['element'])}</td><td>{escape(row['answer'])}</td>"
        f"<td>{'' if row['probability'] is None else per_cent(row['probability'])}</td></tr>"
        for i, row in enumerate(rows)
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Coordination environments, {made}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Coordination environments</h1><p>{len(rows)} spectra, {made}, xascoord "
        f"{escape(__version__)}.</p><table><tr>{head}</tr>{lines}</table>"
        + "".join(_section(i, row) for i, row in enumerate(rows))
        + "</body></html>\n"
    )


def _section(place: int, row: Mapping[str, Any]) -> str:
    record = row["record"]
    parts = [f'<section id="s{place}"><h2>{escape(row["spectrum"])}</h2>']
    kind = "no" if record["abstains"] else "said"
    parts.append(f'<p class="{kind}"><strong>{escape(row["sentence"])}</strong></p>')
    if row["warnings"]:
        parts.append(f'<p class="warn">{escape(row["warnings"])}</p>')
    if row["curve"]:
        parts.append(_picture(row))
    if not record["abstains"]:
        cells = "".join(
            f"<tr><td>{escape(words)}</td><td><span class=bar style='width:{12 * share:.2f}rem'>"
            f"</span>{per_cent(share)}</td></tr>"
            for words, share in row["bars"]
        )
        parts.append(f"<table>{cells}</table>")
    if row["set"]:
        parts.append(
            f"<p>In {per_cent(1 - record['error_rate'])} of such cases the coordination number is "
            f"{escape(row['set'])} (tested on {record['certain_basis']}).</p>"
        )
    if record["nearest_references"]:
        near = "; ".join(
            f"{one['compound']} (rms {one['distance']:.3f})" for one in record["nearest_references"]
        )
        parts.append(f"<p>Nearest measured references: {escape(printable(near))}.</p>")
    evidence = "" if record["abstains"] else record["evidence"]
    measured = [f"{record['pre_edge']}." if record["pre_edge"] else "", evidence]
    parts += [f"<p>{escape(text[0].upper() + text[1:])}</p>" for text in measured if text]
    said = [*record["known"], *record["notes"]]
    parts.append("<p><small>" + "<br>".join(escape(plain(t)) for t in said) + "</small></p>")
    return "".join(parts) + "</section>"


def _picture(row: Mapping[str, Any]) -> str:
    lines = polyline(row["curve"], 420, 180, 'stroke="#1c2833" stroke-width="2"')
    said = "The window as the models see it."
    if row["near"]:
        lines += polyline(
            row["near"], 420, 180, 'stroke="#D55E00" stroke-width="1.3" stroke-dasharray="5 3"'
        )
        said = f"The window as the models see it; dashed: nearest computed, {row['near_name']}."
    return (
        f'<svg width="420" height="180" role="img" aria-label="{escape(said)}">{lines}</svg>'
        f"<br><small>{escape(said)}</small>"
    )
