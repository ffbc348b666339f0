"""Mu from the columns of a table: as they were named, else as can be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import MeasurementError
from xascoord.measured.column_names import count_names, monitor_name, mu_names
from xascoord.measured.headers import fix_name

Array = npt.NDArray[np.float64]
Arrays = Mapping[str, Array]
Channel = Literal["auto", "transmission", "fluorescence", "mu"]
REMEDY = "name them with --energy-column and --i0, --i1 or --if, or --mu (by name or number)"
_LEAST_RISE = 0.15  # of the range of mu within 20 eV; backgrounds without an edge have less


@dataclass(frozen=True)
class Columns:
    """Columns that were named by hand, each by its name or its number from 1; in HDF5 by path, too.

    Attributes
    ----------
    energy
        Energies, or angles where the file says the spacing of the crystal.
    i0, i1
        Monitor, and what the sample let through.
    fluorescence
        Counts of fluorescence; several are summed.
    mu
        Mu itself; the mean of several.
    """

    energy: str | None = None
    i0: str | None = None
    i1: str | None = None
    fluorescence: tuple[str, ...] = ()
    mu: tuple[str, ...] = ()

    @property
    def given(self) -> bool:
        """Whether any was named."""
        return self != Columns()


@dataclass(frozen=True)
class _Choice:
    kind: str
    mu: Array
    formula: str
    trouble: str = ""


def column(arrays: Collection[str], asked: str, option: str) -> str:
    """The name of a column that was asked for.

    Parameters
    ----------
    arrays
        Their names, in the order of the file.
    asked
        Name, whatever its case and unit, or number from 1.
    option
        For the message.

    Raises
    ------
    MeasurementError
        If there is none.
    """
    names = list(arrays)
    for name in names:
        if asked.strip().lower() == name or fix_name(asked) == fix_name(name):
            return name
    if asked.strip().isdecimal() and 0 < int(asked) <= len(names):
        return names[int(asked) - 1]
    raise MeasurementError(f"{option} {asked}: no such column; there are {listed(arrays)}")


def listed(arrays: Collection[str]) -> str:
    """The names of columns with their numbers, for a message."""
    shown = [f"{i} {name}" for i, name in enumerate(arrays, start=1)]
    return ", ".join(shown[:60]) + (f" ... ({len(shown)} in all)" if len(shown) > 60 else "")


def find_mu(
    arrays: Arrays, energy_name: str, energy: Array, channel: Channel, asked: Columns,
    facts: Mapping[str, Any],
) -> tuple[Array, str, list[str]]:  # fmt: skip
    """Mu of the wished channel, from what the file has.

    Parameters
    ----------
    arrays
        By name.
    energy_name, energy
        The column of energies, and its values in eV, shape (n,).
    channel
        "auto" takes transmission, then mu as given, then fluorescence: the first with an edge.
    asked
        Columns that were named.
    facts
        Of the header: ``nameless``.

    Returns
    -------
    mu, kind, notes
        Shape (n,), which channel it is, and how it was made.

    Raises
    ------
    MeasurementError
        If there is none; the columns are listed.
    """
    others = {name: values for name, values in arrays.items() if name != energy_name}
    order: Sequence[str] = ("transmission", "mu", "fluorescence")
    if channel != "auto":
        order = (channel,)
    if asked.i1 or asked.fluorescence or asked.mu:
        choices = _asked_for(arrays, asked, order)
    else:
        i0 = column(arrays, asked.i0, "--i0") if asked.i0 else monitor_name(others)
        choices = [c for kind in order for c in _choices(others, kind, i0, energy)]
        if not choices and channel == "auto":
            choices = _by_values(others, energy, "nameless" in facts)
    if not choices:
        raise MeasurementError(
            f"no {'channel' if channel == 'auto' else channel} can be told among its columns "
            f"({listed(arrays)}); choose another --channel, or {REMEDY}"
        )
    return _best(choices, energy)


def _best(choices: Sequence[_Choice], energy: Array) -> tuple[Array, str, list[str]]:
    """The first choice that can be used and has an edge; else the first that can be used."""
    usable = [choice for choice in choices if not choice.trouble]
    if not usable:
        raise MeasurementError(f"{choices[0].trouble}; take those points out, or {REMEDY}")
    one = next((c for c in usable if rise(energy, c.mu) > _LEAST_RISE), usable[0])
    notes = [f"mu {one.formula}"]
    passed = choices[: next(i for i, c in enumerate(choices) if c is one)]
    notes += [f"not mu {c.formula}: {c.trouble or 'no edge in it'}" for c in passed[:3]]
    return one.mu, one.kind, notes


def rise(energy: Array, mu: Array) -> float:
    """The largest rise over 20 eV, as a share of the range of mu; 0 if it is but noise.

    Parameters
    ----------
    energy, mu
        Shape (n,).
    """
    good = np.isfinite(energy) & np.isfinite(mu)
    if good.sum() < 10 or not 40 < np.ptp(energy[good]) < 20_000:
        return 1.0  # said elsewhere
    order = np.argsort(energy[good], kind="stable")
    x, y = energy[good][order], mu[good][order]
    smooth = np.convolve(np.interp(np.arange(x[0], x[-1]), x, y), np.ones(9) / 9, mode="valid")
    whole = float(np.ptp(smooth))
    if len(smooth) <= 20 or not whole:
        return 0.0
    jump = float((smooth[20:] - smooth[:-20]).max())
    # Of one point; the median is of the noise, not of the edge. Means are of up to 9 points.
    noise = float(np.median(np.abs(y[1:-1] - (y[:-2] + y[2:]) / 2))) / 0.83
    points = np.clip(9 / max(float(np.median(np.diff(x))), 1e-3), 1, 9)
    return jump / whole if jump > 5 * noise / np.sqrt(points) else 0.0


def _asked_for(arrays: Arrays, asked: Columns, order: Sequence[str]) -> list[_Choice]:
    """Mu of the columns that were named."""
    if asked.mu:
        return [_mean(arrays, tuple(column(arrays, one, "--mu") for one in asked.mu))]
    i0 = column(arrays, asked.i0, "--i0") if asked.i0 else monitor_name(arrays)
    if i0 is None:
        raise MeasurementError(f"no monitor can be told among {listed(arrays)}; name it with --i0")
    found = []
    if asked.i1:
        found.append(_transmission(arrays, i0, column(arrays, asked.i1, "--i1")))
    if asked.fluorescence:
        names = tuple(column(arrays, one, "--if") for one in asked.fluorescence)
        found.append(_fluorescence(arrays, i0, names))
    return [c for c in found if c.kind in order] if len(found) > 1 else found


def _choices(arrays: Arrays, kind: str, i0: str | None, energy: Array) -> list[_Choice]:
    """All that may be mu of one channel, by the names of the columns."""
    found = [_mean(arrays, names, kind) for names in mu_names(arrays, kind)]
    if i0 is None or kind == "mu":
        return found
    for names in count_names(arrays, kind, energy):
        if kind == "transmission":
            found.append(_transmission(arrays, i0, names[0]))
        else:
            found.append(_fluorescence(arrays, i0, names))
    return found


def _by_values(arrays: Arrays, energy: Array, nameless: bool) -> list[_Choice]:
    """Mu where no name says what is what, if it can be told all the same."""
    names = list(arrays)
    if len(names) == 1 and monitor_name(arrays) is None and not _is_counts(arrays, energy):
        return [_mean(arrays, (names[0],))]
    if len(names) != 2 or not nameless:
        return []
    # A chamber behind the sample falls at the edge, where the one before it does not rise or fall.
    for i0, i1 in (names, names[::-1]):
        before, behind = arrays[i0], arrays[i1]
        if (before > 0).all() and (behind > 0).all():
            made = _transmission(arrays, i0, i1)
            falls = rise(energy, -behind) > 2 * _LEAST_RISE and rise(energy, behind) < _LEAST_RISE
            flat = max(rise(energy, before), rise(energy, -before)) < _LEAST_RISE
            if falls and flat and rise(energy, made.mu) > 2 * _LEAST_RISE:
                return [made]
    return []


def _is_counts(arrays: Arrays, energy: Array) -> bool:
    """Whether the names are of counts, which need a monitor."""
    return any(count_names(arrays, kind, energy) for kind in ("transmission", "fluorescence"))


def _mean(arrays: Arrays, names: tuple[str, ...], kind: str = "mu") -> _Choice:
    if len(names) == 1:
        return _Choice(kind, arrays[names[0]], f"is column '{names[0]}'")
    mean = np.mean([arrays[name] for name in names], axis=0)
    return _Choice(kind, mean, f"is the mean of {len(names)} scans: {', '.join(names)}")


def _transmission(arrays: Arrays, i0: str, i1: str) -> _Choice:
    before, behind = arrays[i0], arrays[i1]
    if (before < 0).all() and (behind < 0).all():  # amplifiers that turn the sign
        before, behind = -before, -behind
    formula = f"= ln({i0}/{i1})"
    if (before <= 0).any() or (behind <= 0).any():
        trouble = f"counts of '{i1}' or of the monitor are not positive"
        return _Choice("transmission", behind, formula, trouble)
    return _Choice("transmission", np.log(before / behind), formula)


def _fluorescence(arrays: Arrays, i0: str, names: tuple[str, ...]) -> _Choice:
    before = arrays[i0]
    counts = np.sum([arrays[name] for name in names], axis=0)
    shown = names[0] if len(names) == 1 else f"sum of {len(names)}: {names[0]} ... {names[-1]}"
    formula = f"= {shown}/{i0}" if len(names) == 1 else f"= ({shown})/{i0}"
    if (before < 0).all():
        before, counts = -before, -counts
    if (before <= 0).any() or not np.any(counts != 0):
        trouble = f"counts of '{names[0]}' or of the monitor are not positive"
        return _Choice("fluorescence", counts, formula, trouble)
    return _Choice("fluorescence", counts / before, formula)
