"""Bulk dumps of pymatgen XAS dictionaries, streamed document by document."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from xascoord.core.errors import SourceError
from xascoord.core.files import open_regular
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection, one_document
from xascoord.settings.limits import Limits
from xascoord.settings.tree import Settings
from xascoord.sources.account import opening
from xascoord.sources.collect import Spectrum
from xascoord.sources.json_stream import Part, parse_json, parts, too_large
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
        for where, document in opening(read_documents(file, settings.limits)):
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


def read_documents(path: Path, limits: Limits) -> Iterator[tuple[str, Any]]:
    """Stream the documents of one file as (where, document).

    What cannot be read comes as (where, RejectedSpectrum), so that it is counted.
    """
    try:
        with open_regular(path) as file:
            packed = path.name.endswith(".gz")
            handle = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
            lines = ".jsonl" in path.name or ".ndjson" in path.name
            read = _json_lines if lines else _json
            yield from read(path.name, handle, limits)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            yield path.name, RejectedSpectrum(Reason.TRUNCATED, f"gzip: {error}")
        elif isinstance(error, PermissionError):
            yield path.name, RejectedSpectrum(Reason.UNREADABLE, "no permission to read it")
        else:
            raise
    except (EOFError, zlib.error) as error:
        yield path.name, RejectedSpectrum(Reason.TRUNCATED, f"gzip: {error}")


def _json_lines(name: str, handle: IO[bytes], limits: Limits) -> Iterator[tuple[str, Any]]:
    number = 0
    while line := handle.readline(limits.document_bytes + 1):
        number += 1
        where, cut = f"{name}:{number}", not line.endswith(b"\n")
        if len(line) > limits.document_bytes:
            while cut and (line := handle.readline(limits.document_bytes)):
                cut = not line.endswith(b"\n")
            yield where, too_large(limits)
        elif line.strip():
            document = _parsed(line, limits)
            if cut and isinstance(document, RejectedSpectrum):
                detail = document.detail
                document = RejectedSpectrum(Reason.TRUNCATED, detail)
            yield where, document


def _parsed(data: bytes, limits: Limits) -> Any:
    """A document, or why it is none."""
    try:
        return parse_json(data, limits)
    except RejectedSpectrum as error:
        return error


def _json(name: str, handle: IO[bytes], limits: Limits) -> Iterator[tuple[str, Any]]:
    first = handle.read(4096).lstrip()[:1]
    handle.seek(0)
    if first == b"[":
        yield from _numbered(name, parts(handle, limits), limits)
    elif first == b"{":
        keys = _first_keys(handle, limits)
        handle.seek(0)
        if keys & DOCUMENT_KEYS:
            yield name, _whole(handle, limits)
        elif "data" in keys:
            yield from _listed(name, handle, limits)
        else:
            yield from _by_key(name, parts(handle, limits), limits)
    elif first == b"":
        yield name, RejectedSpectrum(Reason.EMPTY, "no content")
    else:
        yield name, RejectedSpectrum(Reason.WRONG_TYPE, "neither a list nor an object")


def _first_keys(handle: IO[bytes], limits: Limits) -> set[str]:
    """The first keys of an object, until they tell what it is."""
    keys: set[str] = set()
    for data, _ in parts(handle, limits):
        keys.add(_key_and_value(data)[0])
        if keys & DOCUMENT_KEYS or "data" in keys or len(keys) > _FIRST_KEYS:
            break
    return keys


def _whole(handle: IO[bytes], limits: Limits) -> Any:
    """The one document of a file, or why it is none."""
    data = handle.read(limits.document_bytes + 1)
    if len(data) > limits.document_bytes:
        return too_large(limits)
    document = _parsed(data, limits)
    if isinstance(document, RejectedSpectrum) and not data.rstrip().endswith(b"}"):
        return RejectedSpectrum(Reason.TRUNCATED, document.detail)
    return document


def _listed(name: str, handle: IO[bytes], limits: Limits) -> Iterator[tuple[str, Any]]:
    """Documents of the list ``data`` of an object."""
    count = 0
    for count, found in enumerate(  # noqa: B007
        _numbered(name, parts(handle, limits, "data"), limits), start=1
    ):
        yield found
    if count == 0:
        yield name, RejectedSpectrum(Reason.WRONG_TYPE, "data is no list of documents")


def _numbered(name: str, found: Iterator[Part], limits: Limits) -> Iterator[tuple[str, Any]]:
    for number, (data, fault) in enumerate(found):
        yield f"{name}:{number}", fault or _parsed(data, limits)


def _by_key(name: str, found: Iterator[Part], limits: Limits) -> Iterator[tuple[str, Any]]:
    """Documents of an object whose keys are their identifiers."""
    for data, fault in found:
        key, value = _key_and_value(data)
        document = fault or _parsed(value, limits)
        if isinstance(document, dict) and not identity_of(document):
            document = {**document, "_id": key}
        yield f"{name}:{key}", document


def _key_and_value(data: bytes) -> tuple[str, bytes]:
    """Parts of ``"key": value``; an empty key where there is none."""
    match = re.match(rb'\s*("(?:[^"\\]|\\.)*+")\s*:', data, re.DOTALL)
    if match is None:
        return "", data
    try:
        return str(json.loads(match[1].decode("utf-8", errors="replace"))), data[match.end() :]
    except ValueError:
        return "", data


def _name(document: Any, where: str) -> str:
    return f"{where} ({identity_of(document)})" if isinstance(document, dict) else where
