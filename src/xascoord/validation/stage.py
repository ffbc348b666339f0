"""The validation stage as commands run it: measured spectra where there are some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xascoord.core.errors import AccountingError, MeasurementError, SourceError
from xascoord.core.files import write_csv, write_json
from xascoord.core.hashing import seed_of
from xascoord.core.kinds import DEGRADED, MEASURED
from xascoord.core.rejections import RejectedSpectrum
from xascoord.labels.thresholds import read_thresholds
from xascoord.measured.spectrum import Options, Refusal, window_zero
from xascoord.models.element import ElementFiles, make_folds, model_parameters, read_element
from xascoord.models.metrics import mean_scores, resample
from xascoord.settings.tree import Settings
from xascoord.structures.compounds import read_compounds
from xascoord.validation.cases import COLUMNS, PLAIN, Case, conditions, degraded_cases
from xascoord.validation.evaluate import evaluate
from xascoord.validation.manifest import Sample, expectation, prepare_sample, read_manifest
from xascoord.validation.promise import promise_of

REJECTED = ("element", "sample", "training_set", "condition", "value", "reason")
SUMMARY = (
    "data", "training_set", "condition", "value", "spectra", "materials", "top1", "top1_low",
    "top1_high", "cn_top1", "cn_top1_low", "cn_top1_high", "promised", "in_certain",
    "in_certain_low", "in_certain_high", "certain_size", "exact", "jaccard",
    "with_ranking", "same_top1", "same_cn_top1", "dominant_environment", "dominant_top1",
)  # fmt: skip
_TESTED_FOLD = 0
Row = dict[str, Any]


def validate_element(
    files: ElementFiles, settings: Settings, thresholds: Path, out: Path, rejected: Path
) -> None:
    """Evaluate the random forest of an element on measured or on degraded spectra.

    Parameters
    ----------
    files
        Data sets and labels of the element, and the table of a search if there was one.
    settings
        Measured files, conditions, window, hyper-parameters of the forest, seed.
    thresholds
        JSON file of the labels' thresholds.
    out
        CSV file of every evaluated spectrum (``cases.COLUMNS``).
    rejected
        CSV file of those that could not be evaluated (``REJECTED``).

    Raises
    ------
    AccountingError
        If a sample is neither evaluated nor rejected.
    """
    element = files.element
    cases: list[Case] = []
    reasons: list[Row] = []
    if settings.validation.folder is not None:
        cases, reasons = _measured_cases(element, settings, read_thresholds(thresholds))
        if not cases:  # nothing to learn models for
            write_csv(out, [], COLUMNS)
            write_csv(rejected, reasons, REJECTED)
            return
    data, rows = read_element(files, settings)
    parameters = model_parameters(data, settings, files.search)
    learnt = np.ones(len(data.spectra), dtype=bool)
    kind = MEASURED
    # By material, whatever splits the models are evaluated with.
    grouped = settings.models.model_copy(update={"splits": ("grouped",)})
    folds = make_folds(data, settings.model_copy(update={"models": grouped}))["grouped"]
    if settings.validation.folder is None:
        kind = DEGRADED
        learnt = folds != _TESTED_FOLD
        spectra = {
            r["spectrum_id"]: (
                np.asarray(r["energy"]), np.asarray(r["mu"]), r[settings.window.reference],
            )
            for r in rows
        }  # fmt: skip
        cases = degraded_cases(data, spectra, ~learnt, settings)
    evaluated: list[Row] = []
    if cases:
        promise = promise_of(data, folds, learnt, parameters, settings)
        evaluated, more = evaluate(data, cases, kind, learnt, parameters, settings, promise)
        reasons += more
        expected = len(cases) * (3 + len(conditions(settings, kind)))
        if len(evaluated) + len(more) != expected:
            raise AccountingError(
                f"{element}: of {expected} spectra {len(evaluated)} were evaluated, "
                f"{len(more)} rejected"
            )
    write_csv(out, evaluated, COLUMNS)
    write_csv(rejected, reasons, REJECTED)


def _measured_cases(
    element: str, settings: Settings, thresholds: tuple[float, float]
) -> tuple[list[Case], list[Row]]:
    """Samples of an element in the manifest, and why some cannot be used."""
    validation = settings.validation
    folder = Path(validation.folder or "")
    if not folder.is_dir():
        raise SourceError(f"validation.folder: {folder} is no folder")
    samples = [s for s in read_manifest(Path(validation.manifest)) if s.element == element]
    compounds = read_compounds(Path(validation.compounds)) if samples else {}
    cases, reasons = [], []
    for sample in samples:
        try:
            cases.append(_case(sample, folder, compounds, thresholds, settings))
        except (MeasurementError, SourceError, RejectedSpectrum) as error:
            said = error.detail if isinstance(error, RejectedSpectrum) else str(error)
            reason = {"element": element, "sample": sample.name, "reason": said}
            reasons.append({**reason, "training_set": "", "condition": "", "value": ""})
    return cases, reasons


def _case(
    sample: Sample,
    folder: Path,
    compounds: dict[str, Any],
    thresholds: tuple[float, float],
    settings: Settings,
) -> Case:
    from xascoord.validation.cases import measured_case

    ranking, environment = expectation(sample, compounds, thresholds)
    options = Options.from_settings(settings.prediction, settings.limits)
    prepared = prepare_sample(sample, folder, options)
    if isinstance(prepared, Refusal):
        raise MeasurementError(f"{sample.name}: {prepared.reason}")
    zero = window_zero(prepared, settings.window, settings.edge_energy)
    return measured_case(sample.compound, prepared, zero, ranking, environment)


def summarise_validation(settings: Settings, tables: Path, out: Path) -> None:
    """Tables and figures of all elements together."""
    from xascoord.validation.figures import plot_ablation, plot_robustness

    frames, rejected = [], []
    for element in settings.elements:
        frames.append(pd.read_csv(tables / f"{element}.csv", keep_default_na=False))
        rejected.append(pd.read_csv(tables / f"{element}_rejections.csv", keep_default_na=False))
    whole = pd.concat(frames, ignore_index=True)
    if whole.empty:
        reasons = pd.concat(rejected)["reason"].tolist()
        raise MeasurementError(
            "no spectrum was evaluated: the manifest has none of the elements, or none can be used"
            + (f" (first reason: {reasons[0]})" if reasons else "")
        )
    rows = summary_rows(whole, settings)
    write_csv(out / "spectra.csv", whole.to_dict("records"), COLUMNS)
    write_csv(out / "rejections.csv", pd.concat(rejected).to_dict("records"), REJECTED)
    write_csv(out / "summary.csv", rows, SUMMARY)
    kept = ("spectra", "materials", "top1", "cn_top1", "jaccard", "dominant_top1")
    plain = {row["training_set"]: row for row in rows if row["condition"] == PLAIN}
    write_json(
        out / "metrics.json",
        {name: {key: row[key] for key in kept if row[key] != ""} for name, row in plain.items()},
    )
    plot_ablation(rows, out / "training_sets.png")
    plot_robustness(rows, out / "robustness.png")


def summary_rows(whole: pd.DataFrame, settings: Settings) -> list[Row]:
    """Accuracies of each training set and condition, with intervals over compounds.

    Repeat measurements of a compound are not independent: compounds are resampled, as materials
    are in the model stage. ``same_*`` is the accuracy of the same spectra as they are: a condition
    can leave out those that do not reach far enough. ``dominant_*`` is what a constant guess of the
    commonest environment would score. ``in_certain`` is the share of spectra whose true first
    coordination number is in the certain set, which promises ``promised``, and ``certain_size`` how
    many numbers are in it: of the first training set.
    """
    rows = []
    plain = whole[(whole["condition"] == PLAIN)]
    first = plain[plain["training_set"] == plain["training_set"].iloc[0]]
    by_name = first.set_index(first["element"] + " " + first["sample"])
    keys = ["data", "training_set", "condition", "value"]
    for names, part in whole.groupby(keys, sort=False):
        member, compounds = pd.factorize(part["element"] + " " + part["compound"], sort=True)
        seed = seed_of(settings.seed, "bootstrap")
        weights = resample(len(compounds), settings.models.bootstrap, np.random.default_rng(seed))
        columns = ["top1", "cn_top1"]
        shares = columns + (["in_certain"] if (part["in_certain"] != "").all() else [])
        values = mean_scores(part[shares].to_numpy(float), member, weights)
        row: Row = {**dict(zip(keys, names, strict=True)), "spectra": len(part),
                    "materials": len(compounds)}  # fmt: skip
        for i, name in enumerate(shares):
            row[name] = round(float(values[0, i]), 4)
            low, high = np.percentile(values[1:, i], (2.5, 97.5)) if len(values) > 1 else ("", "")
            row |= {f"{name}_low": low if low == "" else round(float(low), 4),
                    f"{name}_high": high if high == "" else round(float(high), 4)}  # fmt: skip
        if "in_certain" in shares:
            row["promised"] = 1 - settings.prediction.error_rate
            row["certain_size"] = round(float(part["certain"].map(_size).mean()), 3)
        there = part["element"] + " " + part["sample"]
        same = by_name.loc[there[there.isin(by_name.index)]]
        row |= {f"same_{c}": round(float(same[c].astype(float).mean()), 4) for c in columns}
        counts = part["true_environment"].value_counts(sort=False).sort_index()
        row["dominant_environment"] = str(counts.idxmax())
        row["dominant_top1"] = round(float(counts.max() / len(part)), 4)
        known = part[part["exact"] != ""]
        row["with_ranking"] = len(known)
        for name in ("exact", "jaccard"):
            row[name] = round(float(known[name].astype(float).mean()), 4) if len(known) else ""
        rows.append(row)
    return rows


def _size(certain: Any) -> int:
    """Coordination numbers in a set that is written as ``4 6``; a table read back has numbers."""
    return len(str(certain).split())
