"""Tables of the T4/S5/O6 networks: Tables I to III of Carbone et al. 2019 and robustness."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xascoord.core.errors import XascoordError
from xascoord.core.files import write_csv, write_json
from xascoord.geometries.training import (
    AS_IT_IS,
    FULL,
    PRE_EDGE,
    SHIFTED,
    pooled_f1,
    summarise_scores,
)
from xascoord.settings.networks import Geometries

Row = dict[str, Any]
Published = dict[str, dict[str, float]]
EARLY, LATE = ("Ti", "V", "Cr", "Mn"), ("Fe", "Co", "Ni", "Cu")  # Table III
_DECIMALS = 4


@dataclass(frozen=True)
class GeometryTables:
    """What the figures are drawn from."""

    f1: list[Row]
    robustness: list[Row]


def read_published(path: Path) -> Published:
    """The paper's Tables I and II by element.

    Raises
    ------
    XascoordError
        If the file is missing or no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            return {
                row["element"]: {k: float(v) for k, v in row.items() if k != "element"}
                for row in csv.DictReader(handle)
            }
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise XascoordError(f"{path}: no table of published figures ({error})") from None


def write_tables(
    settings: Geometries,
    data: Mapping[str, Sequence[Row]],
    scores: Sequence[Mapping[str, str]],
    predictions: Sequence[Row],
    published: Published,
    out: Path,
) -> GeometryTables:
    """Compute and write all tables.

    Parameters
    ----------
    settings
        Classes, networks.
    data
        Rows of ``schemas.GEOMETRIES`` by element.
    scores
        Class-wise F1 by fold and test condition, of all elements.
    predictions
        Rows of ``schemas.GEOMETRY_PREDICTIONS``.
    published
        Figures of the paper.
    out
        Folder.
    """
    classes = [class_row(e, rows, settings, published.get(e, {})) for e, rows in data.items()]
    folds = _by_fold(scores)
    pooled = _pooled(predictions, settings)
    f1 = [
        f1_row(key, values, settings, pooled.get(key[:5]), data[key[0]], published)
        for key, values in folds.items()
        if key[5] == AS_IT_IS
    ]
    robustness = [_robustness_row(key, values) for key, values in folds.items()]
    write_csv(out / "classes.csv", classes, list(classes[0]))
    write_csv(out / "f1.csv", f1, list(f1[0]))
    losses = loss_rows(folds, settings, list(data))
    write_csv(out / "pre_edge.csv", losses, list(losses[0]))
    write_csv(out / "robustness.csv", robustness, list(robustness[0]))
    write_json(out / "metrics.json", _headline(f1))
    return GeometryTables(f1, robustness)


def class_row(
    element: str, rows: Sequence[Row], settings: Geometries, published: Mapping[str, float]
) -> Row:
    """Spectra of each class of an element, beside the paper's (Table I)."""
    counts = Counter(row["symbol"] for row in rows)
    found: Row = {"element": element, **{symbol: counts[symbol] for symbol in settings.symbols}}
    found |= {"total": len(rows), "materials": len({row["material"] for row in rows})}
    found |= {"grid_start": round(rows[0]["grid_start"], 3) if rows else ""}
    known = [int(published[s]) if s in published else "" for s in settings.symbols]
    found |= {f"published_{s}": value for s, value in zip(settings.symbols, known, strict=True)}
    return found


Key = tuple[str, str, str, str, str, str, float]
Folds = dict[Key, dict[int, dict[str, float | None]]]


def _by_fold(scores: Sequence[Mapping[str, str]]) -> Folds:
    """Class-wise F1 by (element, split, network, region, training, condition, value) and fold."""
    found: Folds = {}
    for row in scores:
        key = (row["element"], row["split"], row["network"], row["region"], row["training"],
               row["condition"], float(row["value"]))  # fmt: skip
        fold = found.setdefault(key, {}).setdefault(int(row["fold"]), {})
        fold[row["symbol"]] = float(row["f1"]) if row["f1"] else None
    return found


def _pooled(predictions: Sequence[Row], settings: Geometries) -> dict[tuple[str, ...], float]:
    groups: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}
    names = ("absorber", "split", "network", "region", "training")
    codes = {symbol: i for i, symbol in enumerate(settings.symbols)}
    for row in predictions:
        truth, predicted = groups.setdefault(tuple(row[name] for name in names), ([], []))
        truth.append(codes[row["true_symbol"]])
        predicted.append(codes[row["predicted_symbol"]])
    return {
        key: pooled_f1(np.array(truth), np.array(predicted), settings.symbols)
        for key, (truth, predicted) in groups.items()
    }


def f1_row(
    key: Key,
    folds: Mapping[int, Mapping[str, float | None]],
    settings: Geometries,
    pooled: float | None,
    rows: Sequence[Row],
    published: Published,
) -> Row:
    """Macro and class-wise F1 of one network, mean and spread over folds (Table II, Fig. 3)."""
    element, split, network, region, training = key[:5]
    learnt = {symbol for fold in folds.values() for symbol in fold}
    table = [[fold.get(symbol) for symbol in settings.symbols] for fold in folds.values()]
    means, spreads, macro, spread = summarise_scores(table)
    found: Row = {"element": element, "split": split, "network": network, "region": region,
                  "training": training, "spectra": sum(r["symbol"] in learnt for r in rows),
                  "classes": len(learnt), "folds": len(folds),
                  "macro_f1": _number(macro), "std": _number(spread),
                  "pooled_macro_f1": _number(pooled)}  # fmt: skip
    for symbol, mean, deviation in zip(settings.symbols, means, spreads, strict=True):
        found |= {symbol: _number(mean), f"{symbol}_std": _number(deviation)}
    alike = training == SHIFTED and len(learnt) == len(settings.symbols)
    known = published.get(element, {}) if alike else {}
    name = f"{network}_{region}"
    found |= {"published": known.get(name, ""), "published_std": known.get(f"{name}_std", "")}
    return found


def _robustness_row(key: Key, folds: Mapping[int, Mapping[str, float | None]]) -> Row:
    _, _, macro, spread = summarise_scores([list(fold.values()) for fold in folds.values()])
    names = ("element", "split", "network", "region", "training", "condition", "value")
    return {**dict(zip(names, key, strict=True)), "macro_f1": _number(macro),
            "std": _number(spread)}  # fmt: skip


def loss_rows(folds: Folds, settings: Geometries, elements: Sequence[str]) -> list[Row]:
    """What F1 loses without what lies above the pre-edge, by class (Table III)."""
    groups = {"early": EARLY, "late": LATE, "all": tuple(elements)}
    rows = []
    for split in settings.splits:
        for network in settings.networks:
            for name, members in groups.items():
                mine = [e for e in elements if e in members]
                row: Row = {"split": split, "network": network, "group": name,
                            "elements": " ".join(mine)}  # fmt: skip
                for symbol in settings.symbols:
                    losses, spreads = [], []
                    for element in mine:
                        both = [
                            _values(folds, element, split, network, region, symbol)
                            for region in (FULL, PRE_EDGE)
                        ]
                        if all(both):
                            losses.append(np.mean(both[0]) - np.mean(both[1]))
                            spreads.append(np.hypot(np.std(both[0]), np.std(both[1])))
                    row[symbol] = _number(np.mean(losses)) if losses else ""
                    row[f"{symbol}_std"] = _number(np.mean(spreads)) if spreads else ""
                rows.append(row)
    return rows


def _values(
    folds: Folds, element: str, split: str, network: str, region: str, symbol: str
) -> list[float]:
    found = folds.get((element, split, network, region, SHIFTED, AS_IT_IS, 0.0), {})
    return [value for fold in found.values() if (value := fold.get(symbol)) is not None]


def _headline(f1: Sequence[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean macro F1 over the elements, by split, network and region."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in f1:
        if row["training"] == SHIFTED:
            split = found.setdefault(row["split"], {}).setdefault(row["network"], {})
            split.setdefault(row["region"], []).append(row["macro_f1"])
    return {
        split: {
            network: {region: round(float(np.mean(v)), _DECIMALS) for region, v in regions.items()}
            for network, regions in networks.items()
        }
        for split, networks in found.items()
    }


def _number(value: Any) -> Any:
    return "" if value is None or np.isnan(value) else round(float(value), _DECIMALS)
