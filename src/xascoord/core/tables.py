"""Parquet tables: rows in and out, checked against their schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xascoord.core.errors import NotAFileError, XascoordError
from xascoord.core.files import open_regular, replacing
from xascoord.core.schemas import SCHEMA_VERSION

_VERSION_KEY = "xascoord_schema"


def to_table(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a typed table; a missing or misnamed column is an error."""
    for row in rows:
        if row.keys() != set(schema.names):
            wrong = sorted(set(schema.names) ^ row.keys())
            raise XascoordError(f"table row does not fit its schema: {', '.join(wrong)}")
    return pa.Table.from_pylist(list(rows), schema=schema)


def versioned(schema: pa.Schema) -> pa.Schema:
    """The schema, saying which version of the columns it is."""
    return schema.with_metadata({_VERSION_KEY: SCHEMA_VERSION})


def write_table(path: Path, table: pa.Table, **options: Any) -> None:
    """Write one Parquet file atomically; options of the format go to PyArrow."""
    options = {"compression": "zstd", "compression_level": 9, **options}
    table = table.cast(versioned(table.schema))
    with replacing(path) as temporary:
        pq.write_table(table, temporary, **options)


def write_rows(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows as one Parquet file."""
    write_table(path, to_table(rows, schema))


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a Parquet file and check its columns.

    Raises
    ------
    XascoordError
        If the file is missing, no Parquet, or of other columns or another version of them.
    """
    try:
        with open_regular(path) as handle:
            table = pq.ParquetFile(handle).read()  # read_table would import data sets, for 0.7 s
        table.validate(full=True)
    except FileNotFoundError:
        raise XascoordError(f"{path}: no such table; run the stage that writes it") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError, NotAFileError) as error:
        raise XascoordError(
            f"{path}: not a readable Parquet file ({error}); delete it and rerun"
        ) from None
    written = (table.schema.metadata or {}).get(_VERSION_KEY.encode(), b"").decode()
    if written and written != SCHEMA_VERSION:  # tables of other programs say nothing
        raise XascoordError(
            f"{path}: columns of version {written}, this version reads {SCHEMA_VERSION}; rerun the "
            "stage that writes it"
        )
    if table.schema.names != schema.names:
        wrong = sorted(set(table.schema.names) ^ set(schema.names))
        raise XascoordError(f"{path}: columns do not fit this version: {', '.join(wrong)}")
    try:
        return table.cast(schema)
    except pa.ArrowException as error:
        raise XascoordError(f"{path}: columns of other types ({error}); rerun") from None


def row_count(path: Path) -> int:
    """Rows of a Parquet file, from its own account; nothing is read."""
    return int(pq.read_metadata(path).num_rows)


def read_rows(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    """Rows of a Parquet file as dictionaries."""
    return read_table(path, schema).to_pylist()
