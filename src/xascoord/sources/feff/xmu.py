"""Reading FEFF's ``xmu.dat``: FEFF 6 to 10, complete or not."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xascoord.core.rejections import Reason, RejectedSpectrum

Array = npt.NDArray[np.float64]

_COLUMNS = ("omega", "e", "k", "mu", "mu0", "chi")
_UNCONVERGED = re.compile(r"not converge|no convergence|unconverged|failed to converge", re.I)


@dataclass(frozen=True)
class Xmu:
    """Columns of an ``xmu.dat``: energy and e in eV, k in 1/angstrom, mu, mu0 and chi."""

    energy: Array
    relative_energy: Array
    wavenumber: Array
    mu: Array
    mu0: Array
    chi: Array


def parse_xmu(text: str) -> Xmu:
    """Parse the text of an ``xmu.dat``.

    The columns are found by the header line that names them (``omega e k mu mu0 chi``), with or
    without a leading ``#`` and trailing ``@#``; without one, FEFF's standing order is used.

    Raises
    ------
    RejectedSpectrum
        With the reason: empty, truncated, wrong columns, not numeric, unconverged.
    """
    if not text.strip():
        raise RejectedSpectrum(Reason.EMPTY, "no content")
    header = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    for line in header:
        if _UNCONVERGED.search(line):
            raise RejectedSpectrum(Reason.UNCONVERGED, line.strip("# ").strip()[:120])
    columns = _column_order(header)
    rows = _numbers(text, len(columns))
    if not rows:
        raise RejectedSpectrum(Reason.EMPTY, "header without any data row")
    values = np.asarray(rows)
    picked = {name: values[:, columns.index(name)] for name in columns if name in _COLUMNS}
    missing = [name for name in ("omega", "mu") if name not in picked]
    if missing:
        raise RejectedSpectrum(Reason.WRONG_COLUMNS, f"no column {' and '.join(missing)}")
    zeros = np.zeros(len(values))
    return Xmu(
        picked["omega"],
        picked.get("e", zeros),
        picked.get("k", zeros),
        picked["mu"],
        picked.get("mu0", zeros),
        picked.get("chi", zeros),
    )


def _column_order(header: list[str]) -> list[str]:
    for line in reversed(header):
        names = [name.lower() for name in line.replace("@#", " ").replace("#", " ").split()]
        if "omega" in names or ("mu" in names and "chi" in names):
            return names
    return list(_COLUMNS)


def _numbers(text: str, width: int) -> list[list[float]]:
    """Data rows as numbers; a last row that is cut short means a truncated file."""
    rows: list[list[float]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields or line.lstrip().startswith(("#", "*")):
            continue
        try:
            # Fortran prints 1.5D-03, and 1.5-103 where three exponent digits do not fit.
            row = [float(_fortran(field)) for field in fields]
        except ValueError:
            if number == len(lines):
                raise RejectedSpectrum(Reason.TRUNCATED, f"line {number} is cut off") from None
            raise RejectedSpectrum(
                Reason.NOT_A_NUMBER, f"line {number}: {line.strip()[:60]}"
            ) from None
        if len(row) != width:
            reason = Reason.TRUNCATED if number == len(lines) else Reason.WRONG_COLUMNS
            raise RejectedSpectrum(reason, f"line {number} has {len(row)} of {width} columns")
        rows.append(row)
    if rows and not text.endswith("\n"):
        raise RejectedSpectrum(Reason.TRUNCATED, "the last line has no end")
    return rows


def _fortran(field: str) -> str:
    field = field.replace("D", "E").replace("d", "e")
    if re.fullmatch(r"[+-]?\d*\.\d+[+-]\d{3}", field):
        return f"{field[:-4]}e{field[-4:]}"
    return field
