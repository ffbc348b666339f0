"""FEFF runs shared out over jobs: chunks of a plan (``plan.py``), and a journal for each chunk.

A journal ``<folder>/<name>-<part>of<parts>.jsonl`` holds one JSON object a line:

- ``key``: one of the names that ``names_of`` gives its run;
- ``xmu``: the text of FEFF's ``xmu.dat``, empty where there is none;
- ``reason``, ``detail``: empty, or why the run cannot be used;
- ``scf``: ``fermi_levels`` (eV) and ``charge_distances`` after each iteration, ``reached``;
- ``tries``, ``cpu``: how many inputs were tried, CPU-seconds of those that FEFF ended.

What stands in any of them, or in a packed table (``packed.py``), is not computed again, however the
runs are shared out next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from xascoord.core.errors import XascoordError
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection
from xascoord.jobs.journal import Journal, read_journal
from xascoord.settings.feff import Convergence, FeffRun, Preset
from xascoord.settings.sources import Quality
from xascoord.sources.account import opening
from xascoord.sources.collect import Spectrum
from xascoord.sources.feff.batch import run_batch
from xascoord.sources.feff.convergence import SelfConsistency, check_self_consistency
from xascoord.sources.feff.engines import commands_of
from xascoord.sources.feff.inputs import xanes_input
from xascoord.sources.feff.packed import read_packed, spectrum_of
from xascoord.sources.feff.plan import PlannedRun, cards_of, names_of, run_key
from xascoord.sources.feff.run import FeffTask
from xascoord.sources.feff.xmu import Xmu
from xascoord.spectra.checks import check_spectrum
from xascoord.structures.symmetry import structure_from_row

Row = dict[str, Any]


def run_task(planned: PlannedRun, run: FeffRun) -> FeffTask:
    """The calculation of one site, with one input for each mixing of its preset."""
    preset = cards_of(planned, run)
    return FeffTask(
        run_key(planned, run),
        tuple(partial(_input, planned, preset, attempt) for attempt in range(len(preset.mixings))),
    )


def _input(planned: PlannedRun, preset: Preset, attempt: int) -> str:
    return xanes_input(structure_from_row(planned.structure), planned.index, preset, attempt)


def finished_runs(
    folder: Path, names: Mapping[str, str], packed: Path | None = None, element: str | None = None
) -> dict[str, dict[str, Any]]:
    """Entries of some runs in all journals of a folder; a good one goes before a failed one.

    Of several of a journal the last one counts: a run that was done again.

    Parameters
    ----------
    folder
        Of journals.
    names
        Which runs: every name that an entry may have, and the key that it gets (``names_of``).
    packed
        Folder of packed tables; a journal goes before them.
    element
        Absorber of all of them: journals and tables of others are not read.
    """
    found: dict[str, dict[str, Any]] = {}
    mine = (f"{element}-", "all-") if element else ("",)
    paths = [path for path in sorted(folder.glob("*.jsonl")) if path.name.startswith(mine)]
    for entry in (entry for path in paths for entry in read_journal(path)):
        key = names.get(entry["key"])
        if key and (key not in found or found[key]["reason"] or not entry["reason"]):
            found[key] = {**entry, "key": key}
    for entry in read_packed(packed, element):
        key = names.get(entry["key"])
        if key and (key not in found or (found[key]["reason"] and not entry["reason"])):
            found[key] = {**entry, "key": key}
    return found


def run_chunk(
    plan: Sequence[PlannedRun], chunk: tuple[int, int], journals: Path, name: str, run: FeffRun,
    workers: int, packed: Path | None = None,
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Do one share of the runs: of chunk (i, n) every n-th, from the i-th on.

    Parameters
    ----------
    plan
        All runs, in order.
    chunk
        Which share, counted from 1, of how many.
    journals, name
        Folder of results, and the beginning of the name of this chunk's journal.
    run
        Cards, engine, limits.
    workers
        Runs at a time.
    packed
        Folder of packed tables of finished runs.

    Yields
    ------
    done, total
        After each run; those that some journal holds come first.
    """
    part, parts = chunk
    if not 1 <= part <= parts:
        raise XascoordError(f"chunk {part} of {parts}: there is no such chunk")
    mine = plan[part - 1 :: parts]
    tasks = [run_task(planned, run) for planned in mine]
    label = f"{name}-{part}of{parts}"
    path = journals / f"{label}.jsonl"
    known = finished_runs(journals, names_of(mine, run, packed), packed)
    todo = [
        task for task in tasks if task.key not in known or not _settled(known[task.key], task, run)
    ]
    done = len(tasks) - len(todo)
    yield done, len(tasks)
    with Journal(path) as journal:
        for _ in run_batch(
            todo, commands_of(run), journal, workers, run.timeout, journals / f"scratch-{label}",
            run.convergence,
        ):  # fmt: skip
            done += 1
            yield done, len(tasks)


def results(
    plan: Sequence[PlannedRun],
    journals: Path,
    run: FeffRun,
    quality: Quality,
    packed: Path | None = None,
) -> Iterator[tuple[Spectrum | Rejection, Row | None]]:
    """What the journals hold of a plan: a checked spectrum or a rejection for each run."""
    keys = [run_key(planned, run) for planned in plan]
    elements = {planned.element for planned in plan}
    alone = elements.pop() if len(elements) == 1 else None
    entries = finished_runs(journals, names_of(plan, run, packed), packed, alone)
    pairs = [(planned, entries.get(key)) for planned, key in zip(plan, keys, strict=True)]
    yield from results_of(pairs, run.convergence, quality)


def results_of(
    pairs: Iterable[tuple[PlannedRun, Row | None]], limits: Convergence, quality: Quality
) -> Iterator[tuple[Spectrum | Rejection, Row | None]]:
    """A checked spectrum or a rejection for each run and what is known of it, if anything is."""
    for planned, entry in opening(pairs):
        row = planned.structure
        try:
            xmu = _spectrum(entry, row, planned.element, limits, quality)
        except RejectedSpectrum as error:
            yield Rejection(planned.name, error.reason, error.detail, planned.element), None
            continue
        yield Spectrum(
            planned.name, row["material"], planned.element, "site", planned.index, xmu.energy,
            xmu.mu,
        ), row  # fmt: skip


def _spectrum(
    entry: Row | None, structure: Row, element: str, limits: Convergence, quality: Quality
) -> Xmu:
    """The spectrum of a run, held to the limits in force now."""
    if quality.oxides_only and "O" not in structure["species"]:
        raise RejectedSpectrum(Reason.NOT_AN_OXIDE, structure["formula"])
    if entry is None:
        raise RejectedSpectrum(Reason.NOT_COMPUTED, "no run of it yet")
    xmu = None if entry["reason"] not in ("", Reason.UNCONVERGED) else spectrum_of(entry)
    if xmu is None:
        raise RejectedSpectrum(Reason(entry["reason"] or Reason.EMPTY), entry["detail"])
    if entry["scf"] is not None:
        check_self_consistency(SelfConsistency.of(entry["scf"]), limits)
    elif entry["reason"]:
        raise RejectedSpectrum(Reason(entry["reason"]), entry["detail"])
    check_spectrum(xmu.energy, xmu.mu, element, quality)
    return xmu


def _settled(entry: Row, task: FeffTask, run: FeffRun) -> bool:
    """Whether a run need not be done again under the limits in force now.

    Of failures only those of the time limit may pass, and those of a program of the user; a run
    that was once good enough is done again, with the mixings that are left, where it is not now.
    """
    again = ("timeout", "feff_failed") if run.engine == "executable" else ("timeout",)
    if entry["reason"] in again:
        return False
    if entry["scf"] is None:
        return True
    try:
        check_self_consistency(SelfConsistency.of(entry["scf"]), run.convergence)
    except RejectedSpectrum:
        return bool(entry["tries"] >= len(task.inputs))
    return True
