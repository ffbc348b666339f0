"""The spectra that come with the project: full multiple scattering, else path expansions.

An element with enough finished FEFF10 runs in ``data/crystals`` (``feff.packed``; crystals of the
AMCSD, and in a folder below it of the Materials Project) has those alone; any other has the path
expansions of ``data/demo``, which are poor within 10 eV of the edge. Names tell which:
``embedded:feff10/...`` and ``embedded:paths/...``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from xascoord.core.elements import ELEMENTS
from xascoord.core.schemas import FEFF_RUNS
from xascoord.core.tables import read_rows
from xascoord.settings.tree import Settings
from xascoord.sources.account import set_aside
from xascoord.sources.collect import Spectrum
from xascoord.sources.demo.spectra import read_embedded as read_paths
from xascoord.sources.feff.chunks import results_of
from xascoord.sources.feff.packed import unpacked_entry
from xascoord.sources.feff.plan import PLAN, read_plan

NAME = "embedded"
FEFF10, PATHS = "feff10", "paths"
MATERIALS_PROJECT = "materials_project"  # folder of crystals from there
Found = tuple[Any, dict[str, Any] | None]


def read_both(settings: Settings) -> Iterator[Found]:
    """The embedded spectra of all elements, whatever ``elements`` says; each checked or rejected.

    Raises
    ------
    SourceError
        If the tables are not there or do not fit.
    """
    found = list(_multiple_scattering(settings))
    counts = Counter(one.absorber for one, _ in found if isinstance(one, Spectrum))
    done = {e for e, count in counts.items() if count >= settings.embedded.least_sites}
    for one, structure in found:
        if one.absorber in done:
            yield _renamed(one, structure, FEFF10)
        else:
            set_aside()
    for one, structure in read_paths(settings):
        if one.absorber not in done:
            yield _renamed(one, structure, PATHS)
        else:
            set_aside()


def _multiple_scattering(settings: Settings) -> Iterator[Found]:
    folder = Path(settings.embedded.folder)
    for part in (folder, folder / MATERIALS_PROJECT):
        entries: dict[str, dict[str, Any]] = {}
        for element in ELEMENTS:
            path = part / f"{element}.parquet"
            for row in read_rows(path, FEFF_RUNS) if path.is_file() else ():
                # What came with the project holds whatever the settings say of runs to be done.
                entries[row["key"].partition("#")[0]] = unpacked_entry(row)
        if not entries:
            continue
        runs = [run for run in read_plan(part / PLAN) if run.name in entries]
        finished = [(run, entries[run.name]) for run in runs]
        yield from results_of(finished, settings.feff.run.convergence, settings.quality)


def _renamed(one: Any, structure: dict[str, Any] | None, engine: str) -> Found:
    if not isinstance(one, Spectrum):
        return replace(one, item=f"{engine}/{one.item}"), None
    assert structure is not None
    name = structure["structure_id"].rpartition(":")[2]
    structure = {**structure, "structure_id": f"{NAME}:{engine}/{name}", "source": NAME}
    return replace(one, key=f"{engine}/{one.key}"), structure
