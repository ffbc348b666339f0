"""Tables of one column a sample, as Athena saves marked groups and spreadsheets keep series."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from xascoord.measured.column_names import count_names, monitor_name, mu_names, parts
from xascoord.measured.columns import Arrays, Channel, Columns, rise

Array = npt.NDArray[np.float64]
_COUNTED = ("transmission", "fluorescence")
_LEAST_RISE = 0.3  # of the range within 20 eV; what names do not say, the edge has to
# Parts of names that instruments have, not samples.
_OF_INSTRUMENTS = re.compile(
    r"(?:col|c|ch|chan|channel|det|detector|ctr|cnt|counts?|counter|cts|cps|roi|sca|mca|icr|ocr|"
    r"sdd|xmap|ge|pd|diode|keithley|adc|amp|v|volt|gain|dark|offset|time|sec|seconds|s|temp|"
    r"temperature|current|ring|srcur|motor|pos|x|y|z|theta|angle|event|index|point|ir|iref|i2|i)\d*"
)


@dataclass(frozen=True)
class Sample:
    """One column of such a table.

    Attributes
    ----------
    name
        Of the column.
    label
        The same as the file writes it.
    trouble
        Why it is no spectrum, or "".
    """

    name: str
    label: str
    trouble: str


def find_samples(
    arrays: Arrays, energy_name: str, energy: Array, channel: Channel, asked: Columns,
    facts: Mapping[str, Any],
) -> list[Sample]:  # fmt: skip
    """The samples of a table with a column of mu for each; [] if it is another table.

    It is one if no name is that of a channel, most columns rise as at an edge, none falls there,
    and none counts.

    Parameters
    ----------
    arrays
        By name.
    energy_name, energy
        The column of energies, and its values in eV, shape (n,).
    channel, asked
        What was wished: a channel of counts, or columns, are for other tables.
    facts
        Of the header: ``nameless``, ``labels``.
    """
    others = {name: values for name, values in arrays.items() if name != energy_name}
    chosen = bool(asked.i0 or asked.i1 or asked.fluorescence or asked.mu)
    if len(others) < 2 or "nameless" in facts or chosen or channel not in ("auto", "mu"):
        return []
    known = monitor_name(others) or any(mu_names(others, kind) for kind in get_args(Channel)[1:])
    if known or any(count_names(others, kind, energy) for kind in _COUNTED):
        return []
    if any(map(_of_instrument, others)) or any(_counts(values) for values in others.values()):
        return []
    # Behind a white line mu falls, too, but by less than it rose.
    if any(rise(energy, -v) > max(_LEAST_RISE, rise(energy, v)) for v in others.values()):
        return []
    good = [name for name, values in others.items() if rise(energy, values) > _LEAST_RISE]
    if 2 * len(good) <= len(others):
        return []
    labels = facts.get("labels", {})
    return [
        Sample(name, labels.get(name, name), "" if name in good else _why(values))
        for name, values in others.items()
    ]


def _of_instrument(name: str) -> bool:
    """Whether a name is an instrument's; a letter or two are only if they are all of it."""
    words = [part for part in parts(name) if len(part.rstrip("0123456789")) > 2 or part == name]
    return any(map(_OF_INSTRUMENTS.fullmatch, words))


def _counts(values: Array) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite) and finite.max() > 10 and (finite == np.round(finite)).all())


def _why(values: Array) -> str:
    finite = values[np.isfinite(values)]
    constant = not len(finite) or finite.min() == finite.max()
    return "there is no edge in this column" + ("; it is constant" if constant else "")
