"""The embedded source: path-expansion spectra of prototype oxides of all 33 elements.

Computed by this project with the FEFF8L programs of xraylarch. Path expansion is not
quantitative within about 10 eV of the edge: these spectra exist to run the chain anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import StructureError
from xascoord.core.hashing import digest, rounded, rounded_place
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection
from xascoord.core.schemas import SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows, write_rows
from xascoord.jobs.journal import Journal
from xascoord.settings.tree import Settings
from xascoord.sources.account import opening
from xascoord.sources.collect import SpectraWriter, Spectrum
from xascoord.sources.demo.prototypes import demo_structures, read_prototypes
from xascoord.sources.feff.batch import run_batch
from xascoord.sources.feff.engines import feff8l_commands
from xascoord.sources.feff.inputs import PATH_EXPANSION_VERSION, path_expansion_input
from xascoord.sources.feff.run import FeffTask
from xascoord.sources.feff.xmu import Xmu, parse_xmu
from xascoord.spectra.checks import check_spectrum
from xascoord.structures.symmetry import absorbing_sites, structure_row

Array = npt.NDArray[np.float64]
NAME = "demo"
_TRIED_AGAIN = ("timeout", "feff_failed")


def xanes_from_paths(
    xmu: Xmu, energy_range: tuple[float, float], step: float, switch_on: tuple[float, float]
) -> tuple[Array, Array]:
    """mu(E) across the edge from a FEFF8L path expansion, which starts at the Fermi level.

    ``mu = mu0 (1 + s(k) chi)``, with s rising smoothly from 0 to 1 over ``switch_on``: close to
    k = 0 the expansion diverges and mu would turn negative. Below the Fermi level mu0 goes on
    as the arctangent tail of a lifetime-broadened step that meets its first value and slope.

    Parameters
    ----------
    xmu
        FEFF output; energies relative to the vacuum, k = 0 at the Fermi level.
    energy_range
        Lower and upper end about the Fermi level, in eV.
    step
        Step of the result, in eV.
    switch_on
        Wavenumbers where s is 0 and 1, in 1/angstrom.

    Returns
    -------
    energy, mu
        Both of shape (n,); eV and units of the edge step.
    """
    from scipy.interpolate import PchipInterpolator

    columns = (xmu.energy, xmu.wavenumber, xmu.mu0, xmu.chi)
    if len(xmu.energy) < 4 or not all(np.isfinite(column).all() for column in columns):
        raise RejectedSpectrum(Reason.NOT_A_NUMBER, "xmu.dat is not a path expansion")
    if (np.diff(xmu.energy) <= 0).any():
        raise RejectedSpectrum(Reason.ENERGY_NOT_INCREASING, "xmu.dat is not a path expansion")
    fermi = xmu.energy[0]  # k = 0.05: 0.01 eV above the Fermi level
    relative = xmu.energy - fermi
    fade = np.clip((xmu.wavenumber - switch_on[0]) / (switch_on[1] - switch_on[0]), 0.0, 1.0)
    fade = fade**2 * (3 - 2 * fade)
    mu = xmu.mu0 * (1 + fade * xmu.chi)
    grid = np.arange(energy_range[0], energy_range[1] + step / 2, step)
    above = PchipInterpolator(relative, mu, extrapolate=False)(np.clip(grid, 0.0, relative[-1]))
    # mu0 ~ 1/2 + atan(E / w) / pi scaled to meet the first value; w from its slope there.
    slope = float(np.gradient(mu[:4], relative[:4])[0])
    width = max(2 * mu[0] / (np.pi * max(slope, 1e-3)), 0.5)
    tail = 2 * mu[0] * (0.5 + np.arctan(np.minimum(grid, 0.0) / width) / np.pi)
    result = np.where(grid < 0, tail, above)
    inside = grid <= relative[-1]
    return np.round((fermi + grid)[inside], 3), np.round(result[inside], 5)


def compute_element(
    element: str, settings: Settings, journals: Path, scratch: Path, workers: int
) -> Iterator[tuple[int, int]]:
    """Compute the spectra of one element into its journal; resumes where a killed run ended.

    Yields
    ------
    done, total
        After each spectrum.
    """
    structures, _ = _structures(element, settings)
    tasks = []
    for _, structure, row in structures.values():
        for site in absorbing_sites(row["species"], row["equivalent_to"], element):
            tasks.append(
                FeffTask(
                    _key(row, site, settings),
                    (partial(path_expansion_input, structure, site, settings.demo),),
                )
            )
    with Journal(journals / f"{element}.jsonl") as journal:
        known = {e["key"] for e in journal.entries() if e["reason"] not in _TRIED_AGAIN}
        todo = [task for task in tasks if task.key not in known]
        yield len(tasks) - len(todo), len(tasks)
        batch = run_batch(
            todo, feff8l_commands(), journal, workers, settings.demo.timeout, scratch / element
        )
        for done, _ in enumerate(batch, start=1 + len(tasks) - len(todo)):
            yield done, len(tasks)


def _structures(
    element: str, settings: Settings
) -> tuple[dict[str, tuple[str, Any, dict[str, Any]]], dict[str, str]]:
    """Structures with their rows; those whose symmetry is undefined join the rejected ones."""
    prototypes = read_prototypes(Path(settings.demo.folder) / "prototypes.csv")
    found, rejected = demo_structures(element, prototypes, settings.demo, settings.seed)
    structures = {}
    for structure_id, (material, structure) in found.items():
        try:
            precision = settings.quality.symmetry_precision
            row = structure_row(structure, structure_id, material, NAME, precision)
        except StructureError as error:
            rejected[structure_id] = str(error)
            continue
        structures[structure_id] = (material, structure, row)
    return structures, rejected


def _key(row: dict[str, Any], site: int, settings: Settings) -> str:
    """Name of one calculation in the journal: it changes with everything that goes into it."""
    demo = settings.demo
    lattice = [rounded(value, 5) for value in row["lattice"]]
    content = (lattice, row["species"], [rounded_place(value, 5) for value in row["frac_coords"]])
    program = (version("xraylarch"), PATH_EXPANSION_VERSION)  # FEFF8L comes with larch
    inputs = digest(*content, demo.cluster_radius, demo.path_length, demo.legs, *program)
    return f"{row['structure_id']}/{site}#{inputs}"


def collect_element(element: str, settings: Settings, journals: Path) -> SpectraWriter:
    """Turn the journal of one element into tables, rejecting what failed."""
    writer = SpectraWriter(NAME, (element,))
    for _ in writer.consume(_computed(element, settings, journals)):
        pass
    return writer


def _computed(
    element: str, settings: Settings, journals: Path
) -> Iterator[tuple[Spectrum | Rejection, dict[str, Any] | None]]:
    structures, rejected = _structures(element, settings)
    for item, why in opening(rejected.items()):
        yield Rejection(item, Reason.BAD_STRUCTURE, why, element), None
    with Journal(journals / f"{element}.jsonl") as journal:
        keys = {
            _key(row, site, settings)
            for _, _, row in structures.values()
            for site in absorbing_sites(row["species"], row["equivalent_to"], element)
        }
        results = {entry["key"]: entry for entry in journal.entries(keys)}
    for structure_id, (material, _, row) in structures.items():
        for site in opening(absorbing_sites(row["species"], row["equivalent_to"], element)):
            key = f"{structure_id}/{site}"
            try:
                energy, mu = _spectrum(results.get(_key(row, site, settings)), element, settings)
            except RejectedSpectrum as error:
                yield Rejection(key, error.reason, error.detail, element), None
                continue
            yield Spectrum(key, material, element, "site", site, energy, mu), row


def _spectrum(
    entry: dict[str, Any] | None, element: str, settings: Settings
) -> tuple[Array, Array]:
    if entry is None:
        raise RejectedSpectrum(Reason.FEFF_FAILED, "never computed")
    if entry["reason"]:
        raise RejectedSpectrum(Reason(entry["reason"]), entry["detail"])
    demo = settings.demo
    energy, mu = xanes_from_paths(
        parse_xmu(entry["xmu"]), demo.energy_range, demo.energy_step, demo.switch_on
    )
    check_spectrum(energy, mu, element, settings.quality)
    return energy, mu


def embed(writers: Sequence[SpectraWriter], folder: Path) -> None:
    """Write the tables that are kept in git, under 10 MB."""
    write_rows(folder / "spectra.parquet", [r for h in writers for r in h.spectra()], SPECTRA)
    rows = [row for writer in writers for row in writer.structures()]
    write_rows(folder / "structures.parquet", rows, STRUCTURES)


def read_embedded(
    settings: Settings,
) -> Iterator[tuple[Spectrum | Rejection, dict[str, Any] | None]]:
    """The embedded spectra, checked like those of any other source."""
    folder = Path(settings.demo.folder)
    structures = {
        row["structure_id"]: row for row in read_rows(folder / "structures.parquet", STRUCTURES)
    }
    for row in opening(read_rows(folder / "spectra.parquet", SPECTRA)):
        energy, mu = np.asarray(row["energy"]), np.asarray(row["mu"])
        key = row["spectrum_id"].removeprefix(f"{NAME}:")
        try:
            check_spectrum(energy, mu, row["absorber"], settings.quality)
        except RejectedSpectrum as error:
            yield Rejection(key, error.reason, error.detail, row["absorber"]), None
            continue
        spectrum = Spectrum(
            key, row["material"], row["absorber"], row["kind"], row["site_index"], energy, mu
        )
        yield spectrum, structures[row["structure_id"]]
