"""The stages as commands run them: read tables and settings, call the science, write tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xascoord.datasets import build_datasets
from xascoord.errors import AccountingError, XascoordError
from xascoord.harvest import Harvest, gather
from xascoord.progress import counted, show_progress
from xascoord.settings import Settings
from xascoord.tables import (
    DATASET,
    REJECTIONS,
    SPECTRA,
    STRUCTURES,
    read_rows,
    read_table,
    write_csv,
    write_json,
    write_rows,
    write_text,
)

SOURCES = ("demo", "crystals", "feff", "xasdb_archive", "materials_project")


def _findings(source: str, settings: Settings, raw: Path, plan: Path) -> Iterator[Any]:
    """What a source finds; its module is imported only when it is asked for."""
    if source == "demo":
        from xascoord.sources.demo import read_embedded

        yield from read_embedded(settings)
    elif source == "feff":
        from xascoord.sources.feff import read_feff
        from xascoord.sources.feff_missing import read_runs

        yield from read_feff(settings)
        if settings.feff.run.wanted:
            yield from read_runs(settings, plan, raw / "feff")
    elif source == "crystals":
        from xascoord.crystal_choice import read_computed

        yield from read_computed(settings, plan, raw / "crystals")
    elif source == "xasdb_archive":
        from xascoord.sources.xasdb_archive import read_archive

        yield from read_archive(settings)
    else:
        from xascoord.sources.materials_project import read_downloads

        yield from read_downloads(settings, raw / source)


def import_source(source: str, settings: Settings, folder: Path, raw: Path) -> list[dict[str, Any]]:
    """Bring one source into the typed tables of ``folder``.

    Returns
    -------
    list of dict
        Counts by absorber.
    """
    harvest = Harvest(source, settings.elements, folder)
    show_progress(
        counted(gather(harvest, _findings(source, settings, raw, folder / "plan"))),
        f"{source} spectra",
    )
    counts = harvest.finish()
    if not harvest.accepted:
        reasons = Counter(str(r.reason) for r in harvest.rejections).most_common(3)
        why = ", ".join(f"{count} x {reason}" for reason, count in reasons) or "it is empty"
        first = "; ".join(f"{r.item}: {r.detail}" for r in harvest.rejections[:3])
        raise XascoordError(
            f"source {source}: none of {harvest.found} spectra can be used ({why}); {first}"
        )
    return counts


def download(settings: Settings, raw: Path, record: Path) -> None:
    """Fetch all elements from the Materials Project, resuming, and record the database version."""
    from xascoord.sources.materials_project import NAME, database_versions, download_element

    for element in settings.elements:
        show_progress(
            download_element(element, settings, raw / NAME), f"Materials Project {element}"
        )
    write_json(record, database_versions(settings, raw / NAME))


def list_feff_runs(settings: Settings, folder: Path) -> None:
    """Plan a FEFF run for each site that has no spectrum."""
    from xascoord.sources.feff_missing import write_missing

    print(f"{write_missing(settings, folder)} FEFF runs planned")


def run_feff(
    plan: Path, settings: Settings, journals: Path, chunk: tuple[int, int], workers: int,
    record: Path | None, element: str | None, preset: str | None,
) -> None:  # fmt: skip
    """Do one chunk of a plan of FEFF runs, resuming, and record how its runs ended."""
    from xascoord.feff_chunks import finished_runs, read_plan, run_chunk, run_key

    run = settings.feff.run
    cards, name = run.presets[preset or run.preset], element or "all"
    runs = read_plan(plan, element)
    steps = run_chunk(runs, chunk, journals, name, cards, run, workers)
    show_progress(steps, f"FEFF runs of {element}" if element else "FEFF runs")
    keys = [run_key(planned, cards, run) for planned in runs[chunk[0] - 1 :: chunk[1]]]
    entries = finished_runs(journals, name, keys)
    ended = Counter(entry["reason"] or "done" for entry in entries.values())
    print(", ".join(f"{count} {reason}" for reason, count in sorted(ended.items())) or "none")
    if record is not None:
        write_text(record, "".join(f"{key}\t{entries[key]['reason']}\n" for key in keys))


def compute_demo(settings: Settings, raw: Path, workers: int, folder: Path) -> None:
    """Compute the embedded demonstration data anew, resuming, and write its tables."""
    from xascoord.sources import demo

    harvests = []
    for element in settings.elements:
        steps = demo.compute_element(element, settings, raw / "demo", raw / "demo/scratch", workers)
        show_progress(steps, f"FEFF8L {element}")
        harvest = demo.collect_element(element, settings, raw / "demo")
        harvest.finish()
        harvests.append(harvest)
    demo.embed(harvests, folder)
    rows = [r.row("demo", demo.NAME) for h in harvests for r in h.rejections]
    write_csv(folder / "rejections.csv", rows, REJECTIONS.names)


def make_datasets(
    element: str,
    folders: Sequence[Path],
    settings: Settings,
    site: Path,
    averaged: Path,
    rejected: Path,
) -> None:
    """Build both data sets of one element from the spectra of all sources."""
    spectra = [r for f in folders for r in read_rows(f / f"spectra/{element}.parquet", SPECTRA)]
    structures = [
        r for f in folders for r in read_rows(f / f"structures/{element}.parquet", STRUCTURES)
    ]
    built = build_datasets(element, spectra, structures, settings)
    write_rows(site, built.site, DATASET)
    write_rows(averaged, built.averaged, DATASET)
    write_rows(rejected, built.rejections, REJECTIONS)


def summarise_datasets(
    settings: Settings, sources: Sequence[Path], datasets: Path, results: Path
) -> None:
    """Tables and figures of both stages: counts, rejections by reason, examples.

    Raises
    ------
    AccountingError
        If the spectra of the sources are not all in a data set or a rejection table.
    """
    import csv

    from xascoord.plots import plot_counts, plot_examples

    found: Counter[str] = Counter()
    rejections: list[dict[str, Any]] = []
    for folder in sources:
        with (folder / "rejections.csv").open(newline="", encoding="utf-8") as handle:
            rejections += list(csv.DictReader(handle))
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
    materials = {*site["material"].to_pylist(), *averaged["material"].to_pylist()}
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
    }


def choose_crystals(settings: Settings, folder: Path) -> None:
    """Choose the crystals of every element and write their tables."""
    from xascoord import crystal_choice

    found = crystal_choice.Survey()
    show_progress(crystal_choice.survey(settings, found), "crystals of the AMCSD")
    show_progress(crystal_choice.write_choice(found, settings, folder), "elements")
