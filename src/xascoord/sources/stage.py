"""Stage 01 as commands run it: every source into the same typed tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xascoord.core.errors import XascoordError
from xascoord.core.files import read_csv, write_csv, write_json, write_text
from xascoord.core.schemas import REJECTIONS
from xascoord.jobs.progress import counted, show_progress
from xascoord.settings.tree import Settings
from xascoord.sources.collect import COUNT_COLUMNS, SpectraWriter

SOURCES = ("embedded", "demo", "crystals", "omnixas", "feff", "xasdb_archive", "materials_project")


def _read(source: str, settings: Settings, raw: Path, plan: Path) -> Iterator[Any]:
    """What a source finds; its module is imported only when it is asked for."""
    if source == "embedded":
        from xascoord.sources.embedded import read_both

        yield from read_both(settings)
    elif source == "demo":
        from xascoord.sources.demo.spectra import read_embedded

        yield from read_embedded(settings)
    elif source == "feff":
        from xascoord.sources.feff.missing import read_runs
        from xascoord.sources.feff.output import read_feff

        yield from read_feff(settings)
        if settings.feff.run.wanted:
            yield from read_runs(settings, plan, raw / "feff")
    elif source == "crystals":
        from xascoord.sources.crystals.choice import read_computed

        yield from read_computed(settings, plan, raw / "crystals")
    elif source == "omnixas":
        from xascoord.sources.omnixas import read_omnixas

        yield from read_omnixas(settings)
    elif source == "xasdb_archive":
        from xascoord.sources.xasdb_archive import read_archive

        yield from read_archive(settings)
    else:
        from xascoord.sources.materials_project import read_downloads

        yield from read_downloads(settings, raw / source)


def import_source(
    source: str, settings: Settings, folder: Path, raw: Path, element: str | None = None
) -> list[dict[str, Any]]:
    """Bring one source into the typed tables of ``folder``.

    Parameters
    ----------
    source
        Its name.
    settings
        Elements, and those of the source.
    folder
        Of the tables.
    raw
        Folder of journals.
    element
        Only this one, as the workflow does with what was computed or downloaded for each: its
        rejections and counts go to tables of its own, which ``join_elements`` puts together.

    Returns
    -------
    list of dict
        Counts by absorber.

    Raises
    ------
    XascoordError
        If nothing of the source can be used.
    """
    if element is not None:
        settings = settings.model_copy(update={"elements": (element,)})
    plan = folder / "plan"
    if source == "crystals" and element is not None:
        plan /= element  # chosen for each element alone
    with SpectraWriter(source, settings.elements, folder, part=element) as writer:
        show_progress(
            counted(writer.consume(_read(source, settings, raw, plan))),
            f"{source} spectra",
        )
        counts = writer.finish()
    if element is None:
        _refuse_nothing(source, counts, [r.row("spectra", source) for r in writer.rejections])
    return counts


def _refuse_nothing(
    source: str, counts: Sequence[Mapping[str, Any]], rejections: Sequence[Mapping[str, Any]]
) -> None:
    """A source of which nothing can be used is an error that says why."""
    if any(int(row["accepted"]) for row in counts):
        return
    reasons = Counter(str(r["reason"]) for r in rejections).most_common(3)
    why = ", ".join(f"{count} x {reason}" for reason, count in reasons) or "it is empty"
    first = "; ".join(f"{r['item']}: {r['detail']}" for r in rejections[:3])
    found = sum(int(row["found"]) for row in counts)
    raise XascoordError(f"source {source}: none of {found} spectra can be used ({why}); {first}")


def join_elements(source: str, settings: Settings, folder: Path) -> None:
    """Put the counts and rejections of single elements together.

    Parameters
    ----------
    source
        Its name.
    settings
        ``elements``: which.
    folder
        Of the tables of the source.

    Raises
    ------
    XascoordError
        If a table is missing, or nothing of the source can be used.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for kind in ("counts", "rejections"):
        paths = [folder / kind / f"{element}.csv" for element in settings.elements]
        rows[kind] = [row for path in paths for row in read_csv(path)]
    _refuse_nothing(source, rows["counts"], rows["rejections"])
    write_csv(folder / "rejections.csv", rows["rejections"], REJECTIONS.names)
    write_csv(folder / "counts.csv", rows["counts"], COUNT_COLUMNS)


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
    from xascoord.sources.feff.missing import write_missing

    print(f"{write_missing(settings, folder)} FEFF runs planned")


def run_feff(
    plan: Path, settings: Settings, journals: Path, chunk: tuple[int, int], workers: int,
    record: Path | None, element: str | None, packed: Path | None = None,
) -> None:  # fmt: skip
    """Do one chunk of a plan of FEFF runs, resuming, and record how its runs ended.

    Parameters
    ----------
    plan
        Folder of ``sources list-feff-runs`` or ``sources choose-crystals``.
    settings
        ``feff.run``.
    journals
        Folder of results.
    chunk
        Which share, counted from 1, of how many.
    workers
        Runs at a time.
    record
        File for key and reason of each run of the chunk, written last.
    element
        Only runs of this absorber.
    packed
        Folder of packed tables of finished runs.

    Raises
    ------
    XascoordError
        If the plan has no run of the element or names a preset that is not there, the machine
        lacks what FEFF needs, or a program of the user fails always.
    """
    from xascoord.sources.feff.chunks import finished_runs, run_chunk
    from xascoord.sources.feff.engines import refuse_program
    from xascoord.sources.feff.plan import names_of, read_plan, run_key

    run, runs = settings.feff.run, read_plan(plan, element)
    if element is not None and not runs:
        raise XascoordError(f"{plan}: no run of {element} in this plan")
    steps = run_chunk(runs, chunk, journals, element or "all", run, workers, packed)
    show_progress(steps, f"FEFF runs of {element}" if element else "FEFF runs")
    mine = runs[chunk[0] - 1 :: chunk[1]]
    keys = [run_key(planned, run) for planned in mine]
    entries = finished_runs(journals, names_of(mine, run, packed), packed)
    ended = Counter(entry["reason"] or "done" for entry in entries.values())
    print(", ".join(f"{count} {reason}" for reason, count in sorted(ended.items())) or "none")
    if run.executable is not None:
        refuse_program(
            run.executable, entries.values(),
            lambda: finished_runs(journals, names_of(runs, run, packed), packed).values(),
        )  # fmt: skip
    if record is not None:
        write_text(record, "".join(f"{key}\t{entries[key]['reason']}\n" for key in keys))


def pack_feff(plan: Path, settings: Settings, journals: Path, out: Path) -> None:
    """Pack the finished runs of a plan into small tables that travel with the project.

    Their part of the plan goes with them (crystals, minerals, references), unless the plan lies
    there already.

    Parameters
    ----------
    plan
        Folder of ``sources list-feff-runs`` or ``sources choose-crystals``.
    settings
        ``feff.run``.
    journals
        Folder of results.
    out
        Folder of the tables, one an element; what they hold already is kept.

    Raises
    ------
    SourceError
        If nothing of the plan is finished.
    """
    from xascoord.sources.feff.chunks import finished_runs
    from xascoord.sources.feff.packed import write_packed
    from xascoord.sources.feff.plan import PLAN, names_of, read_plan, run_key, write_plan

    runs = read_plan(plan)
    keys = [run_key(planned, settings.feff.run) for planned in runs]
    names = names_of(runs, settings.feff.run, out)
    entries = finished_runs(journals, names, out)
    counts = write_packed(out, runs, keys, names, entries)
    if (out / PLAN).resolve() != plan.resolve():
        finished = [planned for planned, key in zip(runs, keys, strict=True) if key in entries]
        structures = {p.structure["structure_id"]: p.structure for p in finished}
        write_plan(out / PLAN, [p.site for p in finished], structures.values(), [])
    print(", ".join(f"{element} {count}" for element, count in counts.items()))


def compute_demo(settings: Settings, raw: Path, workers: int, folder: Path) -> None:
    """Compute the embedded demonstration data anew, resuming, and write its tables."""
    from xascoord.sources.demo import spectra as demo

    writers = []
    for element in settings.elements:
        steps = demo.compute_element(element, settings, raw / "demo", raw / "demo/scratch", workers)
        show_progress(steps, f"FEFF8L {element}")
        writer = demo.collect_element(element, settings, raw / "demo")
        writer.finish()
        writers.append(writer)
    demo.embed(writers, folder)
    rows = [r.row("demo", demo.NAME) for h in writers for r in h.rejections]
    write_csv(folder / "rejections.csv", rows, REJECTIONS.names)


def choose_crystals(settings: Settings, folder: Path, element: str | None = None) -> None:
    """Choose the crystals of every element, or of one, and write the tables of their plan."""
    from xascoord.sources.crystals import choice as crystal_choice

    if element is not None:
        settings = settings.model_copy(update={"elements": (element,)})

    found = crystal_choice.Survey()
    show_progress(crystal_choice.survey(settings, found), "entries of databases")
    show_progress(crystal_choice.write_choice(found, settings, folder), "elements")


def count_coordination(settings: Settings, out: Path) -> None:
    """Count how common each coordination number of each element is in the AMCSD."""
    from xascoord.sources.crystals import choice as crystal_choice

    found = crystal_choice.Survey()
    # Other databases hold what somebody thought of, not what is common.
    crystals = settings.crystals.model_copy(update={"materials_project": None})
    settings = settings.model_copy(update={"crystals": crystals})
    show_progress(crystal_choice.survey(settings, found), "entries of databases")
    rows = crystal_choice.coordination_counts(found)
    write_csv(out, rows, ("element", "coordination", "sites"))
