"""References of the user: added from files, listed, taken out again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from xascoord.core.errors import MeasurementError, SourceError, StorageError, XascoordError
from xascoord.core.files import storing
from xascoord.core.rejections import RejectedSpectrum
from xascoord.core.tables import write_table
from xascoord.references.library import (
    Reference,
    embedded_references,
    own_folder,
    own_references,
    table_of,
)
from xascoord.references.manifest import OXIDE, Entry
from xascoord.references.measure import name_of, read_entry, reference_of
from xascoord.settings.labels import Labels
from xascoord.settings.limits import DEFAULT_LIMITS, Limits

_MOST_ATOMS = 500  # of the cell of a CIF
_LONGEST = 60  # characters of a name in the name of its file


def add_entries(
    entries: Sequence[Entry],
    files: Path,
    folder: Path | None = None,
    cif: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Reference]:
    """Add references of the user's own: all of them or, where one cannot be read, none.

    Parameters
    ----------
    entries
        What to add; those of one sample are merged.
    files
        Folder that their files are below.
    folder
        Where to keep them; None: the usual one (``library.own_folder``).
    cif
        Structure from which coordination number and motif follow.
    limits
        Most bytes and points that are read of a file.

    Raises
    ------
    XascoordError
        Naming the file, what is wrong and what to do.
    """
    samples: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.is_used:
            samples.setdefault(name_of(entry, entry.element), []).append(entry)
    if not samples:
        raise XascoordError("nothing to add: every row says use: no")
    found = [_read(sample, files, cif, limits) for sample in samples.values()]
    taken = {one.name: one for one in (*embedded_references(), *own_references(folder))}
    for one in found:
        if one.name in taken:
            whose = "your own" if taken[one.name].own else "those of the package"
            raise XascoordError(
                f"{one.name}: is among {whose} already; give it another --sample"
                + (f", or take the old one out: xascoord references remove {one.name!r}"
                   if taken[one.name].own else "")
            )  # fmt: skip
        taken[one.name] = replace(one, own=True)
    for one in found:
        write_table(_path(one.name, folder or own_folder()), table_of([one]))
    return found


def remove(name: str, folder: Path | None = None) -> None:
    """Take a reference of the user's own out.

    Parameters
    ----------
    name
        Of the reference.
    folder
        As for ``add_entries``.

    Raises
    ------
    XascoordError
        If there is none of that name, or it is the package's.
    """
    names = [one.name for one in own_references(folder)]
    if name not in names:
        if any(one.name == name for one in embedded_references()):
            raise XascoordError(f"{name}: comes with the package and stays; only your own go")
        near = get_close_matches(name, names, n=3, cutoff=0.4)
        raise XascoordError(
            f"{name}: no reference of your own has this name; "
            + (f"do you mean {', '.join(near)}?" if near else "see xascoord references list --own")
        )
    path = _path(name, folder or own_folder())
    if not path.is_file():
        raise StorageError(f"{path}: {name} is in a file of another name; remove that by hand")
    with storing(path):
        path.unlink()


def _path(name: str, folder: Path) -> Path:
    """One file a reference: two programs that add at once do not lose each other's."""
    plain = re.sub(r"[^A-Za-z0-9.+-]+", "_", name)[:_LONGEST].strip("._")
    return folder / f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.parquet"


def _read(entries: Sequence[Entry], files: Path, cif: Path | None, limits: Limits) -> Reference:
    """The reference of one sample."""
    path = files / entries[0].file
    scans = [scan for entry in entries for scan in read_entry(entry, files, limits)]
    try:
        one = reference_of(entries, scans)
    except RejectedSpectrum as error:
        raise MeasurementError(f"{path}: {error.detail}") from None
    except MeasurementError as error:
        if str(error).startswith(str(path)):
            raise
        raise MeasurementError(f"{path}: {error}") from None
    return one if cif is None else _with_structure(one, cif, limits)


def _with_structure(reference: Reference, cif: Path, limits: Limits) -> Reference:
    """The reference with what the structure says of its absorber."""
    from xascoord.core.files import read_file
    from xascoord.core.rankings import dominant_cn
    from xascoord.core.text import printable
    from xascoord.labels.expected import expected_ranking
    from xascoord.labels.ranking import cn_label
    from xascoord.sources.crystals.amcsd import parse_cif
    from xascoord.structures.order_parameters import order_parameters

    labels = Labels()
    thresholds = labels.cn_threshold, labels.motif_threshold
    element = reference.element
    try:
        crystal = parse_cif(read_file(cif, limits.file_bytes).decode("utf-8"), _MOST_ATOMS)
        symbols = [site.specie.symbol for site in crystal]
        if "O" not in symbols:
            raise SourceError("no oxygen in it; say --kind instead of --cif")
        ranking = expected_ranking(crystal, element, thresholds)
        sites = [(crystal, i) for i, symbol in enumerate(symbols) if symbol == element]
        weights, _, _ = order_parameters(sites)
    except FileNotFoundError:
        raise XascoordError(f"{cif}: no such file") from None
    except (XascoordError, RejectedSpectrum, OSError, UnicodeDecodeError) as error:
        raise XascoordError(f"{cif}: {printable(str(error))}") from None
    numbers = sorted({dominant_cn(cn_label(row, 0.0)) for row in weights})
    if len(numbers) > 1:
        mixed = f"{' and '.join(map(str, numbers))} mixed (by {cif.name})"
        note = "; ".join(filter(None, (reference.note, mixed)))
        return replace(reference, coordination=None, motif="", note=note)
    motifs = ranking[0][1] if ranking and ranking[0][0] == numbers[0] else ()
    return replace(
        reference, coordination=numbers[0], motif=motifs[0] if motifs else "", kind=OXIDE
    )
