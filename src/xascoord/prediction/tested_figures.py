"""Figures of references that were asked without their compound."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from xascoord.prediction.evidence import LeftOut, by_compound, prediction_set
from xascoord.references.classifier import ELEMENTS
from xascoord.references.models import NO_OXYGEN_COMPOUND

Row = Mapping[str, str | int | float | bool]
_SURE = 0.8
_BINS = (0.0, 0.6, 0.8, 1.0)


def describe_tested(rows: Sequence[Row]) -> str:
    """Figures for people: 3d metals, the other elements, other kinds of compounds.

    Parameters
    ----------
    rows
        Of ``evidence.COLUMNS``.
    """
    compounds = [one for one in by_compound(rows) if one.shares]
    metals = [one for one in compounds if one.element in ELEMENTS]
    others = [one for one in compounds if one.element not in ELEMENTS]
    lines = ["Each measured compound asked without itself."]
    lines += _figures("Sc to Zn", metals) + _figures("other elements", others)
    lines += _kinds(rows)
    lines += [
        f"  wrong: {one.element} {one.compound} ({one.coordination}): "
        + ", ".join(f"{n} {p:.0%}" for n, p in sorted(one.shares.items()) if p >= 0.05)
        for one in compounds
        if one.predicted != one.coordination
    ]
    return "\n".join(lines)


def _figures(name: str, compounds: Sequence[LeftOut]) -> list[str]:
    if not compounds:
        return [f"{name}: no compound"]
    right = [one.predicted == one.coordination for one in compounds]
    stated = np.array([max(one.shares.values()) for one in compounds])
    sure = [not ok and p > _SURE for ok, p in zip(right, stated, strict=True)]
    recall = {}
    for number in sorted({one.coordination for one in compounds}):
        mine = [ok for ok, one in zip(right, compounds, strict=True) if one.coordination == number]
        recall[number] = (sum(mine), len(mine))
    lines = [
        f"{name}: {sum(right)} of {len(right)} compounds right ({np.mean(right):.1%}); by number "
        + ", ".join(f"{n}: {a} of {b}" for n, (a, b) in recall.items())
    ]
    if {4, 6} <= set(recall):
        share = {n: a / b for n, (a, b) in recall.items()}
        lines.append(f"  mean recall of 4 and 6: {(share[4] + share[6]) / 2:.3f}")
    lines += _confusion(compounds)
    lines.append(f"  wrong at more than {_SURE:.0%}: {sum(sure)}")
    for low, high in pairwise(_BINS):
        inside = (stated > low) & (stated <= high)
        if inside.any():
            lines.append(
                f"  stated {low:.0%} to {high:.0%}: {inside.sum()} compounds, stated "
                f"{stated[inside].mean():.2f}, right {np.array(right)[inside].mean():.2f}"
            )
    sets = [
        prediction_set(one.shares, 0.1, [other for other in compounds if other is not one])
        for one in compounds
    ]
    held = [one.coordination in found for one, found in zip(compounds, sets, strict=True) if found]
    if held:
        size = np.mean([len(found) for found in sets if found])
        lines.append(
            f"  true number in the set at 10 %: {sum(held)} of {len(held)}; mean size {size:.1f}"
        )
    return lines


def _confusion(compounds: Sequence[LeftOut]) -> list[str]:
    """How many compounds of each number were taken for each."""
    pairs = Counter((one.coordination, one.predicted) for one in compounds)
    lines = []
    for true in sorted({one.coordination for one in compounds}):
        counts = ", ".join(f"{n}: {pairs[true, n]}" for t, n in sorted(pairs) if t == true)
        lines.append(f"  {true}-fold taken for {counts}")
    return lines


def _kinds(rows: Sequence[Row]) -> list[str]:
    """Refusals of what is no oxygen compound, and of oxygen compounds, by compound."""
    groups: dict[tuple[str, str, bool], list[bool]] = defaultdict(list)
    for row in rows:
        if row["oxygen_compound"] != "":
            key = str(row["element"]), str(row["compound"]), row["kind"] == "oxide"
            groups[key].append(NO_OXYGEN_COMPOUND in str(row["why"]))
    refused = {key: float(np.mean(values)) >= 0.5 for key, values in groups.items()}
    oxides = [no for key, no in refused.items() if key[2]]
    others = [no for key, no in refused.items() if not key[2]]
    wrong = [f"{key[0]} {key[1]}" for key, no in sorted(refused.items()) if no == key[2]]
    return [
        f"no oxygen compounds: {sum(others)} of {len(others)} refused; oxygen compounds: "
        f"{sum(oxides)} of {len(oxides)} refused ({', '.join(wrong)} wrong)"
    ]
