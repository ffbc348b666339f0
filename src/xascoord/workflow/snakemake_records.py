"""What every file was made from, carried along with the bytes.

Snakemake knows a result is current by records in its own folder: the code, parameters, inputs
and checksums of inputs of the job that made it. DVC carries only the results. So the records
of each stage are saved as one file under ``data/provenance``, which DVC carries with the
stage's results, and are given back to Snakemake where they come in. A record holds the checksum of
its result and counts for no other bytes. Times of files and of jobs are left out: the same run
leaves the same bytes, and Snakemake goes by checksums where times mislead.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from xascoord.core.errors import XascoordError
from xascoord.core.files import write_text

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
                mine = {key: record[key] for key in _KEPT}
                stages[stage[1]][name] = {**mine, "sha256": _sha256(path)}
    for stage_name, records in stages.items():
        text = json.dumps(records, indent=1, sort_keys=True) + "\n"
        path = root / FOLDER / f"{stage_name}.json"
        if not path.is_file() or path.read_text() != text:
            write_text(path, text)
    _remember(root)
    return {name: len(records) for name, records in sorted(stages.items())}


def restore_records(root: Path = Path()) -> int:
    """Give Snakemake the records of results that came in or changed since the last look.

    A result that the record is not of keeps the record of its own job here; without one it counts
    as made from something unknown, and is made again.

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
    seen, states = _seen(root), _states(root)
    if seen == states:
        return 0
    store, count = _store(root), 0
    for name, state in states.items():
        if seen.get(name) == state:
            continue
        earlier = seen.get(name, {})
        for result, record in _read(root / name).items():
            path = root / result
            changed = earlier.get("") != state[""] or earlier.get(result) != state.get(result)
            if changed and path.is_file():
                count += _restore(store, result, path, record)
    _remember(root)
    return count


def records_are_known(root: Path = Path()) -> bool:
    """Whether ``restore_records`` would have nothing to do; nothing is written."""
    return _seen(root) == _states(root)


def _restore(store: Any, result: str, path: Path, record: dict[str, Any]) -> bool:
    """Write the record of one result, if it is of these bytes."""
    from snakemake.persistence import MetadataRecord

    same = _sha256(path) == record["sha256"]
    if not same and store._read_record(result) is not None:
        return False
    known = {key: record[key] for key in _KEPT}
    if not same:
        known["params"] = ["unknown"]
    time = path.stat().st_mtime
    # One number a job, as 'snakemake --report' counts them.
    job = json.dumps([known["rule"], known["input"], known["params"]]).encode()
    number = int.from_bytes(hashlib.sha256(job).digest()[:6], "big")
    store._write_record(
        result,
        MetadataRecord(
            **known, starttime=time, endtime=time, incomplete=False, job_hash=number, log=[]
        ),
    )
    return same


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        records = json.loads(path.read_text())
        wanted = (*_KEPT, "sha256")
        return {name: {key: record[key] for key in wanted} for name, record in records.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise XascoordError(
            f"{path}: no records of a stage; remove it, or get it again by 'dvc checkout'"
        ) from None


def _store(root: Path) -> Any:
    """Snakemake's own store of records; no lock is taken."""
    from snakemake.persistence.file import FilePersistence

    return FilePersistence(nolock=True, path=(root / ".snakemake").resolve())


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _states(root: Path) -> dict[str, dict[str, str]]:
    """Digest of each file of records (under ""), and size and time of the results in it."""
    found = {}
    for path in sorted((root / FOLDER).glob("*.json")):
        states = {"": _sha256(path)}
        for result in _read(path):
            if (root / result).is_file():
                stat = (root / result).stat()
                states[result] = f"{stat.st_size} {stat.st_mtime_ns}"
        found[path.relative_to(root).as_posix()] = states
    return found


def _seen(root: Path) -> dict[str, dict[str, str]]:
    path = root / ".snakemake" / _SEEN
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _remember(root: Path) -> None:
    """Note which records and results Snakemake's store agrees with."""
    write_text(root / ".snakemake" / _SEEN, json.dumps(_states(root), indent=1) + "\n")
