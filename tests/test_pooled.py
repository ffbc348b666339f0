"""Elements learnt together: their spectra joined, models of a pool, and elements left out."""

import csv

import numpy as np
import pytest

from conftest import make_settings
from model_data import copper_edge, with_changed_record
from project import make_project, snakemake
from xascoord.core.elements import GROUP_OF, POOLS, group_of
from xascoord.core.errors import BundleError, SettingsError, XascoordError
from xascoord.core.schemas import DATASET, LABELS, PREDICTIONS
from xascoord.core.tables import read_table, write_rows
from xascoord.models.bundles import load_bundle, read_record
from xascoord.models.card import model_card
from xascoord.models.element import ElementFiles, read_element
from xascoord.models.pool_tables import pool_rows, summarise_pools
from xascoord.models.pools import join_elements, train_pool, trusted
from xascoord.models.stage import train_baseline, train_classifier
from xascoord.prediction.predictor import Predictor
from xascoord.settings.models import Prediction
from xascoord.spectra.edge_energy import find_e0
from xascoord.spectra.window import cut_window

ELEMENTS = {"Fe": 7112.0, "Co": 7709.0, "Cu": 8979.0}
FAST = {"classifiers": ["forest"], "splits": ["grouped"], "folds": 2, "compare": [],
        "learning_curve": [], "bootstrap": 10, "pooled": ["3d_metal"]}  # fmt: skip
ODD = {"Fe": 3, "Co": 3, "Cu": 0}  # spectra of each whose label is too rare in one element alone


@pytest.fixture(scope="module")
def settings():
    return make_settings(elements=list(ELEMENTS), models=FAST, labels={"min_samples": 5})


def write_element(folder, element, settings, count=16, engine="feff10"):
    """Tables of a made-up element: an early white line is CN 4, a late one CN 6, a few are CN 5."""
    datasets, labels, rng = [], [], np.random.default_rng(0)
    for i in range(count):
        energy, mu = copper_edge(i % 2, i, ELEMENTS[element])
        inside = np.abs(energy - ELEMENTS[element]) < 100
        energy, mu = energy[inside], mu[inside] + rng.normal(0, 0.03, int(inside.sum()))
        e0 = find_e0(energy, mu, settings.edge_energy)
        features, scale = cut_window(energy, mu, e0, settings.window)
        shared = {
            "spectrum_id": f"embedded:{engine}/m{i // 2}/{element}/{i}", "material": f"m{i // 2}",
            "structure_id": f"x{i}", "absorber": element, "kind": "site", "site_index": 0,
            "multiplicity": 1, "source": "embedded",
        }  # fmt: skip
        datasets.append(
            {**shared, "group": shared["material"], "energy": energy.tolist(),
             "mu": mu.tolist(), "e0": e0, "onset": e0 - 2,
             "scale": scale, "features": features.tolist()}
        )  # fmt: skip
        number = 5 if i < ODD[element] else (4, 6)[i % 2]
        motif = {4: "square co-planar", 5: "square pyramidal", 6: "octahedral"}[number]
        row = {**shared, "cn_weights": [0.0] * 12, "motif_order_parameters": [0.0] * 25,
               "cn_label": f"CN_{number}", "cn_kept": number != 5}  # fmt: skip
        for n in (2, 3, 4, 5, 6, 7, 8):
            row[f"motif_label_{n}"] = motif if n == number else None
            row[f"motif_kept_{n}"] = n == number != 5
        labels.append(row)
    write_rows(folder / f"datasets/site/{element}.parquet", datasets, DATASET)
    write_rows(folder / f"datasets/averaged/{element}.parquet", [], DATASET)
    write_rows(folder / f"labels/{element}.parquet", labels, LABELS)


def files_of(folder, element):
    return ElementFiles(element, folder / "datasets", folder / "labels")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, settings):
    """A pool of three elements and each element's own forest."""
    folder = tmp_path_factory.mktemp("pool")
    predictions, run = folder / "predictions", folder / "data"
    for element in ELEMENTS:
        write_element(folder, element, settings)
        baseline = predictions / element / "baseline.parquet"
        own = run / "bundles" / element
        train_baseline(files_of(folder, element), settings, baseline, own / "reference.parquet")
        train_classifier(
            files_of(folder, element), "forest", settings, (0.2, 0.05), baseline,
            predictions / element / "forest.parquet", own / "forest.skops", 1,
        )  # fmt: skip
    train_pool(
        "3d_metal", folder / "datasets", folder / "labels", settings, (0.2, 0.05),
        predictions / "3d_metal/forest.parquet", run / "pooled/3d_metal/forest.skops", 1,
    )  # fmt: skip
    return folder


def test_elements_of_a_pool_have_the_same_tasks():
    for pool, elements in POOLS.items():
        assert {GROUP_OF[element] for element in elements} == {group_of(pool)}
    assert group_of("Ti") == "transition_metal"


def test_spectra_are_joined_and_labels_counted_over_the_pool(trained, settings):
    parts = [read_element(files_of(trained, e), settings)[0] for e in ELEMENTS]
    joined = join_elements("3d_metal", parts, 5)
    assert len(joined.spectra) == 48 and joined.features.shape == (48, 161)
    rare = np.array(joined.labels["CN"]) == "CN_5"
    assert rare.sum() == 6
    assert not any(part.kept["CN"][np.array(part.labels["CN"]) == "CN_5"].any() for part in parts)
    assert joined.kept["CN"].all() and joined.kept["CN_5 motifs"].tolist() == rare.tolist()
    assert not join_elements("3d_metal", parts, 7).kept["CN"][rare].any()
    # A copy stays with its spectrum: both are of one element and nearly the same.
    of = [joined.spectra[i].split("/")[2] for i in joined.origin]
    assert of == [p.element for p in parts for _ in p.origin]
    last = parts[2]
    np.testing.assert_array_equal(
        joined.features[joined.origin[-len(last.origin) :]], last.features[last.origin]
    )


def test_path_expansions_do_not_spoil_better_spectra(tmp_path, settings):
    for element, engine in {"Fe": "feff10", "Co": "paths", "Cu": "feff10"}.items():
        write_element(tmp_path, element, settings, engine=engine)
    parts = [read_element(files_of(tmp_path, e), settings)[0] for e in ELEMENTS]
    assert [part.element for part in trusted(parts)] == ["Fe", "Cu"]
    assert [part.element for part in trusted(parts[:2])] == ["Fe", "Co"]  # one alone is no pool


def test_a_pool_answers_for_all_of_its_elements_on_request(trained):
    run = trained / "data"
    energy, mu = copper_edge(1, 3, 6539.0)  # Mn, of which it saw nothing
    with pytest.raises(BundleError, match="no models of Mn"):
        Predictor(run).predict_arrays(energy, mu, "Mn")
    assert Predictor(run).entry("Cu").origin == "here"
    pooled = Predictor(run, origin="pooled")
    assert set(pooled.elements) == set(POOLS["3d_metal"])
    answer = pooled.predict_arrays(energy, mu, "Mn")
    assert (answer.element, answer.best.environment) == ("Mn", "CN_6 octahedral")
    assert "48 sites of 8 crystals with oxygen, 0 of them of Mn" in answer.text(verbose=True)
    assert "16 of them of Cu" in pooled.models("Cu").known[0]
    assert Predictor(run / "pooled").entry("Zn").origin == "pooled"
    with pytest.raises(BundleError, match="train_pooled_models"):
        _ = Predictor(run / "bundles", Prediction(), "pooled").elements


def test_its_card_says_which_elements_and_how_many_spectra(trained):
    path = trained / "data/pooled/3d_metal/forest.skops"
    record = load_bundle(path).record
    assert "element" not in record and record["pool"] == "3d_metal"
    assert record["learnt"] == {e: {"site": 16, "averaged": 0} for e in ELEMENTS}
    for card in (path.with_suffix(".md").read_text(), model_card(read_record(path))):
        assert "| Fe | 16 | 0 |\n| Co | 16 | 0 |\n| Cu | 16 | 0 |" in card
        assert "| left_out | all | 48 |" in card


def test_each_element_is_predicted_by_models_that_never_saw_it(trained, settings):
    table = read_table(trained / "predictions/3d_metal/forest.parquet", PREDICTIONS).to_pandas()
    table = table[(table["classifier"] == "forest") & (table["split"] == "left_out")]
    assert table.groupby("fold")["absorber"].unique().str.join(" ").tolist() == list(ELEMENTS)
    summarise_pools(settings, trained / "predictions", trained / "results")
    with (trained / "results/pooled.csv").open() as handle:
        rows = {row["element"]: row for row in csv.DictReader(handle)}
    assert list(rows) == [*ELEMENTS, "all"]
    for element, row in rows.items():
        mine = table if element == "all" else table[table["absorber"] == element]
        assert float(row["left_out"]) == pytest.approx(mine["cn_top1"].mean(), abs=1e-4)
    # What it is told from are the others: of them its first three look like odd ones.
    assert float(rows["Cu"]["left_out"]) == pytest.approx(13 / 16, abs=1e-4)
    assert int(rows["all"]["spectra"]) == 48 and int(rows["Cu"]["materials"]) == 8
    assert float(rows["Cu"]["constant"]) < float(rows["Cu"]["own"])
    assert (trained / "results/pooled.png").read_bytes()[:4] == b"\x89PNG"


def test_predictions_of_other_spectra_are_not_compared(trained, tmp_path, settings):
    import shutil

    shutil.copytree(trained / "predictions", tmp_path / "predictions")
    shutil.copy(trained / "predictions/Fe/forest.parquet", tmp_path / "predictions/Co")
    with pytest.raises(XascoordError, match=r"\(Fe Co Cu\).*train both from the same data sets"):
        pool_rows("3d_metal", tmp_path / "predictions", "grouped")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(pool="lanthanide"), "pool"),
        (lambda r: r.update(learnt={}), "learnt"),
        (lambda r: r["learnt"].update(Na=r["learnt"]["Fe"]), "not of 3d_metal"),
        (lambda r: r["learnt"]["Fe"].update(site=-1), "learnt.Fe.site"),
        (lambda r: r["tasks"].pop("CN_4 motifs"), "tasks: must be CN"),
        (lambda r: r.pop("pool"), "element"),
    ],
)
def test_damaged_records_of_pools_are_one_error(trained, tmp_path, change, words):
    path, damaged = trained / "data/pooled/3d_metal/forest.skops", tmp_path / "damaged.skops"
    with_changed_record(path, damaged, change)
    with pytest.raises(BundleError) as caught:
        read_record(damaged)
    assert words in str(caught.value) and str(damaged) in str(caught.value)


def test_models_of_a_pool_under_another_name_are_refused(trained, tmp_path):
    import shutil

    shutil.copytree(trained / "data/pooled/3d_metal", tmp_path / "pooled/alkali")
    with pytest.raises(BundleError, match="holds models of 3d_metal"):
        Predictor(tmp_path / "pooled").models("Na")


def test_pools_that_cannot_be_are_one_error(tmp_path, settings):
    alone = settings.model_copy(update={"elements": ("Cu", "Na")})
    with pytest.raises(XascoordError, match="'elements' has Cu; a pool needs two"):
        train_pool("3d_metal", tmp_path, tmp_path, alone, (0.2, 0.05), tmp_path, tmp_path, 1)
    with pytest.raises(XascoordError, match="names no pool.*4d_metal"):
        summarise_pools(make_settings(), tmp_path, tmp_path)
    with pytest.raises(SettingsError, match="pooled"):
        make_settings(models={"pooled": ["lanthanide"]})
    with pytest.raises(SettingsError, match="only once"):
        make_settings(models={"pooled": ["alkali", "alkali"]})


def test_pools_are_planned_where_they_are_named(tmp_path):
    folder = make_project(tmp_path / "project", models={"pooled": ["3d_metal"]})
    plan = snakemake(folder, "-n", "--quiet", "host", "--", "train_all_models")
    assert "predictions/3d_metal/forest.parquet" in plan and "\ntrain_pool " in plan
    assert "results/04_models/pooled.csv" in plan
