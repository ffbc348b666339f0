"""Order parameters and ranking labels of whole data sets.

Order parameters are computed once for each symmetry-inequivalent site; a site-averaged spectrum
has the multiplicity-weighted mean of its sites (Patterns, "Construction of Coordination
Environment Ranking Labels").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from xascoord.core.errors import OF_THE_MACHINE
from xascoord.core.rejections import Reason, Rejection
from xascoord.core.schemas import VECTORS
from xascoord.jobs.journal import Journal
from xascoord.jobs.workers import run_in_workers
from xascoord.structures.sites import SiteTask, sites_behind
from xascoord.structures.symmetry import structure_from_row

Row = dict[str, Any]

_CHUNK = 150  # sites scored together: a third of a second of work
_DECIMALS = 9


def compute_sites(
    tasks: Sequence[SiteTask], structures: Sequence[Row], journal: Journal, workers: int
) -> Iterator[tuple[int, int]]:
    """Compute what the journal does not hold yet, spread over processes.

    Yields
    ------
    done, total
        After each chunk; a killed run loses at most the chunks that were running.
    """
    by_id = {row["structure_id"]: row for row in structures}
    fresh = {task.key: task for task in tasks if task.key not in journal}
    todo = list(fresh.values())
    total = len({task.key for task in tasks})
    yield total - len(todo), total
    chunks = [
        [(task.key, by_id[task.structure_id], task.orbit) for task in todo[i : i + _CHUNK]]
        for i in range(0, len(todo), _CHUNK)
    ]
    done = total - len(todo)
    for _, results in run_in_workers(score_sites, chunks, workers):
        journal.extend(results)
        done += len(results)
        yield done, total


def score_sites(chunk: Sequence[tuple[str, Row, int]]) -> list[Row]:
    """Journal entries of some sites; whatever goes wrong with one is in its own entry.

    Parameters
    ----------
    chunk
        (key, row of ``schemas.STRUCTURES``, site index) of each.
    """
    from xascoord.structures.order_parameters import order_parameters

    try:
        sites = [(structure_from_row(row), site) for _, row, site in chunk]
        numbers, motifs, failures = order_parameters(sites)
    except OF_THE_MACHINE:
        raise  # the machine's fault, not the structure's: nothing to record
    except Exception as error:  # one impossible structure must not stop the rest
        if len(chunk) > 1:
            return [entry for piece in chunk for entry in score_sites([piece])]
        return [{"key": chunk[0][0], "reason": f"{type(error).__name__}: {error}"[:200]}]
    # Rounded, so that the bytes do not depend on which sites were scored together.
    values = np.round(numbers, _DECIMALS).tolist(), np.round(motifs, _DECIMALS).tolist()
    return [
        {"key": key, "reason": failures[i]}
        if i in failures
        else {"key": key, "reason": "", **dict(zip(VECTORS, (v[i] for v in values), strict=True))}
        for i, (key, _, _) in enumerate(chunk)
    ]


def assign(
    element: str,
    spectra: Sequence[Row],
    structures: Sequence[Row],
    tasks: Sequence[SiteTask],
    results: dict[str, Row],
) -> tuple[list[Row], list[Row]]:
    """Order parameters of each spectrum of both data sets.

    Parameters
    ----------
    element
        Absorber.
    spectra
        Rows with ``spectrum_id, material, structure_id, kind, site_index, multiplicity, source``.
    structures
        Their structures.
    tasks, results
        Sites and what was computed for them, by key.

    Returns
    -------
    rows
        Rows of ``schemas.ORDER_PARAMETERS``.
    rejections
        Rows of ``schemas.REJECTIONS`` for the other spectra.
    """
    by_id = {row["structure_id"]: row for row in structures}
    entries = {(task.structure_id, task.orbit): results[task.key] for task in tasks}
    rows, rejections = [], []
    for spectrum in spectra:
        wanted = sites_behind(element, spectrum, by_id[spectrum["structure_id"]])
        found = [entries[spectrum["structure_id"], orbit] for orbit in wanted]
        failed = [entry["reason"] for entry in found if entry["reason"]]
        if failed:
            rejection = Rejection(
                spectrum["spectrum_id"], Reason.BAD_STRUCTURE, failed[0], element, spectrum["kind"]
            )
            rejections.append(rejection.row("labels", spectrum["source"]))
            continue
        mean = partial(np.average, axis=0, weights=list(wanted.values()))
        rows.append(
            {
                **spectrum,
                **{name: mean([entry[name] for entry in found]).tolist() for name in VECTORS},
            }
        )
    return rows, rejections
