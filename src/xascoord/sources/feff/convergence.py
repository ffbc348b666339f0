"""Self-consistency of a FEFF run, as ``log1.dat`` tells it, and what counts as converged.

FEFF's own criterion is strict: it goes on until Fermi level and charges stand still to four
digits, though the spectrum does so long before. What decides here is by how much the Fermi level
still moved (it sets the energy scale of the spectrum) and by how much the charges did;
``benchmarks/feff_convergence.py`` measures how far a spectrum is from its end at each of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.feff import Convergence

_STEP = re.compile(r"mu=\s*(\S+)\s*eV\s+Charge distance=\s*([^\s(]+)")
_REACHED = re.compile(r"convergence reached", re.I)
_FAILED = re.compile(r"convergence not reached|not converge", re.I)
_LAST_STEPS = 3


@dataclass(frozen=True)
class SelfConsistency:
    """How the self-consistency of a run went.

    Attributes
    ----------
    fermi_levels
        After each iteration, in eV.
    charge_distances
        After each iteration.
    reached
        Whether FEFF's own criterion was met.
    """

    fermi_levels: tuple[float, ...]
    charge_distances: tuple[float, ...]
    reached: bool

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> SelfConsistency:
        """As a journal holds it."""
        return cls(tuple(entry["fermi_levels"]), tuple(entry["charge_distances"]), entry["reached"])

    @property
    def fermi_drift(self) -> float:
        """Range of the last three Fermi levels, in eV; infinite where there are fewer."""
        last = self.fermi_levels[-_LAST_STEPS:]
        if len(last) < _LAST_STEPS or not all(map(math.isfinite, last)):
            return math.inf
        return round(max(last) - min(last), 4)

    @property
    def charge_distance(self) -> float:
        """The last one."""
        return self.charge_distances[-1] if self.charge_distances else math.inf


def read_self_consistency(log: str) -> SelfConsistency | None:
    """What ``log1.dat`` says of the self-consistency; None where it says nothing."""
    steps = _STEP.findall(log)
    if not steps and not _FAILED.search(log):
        return None
    return SelfConsistency(
        tuple(_number(level) for level, _ in steps),
        tuple(_number(charge) for _, charge in steps),
        bool(_REACHED.search(log)),
    )


def _number(text: str) -> float:
    """A number of the log; stars, NaN and the like are infinite: they pass no limit."""
    try:
        value = float(text)
    except ValueError:
        return math.inf
    return value if math.isfinite(value) else math.inf


def check_self_consistency(found: SelfConsistency | None, limits: Convergence) -> None:
    """Hold a run to the limits; one without any word of self-consistency passes.

    Raises
    ------
    RejectedSpectrum
        ``unconverged``, with the figures.
    """
    if found is None or found.reached:
        return
    drift, distance = found.fermi_drift, found.charge_distance
    if drift > limits.fermi_drift or distance > limits.charge_distance:
        raise RejectedSpectrum(
            Reason.UNCONVERGED,
            f"after {len(found.fermi_levels)} iterations the Fermi level moved by {drift:.3f} eV "
            f"in the last three (limit {limits.fermi_drift:g}), charge distance {distance:.4f} "
            f"(limit {limits.charge_distance:g})",
        )
