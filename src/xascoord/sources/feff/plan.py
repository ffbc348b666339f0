"""Plans of FEFF runs, and the names by which finished runs are known.

A plan is a folder with ``structures.parquet`` (``schemas.STRUCTURES``) and ``sites.csv``, one line
a run in the order of computing: ``element, structure_id, material, site_index, preset`` and what
else whoever wrote it had to say.

The key of a run is ``<structure>/<element>/<site>#<digest of crystal, cards and engine>``.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xascoord.core.errors import SourceError, XascoordError
from xascoord.core.files import write_csv
from xascoord.core.hashing import digest, rounded, rounded_place
from xascoord.core.schemas import REJECTIONS, STRUCTURES
from xascoord.core.tables import read_rows, write_rows
from xascoord.settings.feff import FeffRun, Preset
from xascoord.sources.feff.inputs import INPUT_VERSION

Row = dict[str, Any]
PLAN = "plan"  # folder of the plan of packed runs, beside their tables
PLAN_COLUMNS = ("element", "structure_id", "material", "site_index", "preset")


@dataclass(frozen=True)
class PlannedRun:
    """One line of a plan: a site, and its crystal as a row of ``schemas.STRUCTURES``."""

    site: Row
    structure: Row

    @property
    def element(self) -> str:
        """The absorber."""
        return str(self.site["element"])

    @property
    def index(self) -> int:
        """Index of the site in its crystal."""
        return int(self.site["site_index"])

    @property
    def preset(self) -> str:
        """Name of its cards."""
        return str(self.site["preset"])

    @property
    def name(self) -> str:
        """Beginning of the key, and name of the spectrum within its source."""
        structure = self.structure["structure_id"]
        return (
            f"{structure.removeprefix(self.structure['source'] + ':')}/{self.element}/{self.index}"
        )


def write_plan(
    folder: Path, sites: Sequence[Row], structures: Iterable[Row], rejections: Sequence[Row]
) -> None:
    """Write a plan, and what did not come into it."""
    columns = list(sites[0]) if sites else list(PLAN_COLUMNS)
    write_rows(folder / "structures.parquet", list(structures), STRUCTURES)
    write_csv(folder / "rejections.csv", rejections, REJECTIONS.names)
    write_csv(folder / "sites.csv", sites, columns)


def read_plan(folder: Path, element: str | None = None) -> list[PlannedRun]:
    """The runs of a plan, or those of one element, in the order of computing.

    Raises
    ------
    SourceError
        If the tables are not there or do not fit.
    """
    try:
        with (folder / "sites.csv").open(newline="", encoding="utf-8") as handle:
            sites = [r for r in csv.DictReader(handle) if element in (None, r["element"])]
        rows = read_rows(folder / "structures.parquet", STRUCTURES)
        structures = {row["structure_id"]: row for row in rows}
        return [PlannedRun(site, structures[site["structure_id"]]) for site in sites]
    except (OSError, KeyError) as error:
        raise SourceError(f"{folder}: no plan of FEFF runs ({error})") from None


def cards_of(planned: PlannedRun, run: FeffRun) -> Preset:
    """The preset of a planned run.

    Raises
    ------
    XascoordError
        If the settings have none of that name.
    """
    if planned.preset not in run.presets:
        raise XascoordError(
            f"the plan names the preset {planned.preset!r}; feff.run.presets has "
            f"{', '.join(run.presets)}"
        )
    return run.presets[planned.preset]


def run_key(planned: PlannedRun, run: FeffRun) -> str:
    """Name of one calculation: it changes with the crystal, the input and the program."""
    return _name(planned, run, rounded_place)


def names_of(
    runs: Iterable[PlannedRun], run: FeffRun, packed: Path | None = None
) -> dict[str, str]:
    """Every name that an entry of some runs may have, with the key of its run.

    Keys once told a coordinate of 1 from one of 0, which is a matter of last bits: a finished run
    is known by that name, too, as its own plan or the one beside its packed table makes it.

    Parameters
    ----------
    runs
        Which.
    run
        Cards and engine.
    packed
        Folder of packed tables of finished runs.
    """
    runs = list(runs)
    keys = {run_key(planned, run) for planned in runs}
    others = read_plan(packed / PLAN) if packed is not None and (packed / PLAN).is_dir() else []
    names = {
        _name(planned, run, rounded): run_key(planned, run)
        for planned in (*runs, *others)
        if planned.preset in run.presets
    }
    return {name: key for name, key in names.items() if key in keys} | {key: key for key in keys}


def _name(planned: PlannedRun, run: FeffRun, place: Callable[[float, int], float]) -> str:
    row = planned.structure
    # To five decimals: reading a CIF gives other last bits on another processor.
    numbers = [[rounded(value, 5) for value in row["lattice"]]]
    numbers += [[place(value, 5) for value in row["frac_coords"]]]
    engine = run.executable or f"feff10-rs {_version('feff10-rs')}"
    cards = cards_of(planned, run).model_dump(mode="json")
    later = [INPUT_VERSION] if INPUT_VERSION > 1 else []  # the first runs were named without
    return f"{planned.name}#{digest(*numbers, row['species'], cards, engine, *later)}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
