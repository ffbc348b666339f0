"""Answers put out one after the other, so that what is answered is there whatever comes next."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from xascoord.core.text import printable
from xascoord.prediction.answer import Answer
from xascoord.prediction.table import Row, table_row, table_text

COLUMNS = (
    "file", "spectrum", "element", "answer", "probability", "cn_probability", "e0", "distance",
    "abstains", "warnings",
)  # fmt: skip


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
                if answer.certain:
                    self._error_rate = answer.error_rate
            elif self.as_json:
                text = json.dumps({"file": file, **answer.record()}, indent=1)
                self._handle.write(f"{',' if self._count else '['}\n{text}")
            else:
                self._writer.writerow(_line(file, answer))
            self._count += 1
        self._handle.flush()

    def close(self) -> None:
        """End what was begun; a file of our own is closed."""
        if self._is_for_people:
            width = shutil.get_terminal_size().columns
            if self._rows:
                self._handle.write(f"{table_text(self._rows, width, self._error_rate)}\n")
        elif self.as_json:
            self._handle.write("\n]\n" if self._count else "[]\n")
        self._handle.flush()
        if self.path is not None:
            self._handle.close()


def _line(file: str, answer: Answer) -> dict[str, Any]:
    record = answer.record()
    best = answer.best
    row = {
        "file": file,
        "spectrum": answer.name,
        "element": answer.element,
        "answer": best.label if best else "",
        "probability": f"{best.probability:.4f}" if best else "",
        "cn_probability": f"{best.cn_probability:.4f}" if best else "",
        "e0": record["e0"] or "",
        "distance": "" if record["distance"] is None else record["distance"],
        "abstains": answer.abstains,
        "warnings": "; ".join(answer.warnings),
    }
    return {name: printable(value) if isinstance(value, str) else value
            for name, value in row.items()}  # fmt: skip
