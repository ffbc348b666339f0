"""How good predictions are: means over spectra, macro F1, intervals by bootstrap over materials.

A mean over spectra is Patterns' Eq. 6 and 7, for one element as for all. Materials, not spectra,
are resampled: spectra of one material are not independent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.rankings import dominant_cn
from xascoord.core.schemas import SCORES
from xascoord.labels.calibration import entropy

Array = npt.NDArray[np.float64]
Row = dict[str, Any]
Columns = Mapping[str, npt.NDArray[Any]]
F1_OF = {"macro_f1": "environment", "cn_macro_f1": "cn"}
DECIDED = ("decided_cn", "decided_environment")  # right by sums over rankings
METRICS = (*SCORES, *F1_OF, *DECIDED)
SCOPES = ("kept", "all")
KINDS = ("both", "site", "averaged")
COLUMNS = (
    "name", "group", "classifier", "training_set", "split", "scope", "kind", "spectra", "materials",
    "left_out", "labels", "entropy", "cn_labels", "cn_entropy",
    *(f"{name}{suffix}" for name in METRICS for suffix in ("", "_low", "_high")),
    "baseline_top1", "baseline_jaccard", "baseline_exact",
)  # fmt: skip
_TEXTS = (
    "material", "classifier", "training_set", "split", "kind", "true_label",
    *(f"{side}_{what}" for what in F1_OF.values() for side in ("true", "predicted")),
    "decided_environment",
)  # fmt: skip
_DECIMALS = 4
_INTERVAL = (2.5, 97.5)  # percent


def resample(materials: int, draws: int, rng: np.random.Generator) -> Array:
    """How often each material is drawn, shape (1 + draws, materials); the first row is all ones."""
    first = np.ones((1, materials))
    if not draws or not materials:
        return first
    drawn = rng.multinomial(materials, np.full(materials, 1 / materials), size=draws)
    return np.concatenate([first, drawn.astype(float)])


def mean_scores(values: Array, member: npt.NDArray[np.intp], weights: Array) -> Array:
    """Mean of each score in each resampling, shape (draws, scores).

    Parameters
    ----------
    values
        Shape (spectra, scores).
    member
        Index of the material of each spectrum.
    weights
        From ``resample``.
    """
    sums = np.zeros((weights.shape[1], values.shape[1] + 1))
    np.add.at(sums, member, np.column_stack([values, np.ones(len(values))]))
    found = weights @ sums
    result: Array = found[:, :-1] / found[:, -1:]
    return result


def macro_f1(
    true: Sequence[str] | npt.NDArray[Any],
    predicted: Sequence[str] | npt.NDArray[Any],
    member: npt.NDArray[np.intp],
    weights: Array,
) -> Array:
    """Macro F1 in each resampling: the mean over all labels that are true or predicted in it.

    Parameters
    ----------
    true, predicted
        Label of each spectrum.
    member, weights
        As for ``mean_scores``.
    """
    names, codes = np.unique(np.concatenate([true, predicted]), return_inverse=True)
    of_true, of_predicted = codes[: len(true)], codes[len(true) :]
    shape = (weights.shape[1], len(names))
    hits, trues, guesses = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    right = of_true == of_predicted
    np.add.at(hits, (member[right], of_true[right]), 1.0)
    np.add.at(trues, (member, of_true), 1.0)
    np.add.at(guesses, (member, of_predicted), 1.0)
    both = weights @ (trues + guesses)
    with np.errstate(invalid="ignore"):
        f1 = np.where(both > 0, 2 * (weights @ hits) / both, np.nan)
    result: Array = np.nanmean(f1, axis=1)
    return result


def metric_row(columns: Columns, draws: int, seed: int) -> Row:
    """All metrics of one set of predictions, with intervals.

    Parameters
    ----------
    columns
        Predictions of one classifier, training set and split, by column; if there are none, the
        metrics are "".
    draws
        Resamplings; 0: no intervals.
    seed
        Of the resampling.
    """
    # The absorber counts: one material may be there for several elements, and stays together.
    if not len(columns["material"]):
        empty = dict.fromkeys((f"{m}{s}" for m in METRICS for s in ("", "_low", "_high")), "")
        zeros = dict.fromkeys(("spectra", "materials", "labels", "cn_labels"), 0)
        return {**zeros, "entropy": 0.0, "cn_entropy": 0.0, **empty}
    names, member = np.unique(columns["material"], return_inverse=True)
    weights = resample(len(names), draws, np.random.default_rng(seed))

    def means(names: Sequence[str]) -> dict[str, Array]:
        scores = np.column_stack([columns[name] for name in names])
        return dict(zip(names, mean_scores(scores, member, weights).T, strict=True))

    values = {
        **means(SCORES),
        **means(DECIDED),
        **{
            name: macro_f1(columns[f"true_{what}"], columns[f"predicted_{what}"], member, weights)
            for name, what in F1_OF.items()
        },
    }
    row: Row = {"spectra": len(member), "materials": len(names)}
    for prefix, column in (("", "true_label"), ("cn_", "true_cn")):
        counts = Counter(columns[column].tolist())
        row[f"{prefix}labels"] = len(counts)
        row[f"{prefix}entropy"] = round(entropy(list(counts.values())), _DECIMALS)
    for name, series in values.items():
        row[name] = round(float(series[0]), _DECIMALS)
        low, high = np.percentile(series[1:], _INTERVAL) if draws else ("", "")
        row[f"{name}_low"] = round(float(low), _DECIMALS) if draws else ""
        row[f"{name}_high"] = round(float(high), _DECIMALS) if draws else ""
    return row


def metric_rows(
    name: str, group: str, predictions: Mapping[str, Any], draws: int, seed: int
) -> list[Row]:
    """Metrics of every classifier, training set, split, scope and kind (rows of ``COLUMNS``).

    Parameters
    ----------
    name, group
        Of the element, or of the group of elements.
    predictions
        Columns of ``schemas.PREDICTIONS``: arrays or a data frame.
    draws, seed
        Of the bootstrap, which is made for both kinds of spectra together.

    Notes
    -----
    Scope "kept" leaves out the spectra whose label is too rare to be learnt, as Patterns does
    (``left_out`` counts them); "all" leaves out none: they are evaluated like the others, and never
    have the exact ranking. Most metrics are the paper's, of the likeliest whole ranking;
    ``decided_cn`` and ``decided_environment`` are the shares whose first coordination number and
    first environment are right by the sums over all rankings, as answers are.
    """
    columns = {
        **{c: np.asarray(predictions[c], dtype=str) for c in _TEXTS},
        **{c: np.asarray(predictions[c], dtype=float) for c in SCORES},
        "learnable": np.asarray(predictions["learnable"], dtype=bool),
    }
    columns |= _decided_right(columns, np.asarray(predictions["decided_cn"], dtype=int))
    keys = [columns[c] for c in ("split", "training_set", "classifier")]
    rows = []
    for split, training_set, classifier in sorted(
        set(zip(*(key.tolist() for key in keys), strict=True))
    ):
        part = (keys[0] == split) & (keys[1] == training_set) & (keys[2] == classifier)
        for scope in SCOPES:
            scoped = part & columns["learnable"] if scope == "kept" else part
            for kind in KINDS:
                of_kind = True if kind == "both" else columns["kind"] == kind
                mine, whole = scoped & of_kind, part & of_kind
                if not whole.any():
                    continue
                rows.append(
                    {
                        "name": name, "group": group, "classifier": classifier,
                        "training_set": training_set, "split": split, "scope": scope,
                        "kind": kind, "left_out": int(whole.sum() - mine.sum()),
                        **metric_row({c: v[mine] for c, v in columns.items()},
                                     draws if kind == "both" else 0, seed),
                    }
                )  # fmt: skip
    return _with_baseline(rows)


def _decided_right(columns: Columns, decided: npt.NDArray[np.intp]) -> dict[str, Array]:
    """1 where what is decided of a spectrum is right, else 0; nothing (number 0) never is."""
    true = np.array([dominant_cn(label) for label in columns["true_cn"]])
    environment = columns["decided_environment"] == columns["true_environment"]
    flags = (decided == true, environment)
    return {
        name: (right & (decided > 0)).astype(float)
        for name, right in zip(DECIDED, flags, strict=True)
    }


def _with_baseline(rows: list[Row]) -> list[Row]:
    """Put the dominant-label baseline beside each row."""
    keys = ("split", "scope", "kind")
    base = {tuple(row[key] for key in keys): row for row in rows if row["classifier"] == "baseline"}
    for row in rows:
        found = base.get(tuple(row[key] for key in keys))
        for metric in ("top1", "jaccard", "exact"):
            row[f"baseline_{metric}"] = "" if found is None else found[metric]
    return rows
