"""Manifests of references: what is in each file, and how it is read."""

from __future__ import annotations

import argparse
import csv
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import NoReturn

from xascoord.core.coordination import COORDINATION_NUMBERS, MOTIFS_OF
from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import LimitError, NotAFileError, XascoordError
from xascoord.core.files import read_file
from xascoord.measured.columns import Channel, Columns
from xascoord.measured.read import CHANNELS
from xascoord.references.library import KINDS
from xascoord.settings.limits import DEFAULT_LIMITS

COLUMNS = (
    "file", "element", "compound", "coordination", "motif", "kind", "sample", "beamline", "note",
    "source", "licence", "options", "use",
)  # fmt: skip
_NEEDED = ("file", "compound")
OXIDE = "oxide"
OWN = "own"  # source of what the user says nothing of


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Attributes
    ----------
    columns
        Which columns are what, where that is said.
    channel
        Which one of the file.
    """

    columns: Columns = field(default_factory=Columns)
    channel: Channel = "auto"


@dataclass(frozen=True)
class Entry:
    """A file, or a column of one, and what was measured in it.

    Attributes
    ----------
    file
        Path below the folder of files.
    element
        Absorber; "" where the file says it, or its energies.
    compound, coordination, motif, kind, sample, beamline, note, source, licence
        As of a ``Reference``.
    reading
        How the file is read.
    is_used
        Whether a reference is made of it.
    """

    file: str
    element: str
    compound: str
    coordination: int | None
    motif: str = ""
    kind: str = OXIDE
    sample: str = ""
    beamline: str = ""
    note: str = ""
    source: str = OWN
    licence: str = ""
    reading: Reading = field(default_factory=Reading)
    is_used: bool = True

    def __post_init__(self) -> None:
        if not self.sample:
            object.__setattr__(self, "sample", Path(self.file).stem)
        self._check()

    def _check(self) -> None:
        """See that what is said of it fits together."""
        if not self.compound.strip():
            raise XascoordError("compound: is empty; say what was measured")
        if self.element and self.element not in ELEMENTS:
            raise XascoordError(f"element: no element {self.element!r}; {' '.join(ELEMENTS)}")
        if self.kind not in KINDS:
            raise XascoordError(f"kind: no kind {self.kind!r}; there are {', '.join(KINDS)}")
        if self.coordination is None:
            if self.motif:
                raise XascoordError("motif: is of no coordination number; give coordination too")
            return
        if self.kind != OXIDE:
            raise XascoordError(
                f"coordination: counts oxygens, and the kind is {self.kind}; leave it out, or "
                f"make the kind {OXIDE}"
            )
        if self.coordination not in COORDINATION_NUMBERS:
            raise XascoordError(f"coordination: {self.coordination} is none of 1 to 12")
        motifs = MOTIFS_OF.get(self.coordination, ())
        if self.motif and self.motif not in motifs:
            known = ", ".join(motifs) or "no names: leave it out"
            raise XascoordError(
                f"motif: no arrangement {self.motif!r} of {self.coordination} neighbours; there "
                f"are {known}"
            )


def read_manifest(path: Path) -> list[Entry]:
    """Entries of a manifest, in its order.

    Parameters
    ----------
    path
        CSV; of its columns only file and compound are needed.

    Raises
    ------
    XascoordError
        Naming the file, the line, the column and what to do.
    """
    try:
        text = read_file(path, DEFAULT_LIMITS.file_bytes).decode("utf-8-sig")
        reader = csv.DictReader(StringIO(text, newline=""))
        rows = list(reader)
    except FileNotFoundError:
        raise XascoordError(f"{path}: no such manifest") from None
    except (OSError, UnicodeDecodeError, csv.Error, LimitError, NotAFileError) as error:
        raise XascoordError(f"{path}: cannot be read as a table ({error})") from None
    names = reader.fieldnames or []
    if missing := [name for name in _NEEDED if name not in names]:
        raise XascoordError(f"{path}: no column {', '.join(missing)}; add it to the first line")
    if unknown := [name for name in names if name not in COLUMNS]:
        raise XascoordError(
            f"{path}: no column is called {', '.join(map(repr, unknown))}; there are "
            f"{', '.join(COLUMNS)}"
        )
    if not rows:
        raise XascoordError(f"{path}: has no rows; say one file a line")
    entries = []
    for line, row in enumerate(rows, start=2):
        try:
            entries.append(_entry(row))
        except XascoordError as error:
            raise XascoordError(f"{path}, line {line}: {error}") from None
    _check_alike(path, entries)
    return entries


def parse_options(text: str) -> Reading:
    """How a file is read, as it is said on the command line.

    Parameters
    ----------
    text
        For example ``--i0 Io --if FY_c``.

    Raises
    ------
    XascoordError
        Naming the option that there is not.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    for name in ("--energy-column", "--i0", "--i1"):
        parser.add_argument(name)
    for name in ("--if", "--mu"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("--channel", choices=CHANNELS, default="auto")
    try:
        given = vars(parser.parse_args(shlex.split(text)))
    except ValueError as error:  # a quotation mark that is not closed
        raise XascoordError(f"options: {error} in {text!r}") from None
    columns = Columns(
        given["energy_column"], given["i0"], given["i1"], tuple(given["if"]), tuple(given["mu"])
    )
    return Reading(columns, given["channel"])


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are of the manifest, not of the command."""

    def error(self, message: str) -> NoReturn:
        raise XascoordError(
            f"options: {message}; there are --energy-column, --i0, --i1, --if, --mu, --channel"
        )


def _entry(row: Mapping[str | None, str | None]) -> Entry:
    said = {str(name): (value or "").strip() for name, value in row.items() if name is not None}
    if None in row:
        raise XascoordError("has more columns than the first line; quote text with commas in it")
    if not said["file"]:
        raise XascoordError("file: is empty")
    number = said.get("coordination", "")
    if number and not number.isdecimal():
        raise XascoordError(f"coordination: {number!r} is no number; leave it empty if uncertain")
    use = said.get("use", "") or "yes"
    if use not in ("yes", "no"):
        raise XascoordError(f"use: {use!r} is neither yes nor no")
    return Entry(
        said["file"], said.get("element", ""), said["compound"], int(number) if number else None,
        said.get("motif", ""), said.get("kind", "") or OXIDE, said.get("sample", ""),
        said.get("beamline", ""), said.get("note", ""), said.get("source", "") or OWN,
        said.get("licence", ""), parse_options(said.get("options", "")), use == "yes",
    )  # fmt: skip


def _check_alike(path: Path, entries: Sequence[Entry]) -> None:
    """See that one compound has one truth, one sample one beamline, and nothing is there twice."""
    truths: dict[tuple[str, str], Entry] = {}
    samples: dict[tuple[str, str, str, str], Entry] = {}
    seen: set[tuple[str, Reading]] = set()
    for line, one in enumerate(entries, start=2):
        where = f"{path}, line {line}"
        if (one.file, one.reading) in seen:
            raise XascoordError(f"{where}: file: {one.file} is there twice; remove one")
        seen.add((one.file, one.reading))
        first = truths.setdefault((one.element, one.compound), one)
        for name in ("coordination", "motif", "kind"):
            if getattr(first, name) != getattr(one, name):
                raise XascoordError(
                    f"{where}: {name}: {one.compound} has {getattr(one, name)!r} here and "
                    f"{getattr(first, name)!r} elsewhere; make them one, or name it otherwise"
                )
        key = (one.element, one.compound, one.sample, one.source)
        first = samples.setdefault(key, one)
        for name in ("beamline", "licence"):
            if getattr(first, name) != getattr(one, name):
                raise XascoordError(
                    f"{where}: {name}: scans of the sample {one.sample} are merged, and differ in "
                    "it; give them names of their own"
                )
