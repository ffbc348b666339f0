"""Which sites the embedded FEFF10 spectra are of: by coordination number and oxidation state.

    .venv/bin/python benchmarks/embedded_sites.py [--plot docs/images/embedded_sites.png]

Sites that are planned and not computed, and runs that failed, are counted beside them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xascoord.core.elements import ELEMENTS
from xascoord.core.figures import new_figure, save_figure
from xascoord.core.schemas import FEFF_RUNS
from xascoord.core.tables import read_rows
from xascoord.sources.feff.plan import PLAN, read_plan

FOLDERS = (Path("data/crystals"), Path("data/crystals/materials_project"))
NUMBERS = range(2, 13)


@dataclass
class Sites:
    """Sites of one element."""

    computed: int = 0
    failed: int = 0
    waiting: int = 0
    materials: set[str] = field(default_factory=set)
    numbers: Counter[int] = field(default_factory=Counter)
    valences: Counter[int] = field(default_factory=Counter)


def sites_of(folder: Path) -> Iterator[tuple[str, dict[str, str], str]]:
    """Element, row of the plan, and what became of each planned run: "", a reason or "waiting"."""
    reasons: dict[str, str] = {}
    for path in folder.glob("*.parquet"):
        reasons |= {r["key"].partition("#")[0]: r["reason"] for r in read_rows(path, FEFF_RUNS)}
    for run in read_plan(folder / PLAN):
        yield run.element, run.site, reasons.get(run.name, "waiting")


def count() -> tuple[dict[str, Sites], Counter[str]]:
    """Sites by element, and failures by reason."""
    found, reasons = {element: Sites() for element in ELEMENTS}, Counter[str]()
    for folder in FOLDERS:
        for element, row, reason in sites_of(folder):
            mine = found[element]
            if reason == "waiting":
                mine.waiting += 1
            elif reason:
                mine.failed += 1
                reasons[reason] += 1
            else:
                mine.computed += 1
                mine.materials.add(row["material"])
                mine.numbers[int(row["coordination"])] += 1
                mine.valences[int(row["valence"])] += 1
    return found, reasons


def plot(found: dict[str, Sites], path: Path) -> None:
    """Stacked bars of coordination numbers by element."""
    from matplotlib import colormaps

    figure = new_figure(9, 4)
    axes = figure.subplots()
    bottom, shades = np.zeros(len(found)), colormaps["viridis"]
    for number in NUMBERS:
        heights = np.array([one.numbers[number] for one in found.values()])
        if heights.any():
            colour = shades((number - NUMBERS[0]) / len(NUMBERS))
            axes.bar(list(found), heights, bottom=bottom, label=str(number), color=colour)
        bottom += heights
    axes.set_ylabel("sites computed by FEFF10")
    axes.legend(title="coordination number", ncols=4, fontsize=8, frameon=False)
    axes.tick_params(axis="x", labelsize=8)
    axes.margins(x=0.01)
    save_figure(figure, path)


def main() -> None:
    """Print a line an element, and the failures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, help="PNG of sites by coordination number")
    given = parser.parse_args()
    found, reasons = count()
    for element, mine in found.items():
        numbers = " ".join(f"{n}:{k}" for n, k in sorted(mine.numbers.items()))
        valences = " ".join(f"{n}+:{k}" for n, k in sorted(mine.valences.items()))
        print(
            f"{element:2} {mine.computed:4} sites of {len(mine.materials):3} materials, "
            f"{mine.failed} failed, {mine.waiting} waiting; {numbers}; {valences}"
        )
    total = sum(one.computed for one in found.values())
    print(f"{total} sites; failures: {dict(reasons)}")
    if given.plot:
        plot(found, given.plot)


if __name__ == "__main__":
    main()
