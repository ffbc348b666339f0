"""Stage 02 as commands run it: data sets of each element, and their summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xascoord.core.elements import ELEMENTS
from xascoord.core.engines import engine_of
from xascoord.core.errors import AccountingError
from xascoord.core.files import write_csv, write_json
from xascoord.core.schemas import DATASET, REJECTIONS, SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows, read_table, write_rows
from xascoord.datasets.build import build_datasets
from xascoord.settings.tree import Settings

ENGINES = ("element", "engine", "site", "averaged")
SAME = ("element", "material", "same_as")


def make_datasets(
    element: str, folders: Sequence[Path], settings: Settings, datasets: Path
) -> None:
    """Build both data sets of one element from the spectra of all sources.

    Parameters
    ----------
    element
        Absorber.
    folders
        Of the sources, by precedence: of the same site in two of them the first one's is kept.
    settings
        Energy reference, window, averaging.
    datasets
        Folder; ``site``, ``averaged`` and ``rejections`` in it get a Parquet file of the element.
    """
    spectra = [r for f in folders for r in read_rows(f / f"spectra/{element}.parquet", SPECTRA)]
    structures = [
        r for f in folders for r in read_rows(f / f"structures/{element}.parquet", STRUCTURES)
    ]
    built = build_datasets(element, spectra, structures, settings)
    name = f"{element}.parquet"
    write_rows(datasets / "site" / name, built.site, DATASET)
    write_rows(datasets / "averaged" / name, built.averaged, DATASET)
    write_rows(datasets / "rejections" / name, built.rejections, REJECTIONS)


def summarise_datasets(
    settings: Settings, sources: Sequence[Path], datasets: Path, results: Path
) -> None:
    """Tables and figures of both stages: counts, engines, rejections by reason, examples.

    Raises
    ------
    AccountingError
        If the spectra of the sources are not all in a data set or a rejection table.
    """
    import csv

    from xascoord.datasets.figures import plot_counts, plot_examples

    others = set(ELEMENTS) - set(settings.elements)
    found: Counter[str] = Counter()
    rejections: list[dict[str, Any]] = []
    for folder in sources:
        with (folder / "rejections.csv").open(newline="", encoding="utf-8") as handle:
            # A source may have been asked for more elements than are worked on now.
            rejections += [r for r in csv.DictReader(handle) if r["absorber"] not in others]
        with (folder / "counts.csv").open(newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                found[row["absorber"]] += int(row["found"])
    rows = [_element_counts(e, found[e], rejections, sources, datasets) for e in settings.elements]
    for element in settings.elements:
        rejections += read_rows(datasets / f"rejections/{element}.parquet", REJECTIONS)
    reasons = Counter((r["stage"], r["source"], r["kind"], r["reason"]) for r in rejections)
    names = ("stage", "source", "kind", "reason")
    by_reason = [
        {**dict(zip(names, key, strict=True)), "count": n} for key, n in sorted(reasons.items())
    ]
    write_csv(results / "counts.csv", rows, list(rows[0]))
    totals = ("found", "rejected_by_source", "site", "site_rejected", "averaged", "materials")
    write_json(
        results / "metrics.json", {name: sum(int(row[name]) for row in rows) for name in totals}
    )
    engines = [row for e in settings.elements for row in _engines_of(e, datasets)]
    write_csv(results / "engines.csv", engines, ENGINES)
    same = [row for e in settings.elements for row in _same_crystals(e, datasets)]
    write_csv(results / "same_crystals.csv", same, SAME)
    write_csv(results / "rejections.csv", rejections, REJECTIONS.names)
    write_csv(results / "rejections_by_reason.csv", by_reason, (*names, "count"))
    plot_counts(rows, results / "counts.png")
    plot_examples(settings, datasets, results / "examples.png")


def _element_counts(
    element: str, found: int, source_rejections: Sequence[dict[str, Any]], folders: Sequence[Path],
    datasets: Path,
) -> dict[str, Any]:  # fmt: skip
    """One line of the table of counts; that every spectrum is somewhere is checked again here."""
    site = read_table(datasets / f"site/{element}.parquet", DATASET)
    averaged = read_table(datasets / f"averaged/{element}.parquet", DATASET)
    rejected = read_rows(datasets / f"rejections/{element}.parquet", REJECTIONS)
    spectra = [read_table(f / f"spectra/{element}.parquet", SPECTRA) for f in folders]
    accepted = sum(table.num_rows for table in spectra)
    before = sum(1 for row in source_rejections if row["absorber"] == element)
    if found != accepted + before:
        raise AccountingError(f"{element}: {found} found, {accepted} accepted, {before} rejected")
    after = Counter((row["kind"], row["reason"] == "missing_site") for row in rejected)
    of_sites = sum(table["kind"].to_pylist().count("site") for table in spectra)
    if of_sites != site.num_rows + after["site", False]:
        raise AccountingError(
            f"{element}: {of_sites} site spectra, {site.num_rows} in the data set"
        )
    materials, groups = (
        {*site[column].to_pylist(), *averaged[column].to_pylist()}
        for column in ("material", "group")
    )
    return {
        "element": element,
        "found": found,
        "rejected_by_source": before,
        "accepted": accepted,
        "site": site.num_rows,
        "site_rejected": after["site", False],
        "averaged": averaged.num_rows,
        "averaged_rejected": after["averaged", False],
        "structures_without_all_sites": after["averaged", True],
        "materials": len(materials),
        "crystals": len(groups),
    }


def _same_crystals(element: str, datasets: Path) -> list[dict[str, str]]:
    """Materials of an element that are the crystal of another one, which is named."""
    pairs = {
        (row["material"], row["group"])
        for kind in ("site", "averaged")
        for row in read_table(datasets / f"{kind}/{element}.parquet", DATASET)
        .select(["material", "group"])
        .to_pylist()
    }
    return [
        {"element": element, "material": material, "same_as": group}
        for material, group in sorted(pairs)
        if material != group
    ]


def _engines_of(element: str, datasets: Path) -> list[dict[str, Any]]:
    """What the spectra of an element were computed by, and how many by each."""
    found = {
        kind: Counter(
            map(engine_of, read_table(datasets / f"{kind}/{element}.parquet", DATASET)[
                "spectrum_id"].to_pylist())
        )
        for kind in ("site", "averaged")
    }  # fmt: skip
    return [
        {"element": element, "engine": engine, **{kind: found[kind][engine] for kind in found}}
        for engine in sorted(found["site"] | found["averaged"])
    ]
