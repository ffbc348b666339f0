"""Tables of numbers in text files, whatever parts the columns and stands above or between them.

A line is a row of a table if it consists of numbers. Rows in headers (weights, offsets, blocks of a
scan) are shorter tables above the long one; several long ones are several scans.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import LimitError, MeasurementError
from xascoord.settings.limits import Limits

Array = npt.NDArray[np.float64]
_LONG = 30  # rows; what is shorter is no scan if there is a longer one
_SAME_TABLE = 5  # lines of text, and fewer, within a table part it no more than a comment does
_CLOCK = re.compile(r"\d[\d.]*[:/-][\d:/.TZ+-]*\d")  # times and dates among the columns
_COMMENT = ("#", "%", ";", "!", "*", "$")
_COMMA_NUMBER = re.compile(r"[-+]?(?:\d+(?:,\d+)?|,\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Table:
    """One table of a text.

    Attributes
    ----------
    header
        Lines above it since the table before, without blank ones.
    values
        Shape (columns, rows).
    notes
        What was passed over.
    """

    header: tuple[str, ...]
    values: Array
    notes: tuple[str, ...] = ()


@dataclass
class _Block:
    start: int
    end: int  # the last line
    rows: list[list[float]] = field(default_factory=list)

    @property
    def columns(self) -> int:
        return len(self.rows[0])


def decode(content: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 with their marks, else Latin-1.

    Parameters
    ----------
    content
        Of the file.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def numbers(line: str, decimal_comma: bool = False) -> list[float] | None:
    """The numbers of a line, or None if it is not a row of numbers.

    Columns are parted by blanks, commas or semicolons; nothing between two commas, and a time or a
    date, is not a number (nan).

    Parameters
    ----------
    line
        Of the text.
    decimal_comma
        Whether a comma is within a number.
    """
    words: list[str] = []
    if decimal_comma:
        words = line.replace(";", " ").replace(",", ".").split()
    elif "," in line or ";" in line:
        pieces = line.replace(";", ",").split(",")
        for piece in pieces:
            words += piece.split() or [""]
        while words and not words[-1]:
            words.pop()
    else:
        words = line.split()
    found = [_number(word) for word in words]
    if None in found or not any(map(_is_number, words)):
        return None
    return [value for value in found if value is not None]


def _number(word: str) -> float | None:
    word = word.strip("\"'")
    if not word:
        return float("nan")
    try:
        # Not all that Python takes: 1_000 is a name.
        return float(word.replace("D", "e").replace("d", "e")) if "_" not in word else None
    except ValueError:
        return float("nan") if _CLOCK.fullmatch(word) else None


def _is_number(word: str) -> bool:
    return bool(word) and _CLOCK.fullmatch(word) is None


def has_decimal_comma(lines: Sequence[str]) -> bool:
    """Whether the numbers of a text have commas for points.

    Parameters
    ----------
    lines
        Of the text; the first few hundred rows say it.
    """
    rows = with_comma = commas = 0
    for line in lines:
        words = line.replace(";", " ").replace('"', "").split()
        as_comma = len(words) > 1 and all(map(_COMMA_NUMBER.fullmatch, words))
        if not as_comma and numbers(line) is None:
            continue
        rows += 1
        with_comma += as_comma
        commas += as_comma and "," in line
        if rows == 300:
            break
    return commas > 0 and with_comma >= 0.9 * rows


def check_columns(text: str, limits: Limits) -> None:
    """Look at the width of a table before a parser does.

    Parsers compare the names of columns with each other, and fill rows up to the widest.

    Parameters
    ----------
    text
        Of the file.
    limits
        Most columns and values.

    Raises
    ------
    LimitError
        Naming the limit.
    """
    rows = [line for line in _lines(text) if line.strip() and not line.lstrip().startswith("#")]
    columns = max((len(re.split(r"[\s,;]+", row.strip())) for row in rows), default=0)
    if columns > limits.columns:
        raise LimitError(f"{columns:,} columns; limits.columns allows {limits.columns:,}")
    if len(rows) * columns > limits.values:
        raise LimitError(
            f"{len(rows):,} rows of up to {columns:,} columns; limits.values allows "
            f"{limits.values:,} values"
        )


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\n|\r", text)


def read_tables(text: str, where: str) -> list[Table]:
    """The long tables of a text; the longest one if none is long.

    Parameters
    ----------
    text
        Of the file.
    where
        The file, for messages.

    Raises
    ------
    MeasurementError
        If there are no two columns of numbers, or a row of them is damaged.
    """
    lines = _lines(text)
    decimal_comma = has_decimal_comma(lines)
    blocks = _blocks(lines, decimal_comma)
    wide = [b for b in blocks if b.columns > 1]
    if not wide:
        raise MeasurementError(
            f"{where}: needs two columns at least, energy and mu, or energy and counts with a line "
            "of column names"
        )
    long = [b for b in wide if len(b.rows) >= _LONG] or [max(wide, key=lambda b: len(b.rows))]
    tables: list[Table] = []
    above = -1
    for number, block in enumerate(long):
        between = [line.strip() for line in lines[above + 1 : block.start] if line.strip()]
        values = np.array(block.rows, dtype=float).T
        if number and _goes_on(where, between, long[number - 1], block):
            whole = np.concatenate([tables[-1].values, values], axis=1)
            note = f"{len(between)} lines within the data passed over: {between[0][:40]}"
            tables[-1] = replace(tables[-1], values=whole, notes=(*tables[-1].notes, note))
        else:
            tables.append(Table(tuple(between), values))
        above = block.end
    last = blocks[-1]
    if last.start > above and len(last.rows) == 1 and last.columns < len(tables[-1].values):
        note = "a last row of fewer numbers left out"
        tables[-1] = replace(tables[-1], notes=(*tables[-1].notes, note))
    if decimal_comma:
        tables = [replace(t, notes=(*t.notes, "decimal commas read as points")) for t in tables]
    return tables


def _blocks(lines: Sequence[str], decimal_comma: bool) -> list[_Block]:
    """Runs of rows of as many numbers; blank lines do not part them."""
    blocks: list[_Block] = []
    current: _Block | None = None
    for at, line in enumerate(lines):
        if not line.strip():
            continue
        row = None if line.lstrip().startswith(_COMMENT) else numbers(line, decimal_comma)
        if row is None:
            current = None
        elif current is not None and current.columns == len(row):
            current.rows.append(row)
            current.end = at
        else:
            current = _Block(at, at, [row])
            blocks.append(current)
    return blocks


def _goes_on(where: str, between: Sequence[str], before: _Block, block: _Block) -> bool:
    """Whether a long block belongs to the table of the one before it."""
    if before.columns != block.columns or any(re.match(r"#[SL]\s", line) for line in between):
        return False
    for line in between:
        words = [] if line.startswith(_COMMENT) else re.split(r"[\s,;]+", line)
        good = sum(_number(word) is not None for word in words)
        if len(between) < _SAME_TABLE and good and 2 * good >= len(words):
            raise MeasurementError(
                f"{where}: a row of the data is damaged: '{line[:60]}'; correct it or take it out"
            )
    return len(between) < _SAME_TABLE
