"""The columns of every table, named and typed in one place, and their reading and writing.

Files are written under a temporary name and renamed, so that a killed run leaves either the
old table or the new one; the bytes depend on the rows only.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xascoord.errors import XascoordError

_FLOATS = pa.list_(pa.float64())

SPECTRA = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),  # what must stay in one fold
        ("structure_id", pa.string()),
        ("absorber", pa.string()),
        ("kind", pa.string()),  # "site" or "averaged"
        ("site_index", pa.int32()),  # in the structure's own order; -1 for averaged
        ("multiplicity", pa.int32()),  # symmetry-equivalent sites in the cell
        ("source", pa.string()),
        ("energy", _FLOATS),  # eV
        ("mu", _FLOATS),
    ]
)

STRUCTURES = pa.schema(
    [
        ("structure_id", pa.string()),
        ("material", pa.string()),
        ("source", pa.string()),
        ("formula", pa.string()),
        ("lattice", _FLOATS),  # nine numbers, row vectors, angstrom
        ("species", pa.list_(pa.string())),
        ("frac_coords", _FLOATS),  # 3 x sites, row-major
        ("equivalent_to", pa.list_(pa.int32())),  # first site of each site's orbit
    ]
)

REJECTIONS = pa.schema(
    [
        ("stage", pa.string()),
        ("source", pa.string()),
        ("absorber", pa.string()),
        ("kind", pa.string()),
        ("item", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)

DATASET = pa.schema(
    [
        *SPECTRA,
        ("e0", pa.float64()),  # eV
        ("onset", pa.float64()),  # eV
        ("scale", pa.float64()),  # what the window was divided by
        ("features", _FLOATS),  # the window, maximum 1
    ]
)

_PROVENANCE = [field for field in SPECTRA if field.name not in ("energy", "mu")]

ORDER_PARAMETERS = pa.schema(
    [
        *_PROVENANCE,
        ("numbers", _FLOATS),  # weights of coordination numbers 1 to 12
        ("motifs", _FLOATS),  # 25 weighted motif order parameters, in the order of motifs.MOTIFS
    ]
)

MOTIF_NUMBERS = (2, 3, 4, 5, 6, 7, 8)  # coordination numbers with a motif task in some group

LABELS = pa.schema(
    [
        *ORDER_PARAMETERS,
        ("number_label", pa.string()),  # "" where no coordination number reaches the threshold
        ("number_kept", pa.bool_()),  # False: too rare to be learnt
        # null where the coordination number is not in the label or the group has no such task
        *((f"motif_label_{number}", pa.string()) for number in MOTIF_NUMBERS),
        *((f"motif_kept_{number}", pa.bool_()) for number in MOTIF_NUMBERS),
    ]
)

SCORES = (
    "top1", "top1_ranking", "exact", "jaccard", "number_top1", "number_exact", "number_jaccard",
)  # fmt: skip

# Predictions of spectra that the classifier had not seen.
PREDICTIONS = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),
        ("absorber", pa.string()),
        ("kind", pa.string()),
        ("classifier", pa.string()),
        ("training_set", pa.string()),
        ("split", pa.string()),
        ("fold", pa.int32()),
        ("learnable", pa.bool_()),  # label and motifs of its first CN are frequent enough
        ("status", pa.string()),  # why not: training_data.STATUSES
        ("motif_step", pa.string()),  # of its first CN: learnt, constant, none or no_task
        ("true_label", pa.string()),
        ("predicted_label", pa.string()),
        ("true_environment", pa.string()),
        ("predicted_environment", pa.string()),
        ("true_number", pa.string()),
        ("predicted_number", pa.string()),
        ("probability", pa.float64()),  # of the predicted label
        ("number_probability", pa.float64()),  # of the predicted CN ranking
        *((name, pa.float64()) for name in SCORES),
    ]
)

# Site-specific spectra of known geometry, without near-duplicates.
GEOMETRIES = pa.schema(
    [
        *SPECTRA,
        ("symbol", pa.string()),  # ChemEnv's, of the nearest ideal polyhedron
        ("neighbours", pa.int32()),
        ("measure", pa.float64()),  # continuous symmetry measure, 0 to 100
        ("grid_start", pa.float64()),  # eV, of the element's grid
        ("features", _FLOATS),  # on the grid, maximum 1
    ]
)

# Their predictions by networks that had not seen them, as they are.
GEOMETRY_PREDICTIONS = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),
        ("absorber", pa.string()),
        ("split", pa.string()),
        ("fold", pa.int32()),
        ("network", pa.string()),
        ("region", pa.string()),  # full or pre_edge
        ("training", pa.string()),  # shifted, base or noisy copies learnt from
        ("true_symbol", pa.string()),
        ("predicted_symbol", pa.string()),
        ("probability", pa.float64()),
    ]
)

# O K-edge spectra with what surrounds each oxygen.
OXYGEN = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("snapshot", pa.string()),  # structure that the site belongs to
        ("site_index", pa.int32()),  # in the structure's own order
        ("source", pa.string()),
        ("metals", pa.int32()),  # within the cutoff
        ("dimer", pa.bool_()),
        ("environment", pa.string()),  # class: "0", "1", ... or "dimer"
        ("energy", _FLOATS),  # eV
        ("mu", _FLOATS),
        ("features", _FLOATS),  # in the window
    ]
)

# Computed spectra that a prediction is compared with; it lies beside the models.
REFERENCE = pa.schema(
    [
        ("spectrum_id", pa.string()),
        ("material", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),  # combined ranking
        ("features", pa.list_(pa.float32())),
    ]
)


def to_table(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a typed table; a missing or misnamed column is an error."""
    for row in rows:
        if row.keys() != set(schema.names):
            wrong = sorted(set(schema.names) ^ row.keys())
            raise XascoordError(f"table row does not fit its schema: {', '.join(wrong)}")
    return pa.Table.from_pylist(list(rows), schema=schema)


def write_table(path: Path, table: pa.Table) -> None:
    """Write one Parquet file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    pq.write_table(table, temporary, compression="zstd", compression_level=9)
    temporary.replace(path)


def write_rows(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    """Write rows as one Parquet file."""
    write_table(path, to_table(rows, schema))


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a Parquet file and check its columns.

    Raises
    ------
    XascoordError
        If the file is missing, no Parquet, or of other columns.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise XascoordError(f"{path}: no such table; run the stage that writes it") from None
    except pa.ArrowInvalid as error:
        raise XascoordError(
            f"{path}: not a readable Parquet file ({error}); delete it and rerun"
        ) from None
    if table.schema.names != schema.names:
        wrong = sorted(set(table.schema.names) ^ set(schema.names))
        raise XascoordError(f"{path}: columns do not fit this version: {', '.join(wrong)}")
    return table.cast(schema)


def read_rows(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    """Rows of a Parquet file as dictionaries."""
    return read_table(path, schema).to_pylist()


def write_csv(path: Path, rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    """Write a small table for people, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a small record for programs, atomically, its keys in order."""
    write_text(path, json.dumps(values, indent=1, sort_keys=True) + "\n")
