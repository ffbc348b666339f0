"""Answers put out one after the other, so that what is answered is there whatever comes next."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from xascoord.core.text import printable
from xascoord.prediction.answer import Answer
from xascoord.prediction.table import Row, table_row, table_text

COLUMNS = (
    "file", "spectrum", "element", "coordination_number", "cn_probability", "environment",
    "probability", "answer", "second_number", "second_probability", "p4", "p5", "p6",
    "coordination", "prediction_set", "kind", "kind_probability", "e0", "pre_edge_height",
    "pre_edge_area", "pre_edge_centroid", "white_line_height", "nearest_reference",
    "nearest_reference_distance", "nearest_computed", "distance", "abstains", "warnings",
)  # fmt: skip
_ALONE = (4, 5, 6)  # numbers that have columns of their own
_LEAST_SHOWN = 0.005


class Output:
    """A table, or a list of JSON objects, that grows with every file.

    On a terminal the table is one for people, whose columns are aligned, and so comes at the end.

    Parameters
    ----------
    path
        File to write; None: standard output.
    as_json
        JSON instead of CSV.
    """

    def __init__(self, path: Path | None, as_json: bool) -> None:
        self.path = path
        self.as_json = as_json
        self._handle: TextIO = sys.stdout
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = path.open("w", newline="", encoding="utf-8")
        self._count = 0
        self._rows: list[Row] = []
        self._error_rate: float | None = None
        self._bases: set[str] = set()
        self._on_terminal = path is None and self._handle.isatty()
        self._is_for_people = self._on_terminal and not as_json
        self._writer = csv.DictWriter(self._handle, COLUMNS, lineterminator="\n")
        if not (as_json or self._is_for_people):
            self._writer.writeheader()
            self._handle.flush()

    @property
    def is_shown_as_it_grows(self) -> bool:
        """Whether it appears on the terminal line by line, where a bar would stand in between."""
        return self._on_terminal and self.as_json

    def add(self, file: str, answers: Sequence[Answer]) -> None:
        """Put out the answers for a file."""
        for answer in answers:
            if self._is_for_people:
                self._rows.append(table_row(file, answer))
                if answer.best is not None and answer.certain:
                    self._error_rate = answer.error_rate
                    self._bases.add(answer.basis)
            elif self.as_json:
                text = json.dumps({"file": file, **answer.record()}, indent=1)
                self._handle.write(f"{',' if self._count else '['}\n{text}")
            else:
                self._writer.writerow(csv_row(file, answer.record()))
            self._count += 1
        self._handle.flush()

    def close(self) -> None:
        """End what was begun; a file of our own is closed."""
        if self._is_for_people:
            width = shutil.get_terminal_size().columns
            if self._rows:
                text = table_text(self._rows, width, self._error_rate, self._bases)
                self._handle.write(f"{text}\n")
        elif self.as_json:
            self._handle.write("\n]\n" if self._count else "[]\n")
        self._handle.flush()
        if self.path is not None:
            self._handle.close()


def csv_row(file: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the table: what is not known, or not said of a spectrum, is "".

    Parameters
    ----------
    file
        What the file is called.
    record
        Of an answer (``Answer.record``).

    Returns
    -------
    dict
        As ``COLUMNS``. Probabilities of coordination numbers stand in columns of their own for 4, 5
        and 6, and for all together as text (``6:0.80 5:0.15``). Heights are in edge steps, the
        area of the pre-edge in eV times edge steps, its centroid in eV about e0; distances are root
        mean squares, of measured references in edge steps, of computed spectra in their maximum.
    """
    row = {
        "file": file, "spectrum": record["name"], "element": record["element"],
        **_said(record), **_measured(record), "e0": record["e0"],
        "nearest_computed": next((near["spectrum"] for near in record["nearest"]), ""),
        "distance": record["distance"], "abstains": record["abstains"],
        "warnings": "; ".join(record["warnings"]),
    }  # fmt: skip
    return {name: _cell(row.get(name)) for name in COLUMNS}


def _said(record: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and environment; nothing where there is no answer, so that nobody averages them."""
    if record["answer"] is None:
        return {}
    best, shares = record["alternatives"][0], record["coordination"]
    number = record["coordination_number"]
    others = [(int(n), p) for n, p in shares.items() if int(n) != number]
    second, probability = max(others, key=lambda pair: pair[1], default=(None, None))
    return {
        "coordination_number": number, "cn_probability": _share(best["cn_probability"]),
        "environment": record["environment"], "probability": _share(best["probability"]),
        "answer": record["answer"], "second_number": second,
        "second_probability": _share(probability),
        **{f"p{n}": _share(shares.get(str(n), 0.0)) for n in _ALONE},
        "coordination": " ".join(f"{n}:{p:.2f}" for n, p in shares.items() if p >= _LEAST_SHOWN),
        "prediction_set": " ".join(map(str, record["certain"] or ())),
    }  # fmt: skip


def _measured(record: Mapping[str, Any]) -> dict[str, Any]:
    """What was read off the edge and what measured references say of it."""
    kinds, descriptors = record["kinds"], record["descriptors"] or {}
    kind = max(sorted(kinds), key=lambda name: kinds[name]) if kinds else ""
    near: Mapping[str, Any] = next(iter(record["nearest_references"]), {})
    found: dict[str, Any] = {
        "kind": kind, "kind_probability": _share(kinds.get(kind)),
        "nearest_reference": near.get("compound"),
        "nearest_reference_distance": near.get("distance"),
        "white_line_height": descriptors.get("white_line_height"),
    }  # fmt: skip
    if record["pre_edge"]:  # of other elements what stands there is no pre-edge peak
        found |= {name: value for name, value in descriptors.items() if name.startswith("pre_edge")}
    return found


def _share(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.4f}"


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return printable(value) if isinstance(value, str) else value
