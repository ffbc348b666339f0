"""A bulk dump of spectra as pymatgen ``XAS`` dictionaries: JSON, JSON lines, each also gzipped.

Accepted forms of a document: the ``XAS`` dictionary itself (x, y, structure, absorbing_element,
absorbing_index), or a record that holds it under ``spectrum``, or one whose ``spectrum`` is a
list of (energy, mu) pairs beside a ``structure`` and an ``absorbing_atom`` index. Files are
streamed; a broken document or file is rejected and the rest goes on.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import ijson
import numpy as np

from xascoord.errors import SourceError
from xascoord.harvest import Finding, Rejection
from xascoord.identifiers import normalise_material_id, structure_digest
from xascoord.quality import Reason, RejectedSpectrum, check_spectrum
from xascoord.settings import Settings
from xascoord.symmetry import StructureError, structure_row

NAME = "xasdb_archive"
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")

# Top-level keys that tell a single document from a dump keyed by identifier.
_DOCUMENT_KEYS = frozenset(
    ("@module", "@class", "x", "y", "spectrum", "structure", "absorbing_element", "edge",
     "task_id", "material_id", "mp_id", "mpid", "spectrum_type", "absorbing_atom", "_id", "tags",
     "last_updated", "nsites", "elements", "nelements", "composition", "composition_reduced",
     "formula_pretty", "formula_anonymous", "chemsys", "volume", "density", "density_atomic",
     "symmetry", "builder_meta", "spectrum_name", "spectrum_id", "warnings")
)  # fmt: skip
_FIRST_KEYS = 3


def read_archive(settings: Settings) -> Iterator[tuple[Finding | Rejection, dict[str, Any] | None]]:
    """All spectra of the dump; one finding or rejection for each document.

    Raises
    ------
    SourceError
        If the path is not there or holds no dump.
    """
    path = Path(settings.xasdb_archive.path or "")
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    files = [file for file in files if file.name.endswith(_SUFFIXES)]
    if not files:
        raise SourceError(f"xasdb_archive.path: no {', '.join(_SUFFIXES)} file at {path}")
    for file in files:
        for where, document in read_documents(file):
            if isinstance(document, RejectedSpectrum):
                yield Rejection(where, document.reason, document.detail), None
                continue
            element = _claimed_element(document)
            try:
                yield parse_document(document, NAME, settings)
            except RejectedSpectrum as error:
                yield Rejection(_name(document, where), error.reason, error.detail, element), None


def read_documents(path: Path) -> Iterator[tuple[str, Any]]:
    """Stream the documents of one file as (where, document).

    What cannot be read comes as (where, RejectedSpectrum), so that it is counted.
    """
    packed = path.name.endswith(".gz")
    with cast("IO[bytes]", gzip.open(path, "rb") if packed else path.open("rb")) as handle:
        try:
            lines = ".jsonl" in path.name or ".ndjson" in path.name
            yield from _json_lines(path.name, handle) if lines else _json(path.name, handle)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            yield path.name, RejectedSpectrum(Reason.TRUNCATED, f"gzip: {error}")


def _json_lines(name: str, handle: IO[bytes]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(handle, start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            yield where, json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            yield where, RejectedSpectrum(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8")
        except ValueError as error:
            cut = not line.endswith(b"\n")
            reason = Reason.TRUNCATED if cut else Reason.UNREADABLE
            yield where, RejectedSpectrum(reason, f"not JSON: {error}"[:120])


def _json(name: str, handle: IO[bytes]) -> Iterator[tuple[str, Any]]:
    try:
        first, keys = _opening(handle)
        handle.seek(0)
        if first == "":
            yield name, RejectedSpectrum(Reason.EMPTY, "no content")
        elif first == "[":
            yield from _numbered(name, ijson.items(handle, "item", use_float=True))
        elif first != "{":
            yield name, RejectedSpectrum(Reason.WRONG_TYPE, "neither a list nor an object")
        elif keys & _DOCUMENT_KEYS:
            yield name, json.loads(handle.read().decode("utf-8"))
        elif "data" in keys:
            count = 0
            for item in _numbered(name, ijson.items(handle, "data.item", use_float=True)):
                count += 1
                yield item
            if count == 0:
                yield name, RejectedSpectrum(Reason.WRONG_TYPE, "data is no list of documents")
        else:
            for entry, document in ijson.kvitems(handle, "", use_float=True):
                if isinstance(document, dict) and not _identity(document):
                    document = {**document, "_id": entry}
                yield f"{name}:{entry}", document
    except ijson.IncompleteJSONError as error:
        reason = Reason.NOT_UTF8 if "utf" in str(error).lower() else Reason.TRUNCATED
        yield name, RejectedSpectrum(reason, f"ends before its end: {error}"[:120])
    except UnicodeDecodeError as error:
        yield name, RejectedSpectrum(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8")
    except (ijson.JSONError, ValueError) as error:
        yield name, RejectedSpectrum(Reason.UNREADABLE, f"not JSON: {error}"[:120])


def _numbered(name: str, items: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    for number, document in enumerate(items):
        yield f"{name}:{number}", document


def _opening(handle: IO[bytes]) -> tuple[str, set[str]]:
    """First character of the JSON, and the first keys where it is an object."""
    head = handle.read(4096).lstrip().decode("utf-8", errors="replace")[:1]
    keys: set[str] = set()
    if head == "{":
        handle.seek(0)
        for prefix, event, value in ijson.parse(handle):
            if prefix == "" and event == "map_key":
                keys.add(value)
                if keys & _DOCUMENT_KEYS or "data" in keys or len(keys) > _FIRST_KEYS:
                    break
    return head, keys


def _claimed_element(document: Any) -> str:
    element = ""
    if isinstance(document, dict):
        spectrum = document.get("spectrum")
        inner = spectrum if isinstance(spectrum, dict) else {}
        element = document.get("absorbing_element") or inner.get("absorbing_element") or ""
    if isinstance(element, dict):  # an Element as a dictionary
        element = element.get("element", "")
    return element if isinstance(element, str) else ""


def _name(document: Any, where: str) -> str:
    return f"{where} ({_identity(document)})" if isinstance(document, dict) else where


def _identity(document: dict[str, Any]) -> str:
    for key in ("material_id", "task_id", "mp_id", "mpid", "_id"):
        value = document.get(key)
        if isinstance(value, str) and value:
            return normalise_material_id(value)
    return ""


def parse_document(
    document: Any, source: str, settings: Settings
) -> tuple[Finding, dict[str, Any]]:
    """One document as a finding and its structure row.

    Raises
    ------
    RejectedSpectrum
        With the reason.
    """
    if not isinstance(document, dict):
        raise RejectedSpectrum(Reason.WRONG_TYPE, f"a {type(document).__name__}, not an object")
    xas = (
        {**document, **document["spectrum"]}
        if isinstance(document.get("spectrum"), dict)
        else document
    )
    energy, mu = _arrays(xas)
    absorber = _claimed_element(document)
    index = xas.get("absorbing_index")
    if index is None:
        index = xas.get("absorbing_atom")
    structure = _structure(xas)
    if not absorber and isinstance(index, int) and 0 <= index < len(structure):
        absorber = structure[index].specie.symbol
    if not absorber:
        raise RejectedSpectrum(Reason.MISSING_KEY, "no absorbing_element")
    _check_kind(xas, absorber, index, structure, settings)
    check_spectrum(energy, mu, absorber, settings.quality)
    cell = structure_digest(structure)
    material = _identity(document) or f"{structure.composition.reduced_formula}-{cell}"
    try:
        # The cell is part of the name: documents of one material may order its atoms differently.
        identity = (f"{source}:{material}#{cell}", material, source)
        row = structure_row(structure, *identity, settings.quality.symmetry_precision)
    except StructureError as error:
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, str(error)) from None
    kind = "averaged" if index is None else "site"
    position = -1 if index is None else int(index)
    key = f"{material}#{cell}/{absorber}/{'averaged' if index is None else position}"
    return Finding(key, material, absorber, kind, position, energy, mu), row


def _arrays(xas: dict[str, Any]) -> tuple[Any, Any]:
    x: Any
    y: Any
    pairs = xas.get("spectrum")
    if isinstance(pairs, list):
        x = [p[0] if isinstance(p, list) and len(p) > 1 else None for p in pairs]
        y = [p[1] if isinstance(p, list) and len(p) > 1 else None for p in pairs]
    else:
        for key in ("x", "y"):
            if key not in xas:
                raise RejectedSpectrum(Reason.MISSING_KEY, f"no {key}")
        x, y = (v.get("data") if isinstance(v, dict) else v for v in (xas["x"], xas["y"]))
    try:
        if not isinstance(x, list) or not isinstance(y, list):
            raise TypeError
        if any(isinstance(value, str) for value in (*x, *y)):
            raise TypeError
        arrays = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    except (TypeError, ValueError):
        raise RejectedSpectrum(Reason.WRONG_TYPE, "x and y must be lists of numbers") from None
    if len(arrays[0]) == 0:
        raise RejectedSpectrum(Reason.EMPTY, "no points")
    return arrays


def _structure(xas: dict[str, Any]) -> Any:
    from pymatgen.core import Structure

    if not isinstance(xas.get("structure"), dict):
        raise RejectedSpectrum(Reason.NO_STRUCTURE, "no structure in the document")
    try:
        structure = Structure.from_dict(xas["structure"])
    except Exception as error:  # pymatgen raises many kinds on malformed dictionaries
        detail = f"structure not readable: {type(error).__name__}: {error}"[:160]
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, detail) from None
    if not structure.is_ordered:
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, "partially occupied sites")
    return structure


def _check_kind(
    xas: dict[str, Any], absorber: str, index: Any, structure: Any, settings: Settings
) -> None:
    """Edge, kind of spectrum, composition and absorber must fit together."""
    edge, kind = str(xas.get("edge", "K")), str(xas.get("spectrum_type", "XANES"))
    if edge != "K" or kind != "XANES":
        raise RejectedSpectrum(Reason.OTHER_EDGE, f"{kind} of the {edge} edge")
    symbols = [site.specie.symbol for site in structure]
    if absorber not in settings.elements:
        raise RejectedSpectrum(
            Reason.OTHER_ELEMENT, f"{absorber} is not among the elements asked for"
        )
    if index is not None:
        if isinstance(index, bool) or not isinstance(index, int):
            raise RejectedSpectrum(Reason.WRONG_TYPE, f"absorbing_index is {index!r}"[:80])
        if not 0 <= index < len(symbols):
            raise RejectedSpectrum(
                Reason.SITE_OUT_OF_RANGE, f"site {index} of a structure of {len(symbols)} sites"
            )
        if symbols[index] != absorber:
            raise RejectedSpectrum(
                Reason.ELEMENT_MISMATCH, f"site {index} is {symbols[index]}, not {absorber}"
            )
    elif absorber not in symbols:
        raise RejectedSpectrum(Reason.ELEMENT_MISMATCH, f"no {absorber} in the structure")
    if settings.quality.oxides_only and "O" not in symbols:
        raise RejectedSpectrum(Reason.NOT_AN_OXIDE, structure.composition.reduced_formula)
