"""What the lines above a table say: names of columns, element, edge, crystal, edge energy.

Headers of beamlines that larch knows are read by larch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.imports import load

Array = npt.NDArray[np.float64]
_LONGEST_NAME, _LONGEST_LINE = 200, 20_000  # what is longer costs much and says nothing
_FLUORESCENCE = 3  # mode of a detector in the 9809 format
_HC = 12398.41984  # eV Angstrom, CODATA 2018
_UNITS = re.compile(
    r"[\(\[/]\s*(kev|ev|deg\w*|mm|counts|a\.?u\.?|arb\S*)\s*[\)\]]?|[\(\[].*?[\)\]]"
)
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_FACTS = {
    "element": re.compile(r"^\W*element(?:\.symbol)?\s*[:=]\s*([A-Z][a-z]?)\s*$", re.I),
    "edge": re.compile(r"^\W*(?:element\.)?edge\s*[:=]\s*(K|[LM]\d)\s*$", re.I),
    "sample": re.compile(r"^\W*sample(?:\.name)?\s*[:=]\s*(\S.*?)\s*$", re.I),
}
_SPACING = re.compile(rf"(?:\bD\s*=\s*|d[_ ]?-?spacing\s*[:=]\s*)({_NUMBER})", re.I)
_XDI_COLUMN = re.compile(r"^#\s*Column\.(\d+)\s*:\s*(\S+)(?:\s+(\w+))?", re.I)
_FIO_COLUMN = re.compile(r"^\s*Col\s+(\d{1,3})\s+(\S+)\s+[A-Z]+\w*\s*$", re.I)  # DESY's .fio
_LISTED = re.compile(r"(?<=\s)(\d{1,3})\)\s(\S.*?)(?=\s+\d{1,3}\)\s|\s*$)")
_FDMNES = re.compile(rf"^\s*({_NUMBER})\s+(\d+)\s+(\d+)\s+\d+\s.*=\s*E_edge\b")


def fix_name(raw: str) -> str:
    """A name of a column as it is compared: small letters, digits, underscores; no unit.

    Parameters
    ----------
    raw
        As the file or a user writes it.
    """
    return re.sub(r"[^a-z0-9]+", "_", _UNITS.sub(" ", raw[:_LONGEST_NAME].lower())).strip("_")


def read_header(lines: Sequence[str], columns: int) -> tuple[list[str], dict[str, Any]]:
    """Names of the columns, and what else is said.

    Parameters
    ----------
    lines
        Above the table, without blank ones.
    columns
        How many there are.

    Returns
    -------
    names
        As many as columns, all different; ``col2`` where there is none.
    facts
        ``element, edge, sample`` as far as they are said; ``units`` of energies ("kev");
        ``spacing`` of the crystal in Angstrom; ``edge_energy`` in eV where energies count from it;
        ``labels``: names as the file writes them; ``nameless`` if there are none;
        ``fio`` if they are of devices, as DESY writes them.
    """
    raw = _names(lines, columns)
    facts: dict[str, Any] = {}
    for line in lines[:200]:
        for name, pattern in _FACTS.items():
            if name not in facts and (match := pattern.match(line[:200])):
                facts[name] = match[1]
        if match := _SPACING.search(line[:200]):
            facts.setdefault("spacing", float(match[1]))
        if match := _FDMNES.match(line[:200]):
            facts |= _fdmnes(match)
    if any(re.match(r"e\w{0,8}?\W{0,3}_?kev", name.strip().lower()) for name in raw):
        facts["units"] = "kev"
    names: list[str] = []
    for place, name in enumerate(raw[:columns] + [""] * (columns - len(raw)), start=1):
        fixed = fix_name(name) or f"col{place}"
        names.append(f"{fixed}_{place}" if fixed in names else fixed)
    facts["labels"] = {name: shown.strip() for name, shown in zip(names, raw, strict=False)}
    if not raw:
        facts["nameless"] = True
    if any(_FIO_COLUMN.match(line[:200]) for line in lines):
        facts["fio"] = True
    return names, facts


def _fdmnes(match: re.Match[str]) -> dict[str, Any]:
    from xraydb import atomic_symbol

    number = int(match[2])
    found: dict[str, Any] = {"edge_energy": float(match[1])}
    if 0 < number < 93:
        found["element"] = atomic_symbol(number)
    if match[3] == "1":
        found["edge"] = "K"
    return found


def _names(lines: Sequence[str], columns: int) -> list[str]:
    """Names as the file writes them; [] if there are none."""
    xdi = {int(m[1]): m for line in lines if (m := _XDI_COLUMN.match(line[:200]))}
    if xdi and set(range(1, columns + 1)) <= set(xdi):
        return [f"{xdi[i][2]} ({xdi[i][3] or ''})" for i in range(1, columns + 1)]
    fio = {int(m[1]): m[2] for line in lines if (m := _FIO_COLUMN.match(line[:200]))}
    if set(range(1, columns + 1)) <= set(fio):
        return [fio[place] for place in range(1, columns + 1)]
    labels = next((line for line in reversed(lines) if re.match(r"#L\s", line)), None)
    if labels is not None:
        return _split(labels[2:], columns) or labels[2:].split()
    known = _numbered(lines, columns) or _known_to_larch(lines, columns)
    if known:
        return known
    for line in reversed(lines[-5:]):
        found = _split(line.lstrip("#%;!*$ \t"), columns)
        # A comment of as many words as there are columns is no line of names.
        if found and (line == lines[-1] or any(re.match(r"e|angle|mono", n, re.I) for n in found)):
            return found
    words = re.sub(r"[#,;]", " ", lines[-1]).split() if lines else []
    return words if words and re.match(r"energ|e$|en$|ev$", words[0], re.I) else []


def _numbered(lines: Sequence[str], columns: int) -> list[str]:
    """Names in a list "1) this  7) that", as APS 20ID, 20BM and 9BM write it."""
    found = {int(m[1]): m[2].strip("* ") for line in lines for m in _LISTED.finditer(line[:400])}
    complete = set(range(1, columns + 1)) <= set(found)
    return [found[place] for place in range(1, columns + 1)] if complete and columns > 1 else []


def _known_to_larch(lines: Sequence[str], columns: int) -> list[str]:
    load("larch.io.xafs_beamlines")
    from larch.io.xafs_beamlines import GenericBeamlineData, guess_beamline

    kind = guess_beamline(list(lines))
    if kind is GenericBeamlineData:
        return []
    try:
        reader = kind(list(lines))
        names = [str(name) for name in reader.get_array_labels()]
    except Exception:  # larch raises what it meets in a header that is not quite the known one
        return []
    if reader.energy_units.lower() == "kev" and names:
        names[reader.energy_column - 1] += " (keV)"
    return names if len(names) >= columns > 1 else []


def _split(line: str, columns: int) -> list[str]:
    """The names in a line, if they are as many as the columns."""
    if len(line) > _LONGEST_LINE:
        return []
    ways = [line.split(mark) for mark in ("\t", ",", ";")]
    ways += [re.split(r"\s{2,}", line.strip()), line.split()]
    ways.append(re.sub(r"\s*[\(\[].*?[\)\]]", "", line).replace(",", " ").split())
    for words in ways:
        names = [word.strip().strip("\"'") for word in words]
        while names and not names[-1]:
            names.pop()
        if len(names) == columns and all(names) and not all(re.match(_NUMBER, n) for n in names):
            return names
    return []


def photon_factory(lines: Sequence[str], values: Array) -> dict[str, Array] | None:
    """The arrays of a table in the 9809 format of the Photon Factory and SPring-8, else None.

    Two angles and the time, then detectors: mode 1 is the monitor, 2 transmission, 3 fluorescence
    (several are channels of one detector); offsets are counts of a second. Energies follow from the
    angle and the spacing of the crystal.

    Parameters
    ----------
    lines
        Above the table.
    values
        Shape (columns, rows).
    """
    if not lines or not re.match(r"\s*9809\b", lines[0]):
        return None
    text = "\n".join(lines[:200])
    spacing = re.search(rf"\bD\s*=\s*({_NUMBER})", text)
    modes = re.search(r"^\s*Mode((?:\s+-?\d+)+)\s*$", text, re.MULTILINE)
    if not spacing or not modes or len(values) < 4:
        return None
    offsets = re.search(rf"^\s*Offset((?:\s+{_NUMBER})+)\s*$", text, re.MULTILINE)
    # The word itself stands below the first angle.
    kinds = [0, *(int(word) for word in modes[1].split())]
    dark = [0.0, *(float(word) for word in offsets[1].split())] if offsets else []
    # What was read of the encoder, unless its last digit is coarser than the steps.
    angles = values[1] if (np.diff(values[1]) < 0).all() else values[0]
    arrays = {"energy": energies(angles, float(spacing[1]))}
    for place in range(3, len(values)):
        kind = kinds[place] if place < len(kinds) else 0
        name = {1: "i0", 2: "itrans", _FLUORESCENCE: "ifluor"}.get(kind, f"col{place + 1}")
        if kind == _FLUORESCENCE and kinds.count(kind) > 1:
            name = f"roi_{place + 1}"
        counts = values[place] - (dark[place] if place < len(dark) else 0.0) * values[2]
        arrays[name if name not in arrays else f"{name}_{place + 1}"] = counts
    return arrays


def energies(angles: Array, spacing: float) -> Array:
    """Energies in eV from Bragg angles.

    Parameters
    ----------
    angles
        Shape (n,), in degrees.
    spacing
        Of the crystal's planes, in Angstrom.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_HC / (2 * spacing * np.sin(angles * math.pi / 180)))
