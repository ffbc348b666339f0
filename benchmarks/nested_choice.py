"""Which settings hold for measured spectra, chosen without looking at those they are judged by.

    .venv/bin/python benchmarks/nested_choice.py . data/external/xasdatalibrary --out results/nested

Needs a run of the main job (its data sets, labels and structures) and the measured files. For every
window, way of learning and way of asking, each measured compound is asked of forests that never saw
a computed spectrum of its formula (outer folds: whole compounds). Then, compound by compound, the
settings that do best on all *other* compounds are taken: the share of right answers so found is not
flattered by the choice. Beside it stands each candidate's share on computed spectra of other
materials, degraded as measurements are (shifted, broadened, sloping, noisy).

Writes ``candidates.csv``, ``samples.csv`` and ``nested.csv``; prints the best and the nested
figures.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from pymatgen.core import Composition
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from xascoord.core.coordination import CN_TASK
from xascoord.core.engines import PATHS, engine_of
from xascoord.core.errors import MeasurementError
from xascoord.core.files import write_csv
from xascoord.core.rankings import cns_in, described_cn
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal
from xascoord.models.ranking_distribution import RankingDistribution, Step
from xascoord.prediction.benchmark import NONE, all_samples
from xascoord.prediction.prior import Prior
from xascoord.prediction.windows import cut_windows
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.settings.tree import Settings, load_settings
from xascoord.spectra.distortion import Distortion, distort
from xascoord.spectra.edge_energy import find_e0
from xascoord.structures.compounds import read_compounds
from xascoord.validation.manifest import Sample, expectation, prepare_sample

TREES, FOLDS, SEED = 100, 3, 1
SHORT, LONG = EdgeEnergy(step_range=(9.0, 14.0)), EdgeEnergy(step_range=(15.0, 45.0))
# eV below and above the energy zero, and what the edge step is taken from.
WINDOWS = {
    "10+17": (Window(lower=-10, upper=17, points=109, tail=5), SHORT),
    "10+23": (Window(lower=-10, upper=23, points=133, tail=5), SHORT),
    "10+30": (Window(lower=-10, upper=30, points=161, tail=5), SHORT),
    "5+45": (Window(lower=-5, upper=45, points=200, tail=5), LONG),
    "15+45": (Window(lower=-15, upper=45, points=240, tail=5), LONG),
    "5+45 range": (Window(lower=-5, upper=45, points=200, tail=5, normalise="range"), LONG),
    "5+52": (Window(lower=-5, upper=52, points=229, tail=5), LONG),
}
LEARNERS = ("forest", "forest, slopes", "forest, sums", "mean of four")
COPIES = ("none", "stretched", "as measured", "as measured, three")
# The mean of four classifiers is slow: with the copies of the settings in force only.
LEARNING = [
    (copies, learner)
    for copies in COPIES
    for learner in LEARNERS
    if learner != "mean of four" or copies == "stretched"
]
SHIFTS = ("at e0", "mean of 2 eV", "weighted 3 eV")
PRIORS = (0.0, 1.0)


@dataclass(frozen=True)
class Computed:
    """Computed spectra of one element: whole curves, first coordination numbers, formulas."""

    curves: list[tuple[np.ndarray, np.ndarray]]
    numbers: np.ndarray
    formulas: np.ndarray


@dataclass(frozen=True)
class Asked:
    """A measured sample and what is known of it."""

    sample: Sample
    formula: str
    number: int


def read_computed(run: Path, element: str) -> Computed | None:
    """Labelled spectra of an element; None where they are path expansions or there are none."""
    labels = run / f"data/03_labels/labels/{element}.parquet"
    if not labels.exists():
        return None
    known = {row["spectrum_id"]: row["cn_label"] for row in pq.read_table(labels).to_pylist()}
    formulas = {
        row["structure_id"]: row["formula"]
        for path in run.glob(f"data/01_spectra/*/structures/{element}.parquet")
        for row in pq.read_table(path, columns=["structure_id", "formula"]).to_pylist()
    }
    curves, numbers, names = [], [], []
    for kind in ("site", "averaged"):
        for row in pq.read_table(run / f"data/02_datasets/{kind}/{element}.parquet").to_pylist():
            label = known.get(row["spectrum_id"])
            if not label or engine_of(row["spectrum_id"]) == PATHS:
                continue
            curves.append((np.asarray(row["energy"]), np.asarray(row["mu"])))
            numbers.append(cns_in(label)[0])
            names.append(formulas[row["structure_id"]])
    return Computed(curves, np.array(numbers), np.array(names)) if curves else None


def read_asked(settings: Settings, manifests: Sequence[Path]) -> list[Asked]:
    """Samples of oxygen compounds."""
    compounds = read_compounds(Path(settings.validation.compounds))
    thresholds = settings.labels.cn_threshold, settings.labels.motif_threshold
    found = []
    for sample in all_samples(manifests):
        if sample.expected == NONE:
            continue
        number = described_cn(expectation(sample, compounds, thresholds)[1])
        found.append(Asked(sample, reduced(sample.compound), number))
    return found


def reduced(compound: str) -> str:
    """Formula as the structures have it, or the mineral's name."""
    try:
        return str(Composition(compound.split()[0]).reduced_formula)
    except ValueError:
        return compound


def features_of(windows: np.ndarray, kind: str) -> np.ndarray:
    """What is learnt from windows, shape (n, points)."""
    if kind.endswith("slopes"):
        return np.hstack([windows, np.gradient(windows, axis=1) * 10])
    if kind.endswith("sums"):
        return np.hstack([windows, np.cumsum(windows, axis=1) / windows.shape[1]])
    return windows


def classifier_of(kind: str) -> Any:
    """An estimator with ``fit`` and ``predict_proba``."""
    forest = RandomForestClassifier(TREES, random_state=SEED)
    if kind != "mean of four":
        return forest
    others = [
        ("knn", KNeighborsClassifier(10, p=1)),
        ("svc", SVC(C=100, probability=True, random_state=SEED)),
        ("mlp", MLPClassifier((50, 100), max_iter=300, random_state=SEED)),
    ]
    return VotingClassifier([("forest", forest), *others], voting="soft")


def as_measured(rng: np.random.Generator) -> Distortion:
    """A shift, a broadening and noise as measurements have them."""
    return Distortion(
        stretch=rng.uniform(-2, 2), shift=rng.uniform(-3, 3), resolution=rng.uniform(0, 1.2),
        noise=0.01,
    )  # fmt: skip


def sloping(windows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A straight line as normalisation leaves it, up to 5 % at the window's end."""
    slope = rng.uniform(-0.05, 0.05, len(windows))[:, None]
    return windows + slope * np.linspace(0, 1, windows.shape[1])


class Cut:
    """Windows of an element's computed spectra for one window, and their copies."""

    def __init__(self, computed: Computed, window: Window, edge: EdgeEnergy) -> None:
        rng, plain, kept = np.random.default_rng(SEED), [], []
        self.copies: dict[str, list[tuple[int, np.ndarray]]] = defaultdict(list)
        degraded = []
        for i, (energy, mu) in enumerate(computed.curves):
            draws = {
                "stretched": [Distortion(stretch=rng.uniform(-2.7, 2.7))],
                "as measured, three": [as_measured(rng) for _ in range(3)],
            }
            worse, noise = as_measured(rng), rng.standard_normal((5, window.points))
            try:
                zero = find_e0(energy, mu, edge)
                undone = distort(energy, mu, zero, window, Distortion())
                bad = distort(energy, mu, zero, window, worse, noise[4])
            except RejectedSpectrum:
                continue
            plain.append(undone)
            degraded.append(bad)
            for kind, whats in draws.items():
                for j, what in enumerate(whats):
                    try:
                        copy = distort(energy, mu, zero, window, what, noise[j])
                    except RejectedSpectrum:
                        continue
                    self.copies[kind].append((len(kept), copy))
            kept.append(i)
        self.plain, self.kept = np.array(plain), np.array(kept, dtype=int)
        self.degraded = sloping(np.array(degraded), rng) if degraded else np.empty((0, 0))
        self.numbers, self.formulas = computed.numbers[self.kept], computed.formulas[self.kept]
        if self.copies["as measured, three"]:
            origins, copies = zip(*self.copies["as measured, three"], strict=True)
            every = list(zip(origins, sloping(np.array(copies), rng), strict=True))
            first = {origin: at for at, (origin, _) in reversed(list(enumerate(every)))}
            self.copies["as measured, three"] = every
            self.copies["as measured"] = [every[at] for at in sorted(first.values())]

    def fit(self, allowed: np.ndarray, copies: str, learner: str) -> Any:
        """A classifier that learnt from some of the spectra, shape (n,), and their copies."""
        extra = [(i, copy) for i, copy in self.copies[copies] if allowed[i]]
        windows = np.array([*self.plain[allowed], *(copy for _, copy in extra)])
        numbers = np.array([*self.numbers[allowed], *(self.numbers[i] for i, _ in extra)])
        return classifier_of(learner).fit(features_of(windows, learner), numbers)


def combined(
    forest: Any, windows: np.ndarray, shifts: Sequence[float], how: str,
    learner: str, near: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Probabilities over the energy zeros, shape (classes,)."""
    shifts = np.asarray(shifts)
    reach = {"at e0": 0.0, "mean of 2 eV": 2.0, "weighted 3 eV": 3.0}[how]
    inside = np.abs(shifts) <= reach
    values = forest.predict_proba(features_of(windows[inside], learner))
    if not how.startswith("weighted"):
        return np.asarray(values.mean(axis=0))
    gaps = np.sqrt(((windows[inside][:, None] - near[None]) ** 2).mean(axis=2)).min(axis=1)
    weights = np.exp(-((gaps / gaps.min()) ** 2))
    return np.asarray((values * weights[:, None]).sum(axis=0) / weights.sum())


def score_degraded(cut: Cut, copies: str, learner: str) -> tuple[int, int]:
    """Right answers for degraded spectra of formulas that were not learnt from."""
    names = np.unique(cut.formulas)
    fold = {n: i % FOLDS for i, n in enumerate(np.random.default_rng(SEED).permutation(names))}
    folds = np.array([fold[name] for name in cut.formulas])
    right = 0
    for one in range(FOLDS):
        forest = cut.fit(folds != one, copies, learner)
        tested = features_of(cut.degraded[folds == one], learner)
        if len(tested):
            right += int((forest.predict(tested) == cut.numbers[folds == one]).sum())
    return right, len(cut.numbers)


def ask_all(
    cut: Cut,
    element: str,
    asked: Sequence[tuple[Asked, NormalisedSpectrum]],
    window: Window,
    edge: EdgeEnergy,
    name: str,
    learning: Sequence[tuple[str, str]],
) -> list[dict[str, Any]]:
    """One row for each candidate of a window and each sample of an element."""
    rows = []
    steps = [i / 2 for i in range(-6, 7)]
    for copies, learner in learning:
        forests: dict[str, Any] = {}
        for one, prepared in asked:
            allowed = cut.formulas != one.formula
            key = one.formula if not allowed.all() else ""
            if key not in forests:
                forests[key] = cut.fit(allowed, copies, learner)
            forest = forests[key]
            about = cut_windows(prepared, window, edge, steps)
            shifts, windows = about.shifts, about.features
            labels = [f"CN_{n}" for n in forest.classes_]
            for how, strength in itertools.product(SHIFTS, PRIORS):
                near = cut.plain[allowed]
                values = combined(forest, windows, shifts, how, learner, near)
                learnt = [f"CN_{n} x" for n in cut.numbers[allowed]]
                said = RankingDistribution({CN_TASK: Step(labels, values[None])})
                (values,) = Prior(element, learnt, strength).applied(said).cn.probabilities
                best = int(np.argmax(np.round(values, 6)))
                at = np.flatnonzero(forest.classes_ == one.number)
                rows.append({
                    "window": name, "copies": copies, "learner": learner, "shifts": how,
                    "prior": strength, "element": element, "sample": one.sample.name,
                    "formula": one.formula, "true_cn": one.number,
                    "cn": int(forest.classes_[best]), "probability": round(float(values[best]), 4),
                    "of_true": round(float(values[at[0]]), 4) if len(at) else 0.0,
                })  # fmt: skip
    return rows


CANDIDATE = ("window", "copies", "learner", "shifts", "prior")


def candidate_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """The settings behind a row."""
    return tuple(row[name] for name in CANDIDATE)


def merit(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Mean of share right and mean recall; then the mean log probability of the truth."""
    right: dict[int, list[bool]] = defaultdict(list)
    for row in rows:
        right[row["true_cn"]].append(row["cn"] == row["true_cn"])
    every = [value for values in right.values() for value in values]
    recall = float(np.mean([np.mean(values) for values in right.values()]))
    logs = float(np.mean([np.log(max(row["of_true"], 0.01)) for row in rows]))
    return round((float(np.mean(every)) + recall) / 2, 6), round(logs, 6)


def nested(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each compound the answers of the settings that do best on all other compounds."""
    found = []
    for formula in sorted({row["formula"] for row in rows}):
        others: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            if row["formula"] != formula:
                others[candidate_of(row)].append(row)
        best = max(others, key=lambda key: (merit(others[key]), key))
        found += [r for r in rows if r["formula"] == formula and candidate_of(r) == best]
    return found


def describe(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """Figures of a set of answers in one line."""
    right: Counter[int] = Counter(r["true_cn"] for r in rows if r["cn"] == r["true_cn"])
    every = Counter(r["true_cn"] for r in rows)
    recall = np.mean([right[n] / every[n] for n in every])
    sure = sum(r["cn"] != r["true_cn"] and r["probability"] > 0.8 for r in rows)
    by = " ".join(f"{n}:{right[n]}/{every[n]}" for n in sorted(every))
    return (
        f"{title}: {sum(right.values())} of {len(rows)} right, mean recall {recall:.0%} ({by}), "
        f"wrong at more than 80 %: {sure}"
    )


def main() -> int:
    """Try everything, choose, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="folder of a finished main job")
    parser.add_argument("measured", type=Path, help="folder of the measured files")
    parser.add_argument("--out", type=Path, default=Path("results/nested_choice"))
    parser.add_argument("--windows", nargs="+", choices=WINDOWS, default=list(WINDOWS))
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=list(LEARNERS))
    given = parser.parse_args()
    learning = [(copies, learner) for copies, learner in LEARNING if learner in given.learners]
    settings = load_settings(Path("params.yaml"))
    manifests = [Path("data/experiments.csv"), Path("data/experiments_more.csv")]
    options = Options.from_settings(settings.prediction, settings.limits)
    asked, rows, degraded = read_asked(settings, manifests), [], []
    for element in sorted({one.sample.element for one in asked}):
        computed = read_computed(given.run, element)
        if computed is None:
            print(f"{element}: no computed spectra but path expansions; not asked", flush=True)
            continue
        for name in given.windows:
            window, edge = WINDOWS[name]
            started, cut = time.monotonic(), Cut(computed, window, edge)
            ready = []
            for one in asked:
                if one.sample.element == element:
                    spectrum = prepare_sample(one.sample, given.measured, options)
                    try:
                        if isinstance(spectrum, Refusal):
                            raise MeasurementError(spectrum.reason)
                        cut_windows(spectrum, window, edge, [0.0])
                        ready.append((one, spectrum))
                    except (MeasurementError, RejectedSpectrum) as error:
                        print(f"{name}: {one.sample.name}: {error}", flush=True)
            if len(cut.kept) < len(computed.curves) / 2:
                print(f"{element} {name}: {len(cut.kept)} of {len(computed.curves)} spectra reach "
                      "the window; left out", flush=True)  # fmt: skip
                continue
            rows += ask_all(cut, element, ready, window, edge, name, learning)
            for copies, learner in learning:
                right, number = score_degraded(cut, copies, learner)
                degraded.append({"window": name, "copies": copies, "learner": learner,
                                 "element": element, "right": right,
                                 "spectra": number})  # fmt: skip
            print(f"{element} {name}: {len(cut.kept)} spectra, {len(ready)} samples, "
                  f"{time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
    report(rows, degraded, given.out)
    return 0


def report(rows: list[dict[str, Any]], degraded: list[dict[str, Any]], out: Path) -> None:
    """Write the tables and print the figures."""
    out.mkdir(parents=True, exist_ok=True)
    everywhere = Counter(candidate_of(row) for row in rows)
    complete = {key for key, count in everywhere.items() if count == max(everywhere.values())}
    rows = [row for row in rows if candidate_of(row) in complete]
    by: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by[candidate_of(row)].append(row)
    table = []
    for key, mine in by.items():
        score, logs = merit(mine)
        same = [d for d in degraded if (d["window"], d["copies"], d["learner"]) == key[:3]]
        right, number = (sum(d[name] for d in same) for name in ("right", "spectra"))
        table.append({
            **dict(zip(CANDIDATE, key, strict=True)), "samples": len(mine),
            "right": sum(r["cn"] == r["true_cn"] for r in mine), "merit": score,
            "mean_log_probability": logs,
            "wrong_above_80": sum(r["cn"] != r["true_cn"] and r["probability"] > 0.8 for r in mine),
            "degraded_right": round(right / number, 4),
        })  # fmt: skip
    table.sort(key=lambda r: (-r["merit"], -r["mean_log_probability"]))
    write_csv(out / "candidates.csv", table, tuple(table[0]))
    write_csv(out / "samples.csv", rows, tuple(rows[0]))
    chosen = nested(rows)
    write_csv(out / "nested.csv", chosen, tuple(chosen[0]))
    for row in table[:8]:
        print(" | ".join(f"{value}" for value in row.values()))
    now = ("10+30", "as measured, three", "forest", "mean of 2 eV", 1.0)
    if now in by:
        print(describe("settings in force", by[now]))
    print(describe("best of all, chosen on these samples", by[candidate_of(table[0])]))
    print(describe("chosen on other compounds (nested)", chosen))
    picked = Counter(candidate_of(row) for row in chosen)
    print("chosen:", "; ".join(f"{count}: {key}" for key, count in picked.most_common(5)))


if __name__ == "__main__":
    sys.exit(main())
