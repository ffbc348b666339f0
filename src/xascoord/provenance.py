"""What every file was made from, carried along with the bytes.

Snakemake knows a result is current by records in its own folder: the code, parameters, inputs
and checksums of inputs of the job that made it. DVC carries only the results. So the records
of each stage are saved as one file under ``data/provenance``, which DVC carries with the
stage's results, and are given back to Snakemake where they come in. Times of files and of jobs are
left out: the same run leaves the same bytes, and Snakemake goes by checksums where times mislead.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from xascoord.errors import XascoordError
from xascoord.tables import write_text

FOLDER = Path("data/provenance")

_STAGE = re.compile(r"(?:data|results)/(\d\d_\w+)/")
_KEPT = (
    "rule", "input", "params", "code", "record_format_version", "software_stack_hash",
    "input_checksums",
)  # fmt: skip
_SEEN = "xascoord_provenance.json"


def save_records(root: Path = Path()) -> dict[str, int]:
    """Write Snakemake's records of all results that exist, one file a stage.

    Parameters
    ----------
    root
        Folder of the project.

    Returns
    -------
    dict
        Number of results by stage.
    """
    store = _store(root)
    stages: dict[str, dict[str, Any]] = defaultdict(dict)
    for folder in ("data", "results"):
        for path in sorted((root / folder).glob("[0-9][0-9]_*/**/*")):
            name = path.relative_to(root).as_posix()
            stage = _STAGE.match(name)
            record = store._read_record(name) if stage and path.is_file() else None
            if stage and record:
                stages[stage[1]][name] = {key: record[key] for key in _KEPT}
    for stage_name, records in stages.items():
        text = json.dumps(records, indent=1, sort_keys=True) + "\n"
        path = root / FOLDER / f"{stage_name}.json"
        if not path.is_file() or path.read_text() != text:
            write_text(path, text)
    _remember(root)
    return {name: len(records) for name, records in sorted(stages.items())}


def restore_records(root: Path = Path()) -> int:
    """Give Snakemake the records that came in with results, where they are new here.

    Parameters
    ----------
    root
        Folder of the project.

    Returns
    -------
    int
        Number of records given.

    Raises
    ------
    XascoordError
        If a file of records is damaged.
    """
    seen = _seen(root)
    new = [path for path, digest in _digests(root).items() if seen.get(path) != digest]
    if not new:
        return 0
    from snakemake.persistence import MetadataRecord

    store, count = _store(root), 0
    for name in new:
        for result, record in _read(root / name).items():
            path = root / result
            if path.is_file():
                time = path.stat().st_mtime
                whole = {**record, "starttime": time, "endtime": time, "incomplete": False}
                store._write_record(result, MetadataRecord(**whole))
                count += 1
    _remember(root)
    return count


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        records = json.loads(path.read_text())
        return {name: {key: record[key] for key in _KEPT} for name, record in records.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise XascoordError(
            f"{path}: no records of a stage; remove it, or get it again by 'dvc checkout'"
        ) from None


def _store(root: Path) -> Any:
    """Snakemake's own store of records; no lock is taken."""
    from snakemake.persistence.file import FilePersistence

    return FilePersistence(nolock=True, path=(root / ".snakemake").resolve())


def _digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((root / FOLDER).glob("*.json"))
    }


def _seen(root: Path) -> dict[str, str]:
    path = root / ".snakemake" / _SEEN
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _remember(root: Path) -> None:
    """Note which files of records Snakemake's store agrees with."""
    write_text(root / ".snakemake" / _SEEN, json.dumps(_digests(root), indent=1) + "\n")
