"""Usual names of columns, and which of those in a table are what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import ELEMENTS, k_edge_energy

Array = npt.NDArray[np.float64]

# Names of arrays, in lower case, by what they are; the first that is there is taken.
MU = {
    "transmission": ("mutrans", "mu_trans", "xmu_trans"),
    "fluorescence": ("mufluor", "mu_fluor", "xmu_fluor"),
    "mu": (
        "mu", "xmu", "norm", "munorm", "flat", "normtrans", "normfluor", "absorption",
        "absorbance", "absorb", "abs", "mux", "mu_e", "normalized", "normalised", "mu01", "xanes",
    ),
}  # fmt: skip
_COUNTS = {
    "transmission": ("itrans", "i1", "it", "trans"),
    # fy_c: corrected for dead time (LUCIA)
    "fluorescence": (
        "ifluor",
        "if",
        "iff",
        "ff",
        "ifl",
        "fluor",
        "ipipd",
        "vortex",
        "fy_c",
        "fy",
    ),
}
# Parts of names, between underscores, that say the same.
_PARTS = {
    "i0": r"i0|io|izero|mon|monitor",
    "transmission": r"i1|it|itr|itrans|trans|transmission",
    "fluorescence": r"if|iff|ifl|ifluor|fluor|fluo|fluorescence|flatot|pips|pipd|lytle|tey",
}
_I0 = ("i0", "io", "monitor")
_SPOILT = re.compile(r"off|gain|dark|time|gate|volt|theta|angle|energ")
_TREATED = re.compile(r"norm|corr")  # taken if there is nothing else
# Channels of a detector of several elements, the better ones first.
_CHANNELS = ("dtc", "corr", "roi", "sca", "fla", "fluo", "if", "ge", "sdd", "vortex", "xmap", "mca",
             "icr")  # fmt: skip
_REPEATS = re.compile(r"(mu|xmu|absorption|absorbance|scan|norm|flat)_?(\d+)?")
_ENERGY = re.compile(r"(e|en|ev|kev)$|energ|mono|bragg")
_NO_ENERGY = re.compile(r"gap|step|count|time|index|offset|temp|current")
_ASKED = re.compile(r"request|nominal|setpoint|wanted|_sp$")
ANGLE = re.compile(r"angle|theta|bragg")


def parts(name: str) -> list[str]:
    """The parts of a name between underscores and the like."""
    return [part for part in re.split(r"[^a-z0-9]+", name) if part]


def holds_edge(energy: Array) -> bool:
    """Whether energies, in eV or keV, hold the K edge of an element there are models of."""
    low, high = float(np.nanmin(energy)), float(np.nanmax(energy))
    if low >= 1 and high < 150:
        low, high = 1000 * low, 1000 * high
    return any(low + 5 < k_edge_energy(element) < high - 15 for element in ELEMENTS)


def is_scan(values: Array) -> bool:
    """Whether values go one way like the energies of a scan, or of several one after another."""
    if len(values) < 3 or not np.isfinite(values).all() or np.ptp(values) == 0:
        return False
    steps = np.diff(values)
    up, down = float((steps > 0).mean()), float((steps < 0).mean())
    return max(up, down) > 0.9 or (min(up, down) > 0.3 and _turns(steps) < 0.02 * len(steps) + 3)


def _turns(steps: Array) -> int:
    signs = np.sign(steps[steps != 0])
    return int((np.diff(signs) != 0).sum())


def energy_names(arrays: Mapping[str, Array]) -> list[str]:
    """Columns of energies by their names and values, the likeliest first.

    Parameters
    ----------
    arrays
        By name, in lower case.
    """

    def fits(name: str) -> bool:
        if not _ENERGY.search(name) or _NO_ENERGY.search(name) or not is_scan(arrays[name]):
            return False
        # Angles of a monochromator are between 3 and 80; so are few energies in keV.
        in_degrees = np.nanmax(np.abs(arrays[name])) < 150 and "energ" not in name
        return not (in_degrees and ("mono" in name or "bragg" in name))

    def rank(name: str) -> tuple[bool, bool, bool, int]:
        exact = re.fullmatch(r"e|en|ev|kev|energy.*", name) is not None
        return not holds_edge(arrays[name]), bool(_ASKED.search(name)), not exact, 0

    return sorted(filter(fits, arrays), key=rank)


def monitor_name(arrays: Mapping[str, Array]) -> str | None:
    """The column of the monitor before the sample."""
    exact = next((name for name in _I0 if name in arrays), None)
    if exact is not None:
        return exact
    found = [n for n in arrays if _first(n, _PARTS["i0"]) and not _SPOILT.search(n)]
    return min(found, key=lambda n: bool(_TREATED.search(n)), default=None)


def _first(name: str, pattern: str) -> str:
    return next((part for part in parts(name) if re.fullmatch(pattern, part)), "")


def count_names(arrays: Mapping[str, Array], kind: str, energy: Array) -> list[tuple[str, ...]]:
    """Columns that may hold the counts of a channel; several in one entry are to be summed.

    Parameters
    ----------
    arrays
        By name.
    kind
        ``transmission`` or ``fluorescence``.
    energy
        Shape (n,), in eV.
    """
    found: list[tuple[str, ...]] = [(name,) for name in _COUNTS[kind] if name in arrays]
    line = _of_line(arrays, energy) if kind == "fluorescence" else ()
    found += [line] if line else []
    named: list[tuple[str, ...]] = [
        (n,) for n in arrays if _first(n, _PARTS[kind]) and not _SPOILT.search(n)
    ]
    found += [one for one in named if one not in found and one[0] != monitor_name(arrays)]
    if kind == "transmission" and not found and "ion1" in arrays and "ion0" not in arrays:
        found.append(("ion1",))  # behind a monitor of another name
    if kind == "transmission" and not found and {"i0", "i"} <= set(arrays):
        found.append(("i",))  # NSLS XDAC: I0, I, and Ir behind the reference
    return found + (_groups(arrays) if kind == "fluorescence" else [])


@cache
def _k_edges() -> tuple[tuple[str, float], ...]:
    """K edges of all elements whose fluorescence is measured, those without models too."""
    from xraydb import atomic_symbol, xray_edge

    numbers = range(11, 61)
    return tuple((str(atomic_symbol(z)).lower(), float(xray_edge(z, "K").energy)) for z in numbers)


def _of_line(arrays: Mapping[str, Array], energy: Array) -> tuple[str, ...]:
    """Columns of the fluorescence line of an element whose K edge is in the spectrum."""
    inside = [symbol for symbol, edge in _k_edges() if energy.min() + 5 < edge < energy.max() - 15]
    if not inside:
        return ()
    line = re.compile(rf"(?:^|_)(?:{'|'.join(inside)})_?k(?:a\d?|alpha\d?)?(?:_|$)")
    found = [name for name in arrays if line.search(name) and np.any(arrays[name] != 0)]
    for better in (r"sum|tot", r"dtc|corr", r""):
        chosen = [name for name in found if re.search(better, name)]
        if chosen:
            return tuple(chosen if better != r"sum|tot" else chosen[:1])
    return ()


def _groups(arrays: Mapping[str, Array]) -> list[tuple[str, ...]]:
    """Numbered channels of one detector, without those that counted nothing."""
    groups: dict[str, list[str]] = {}
    for name in arrays:
        match = re.fullmatch(r"(.*?[a-z].*?)_?\d+", name)
        if match and np.any(arrays[name] != 0):
            groups.setdefault(match[1], []).append(name)
    found = []
    for channel in _CHANNELS:
        found += [tuple(g) for stem, g in groups.items() if re.match(rf"{channel}\d*(_|$)", stem)]
    return found


def mu_names(arrays: Mapping[str, Array], kind: str) -> list[tuple[str, ...]]:
    """Columns that hold mu itself; several in one entry are repeat scans.

    Parameters
    ----------
    arrays
        By name.
    kind
        ``transmission``, ``fluorescence`` or ``mu``.
    """
    repeats: dict[str, list[str]] = {}
    for name in arrays:
        if match := _REPEATS.fullmatch(name):
            repeats.setdefault(match[1], []).append(name)
    several = [tuple(g) for g in repeats.values() if len(g) > 1 and _is_count(g)]
    single = [(name,) for name in MU[kind] if name in arrays]
    return (several if kind == "mu" else []) + single


def _is_count(names: Iterable[str]) -> bool:
    """Whether names are numbered one by one (mu01, mu12, mu23 are not)."""
    numbers = [int(m[2]) if m and m[2] else 1 for m in map(_REPEATS.fullmatch, names)]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
