"""Computed K-edge spectra of one crystal: site by site, averaged, beside a measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import LimitError, NotAFileError, StructureError, XascoordError
from xascoord.core.files import read_file
from xascoord.core.rankings import describe
from xascoord.core.rejections import RejectedSpectrum
from xascoord.jobs.journal import Journal
from xascoord.labels.ranking import combined_ranking
from xascoord.settings.feff import Preset
from xascoord.settings.labels import Labels
from xascoord.settings.limits import DEFAULT_LIMITS
from xascoord.settings.spectra import EdgeEnergy
from xascoord.settings.tree import Settings
from xascoord.sources.feff.batch import run_batch
from xascoord.sources.feff.convergence import SelfConsistency
from xascoord.sources.feff.engines import commands_of
from xascoord.sources.feff.inputs import xanes_input
from xascoord.sources.feff.run import FeffTask
from xascoord.sources.feff.xmu import parse_xmu
from xascoord.spectra.averaging import average_sites
from xascoord.spectra.checks import check_spectrum
from xascoord.spectra.edge_energy import find_e0
from xascoord.structures.symmetry import absorbing_sites, equivalent_sites

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from xascoord.measured.spectrum import NormalisedSpectrum


Array = npt.NDArray[np.float64]

_MOST_ATOMS = 500  # of a cell; larger files are no crystals of which one computes every site
_COMPARED = (-5.0, 45.0)  # eV about e0
_FARTHEST_SHIFT = 6.0  # eV


@dataclass(frozen=True)
class SimulatedSite:
    """One inequivalent site and its spectrum.

    Attributes
    ----------
    index, multiplicity
        In the cell that was read.
    environment
        Ranking label of coordination numbers and motifs.
    numbers, motifs
        Shapes (12,) and (25,): order parameters.
    energy, mu
        Shape (n,): in eV, and as FEFF normalises it; None where the run failed.
    e0
        In eV; NaN where there is none.
    problem
        Why there is no spectrum, or empty.
    scf
        How its self-consistency went.
    """

    index: int
    multiplicity: int
    environment: str
    numbers: Array
    motifs: Array
    energy: Array | None = None
    mu: Array | None = None
    e0: float = float("nan")
    problem: str = ""
    scf: SelfConsistency | None = None


@dataclass(frozen=True)
class Comparison:
    """A computed spectrum laid over a measured one.

    Attributes
    ----------
    offset
        What is added to computed energies so that both e0 fall together, in eV.
    shift
        What is added beyond that for the best correlation, in eV.
    at_e0, best
        Correlation from -5 to 45 eV about e0, without and with the shift.
    """

    offset: float
    shift: float
    at_e0: float
    best: float


def read_crystal(path: Path) -> Structure:
    """The crystal of a CIF (its primitive cell) or of a POSCAR (its cell as it is).

    Raises
    ------
    XascoordError
        Naming the file and what is wrong: not there, not readable, disordered, too large.
    """
    from xascoord.sources.crystals.amcsd import parse_cif
    from xascoord.sources.feff.missing import is_crystal_file
    from xascoord.sources.feff.output import decode, read_poscar

    if not is_crystal_file(path):
        raise XascoordError(f"{path}: neither a CIF (.cif) nor a POSCAR (POSCAR..., .vasp)")
    try:
        text = decode(read_file(path, DEFAULT_LIMITS.file_bytes))
        cif = PurePosixPath(path).suffix.lower() == ".cif"
        crystal = parse_cif(text, _MOST_ATOMS) if cif else read_poscar(text)
        if len(crystal) > _MOST_ATOMS:
            raise StructureError(f"more than {_MOST_ATOMS} atoms in the cell")
    except FileNotFoundError:
        raise XascoordError(f"{path}: no such file") from None
    except (StructureError, LimitError, NotAFileError, RejectedSpectrum, OSError) as error:
        hint = "; order it first" if "occupied" in str(error) else ""
        raise XascoordError(f"{path}: {error}{hint}") from None
    return crystal


def choose_element(crystal: Structure, element: str | None) -> str:
    """The absorber: as asked for, or the only element of the crystal that has models.

    Raises
    ------
    XascoordError
        If it is not in the crystal, has no models, or several come into question.
    """
    here = [symbol for symbol in ELEMENTS if symbol in crystal.symbol_set]
    if element is None:
        if len(here) != 1:
            raise XascoordError(
                f"{crystal.composition.reduced_formula}: which absorber? give --element, one of "
                f"{', '.join(here) or '(none of its elements has a K edge in range)'}"
            )
        return here[0]
    if element not in ELEMENTS:
        raise XascoordError(f"--element {element}: K edges of {' '.join(ELEMENTS)} only")
    if element not in here:
        raise XascoordError(
            f"--element {element}: not in {crystal.composition.reduced_formula}, which has "
            f"{', '.join(here) or 'none of them'}"
        )
    return element


def describe_sites(
    crystal: Structure, element: str, precision: float, labels: Labels, only: int | None = None
) -> list[SimulatedSite]:
    """The inequivalent sites of an element with their order parameters and labels.

    Parameters
    ----------
    crystal, element
        Ordered, and in it.
    precision
        Of the symmetry search, in angstrom.
    labels
        Thresholds.
    only
        Index of the only site that is wanted.

    Raises
    ------
    XascoordError
        If the space group is undefined or there is no such site.
    """
    equivalent = equivalent_sites(crystal, precision)
    firsts = absorbing_sites([site.specie.symbol for site in crystal], equivalent, element)
    if only is not None:
        if only not in firsts:
            raise XascoordError(f"--site {only}: no such site of {element}; --list shows them")
        firsts = [only]
    from xascoord.structures.order_parameters import order_parameters

    numbers, motifs, failures = order_parameters([(crystal, index) for index in firsts])
    thresholds = labels.cn_threshold, labels.motif_threshold
    sites = []
    for row, index in enumerate(firsts):
        found = combined_ranking(element, numbers[row], motifs[row], thresholds)
        environment = failures.get(row) or describe(found)
        sites.append(
            SimulatedSite(index, equivalent.count(index), environment, numbers[row], motifs[row])
        )
    return sites


def simulate_sites(
    crystal: Structure, element: str, sites: Sequence[SimulatedSite], settings: Settings,
    preset: str, workers: int, progress: Callable[[int, int], None],
) -> list[SimulatedSite]:  # fmt: skip
    """Compute the spectrum of each site.

    Parameters
    ----------
    crystal, element, sites
        As from ``describe_sites``.
    settings
        ``feff.run`` (engine, presets, limits), ``quality``, ``edge_energy``.
    preset
        Name of the cards.
    workers
        Runs at a time.
    progress
        Called with (done, total) after each run.

    Raises
    ------
    XascoordError
        If the machine lacks what FEFF needs. What is wrong with one site is in its ``problem``.
    """
    run = settings.feff.run
    cards = run.presets[preset]
    tasks = [FeffTask(str(site.index), _inputs(crystal, site.index, cards)) for site in sites]
    progress(0, len(tasks))
    with (
        TemporaryDirectory(prefix="xascoord-") as scratch,
        Journal(Path(scratch, "runs.jsonl")) as journal,
    ):
        batch = run_batch(
                tasks, commands_of(run), journal, workers, run.timeout, Path(scratch, "feff"),
                run.convergence,
            )  # fmt: skip
        for done, _ in enumerate(batch, start=1):
            progress(done, len(tasks))
        entries = {entry["key"]: entry for entry in journal.entries()}
    return [_with_spectrum(site, entries[str(site.index)], element, settings) for site in sites]


def _inputs(crystal: Structure, index: int, cards: Preset) -> tuple[Callable[[], str], ...]:
    tries = range(len(cards.mixings))
    return tuple(partial(xanes_input, crystal, index, cards, attempt) for attempt in tries)


def _with_spectrum(
    site: SimulatedSite, entry: dict[str, Any], element: str, settings: Settings
) -> SimulatedSite:
    scf = SelfConsistency.of(entry["scf"]) if entry["scf"] else None
    try:
        if entry["reason"]:
            raise XascoordError(f"{entry['reason']}: {entry['detail']}")
        xmu = parse_xmu(entry["xmu"])
        check_spectrum(xmu.energy, xmu.mu, element, settings.quality)
        e0 = find_e0(xmu.energy, xmu.mu, settings.edge_energy)
    except (XascoordError, RejectedSpectrum) as error:
        return replace(site, problem=str(error), scf=scf)
    return replace(site, energy=xmu.energy, mu=xmu.mu, e0=e0, scf=scf)


def averaged(
    sites: Sequence[SimulatedSite], settings: EdgeEnergy, step: float
) -> tuple[Array, Array, float]:
    """Energy, mu and e0 of the mean over all sites of a crystal.

    Raises
    ------
    XascoordError
        If a site has no spectrum, or their mean no e0.
    """
    lost = [str(site.index) for site in sites if site.energy is None]
    if lost:
        raise XascoordError(f"no spectrum of site {', '.join(lost)}: no average")
    spectra = [(site.energy, site.mu) for site in sites if site.energy is not None]
    try:
        energy, mu = average_sites(spectra, [site.multiplicity for site in sites], step)  # type: ignore[arg-type]
        return energy, mu, find_e0(energy, mu, settings)
    except (RejectedSpectrum, ValueError) as error:
        raise XascoordError(f"no average: {error}") from None


def compare(energy: Array, mu: Array, e0: float, measured: NormalisedSpectrum) -> Comparison:
    """Lay a computed spectrum over a measured one.

    Parameters
    ----------
    energy, mu, e0
        Of the computed spectrum.
    measured
        Normalised, with its e0.
    """
    grid = np.linspace(*_COMPARED, 201)
    shifts = np.round(np.arange(-_FARTHEST_SHIFT, _FARTHEST_SHIFT + 0.05, 0.1), 1)
    values = [_likeness(energy - e0 + shift, mu, grid, measured) for shift in shifts]
    best = int(np.argmax(np.round(values, 9)))
    zero = int(np.argmin(np.abs(shifts)))
    return Comparison(measured.e0 - e0, float(shifts[best]), values[zero], values[best])


def _likeness(relative: Array, mu: Array, grid: Array, measured: NormalisedSpectrum) -> float:
    """Correlation where both are; -1 where that is less than nine tenths of the grid."""
    energy = measured.energy - measured.e0
    low, high = max(relative[0], energy[0]), min(relative[-1], energy[-1])
    both = grid[(grid >= low) & (grid <= high)]
    if len(both) < 0.9 * len(grid):
        return -1.0
    ours, theirs = np.interp(both, relative, mu), np.interp(both, energy, measured.norm)
    return float(np.corrcoef(ours, theirs)[0, 1])


def xdi_text(element: str, energy: Array, mu: Array, title: str, facts: dict[str, str]) -> str:
    """A computed spectrum as XDI 1.0: columns energy (eV) and mu."""
    from xascoord import __version__

    lines = [
        f"# XDI/1.0 xascoord/{__version__}",
        f"# Element.symbol: {element}",
        "# Element.edge: K",
        "# Column.1: energy eV",
        "# Column.2: mu",
        f"# Sample.name: {title}",
        "# Mono.name: none (computed)",
        *(f"# Simulation.{name}: {value}" for name, value in facts.items()),
        "#----",
        "# energy mu",
    ]
    lines += [f"{e:12.4f} {m:14.7e}" for e, m in zip(energy, mu, strict=True)]
    return "\n".join(lines) + "\n"
