"""The published forests of Zheng et al. (Patterns 2020) on the project's measured samples.

    xascoord fetch published_forests && xascoord fetch xasdatalibrary
    .venv/bin/python benchmarks/published_forests.py data/external/published_forests \
        data/external/xasdatalibrary

Brings every sample of data/experiments.csv to the window of each of the authors' settings and to
both with the other's scaling, and prints for each how many first coordination numbers are right,
by element and by true coordination number.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from xascoord.core.errors import MeasurementError
from xascoord.core.rankings import described_cn, dominant_cn
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.spectrum import Options, Refusal
from xascoord.models.published.convert import EDGE_ENERGY, WINDOWS
from xascoord.models.published.trees import as_estimator, read_forest
from xascoord.prediction.windows import cut_windows
from xascoord.settings.spectra import Window
from xascoord.settings.tree import load_settings
from xascoord.structures.compounds import read_compounds
from xascoord.validation.manifest import expectation, prepare_sample, read_manifest


def report(title: str, pairs: list[tuple[str, int, int]], left: Counter[str]) -> None:
    """Print how many of (element, true, predicted first CN) are right."""
    right = sum(true == found for _, true, found in pairs)
    numbers = Counter(true for _, true, _ in pairs)
    recalls = {
        n: sum(true == found == n for _, true, found in pairs) / count
        for n, count in sorted(numbers.items())
    }
    print(f"{title}: first CN right {right}/{len(pairs)}, mean recall "
          f"{np.mean(list(recalls.values())):.3f}; not asked: {dict(left)}")  # fmt: skip
    print("  by CN: " + ", ".join(f"{n} {r:.2f} ({numbers[n]})" for n, r in recalls.items()))
    elements = sorted({element for element, _, _ in pairs})
    rights = Counter(element for element, true, found in pairs if true == found)
    every = Counter(element for element, _, _ in pairs)
    print("  by element: " + ", ".join(f"{e} {rights[e]}/{every[e]}" for e in elements))


def main() -> None:
    """Predict and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("forests", type=Path, help="folder of the .sav files")
    parser.add_argument("spectra", type=Path, help="folder of the measured files")
    given = parser.parse_args()
    settings = load_settings(Path("params.yaml"))
    thresholds = settings.labels.cn_threshold, settings.labels.motif_threshold
    compounds = read_compounds(Path("data/compounds.csv"))
    samples = read_manifest(Path("data/experiments.csv"))
    truth = {s.name: described_cn(expectation(s, compounds, thresholds)[1]) for s in samples}
    options = Options.from_settings(settings.prediction, settings.limits)
    models = {}
    for path in sorted(given.forests.rglob("RandomForest_*_c_num.sav")):
        forest = read_forest(path)
        order = np.arange(len(forest.classes))
        models[path.name.split("_")[1]] = forest.classes, as_estimator(forest, order)
    for window in windows():
        pairs, left = [], Counter()
        for sample in samples:
            if sample.element not in models:
                left["no forest"] += 1
                continue
            classes, estimator = models[sample.element]
            spectrum = prepare_sample(sample, given.spectra, options)
            try:
                if isinstance(spectrum, Refusal):
                    raise MeasurementError(spectrum.reason)
                features = cut_windows(spectrum, window, EDGE_ENERGY, [0.0]).seen.features
            except (MeasurementError, RejectedSpectrum) as error:
                left["not prepared"] += 1
                print(f"{sample.name}: {error}", file=sys.stderr)
                continue
            best = classes[int(estimator.predict_proba(features[None])[0].argmax())]
            pairs.append((sample.element, truth[sample.name], dominant_cn(best)))
        report(
            f"{window.reference} {window.lower:+g} to {window.upper:+g} eV, {window.normalise}",
            pairs, left,
        )  # fmt: skip


def windows() -> list[Window]:
    """The authors' two settings, and both with the scaling of the other."""
    other = {"maximum": "range", "range": "maximum"}
    return [
        *WINDOWS.values(),
        *(w.model_copy(update={"normalise": other[w.normalise]}) for w in WINDOWS.values()),
    ]


if __name__ == "__main__":
    main()
