"""Answers put out one after the other, so that what is answered is there whatever comes next."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from xascoord.core.text import printable
from xascoord.prediction.answer import Answer

COLUMNS = (
    "file", "spectrum", "element", "answer", "probability", "cn_probability", "e0", "distance",
    "abstains", "warnings",
)  # fmt: skip


class Output:
    """A table, or a list of JSON objects, that grows with every file.

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
        self._writer = csv.DictWriter(self._handle, COLUMNS, lineterminator="\n")
        if not as_json:
            self._writer.writeheader()
            self._handle.flush()

    @property
    def is_shown_as_it_grows(self) -> bool:
        """Whether it appears on the terminal line by line, where a bar would stand in between."""
        return self.path is None and self._handle.isatty()

    def add(self, file: str, answers: Sequence[Answer]) -> None:
        """Put out the answers for a file."""
        for answer in answers:
            if self.as_json:
                text = json.dumps({"file": file, **answer.record()}, indent=1)
                self._handle.write(f"{',' if self._count else '['}\n{text}")
            else:
                self._writer.writerow(_line(file, answer))
            self._count += 1
        self._handle.flush()

    def close(self) -> None:
        """End what was begun; a file of our own is closed."""
        if self.as_json:
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
