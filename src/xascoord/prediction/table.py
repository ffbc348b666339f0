"""Answers for several spectra as a table that a person reads on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from xascoord.core.text import printable
from xascoord.prediction.answer import BY_COMPUTED, BY_REFERENCES, Answer

HEADS = ("spectrum", "element", "environment", "prob.", "set", "")
_WHOLE = "All columns (probabilities, descriptors, ...) as CSV: --out FILE.csv, or a pipe."
_SET = (
    "set: the coordination numbers that hold the true one at an error rate of {:.0%}, as tested on "
    "{}."
)
_GAP, _INDENT = "  ", "    "
_NARROWEST = 16  # characters
Row = tuple[str, ...]


def table_row(file: str, answer: Answer) -> Row:
    """One answer in words.

    Parameters
    ----------
    file
        What the file is called.
    answer
        Of a spectrum in it.

    Returns
    -------
    tuple
        As ``HEADS``: file (of several spectra in it, which one), absorber, first environment, its
        probability, the coordination numbers that hold the true one but for the error rate, and why
        there is no answer or what may be wrong.
    """
    best = answer.best
    which = answer.name.removeprefix(Path(file).name)
    remarks = [answer.abstains] if answer.abstains else list(answer.warnings)
    row = (
        f"{file}{which}" if which != answer.name else file,
        answer.element,
        best.words if best else "no answer",
        f"{best.probability:.0%}" if best else "",
        ", ".join(map(str, answer.certain)) if best and answer.certain else "",
        "; ".join(remarks),
    )
    return tuple(map(printable, row))


def table_text(
    rows: Sequence[Row],
    width: int,
    error_rate: float | None = None,
    bases: Collection[str] = (BY_REFERENCES,),
) -> str:
    """Rows in aligned columns, remarks below their lines.

    Parameters
    ----------
    rows
        Of ``table_row``.
    width
        Of the terminal, in characters. A name that leaves no place for the other columns has a line
        of its own.
    error_rate
        Of the sets of coordination numbers; None: there are none.
    bases
        What the sets were tested on (``Answer.basis``).
    """
    lines = []
    rows = [HEADS, *rows]
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(HEADS) - 1)]
    others = sum(widths[1:]) + len(_GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], max(_NARROWEST, width - others))
    for name, *cells, remarks in rows:
        if cell_len(name) > widths[0]:
            lines.append(name)
            name = ""
        padded = map(set_cell_size, (name, *cells), widths)
        lines.append(_GAP.join(padded).rstrip())
        lines += textwrap.wrap(
            remarks, max(_NARROWEST, width), initial_indent=_INDENT, subsequent_indent=_INDENT
        )
    explained = [_WHOLE]
    if error_rate is not None:
        explained.insert(0, _SET.format(error_rate, _tested_on(bases)))
    return "\n".join(
        [*lines, "", *(textwrap.fill(one, max(_NARROWEST, width)) for one in explained)]
    )


def _tested_on(bases: Collection[str]) -> str:
    if len(bases) > 1:
        return f"{BY_REFERENCES}; where there are too few, on {BY_COMPUTED}"
    return next(iter(bases))
