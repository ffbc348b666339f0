"""How measured references and computed spectra are weighed, chosen leaving out whole compounds.

Every compound of the references of 3d metals is asked of what was learnt without it. Each candidate
(powers of the two, how many compounds make a full class) is scored on all other compounds (mean
recall, of equals logarithmic loss), and the best of these answers for the one that was left out:
what comes out at the end has chosen nothing by what it is judged on. Beside it: what descriptors
alone, shape alone and computed spectra alone say.

    .venv/bin/python benchmarks/measured_choice.py [--plot roc.png]
    .venv/bin/python benchmarks/measured_choice.py --leave-out element source

The second says what references teach of elements, and of sources, that none of them is of.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xascoord.core.figures import new_figure, save_figure
from xascoord.measured.spectrum import NormalisedSpectrum
from xascoord.prediction.decision import (
    COMPUTED,
    COMPUTED_BALANCED,
    REFERENCES,
    doubt_at,
    weigh,
)
from xascoord.prediction.predictor import Predictor
from xascoord.references import classifier
from xascoord.references.classifier import (
    ELEMENTS,
    NUMBERS,
    CoordinationClassifier,
    Profile,
    distance_to_nearest,
    profiles_of,
)
from xascoord.references.kinds import OXYGEN, KindClassifier
from xascoord.references.library import Reference, embedded_references
from xascoord.references.models import MIN_OXYGEN, MIN_OXYGEN_UNKNOWN
from xascoord.settings.models import Prediction

Array = npt.NDArray[np.float64]
Shares = Mapping[int, float]
FULL_CLASS = (1, 5, 10)
# Of references, of models of many natural crystals, of models of few balanced ones.
POWERS = (
    (1.0, 0.0, 0.0), (1.0, 1.0, 0.25), (0.7, 0.25, 0.25), (0.7, 0.5, 0.25), (0.7, 1.0, 0.25),
    (0.7, 1.5, 0.25), (0.7, 2.0, 0.25), (0.7, 1.0, 0.5), (0.5, 1.0, 0.25), (0.5, 1.5, 0.25),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A reference, asked without its compound: by shape, by descriptors, by both, by models.

    ``distance``: to the nearest oxygen compound of the element.
    """

    reference: Reference
    shape: Shares
    descriptors: Shares
    both: Shares
    computed: Shares
    balanced: bool
    distance: float


def ask(full_class: int, computed: Mapping[str, tuple[Shares, bool]]) -> list[Asked]:
    """Every reference of a 3d metal of known number, asked without its compound."""
    library = [
        pair for pair in profiles_of(embedded_references())
        if pair[0].element in ELEMENTS and pair[0].coordination
    ]  # fmt: skip
    found = []
    for compound in sorted({one.compound for one, _ in library}):
        mine = [pair for pair in library if pair[0].compound == compound]
        model = CoordinationClassifier.fit(
            [pair for pair in library if pair[0].compound != compound], full_class
        )
        found += list(_asked(model, mine, computed, library))
    return found


def _asked(
    model: CoordinationClassifier,
    mine: Sequence[tuple[Reference, Profile]],
    computed: Mapping[str, tuple[Shares, bool]],
    library: Sequence[tuple[Reference, Profile]],
) -> Iterator[Asked]:
    profiles = [profile for _, profile in mine]
    windows = np.array([classifier._window(one.mu) for one in profiles])
    shape, descriptors = model.shape.predict_proba(windows), model._of_descriptors(profiles)
    both = model.predict_proba(profiles)
    for i, (one, _) in enumerate(mine):
        models, balanced = computed.get(one.name, ({}, True))
        yield Asked(
            one, dict(zip(model.numbers, shape[i], strict=True)),
            dict(zip(model.numbers, descriptors[i] / descriptors[i].sum(), strict=True)),
            both[i], models, balanced, distance_to_nearest(
                profiles[i], [pair for pair in library if pair[0].compound != one.compound]
            ),
        )  # fmt: skip


def computed_shares() -> dict[str, tuple[Shares, bool]]:
    """What the released models of computed spectra alone say of each reference."""
    predictor = Predictor(settings=Prediction(references=False, prior=0.0))
    spectra = [
        NormalisedSpectrum(one.name, one.element, one.energy, one.norm, one.e0, one.e0)
        for one in embedded_references()
        if one.element in ELEMENTS and one.element in predictor.elements
    ]
    answers = predictor.predict(spectra)
    return {
        answer.name: (answer.coordination, predictor.models(answer.element).balanced)
        for answer in answers
    }


def without(key: str) -> str:
    """What references alone say of those that share an element, or a source, with none of them."""
    library = profiles_of(embedded_references())
    known = {one.element for one, _ in library}
    asked: list[Asked] = []
    refused: dict[tuple[bool, float], list[bool]] = {}
    for value in sorted({getattr(one, key) for one, _ in library}):
        rest = [pair for pair in library if getattr(pair[0], key) != value]
        mine = [pair for pair in library if getattr(pair[0], key) == value]
        judged = [pair for pair in mine if pair[0].element in ELEMENTS and pair[0].coordination]
        if judged:
            asked += list(_asked(CoordinationClassifier.fit(rest), judged, {}, rest))
        kinds = KindClassifier.fit(rest).predict_proba([profile for _, profile in mine])
        for (one, _), kind in zip(mine, kinds, strict=True):
            for level in (MIN_OXYGEN, MIN_OXYGEN_UNKNOWN):
                is_refused = kind[OXYGEN] < level
                refused.setdefault((one.is_oxygen_compound, level), []).append(is_refused)
    lines = [f"each {key} left out ({len(known)} elements, {len(library)} references)"]
    lines.append(describe("references (both)", by_compound(asked, [one.both for one in asked])))
    for (is_oxygen, level), flags in sorted(refused.items()):
        what = "oxygen compounds" if is_oxygen else "others"
        lines.append(f"{what} refused at {level:.0%}: {sum(flags)} of {len(flags)} spectra")
    return "\n".join(lines)


def by_compound(
    asked: Sequence[Asked], shares: Sequence[Shares]
) -> dict[tuple[str, str, int], dict[int, float]]:
    """Mean shares of each compound."""
    groups: dict[tuple[str, str, int], list[Shares]] = {}
    for one, share in zip(asked, shares, strict=True):
        reference = one.reference
        key = reference.element, reference.compound, int(reference.coordination or 0)
        groups.setdefault(key, []).append(share)
    return {
        key: {n: float(np.mean([s.get(n, 0.0) for s in several])) for n in NUMBERS}
        for key, several in groups.items()
    }


def weighed(one: Asked, powers: tuple[float, float, float], by_distance: bool) -> dict[int, float]:
    """Both to their powers; less sure where every reference of the element is far."""
    references, natural, balanced = powers
    power = balanced if one.balanced else natural
    doubt = doubt_at(one.distance) if by_distance else 1.0
    return weigh(one.both, one.computed, references / doubt, power / doubt)


def right(found: Mapping[tuple[str, str, int], Shares]) -> dict[tuple[str, str, int], bool]:
    """Whether the likeliest number of each compound is its own."""
    return {key: max(shares, key=lambda n: shares[n]) == key[2] for key, shares in found.items()}


def score(flags: Mapping[tuple[str, str, int], bool], without: str = "") -> float:
    """Mean recall of four and six neighbours, but for one compound."""
    recalls = [
        np.mean([ok for key, ok in flags.items() if key[2] == number and key[1] != without])
        for number in (4, 6)
    ]
    return float(np.mean(recalls))


def describe(name: str, found: Mapping[tuple[str, str, int], Shares]) -> str:
    """One line of figures."""
    from sklearn.metrics import roc_auc_score

    flags = right(found)
    recall = {
        n: f"{sum(mine)} of {len(mine)}"
        for n in NUMBERS
        if (mine := [ok for key, ok in flags.items() if key[2] == n])
    }
    truth, shares = four_or_six(found)
    sure = [not flags[key] and max(found[key].values()) > 0.8 for key in found]
    return (
        f"{name:34} right {np.mean(list(flags.values())):.3f}  mean recall 4, 6 "
        f"{score(flags):.3f}  area under ROC {roc_auc_score(truth, shares):.3f}  {recall}  "
        f"wrong at > 80 %: {sum(sure)}"
    )


def reliability(found: Mapping[tuple[str, str, int], Shares]) -> list[str]:
    """Stated probabilities and right answers, and the mean logarithmic loss."""
    flags = np.array(list(right(found).values()))
    stated = np.array([max(shares.values()) for shares in found.values()])
    lines = [
        f"stated {low:.0%} to {high:.0%}: {inside.sum()} compounds, stated "
        f"{stated[inside].mean():.2f}, right {flags[inside].mean():.2f}"
        for low, high in ((0.0, 0.6), (0.6, 0.8), (0.8, 1.0))
        if (inside := (stated > low) & (stated <= high)).any()
    ]
    return [*lines, f"logarithmic loss {loss(found):.3f}"]


def loss(found: Mapping[tuple[str, str, int], Shares], without: str = "") -> float:
    """Mean logarithmic loss of the true number, but for one compound."""
    losses = [
        -np.log(max(shares[key[2]], 1e-3))
        for key, shares in found.items()
        if key[2] in NUMBERS and key[1] != without
    ]
    return float(np.mean(losses))


def four_or_six(found: Mapping[tuple[str, str, int], Shares]) -> tuple[list[bool], list[float]]:
    """Whether a compound is four-fold, and its share of four among four and six."""
    keys = [key for key in found if key[2] in (4, 6)]
    shares = [found[key][4] / max(found[key][4] + found[key][6], 1e-9) for key in keys]
    return [key[2] == 4 for key in keys], shares


def plot(curves: Mapping[str, Mapping[tuple[str, str, int], Shares]], path: Path) -> None:
    """ROC curves of four against six neighbours."""
    from sklearn.metrics import roc_auc_score, roc_curve

    figure = new_figure(5.4, 5)
    axes = figure.subplots()
    for name, found in curves.items():
        truth, shares = four_or_six(found)
        x, y, _ = roc_curve(truth, shares)
        axes.plot(x, y, drawstyle="steps-post", label=f"{name}: {roc_auc_score(truth, shares):.2f}")
    axes.set_xlabel("share of six-fold compounds called four-fold")
    axes.set_ylabel("share of four-fold compounds found")
    axes.legend(frameon=False, fontsize=8, title="area under the curve")
    save_figure(figure, path)


def main() -> None:
    """Print the candidates, the nested choice and the single sources."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, help="PNG of the ROC curves")
    parser.add_argument("--leave-out", nargs="+", choices=("element", "source"), default=())
    given = parser.parse_args()
    if given.leave_out:
        print("\n".join(map(without, given.leave_out)))
        return
    computed = computed_shares()
    asked = {full: ask(full, computed) for full in FULL_CLASS}
    in_force = asked[10]
    single = {
        "descriptors alone": by_compound(in_force, [one.descriptors for one in in_force]),
        "shape alone": by_compound(in_force, [one.shape for one in in_force]),
        "references (both)": by_compound(in_force, [one.both for one in in_force]),
        "computed spectra alone": by_compound(in_force, [one.computed for one in in_force]),
    }
    for name, found in single.items():
        print(describe(name, found))
    candidates = {
        (full, powers): by_compound(
            asked[full], [weighed(one, powers, True) for one in asked[full]]
        )
        for full, powers in itertools.product(FULL_CLASS, POWERS)
    }
    for (full, powers), found in candidates.items():
        print(describe(f"class of {full}, powers {powers}", found))
    for name, by_distance in (("in force", True), ("in force, distance unheeded", False)):
        powers = REFERENCES, COMPUTED, COMPUTED_BALANCED
        found = by_compound(in_force, [weighed(one, powers, by_distance) for one in in_force])
        print(describe(name, found))
        print("  " + "; ".join(reliability(found)))
    flags = {name: right(found) for name, found in candidates.items()}
    nested = {}
    for key in single["shape alone"]:
        best = max(
            candidates,
            key=lambda name: (
                round(score(flags[name], key[1]), 6), -loss(candidates[name], key[1])
            ),
        )  # fmt: skip
        nested[key] = candidates[best][key]
    print(describe("chosen without each compound", nested))
    if given.plot:
        plot({**single, "together, chosen without each": nested}, given.plot)


if __name__ == "__main__":
    main()
