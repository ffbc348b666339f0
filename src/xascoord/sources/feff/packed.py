"""Finished FEFF runs in small tables that travel with the project, beside the journals.

Journals hold all that FEFF printed and stay on the machine that computed them. A packed table,
``<folder>/<element>.parquet`` (``schemas.FEFF_RUNS``), holds of each run what the chain needs: its
key, energies and mu to the last bit, how the self-consistency went, or why it cannot be used.
What stands in either is not computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xascoord.core.errors import SourceError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.core.schemas import FEFF_RUNS
from xascoord.core.tables import read_rows, to_table, write_table
from xascoord.sources.feff.xmu import Xmu, parse_xmu

if TYPE_CHECKING:
    from xascoord.sources.feff.plan import PlannedRun

Row = dict[str, Any]


def packed_row(entry: Mapping[str, Any]) -> Row:
    """A journal's entry as a row of ``schemas.FEFF_RUNS``."""
    energy, mu = [], []
    if entry["xmu"]:
        try:
            xmu = parse_xmu(entry["xmu"])
            energy, mu = xmu.energy.tolist(), xmu.mu.tolist()
        except RejectedSpectrum:  # its reason is in the entry
            pass
    scf = entry["scf"] or {"fermi_levels": [], "charge_distances": [], "reached": None}
    return {
        "key": entry["key"], "reason": entry["reason"], "detail": entry["detail"],
        "tries": entry["tries"], "cpu": entry["cpu"], "fermi_levels": list(scf["fermi_levels"]),
        "charge_distances": list(scf["charge_distances"]), "reached": scf["reached"],
        "energy": energy, "mu": mu,
    }  # fmt: skip


def unpacked_entry(row: Mapping[str, Any]) -> Row:
    """The same as a journal's entry, with arrays (``spectrum``) in place of FEFF's text."""
    scf = None
    if row["reached"] is not None:
        names = ("fermi_levels", "charge_distances", "reached")
        scf = {name: row[name] for name in names}
    return {
        "key": row["key"], "reason": row["reason"], "detail": row["detail"],
        "tries": row["tries"], "cpu": row["cpu"], "scf": scf,
        "spectrum": (row["energy"], row["mu"]) if row["energy"] else None,
    }  # fmt: skip


def spectrum_of(entry: Mapping[str, Any]) -> Xmu | None:
    """Energies and mu of an entry of either kind; None where there is no spectrum.

    Raises
    ------
    RejectedSpectrum
        If FEFF's text is no whole spectrum.
    """
    import numpy as np

    if entry.get("xmu"):
        return parse_xmu(entry["xmu"])
    if not entry.get("spectrum"):
        return None
    energy, mu = (np.asarray(values, dtype=float) for values in entry["spectrum"])
    nothing = np.zeros(len(energy))
    return Xmu(energy, nothing, nothing, mu, nothing, nothing)


def read_packed(folder: Path | None, element: str | None = None) -> Iterator[Row]:
    """Entries of every packed table of a folder, if there is one, or of that of one element."""
    for path in sorted(folder.glob(f"{element or '*'}.parquet")) if folder is not None else ():
        yield from map(unpacked_entry, read_rows(path, FEFF_RUNS))


def write_packed(
    folder: Path, runs: Sequence[PlannedRun], keys: Iterable[str], names: Mapping[str, str],
    entries: Mapping[str, Row],
) -> dict[str, int]:  # fmt: skip
    """Pack the finished runs of a plan, one table an element, in the order of the plan.

    Runs of other plans that a table holds already stay in it, behind those of this one.

    Parameters
    ----------
    folder
        Where the tables go; those of elements without a finished run are left alone.
    runs, keys
        The plan, and the key of each run.
    names
        Key of a run by each name that an earlier table may have it under.
    entries
        What journals and earlier tables hold, by key.

    Returns
    -------
    dict
        Number of runs by element.

    Raises
    ------
    SourceError
        If nothing of the plan is finished.
    """
    finished: dict[str, list[str]] = {}
    for planned, key in zip(runs, keys, strict=True):
        if key in entries:
            finished.setdefault(planned.element, []).append(key)
    if not finished:
        raise SourceError("no run of the plan is finished: nothing to pack")
    counts = {}
    for element, mine in finished.items():
        path = folder / f"{element}.parquet"
        earlier = read_rows(path, FEFF_RUNS) if path.is_file() else []
        packed = {key: {**row, "key": key} for row in earlier
                  for key in [names.get(row["key"], row["key"])]}  # fmt: skip
        # Of a journal, or as it is packed already.
        new = {k: packed_row(entries[k]) if "xmu" in entries[k] else packed[k] for k in mine}
        table = to_table([*new.values(), *(packed[k] for k in packed if k not in new)], FEFF_RUNS)
        # Numbers of one kind side by side: bytes of equal weight compress best together.
        write_table(
            path, table, compression_level=19, use_dictionary=False,
            use_byte_stream_split=["energy.list.element", "mu.list.element"],
        )  # fmt: skip
        counts[element] = table.num_rows
    return counts
