"""Answers as a tab keeps them: rows of the table, small pictures, tables to take along."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.prediction.answer import Answer
from xascoord.prediction.output import COLUMNS, csv_row
from xascoord.web.figures import bars
from xascoord.web.words import plain, sentence

Row = dict[str, Any]
_POINTS = 80  # of a spectrum in a small picture
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def row_of(answer: Answer, file: str, key: str, place: int) -> Row:
    """One answer as JSON values.

    Parameters
    ----------
    answer
        Of one spectrum.
    file
        Name of the file, fit to be shown.
    key, place
        By which the tab finds the file again, and which spectrum of it this is.
    """
    best, record = answer.best, answer.record()
    near = answer.nearest[0] if answer.nearest else None
    curve = None if answer.seen is None else _thinned(answer.seen.features)
    return {
        "id": f"{key}/{place}",
        "key": key,
        "place": place,
        "file": file,
        "spectrum": answer.name,
        "element": answer.element,
        "answer": best.words if best else "no answer",
        "probability": round(best.probability, 4) if best else None,
        "cn": best.number if best else None,
        "cn_probability": round(best.cn_probability, 4) if best else None,
        "kind": answer.likeliest_kind[0] if answer.likeliest_kind else "",
        "reference": answer.references[0].reference.compound if answer.references else "",
        "set": " or ".join(map(str, answer.certain)) if answer.certain and best else "",
        "e0": record["e0"],
        "distance": record["distance"],
        "reason": sentence(answer.abstains),
        "warnings": " ".join(map(sentence, answer.warnings)),
        "sentence": plain(answer.sentence()),
        "bars": [[words, round(share, 4)] for words, share in bars(answer)],
        "numbers": record["coordination"] if best else {},
        "curve": curve,
        "near": None if near is None or curve is None else _thinned(near.features),
        "near_name": near.spectrum if near else "",
        "picture": "" if curve is None else data_uri(sparkline(curve)),
        "record": record,
    }


def refused(file: str, key: str, reason: str, classifier: str = "") -> Row:
    """The row of a file of which nothing could be read."""
    return row_of(Answer(file, "", classifier, abstains=plain(reason)), file, key, 0)


def _thinned(values: npt.NDArray[np.float64]) -> list[float]:
    places = np.linspace(0, len(values) - 1, min(_POINTS, len(values)))
    return [round(float(v), 3) for v in np.interp(places, np.arange(len(values)), values)]


def polyline(curve: Sequence[float], width: int, height: int, style: str) -> str:
    """A line of an SVG; 1 is the top, 0 the bottom, with a little space."""
    top = max(1.0, *curve)
    step = width / max(1, len(curve) - 1)
    points = " ".join(
        f"{i * step:.1f},{height - 2 - (height - 4) * max(0.0, v) / top:.1f}"
        for i, v in enumerate(curve)
    )
    return f'<polyline fill="none" {style} points="{points}"/>'


def sparkline(curve: Sequence[float], width: int = 110, height: int = 32) -> str:
    """A small picture of a window, as SVG."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
        + polyline(curve, width, height, 'stroke="#0072B2" stroke-width="1.5"')
        + "</svg>"
    )


def data_uri(svg: str) -> str:
    """An SVG as the address of a picture."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """What ``xascoord predict --json`` writes, for all files."""
    return json.dumps([{"file": row["file"], **row["record"]} for row in rows], indent=1) + "\n"


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """The table of ``xascoord predict FOLDER``; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = csv_row(row["file"], row["record"])
        writer.writerow({name: _no_formula(value) for name, value in cells.items()})
    return out.getvalue()


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
