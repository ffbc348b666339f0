"""A small made-up element for tests of training: what its spectra look like tells their labels."""

from __future__ import annotations

import numpy as np

from xascoord.training_data import ElementData

POINTS = 200


def made_up_element(materials=20, per_material=4, seed=0):
    """Ti with CN 4 and 6 and, of CN 6, two motif rankings; one spectrum of a rare label."""
    rng = np.random.default_rng(seed)
    grid = np.linspace(0, 1, POINTS)
    number_labels, fours, sixes, features = [], [], [], []
    for index in range(materials * per_material):
        kind = (index // per_material) % 3
        peak = np.exp(-(((grid - (0.2, 0.5, 0.8)[kind]) / 0.1) ** 2))
        features.append(peak + 0.05 * rng.standard_normal(POINTS))
        number_labels.append("CN_4" if kind == 0 else "CN_6")
        fours.append("tetrahedral" if kind == 0 else None)
        six = "octahedral" if kind == 1 else "pentagonal pyramidal > octahedral"
        sixes.append(None if kind == 0 else six)
    number_labels[0], fours[0] = "CN_5", None
    count = len(features)
    features = np.array(features)
    labels = {
        "CN": tuple(number_labels),
        "CN_4 motifs": tuple(fours),
        "CN_5 motifs": ("square pyramidal", *[None] * (count - 1)),
        "CN_6 motifs": tuple(sixes),
    }
    rare = np.arange(count) == 0
    kept = {task: np.array([v is not None for v in values]) & ~rare
            for task, values in labels.items()}  # fmt: skip
    origin = np.arange(0, count, 3)
    return ElementData(
        element="Ti",
        spectra=tuple(f"s{i}" for i in range(count)),
        materials=tuple(f"m{i // per_material}" for i in range(count)),
        kinds=tuple("averaged" if i % per_material == 3 else "site" for i in range(count)),
        features=features,
        labels=labels,
        kept=kept,
        copies=features[origin] + 0.01,
        origin=origin,
    )
