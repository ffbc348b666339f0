"""A small made-up element for tests of training: what its spectra look like tells their labels."""

from __future__ import annotations

import json
import zipfile

import numpy as np

from xascoord.models.data import ElementData
from xascoord.settings.spectra import Window

POINTS = Window().points


def made_up_element(materials=20, per_material=4, seed=0):
    """Ti with CN 4 and 6 and, of CN 6, two motif rankings; one spectrum of a rare label."""
    rng = np.random.default_rng(seed)
    grid = np.linspace(0, 1, POINTS)
    cn_labels, fours, sixes, features = [], [], [], []
    for index in range(materials * per_material):
        kind = (index // per_material) % 3
        peak = np.exp(-(((grid - (0.2, 0.5, 0.8)[kind]) / 0.1) ** 2))
        features.append(peak + 0.05 * rng.standard_normal(POINTS))
        cn_labels.append("CN_4" if kind == 0 else "CN_6")
        fours.append("tetrahedral" if kind == 0 else None)
        six = "octahedral" if kind == 1 else "pentagonal pyramidal > octahedral"
        sixes.append(None if kind == 0 else six)
    cn_labels[0], fours[0] = "CN_5", None
    count = len(features)
    features = np.array(features)
    labels = {
        "CN": tuple(cn_labels),
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


def copper_edge(kind, index, e0=8979.0):
    """A made-up Cu edge, -200 to 500 eV: kind 0 has a late white line, kind 1 an early one.

    Measured references take the first for a four-fold oxygen compound, the second for a six-fold.
    """
    relative = np.linspace(-200.0, 500.0, 1401)
    step = 0.5 + np.arctan(relative / 1.5) / np.pi
    shift = 0.05 * (index % 7)
    late = 1.0 * np.exp(-(((relative - 12 - shift) / 4) ** 2)) if kind == 0 else 0.0
    early = 1.0 * np.exp(-(((relative - 7 - shift) / 3) ** 2)) if kind == 1 else 0.0
    dip = 0.1 * np.exp(-(((relative - 25) / 8) ** 2))
    return e0 + relative, np.round(step + late + early - dip, 6)


def train_copper(folder, settings, count=30):
    """Tables of made-up copper, models of them; the folder of the bundles."""
    from xascoord.core.schemas import DATASET, LABELS
    from xascoord.core.tables import write_rows
    from xascoord.models.element import ElementFiles
    from xascoord.models.stage import train_baseline, train_classifier
    from xascoord.spectra.edge_energy import find_e0
    from xascoord.spectra.window import cut_window

    datasets, labels = [], []
    rng = np.random.default_rng(0)  # noise makes distances between materials usual
    for i in range(count):
        kind = i % 2
        energy, mu = copper_edge(kind, i)
        inside = np.abs(energy - 8979.0) < 100
        energy, mu = energy[inside], mu[inside] + rng.normal(0, 0.03, int(inside.sum()))
        e0 = find_e0(energy, mu, settings.edge_energy)
        features, scale = cut_window(energy, mu, e0, settings.window)
        shared = {
            "spectrum_id": f"s{i}", "material": f"m{i // 2}", "structure_id": f"x{i}",
            "absorber": "Cu", "kind": "site", "site_index": 0, "multiplicity": 1, "source": "demo",
        }  # fmt: skip
        datasets.append(
            {**shared, "group": shared["material"], "energy": energy.tolist(),
             "mu": mu.tolist(), "e0": e0, "onset": e0 - 2,
             "scale": scale, "features": features.tolist()}
        )  # fmt: skip
        number = 4 if kind == 0 else 6
        motif = "square co-planar > tetrahedral" if kind == 0 else "octahedral"
        row = {**shared, "cn_weights": [0.0] * 12, "motif_order_parameters": [0.0] * 25,
               "cn_label": f"CN_{number}", "cn_kept": True}  # fmt: skip
        for n in (2, 3, 4, 5, 6, 7, 8):
            row[f"motif_label_{n}"] = motif if n == number else None
            row[f"motif_kept_{n}"] = n == number
        labels.append(row)
    write_rows(folder / "datasets/site/Cu.parquet", datasets, DATASET)
    write_rows(folder / "datasets/averaged/Cu.parquet", [], DATASET)
    write_rows(folder / "labels/Cu.parquet", labels, LABELS)
    files = ElementFiles("Cu", folder / "datasets", folder / "labels")
    bundles, baseline = folder / "bundles/Cu", folder / "predictions/baseline.parquet"
    train_baseline(files, settings, baseline, bundles / "reference.parquet")
    for classifier in settings.models.classifiers:
        train_classifier(
            files, classifier, settings, (0.2, 0.05), baseline,
            folder / f"predictions/{classifier}.parquet", bundles / f"{classifier}.skops", 1,
        )  # fmt: skip
    return folder / "bundles"


def with_changed_record(bundle, out, change):
    """A copy of a bundle whose record was changed in place; its path."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "record.json":
                record = json.loads(content)
                change(record)
                content = json.dumps(record).encode()
            new.writestr(name, content)
    return out
