"""Bulk dumps of pymatgen XAS dictionaries, streamed document by document."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import ijson

from xascoord.core.errors import SourceError
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection, one_document
from xascoord.settings.tree import Settings
from xascoord.sources.collect import Spectrum
from xascoord.sources.xas_document import (
    DOCUMENT_KEYS,
    claimed_element,
    identity_of,
    parse_document,
)

NAME = "xasdb_archive"
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_FIRST_KEYS = 3


def read_archive(
    settings: Settings,
) -> Iterator[tuple[Spectrum | Rejection, dict[str, Any] | None]]:
    """All spectra of the dump; one spectrum or rejection for each document.

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
            element, name = "", where
            try:
                with one_document():
                    element, name = claimed_element(document), _name(document, where)
                    found = parse_document(document, NAME, settings)
            except RejectedSpectrum as error:
                yield Rejection(name, error.reason, error.detail, element), None
                continue
            yield found


def read_documents(path: Path) -> Iterator[tuple[str, Any]]:
    """Stream the documents of one file as (where, document).

    What cannot be read comes as (where, RejectedSpectrum), so that it is counted.
    """
    packed = path.name.endswith(".gz")
    if not os.access(path, os.R_OK):
        yield path.name, RejectedSpectrum(Reason.UNREADABLE, "no permission to read it")
        return
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
        except RecursionError:
            yield where, RejectedSpectrum(Reason.UNREADABLE, "nested too deep")


def _json(name: str, handle: IO[bytes]) -> Iterator[tuple[str, Any]]:
    try:
        first, keys = _opening(handle)
        handle.seek(0)
        if first == "":
            yield name, RejectedSpectrum(Reason.EMPTY, "no content")
        elif first == "[":
            yield from _numbered(name, _items(handle, "item"))
        elif first != "{":
            yield name, RejectedSpectrum(Reason.WRONG_TYPE, "neither a list nor an object")
        elif keys & DOCUMENT_KEYS:
            yield name, json.loads(handle.read().decode("utf-8"))
        elif "data" in keys:
            count = 0
            for item in _numbered(name, _items(handle, "data.item")):
                count += 1
                yield item
            if count == 0:
                yield name, RejectedSpectrum(Reason.WRONG_TYPE, "data is no list of documents")
        else:
            for entry, document in ijson.kvitems(handle, "", use_float=True):
                if isinstance(document, dict) and not identity_of(document):
                    document = {**document, "_id": entry}
                yield f"{name}:{entry}", document
    except ijson.IncompleteJSONError as error:
        reason = Reason.NOT_UTF8 if "utf" in str(error).lower() else Reason.TRUNCATED
        yield name, RejectedSpectrum(reason, f"ends before its end: {error}"[:120])
    except UnicodeDecodeError as error:
        yield name, RejectedSpectrum(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8")
    except (ijson.JSONError, ValueError) as error:
        yield name, RejectedSpectrum(Reason.UNREADABLE, f"not JSON: {error}"[:120])
    except RecursionError:
        yield name, RejectedSpectrum(Reason.UNREADABLE, "nested too deep")


def _items(handle: IO[bytes], prefix: str) -> Iterator[Any]:
    """Documents of a list; where an integer is too long for the fast parser a slow one goes on."""
    count = 0
    try:
        for document in ijson.items(handle, prefix, use_float=True):
            yield document
            count += 1
    except ijson.IncompleteJSONError as error:
        if "overflow" not in str(error):
            raise
        from ijson.backends import python

        handle.seek(0)
        yield from islice(python.items(handle, prefix, use_float=True), count, None)


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
                if keys & DOCUMENT_KEYS or "data" in keys or len(keys) > _FIRST_KEYS:
                    break
    return head, keys


def _name(document: Any, where: str) -> str:
    return f"{where} ({identity_of(document)})" if isinstance(document, dict) else where
