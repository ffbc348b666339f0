"""What a source yields: accepted spectra, their structures, and every rejection with its reason.

All sources feed one ``SpectraWriter``; it types the rows, spills them to disk by element so that a
large archive never stands in memory, and checks that nothing was lost.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from xascoord.core.errors import AccountingError
from xascoord.core.files import storing, temporary_name, write_csv
from xascoord.core.rejections import Reason, Rejection, plain_text
from xascoord.core.schemas import REJECTIONS, SPECTRA, STRUCTURES
from xascoord.core.tables import to_table, versioned
from xascoord.sources.account import CURRENT, Account

Array = npt.NDArray[np.float64]
COUNT_COLUMNS = ("source", "absorber", "found", "accepted", "rejected")


@dataclass(frozen=True)
class Spectrum:
    """A spectrum that passed the checks of its source. ``key`` is unique within the source."""

    key: str
    material: str
    absorber: str
    kind: str
    site_index: int
    energy: Array
    mu: Array


def spectrum_row(source: str, spectrum: Spectrum, structure: dict[str, Any]) -> dict[str, Any]:
    """A spectrum as a row of ``schemas.SPECTRA``; the multiplicity follows from the structure."""
    orbits = structure["equivalent_to"]
    if spectrum.kind == "site":
        multiplicity = orbits.count(orbits[spectrum.site_index])
    else:
        multiplicity = structure["species"].count(spectrum.absorber)
    return {
        "spectrum_id": f"{source}:{spectrum.key}",
        "material": spectrum.material,
        "structure_id": structure["structure_id"],
        "absorber": spectrum.absorber,
        "kind": spectrum.kind,
        "site_index": spectrum.site_index,
        "multiplicity": multiplicity,
        "source": source,
        "energy": spectrum.energy.tolist(),
        "mu": spectrum.mu.tolist(),
    }


class SpectraWriter:
    """Collector of one source, for some elements.

    Parameters
    ----------
    source
        Name of the source.
    elements
        Absorbers wanted; a spectrum of another one is rejected as such.
    folder
        Where the Parquet files go; rows are spilled there every ``spill`` spectra of an element.
        Without it everything stays in memory (``spectra()``, ``structures()``).
    part
        Name of the tables of rejections and counts, where these are of a part of the source only.
    """

    def __init__(
        self, source: str, elements: Iterable[str], folder: Path | None = None, spill: int = 500,
        part: str | None = None,
    ) -> None:  # fmt: skip
        self.source = source
        self.elements = tuple(elements)
        self.folder = folder
        self.spill = spill
        self.part = part
        self.found = 0
        self._account = Account()
        self.accepted: Counter[str] = Counter()
        self.rejections: list[Rejection] = []
        self._keys: set[str] = set()
        self._structure_ids: dict[str, set[str]] = {element: set() for element in self.elements}
        self._rows: dict[tuple[str, str], list[dict[str, Any]]] = {
            (kind, element): [] for kind in ("spectra", "structures") for element in self.elements
        }
        self._writers: dict[tuple[str, str], pq.ParquetWriter] = {}
        self._partial: dict[tuple[str, str], Path] = {}

    def __enter__(self) -> SpectraWriter:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what did not become a table."""
        for writer in self._writers.values():
            with contextlib.suppress(OSError):
                writer.close()
            writer.is_open = False  # else it tries again, with a traceback, as it is collected
        for path in self._partial.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def consume(
        self, spectra: Iterable[tuple[Spectrum | Rejection, dict[str, Any] | None]]
    ) -> Iterator[None]:
        """Take in what a source finds, one spectrum or rejection a step.

        What comes in is counted here; what goes out is counted in the tables (``finish``).
        """
        CURRENT.set(self._account)
        try:
            for spectrum, structure in spectra:
                self.found += 1
                if isinstance(spectrum, Rejection):
                    self.reject(spectrum)
                else:
                    assert structure is not None
                    self.accept(spectrum, structure)
                yield
        finally:
            CURRENT.set(None)

    def accept(self, spectrum: Spectrum, structure: dict[str, Any]) -> None:
        """Take a spectrum in; duplicates and unwanted absorbers become rejections."""
        if spectrum.absorber not in self._structure_ids:
            self.reject(
                self._refusal(spectrum, Reason.OTHER_ELEMENT, "not among the elements asked for")
            )
            return
        # Names of folders and identifiers need not be text that can be written.
        spectrum = replace(
            spectrum, key=plain_text(spectrum.key), material=plain_text(spectrum.material)
        )
        structure = {k: plain_text(v) if isinstance(v, str) else v for k, v in structure.items()}
        if spectrum.key in self._keys:
            self.reject(self._refusal(spectrum, Reason.DUPLICATE, "same identifier came before"))
            return
        self._keys.add(spectrum.key)
        self.accepted[spectrum.absorber] += 1
        rows = self._rows["spectra", spectrum.absorber]
        rows.append(spectrum_row(self.source, spectrum, structure))
        known = self._structure_ids[spectrum.absorber]
        if structure["structure_id"] not in known:
            known.add(structure["structure_id"])
            self._rows["structures", spectrum.absorber].append(structure)
        if self.folder is not None and len(rows) >= self.spill:
            self._flush(spectrum.absorber)

    @staticmethod
    def _refusal(spectrum: Spectrum, reason: Reason, detail: str) -> Rejection:
        return Rejection(spectrum.key, reason, detail, spectrum.absorber, spectrum.kind)

    def reject(self, rejection: Rejection) -> None:
        """Keep why a spectrum is not used."""
        self.rejections.append(rejection)

    def spectra(self) -> list[dict[str, Any]]:
        """Rows held in memory, by element."""
        return [row for element in self.elements for row in self._rows["spectra", element]]

    def structures(self) -> list[dict[str, Any]]:
        """Structure rows held in memory, by element."""
        return [row for element in self.elements for row in self._rows["structures", element]]

    def _flush(self, element: str) -> None:
        for kind, schema in (("spectra", SPECTRA), ("structures", STRUCTURES)):
            rows = self._rows[kind, element]
            with storing(self._path(kind, element)):
                self._writer(kind, element, schema).write_table(to_table(rows, schema))
            rows.clear()

    def _writer(self, kind: str, element: str, schema: pa.Schema) -> pq.ParquetWriter:
        if (kind, element) not in self._writers:
            path = self._path(kind, element)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._partial[kind, element] = temporary_name(path)
            self._writers[kind, element] = pq.ParquetWriter(
                self._partial[kind, element], versioned(schema), compression="zstd"
            )
        return self._writers[kind, element]

    def _path(self, kind: str, element: str) -> Path:
        assert self.folder is not None
        return self.folder / kind / f"{element}.parquet"

    def finish(self) -> list[dict[str, Any]]:
        """Check the account and write all tables, an empty one for an element without spectra.

        Returns
        -------
        list of dict
            Counts by absorber.

        Raises
        ------
        AccountingError
            If what was opened is not what came in, or that not what stands in the tables and among
            the rejections.
        """
        if self.folder is None:
            self._check(len(self.spectra()))
            return self.counts()
        for element in self.elements:
            self._flush(element)
        for key, writer in self._writers.items():
            with storing(self._path(*key)):
                writer.close()
        self._check(
            sum(
                pq.read_metadata(path).num_rows
                for (kind, _), path in self._partial.items()
                if kind == "spectra"
            )
        )
        for key, path in self._partial.items():
            path.replace(self._path(*key))
        rows = [r.row("spectra", self.source) for r in self.rejections]
        name = f"/{self.part}.csv" if self.part else ".csv"
        write_csv(self.folder / f"rejections{name}", rows, REJECTIONS.names)
        write_csv(self.folder / f"counts{name}", self.counts(), COUNT_COLUMNS)
        return self.counts()

    def _check(self, held: int) -> None:
        """Compare what was opened, what came in and what the tables hold."""
        if self.found != self._account.opened:
            raise AccountingError(
                f"{self.source}: {self._account.opened} documents were opened, {self.found} "
                "spectra and rejections came of them"
            )
        if self.found != held + len(self.rejections):
            raise AccountingError(
                f"{self.source}: {self.found} spectra came in, {held} stand in the tables, "
                f"{len(self.rejections)} are rejected"
            )

    def counts(self) -> list[dict[str, Any]]:
        """Found, accepted and rejected spectra of each absorber ("" where it is unknown)."""
        rejected = Counter(rejection.absorber for rejection in self.rejections)
        names = [*self.elements, *sorted(set(rejected) - set(self.elements))]
        return [
            {
                "source": self.source,
                "absorber": name,
                "found": self.accepted[name] + rejected[name],
                "accepted": self.accepted[name],
                "rejected": rejected[name],
            }
            for name in names
        ]
