"""Which models there are, of which origins, and which of them answer for an element.

A folder of models is of one origin (``<element>/<classifier>.skops``) or holds several
(``<origin>/<element>/<classifier>.skops``), as ``xascoord/released`` does, with a table
``origins.csv`` of how often each was right on measured spectra (``xascoord validate``), and as a
run's folder does without one: its ``bundles`` are one's own, what lies beside them (``published``,
``pooled``) answers where it is asked for. In place of an element a folder may be named by a pool
of elements (``core.elements.POOLS``), for all of which its models answer.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xascoord.core.elements import GROUP_OF, POOLS
from xascoord.core.engines import PATHS
from xascoord.core.errors import BundleError
from xascoord.core.origin import BESIDE, POOLED, PUBLISHED

RUN = Path("data/04_models")  # of one's own
RELEASED = Path(__file__).parent.parent / "released"
OWN = "here"
_OWN_FOLDER = "bundles"
_HOW_TO_GET = {
    PUBLISHED: "bring them by 'xascoord fetch published_forests' and convert them by 'snakemake "
    "--cores 2 convert_published_forests' (or 'xascoord models convert-published "
    "data/external/published_forests')",
    POOLED: "name pools in models.pooled (params.yaml) and run 'snakemake --cores 2 "
    "train_pooled_models'",
}
VARIABLE = "XASCOORD_MODELS"
TABLE = "origins.csv"


@dataclass(frozen=True)
class Entry:
    """Models of one element from one origin.

    Attributes
    ----------
    origin, element
        ``here``: of a run of one's own.
    folder
        With ``<classifier>.skops`` and ``reference.parquet``.
    tested
        Row of the table of measured spectra, or an empty mapping.
    on_request
        Whether they answer only where their origin is asked for.
    instead_of
        In a sentence, which models of a run here were passed over for these, and why; or "".
    """

    origin: str
    element: str
    folder: Path
    tested: Mapping[str, str]
    on_request: bool = False
    instead_of: str = ""

    @property
    def right(self) -> tuple[int, int]:
        """Measured samples whose first coordination number was right, and how many there were."""
        return int(self.tested.get("cn_right") or 0), int(self.tested.get("samples") or 0)

    def known(self) -> str:
        """How often these models were right on measured spectra, and why they were chosen."""
        return " ".join(filter(None, (self._tested_words(), self.instead_of)))

    def _tested_words(self) -> str:
        if not self.tested:
            return "How often they are right on measured spectra, 'xascoord validate' counts."
        right, samples = self.right
        if not samples:
            return f"No measured spectrum of {self.element} was there to test them on."
        return (
            f"On measured spectra of {self.element} the first coordination number was right in "
            f"{right} of {samples} samples."
        )


def default_folders() -> list[Path]:
    """Where models are: in ``XASCOORD_MODELS`` alone, else one's own run and the released."""
    named = os.environ.get(VARIABLE)
    return [Path(named)] if named else [RUN, RELEASED]


def find_models(folders: Iterable[Path], classifier: str) -> dict[str, list[Entry]]:
    """All models of a classifier by element, in the order of folders and of their tables."""
    found: dict[str, list[Entry]] = {}
    for folder in folders:
        released = (folder / TABLE).is_file()
        tested = _table(folder / TABLE, classifier)
        named = folder.name if folder.name in BESIDE else OWN
        paths = [(named, False, path) for path in sorted(folder.glob(f"*/{classifier}.skops"))]
        for path in sorted(folder.glob(f"*/*/{classifier}.skops")):
            name = path.parent.parent.name
            origin = OWN if name == _OWN_FOLDER else name
            paths.append((origin, name in BESIDE and not released, path))
        for origin, on_request, path in paths:
            name = path.parent.name
            for element in POOLS.get(name, (name,)):
                row = tested.get((origin, element), {})
                entry = Entry(origin, element, path.parent, row, on_request)
                found.setdefault(element, []).append(entry)
    return found


def entry_of(bundle: Path) -> Entry:
    """The models of one file, and how they were tested where a table says so.

    Parameters
    ----------
    bundle
        ``<origin>/<element>/<classifier>.skops``; a table lies beside the origins.
    """
    folder = bundle.absolute().parent
    origin, element = folder.parent.name, folder.name
    tested = _table(folder.parent.parent / TABLE, bundle.stem)
    return Entry(origin, element, folder, tested.get((origin, element), {}))


def asked_for(classifier: str, origin: str | None) -> tuple[str, str | None]:
    """Classifier and origin behind what was asked for: ``published`` names forests of that origin.

    Raises
    ------
    BundleError
        If another origin was asked for with it.
    """
    if classifier != PUBLISHED:
        return classifier, origin
    if origin not in (None, PUBLISHED):
        raise BundleError(
            f"--classifier {PUBLISHED}: these are the forests of the origin {PUBLISHED!r}, not of "
            f"{origin!r}; leave one of the two out"
        )
    return "forest", PUBLISHED


def answering(entries: Mapping[str, list[Entry]], origin: str | None) -> dict[str, list[Entry]]:
    """Those of an origin; without one, those that answer unasked."""
    kept = {
        element: [e for e in mine if (e.origin == origin if origin else not e.on_request)]
        for element, mine in entries.items()
    }
    return {element: mine for element, mine in kept.items() if mine}


def how_to_get(origin: str | None) -> str:
    """How to come by models of an origin that are not there."""
    return _HOW_TO_GET.get(
        origin or "",
        "run 'snakemake --cores 2', or say where they are with --models or XASCOORD_MODELS",
    )


def _table(path: Path, classifier: str) -> dict[tuple[str, str], dict[str, str]]:
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = [row for row in csv.DictReader(handle) if row["classifier"] == classifier]
            for row in rows:
                int(row["cn_right"]), int(row["samples"])
            return {(row["origin"], row["element"]): row for row in rows}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise BundleError(
            f"{path}: no table of measured spectra ({error!r}); make it with 'xascoord validate'"
        ) from None


def choose(entries: Mapping[str, list[Entry]], element: str, origin: str | None = None) -> Entry:
    """The models that answer for an element.

    Those of the origin that is asked for; else one's own, if they learnt from at least as good
    spectra and as many sites as those released, and not from the very same; else the origin that
    was right most often on measured spectra of the element, or, where there are none, of the
    elements of its group.

    Raises
    ------
    BundleError
        If there are none.
    """
    mine = answering({element: entries.get(element, [])}, origin).get(element, [])
    if not mine:
        of = f" of origin {origin!r}" if origin is not None else ""
        known = sorted({e.origin for found in entries.values() for e in found})
        raise BundleError(
            f"no models{of} of {element}; a run here ('snakemake --cores 2') makes them. There are "
            f"those of {' '.join(sorted(entries))} (origins: {', '.join(known)})"
        )
    own = next((entry for entry in mine if entry.origin == OWN), None)
    others = [entry for entry in mine if entry.origin != OWN]
    if own is not None and not others:
        return own
    group = [e for e in entries if GROUP_OF.get(e) == GROUP_OF.get(element)]

    def merit(entry: Entry) -> tuple[float, float]:
        return _share([entry]), _share(
            e for name in group for e in entries[name] if e.origin == entry.origin
        )

    best = max(others, key=merit)  # of equals the first
    if own is None or any(_Learnt.of(own).hash == _Learnt.of(other).hash for other in others):
        return best
    mine_learnt, theirs = _Learnt.of(own), _Learnt.of(best)
    if mine_learnt.is_worth(theirs):
        return own
    return replace(
        best,
        instead_of=f"The models of your run were not asked: they learnt from {mine_learnt}, these "
        f"from {theirs}; ask for them with --origin {OWN}.",
    )


def _share(entries: Iterable[Entry]) -> float:
    """Share of right answers, drawn towards nothing known where samples are few."""
    pairs = [entry.right for entry in entries]
    right, samples = (sum(column) for column in zip(*pairs, strict=True)) if pairs else (0, 0)
    return (right + 1) / (samples + 2)


@dataclass(frozen=True)
class _Learnt:
    """What models learnt from: hash, number of sites, and whether these are path expansions."""

    hash: str
    sites: int
    by_paths: bool

    @classmethod
    def of(cls, entry: Entry) -> _Learnt:
        from xascoord.models.bundles import read_record

        path = next(entry.folder.glob("*.skops"))
        data = read_record(path).get("data", {})
        return cls(
            str(data.get("hash", path)), int(data.get("site", 0)), PATHS in data.get("engines", ())
        )

    def is_worth(self, other: _Learnt) -> bool:
        """Whether the spectra are at least as good, and as many."""
        if self.by_paths != other.by_paths:
            return other.by_paths
        return self.sites >= other.sites

    def __str__(self) -> str:
        return f"{self.sites} sites" + (" by path expansions" if self.by_paths else "")
