"""One page about a run: what went in, with what settings and versions, what came out."""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from xascoord.core.engines import PATHS, PATHS_DOUBT
from xascoord.core.errors import XascoordError
from xascoord.core.files import write_csv, write_text
from xascoord.core.kinds import DEGRADED, MEASURED
from xascoord.core.origin import origin_text
from xascoord.settings.tree import Settings

LIBRARIES = (
    "xascoord", "snakemake", "dvc", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "torch",
    "skops", "pymatgen", "matminer", "mp-api", "xraylarch",
)  # fmt: skip
_WORST = 5


def write_report(settings: Settings, results: Path, out: Path) -> None:
    """Write the page, the whole settings and the versions of the libraries.

    Parameters
    ----------
    settings
        All sections, with defaults.
    results
        Folder of the stages' results.
    out
        Folder for ``report.md``, ``settings.yaml``, ``versions.csv``.

    Raises
    ------
    XascoordError
        If a result of an earlier stage is missing or damaged.
    """
    versions = {"python": platform.python_version()}
    versions |= {name: _version(name) for name in LIBRARIES}
    versions["commit of xascoord"] = origin_text()
    rows = [{"library": name, "version": number} for name, number in versions.items()]
    write_csv(out / "versions.csv", rows, ("library", "version"))
    whole = settings.model_dump(mode="json")
    write_text(out / "settings.yaml", yaml.safe_dump(whole, sort_keys=True))
    write_text(out / "report.md", "\n".join(_page(settings, results)) + "\n")


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def _page(settings: Settings, results: Path) -> list[str]:
    counts = _values(results / "02_datasets/metrics.json")
    thresholds = _values(results / "03_labels/thresholds.json")
    calibrated = _values(results / "03_labels/calibration.json")
    models = _values(results / "04_models/metrics.json")
    validation = _values(results / "06_validation/metrics.json")
    measured = _evaluated(results / "06_validation/summary.csv", settings)
    return [
        "# Coordination environments from XANES",
        "",
        f"Elements: {', '.join(settings.elements)}. Sources: {', '.join(settings.sources)}. "
        f"Seed {settings.seed}. All settings: `settings.yaml`; libraries: `versions.csv`. "
        f"Commit of xascoord: {origin_text()}.",
        "",
        "## Data",
        "",
        *_table([counts]),
        "",
        *_engines(results / "02_datasets/engines.csv"),
        "",
        *_table(_rejections(results / "02_datasets/rejections_by_reason.csv")),
        "",
        "## Labels",
        "",
        f"A coordination number counts from a weight of {thresholds['cn_threshold']}, a motif "
        f"from {thresholds['motif_threshold']} "
        f"({'calibrated' if thresholds['calibrated'] else 'as published'}; calibration on these "
        f"data: {calibrated['cn_threshold']}, {calibrated['motif_threshold']}).",
        "",
        "## Classifiers",
        "",
        "Per cent of held-out spectra whose label is frequent enough to be learnt; intervals and "
        "all other figures in `04_models`.",
        "",
        *_table([{"split": split, "classifier": name, **values}
                 for split, found in models.items() for name, values in found.items()]),
        "",
        "## What the regions are worth",
        "",
        "Largest losses of accuracy, by element, coordination number and dropped regions.",
        "",
        *_table(_losses(results / "05_importance/importance.csv")),
        "",
        "## Validation",
        "",
        "On measured spectra." if measured else
        "On held-out computed spectra, degraded: no folder of measured ones was given.",
        "",
        *_table([{"training set": name, **values} for name, values in validation.items()]),
    ]  # fmt: skip


def _engines(path: Path) -> list[str]:
    """What the spectra were computed by, how many, of which elements; what that is worth."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in _rows(path):
        found.setdefault(row["engine"], []).append(row)
    table = [
        {
            "computed by": engine,
            "site": sum(int(row["site"]) for row in rows),
            "averaged": sum(int(row["averaged"]) for row in rows),
            "elements": " ".join(row["element"] for row in rows),
        }
        for engine, rows in sorted(found.items())
    ]
    lines = _table(table)
    if PATHS in found:
        doubted = " ".join(row["element"] for row in found[PATHS])
        lines += ["", f"Models that learnt path expansions ({doubted}) {PATHS_DOUBT}."]
    return lines


def _evaluated(path: Path, settings: Settings) -> bool:
    """Whether measured spectra were evaluated, as the table itself says.

    Raises
    ------
    XascoordError
        If that is not what the settings ask for: the results are of other settings.
    """
    kinds = {row["data"] for row in _rows(path)}
    wanted = MEASURED if settings.validation.folder is not None else DEGRADED
    if kinds != {wanted}:
        raise XascoordError(
            f"{path}: is about spectra that are {' and '.join(sorted(kinds)) or 'none'}, the "
            f"settings (validation.folder) ask for {wanted}; run the validation again"
        )
    return wanted == MEASURED


def _values(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise XascoordError(f"{path}: missing or damaged; run the stage that writes it") from None


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            return list(csv.DictReader(handle))
    except OSError:
        raise XascoordError(f"{path}: missing; run the stage that writes it") from None


def _rejections(path: Path) -> list[dict[str, Any]]:
    rows = _rows(path)
    return [dict(row) for row in rows] or [{"rejected": 0}]


def _losses(path: Path) -> list[dict[str, Any]]:
    known = [row for row in _rows(path) if row["loss"]]
    worst = sorted(known, key=lambda row: (-float(row["loss"]), row["element"], row["cn"]))
    columns = ("element", "cn", "dropped", "spectra", "accuracy", "accuracy_without", "loss",
               "std", "decided_cn", "decided_cn_without")  # fmt: skip
    shares = columns[-6:]
    return [
        {name: float(row[name]) if name in shares else row[name] for name in columns}
        for row in worst[:_WORST]
    ]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows of the same columns as a Markdown table; shares (floats) as per cent."""
    if not rows:
        return ["(none)"]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [
            f"{100 * row[name]:.1f}" if isinstance(row.get(name), float)
            else str(row.get(name, ""))
            for name in columns
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines
