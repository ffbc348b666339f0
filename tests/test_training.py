import os
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from conftest import edge_spectrum, make_settings
from model_data import made_up_element, with_changed_record
from xascoord.core.coordination import CN_TASK
from xascoord.core.errors import AccountingError, XascoordError
from xascoord.core.hashing import seed_of
from xascoord.core.schemas import DATASET, LABELS, PREDICTIONS, REFERENCE
from xascoord.core.tables import read_table, to_table, write_rows
from xascoord.jobs.workers import run_in_workers
from xascoord.models import cross_validation as training
from xascoord.models.bundles import read_record
from xascoord.models.cross_validation import (
    cross_validate,
    fit_all_tasks,
    fits_of,
    parameters_of,
    run_fit,
)
from xascoord.models.data import element_data
from xascoord.models.element import ElementFiles, make_folds, read_element
from xascoord.models.held_out import (
    fold_temperatures,
    motif_steps,
    prediction_rows,
)
from xascoord.models.metrics import metric_rows
from xascoord.models.stage import train_baseline, train_classifier
from xascoord.models.training_sets import TrainingSet, training_sets
from xascoord.spectra.window import cut_window

FAST = {
    "classifiers": ["knn", "forest", "svc"],
    "compare": ["site_not_augmented"],
    "learning_curve": [0.5],
    "bootstrap": 20,
}


def _fits(settings):
    return [
        f for name in ("baseline", *settings.models.classifiers) for f in fits_of(settings, name)
    ]


def _run(data, settings, workers=1):
    folds, fits = make_folds(data, settings), _fits(settings)
    parameters = parameters_of(settings, data.tasks)
    found = dict(cross_validate(data, folds, fits, parameters, settings.seed, workers))
    return folds, {fit: found[fit] for fit in fits}


def _rows(data, settings, folds, entries):
    found = fold_temperatures(data, folds, entries)
    return prediction_rows(data, folds, entries, found)


@pytest.fixture(scope="module")
def evaluated():
    data, settings = made_up_element(), make_settings(models=FAST)
    folds, entries = _run(data, settings)
    return data, settings, folds, entries


def test_tested_materials_are_never_learnt_from(monkeypatch):
    """Neither their spectra nor distorted copies of them; and rare labels are not learnt."""
    data, settings = made_up_element(), make_settings(models=FAST)
    folds = make_folds(data, settings)
    seen = []
    real = training.fit_task

    def spy(classifier, parameters, features, labels, materials, seed):
        seen.append((features, labels, materials))
        return real(classifier, parameters, features, labels, materials, seed)

    monkeypatch.setattr(training, "fit_task", spy)
    parameters = parameters_of(settings, data.tasks)
    for fit in _fits(settings):
        seen.clear()
        run_fit(data, folds, parameters, settings.seed, fit)
        tested = folds[fit.split] == fit.fold
        hidden = np.concatenate([data.features[tested], data.copies[tested[data.origin]]])
        for features, labels, materials in seen:
            learnt = {row.tobytes() for row in features}
            assert not learnt & {row.tobytes() for row in hidden}
            assert "CN_5" not in labels
            if fit.split == "grouped":
                assert not set(materials) & set(np.array(data.materials)[tested])
        copies = {row.tobytes() for row in data.copies}
        of_numbers = {row.tobytes() for row in seen[0][0]}
        assert bool(copies & of_numbers) == fit.training_set.augmented


def test_each_spectrum_is_predicted_once_in_each_cross_validation(evaluated):
    data, settings, folds, entries = evaluated
    rows = _rows(data, settings, folds, entries)
    table = to_table(rows, PREDICTIONS).to_pandas()
    runs = table.groupby(["classifier", "training_set", "split"])
    # baseline and three classifiers in two splits, forest with two more training sets
    assert len(runs) == 4 * 2 + 2
    assert (runs["spectrum_id"].nunique() == len(data.spectra)).all()
    assert (runs.size() == len(data.spectra)).all()
    # Where every ranking is of one number, the sums decide as the likeliest ranking does.
    assert (table["decided_cn"] == table["predicted_cn"].str.removeprefix("CN_").astype(int)).all()
    by_number = table["decided_environment"].str.extract(r"CN_(\d+)")[0].astype(int)
    assert (by_number == table["decided_cn"]).all()


def test_a_spectrum_that_is_not_predicted_is_noticed(evaluated):
    data, settings, folds, entries = evaluated
    for name in ("site_not_augmented", "full"):
        fit = next(f for f in entries if (f.training_set.name, f.fold) == (name, 2))
        for scored in (slice(-1), [0, *range((folds[fit.split] == 2).sum())]):
            cut = {task: (names, scores[scored]) for task, (names, scores) in entries[fit].items()}
            with pytest.raises(AccountingError, match=rf"not scored as a whole: .*'{name}'"):
                _rows(data, settings, folds, {**entries, fit: cut})
    count, runs = len(data.spectra), 4 * 2 + 2
    left = runs * count - int((folds[fit.split] == fit.fold).sum())
    others = {f: entry for f, entry in entries.items() if f != fit}
    words = f"Ti: {left} predictions of {count} spectra in {runs} cross-validations"
    with pytest.raises(AccountingError, match=words):
        _rows(data, settings, folds, others)


def test_the_forest_has_parameters_whatever_the_classifiers():
    """Regions and conditions of measurement are compared by it (importance, validation)."""
    settings = make_settings(models={"classifiers": ["svc"]}, prediction={"classifier": "svc"})
    found = parameters_of(settings, made_up_element().tasks)
    assert found["forest", CN_TASK] == {"trees": settings.models.forest.cn_trees}
    assert {name for name, _ in found} == {"baseline", "forest", "svc"}


def test_what_can_be_told_is_told_and_the_rare_label_counts_as_wrong(evaluated):
    data, settings, folds, entries = evaluated
    table = to_table(_rows(data, settings, folds, entries), PREDICTIONS).to_pandas()
    mine = table[(table["classifier"] == "svc") & (table["split"] == "grouped")]
    rare = mine[mine["spectrum_id"] == "s0"].iloc[0]
    assert not rare["learnable"]
    assert rare["top1"] == rare["exact"] == 0
    assert rare["true_label"] == "CN_5 (square pyramidal)"
    learnt = mine[mine["learnable"]]
    assert len(learnt) == len(mine) - 1
    assert learnt["exact"].mean() > 0.95
    assert set(learnt["predicted_label"]) == {
        "CN_4 (tetrahedral)", "CN_6 (octahedral)", "CN_6 (pentagonal pyramidal > octahedral)",
    }  # fmt: skip
    assert ((table["probability"] >= 0) & (table["probability"] <= 1)).all()
    assert (table["probability"] <= table["cn_probability"] + 1e-9).all()
    assert set(motif_steps(data)) == {"learnt", "constant", "none"}
    rows = metric_rows("Ti", "transition_metal", table, 10, 0)
    base = next(r for r in rows if r["classifier"] == "baseline" and r["scope"] == "all")
    assert base["top1"] < 0.5


def test_temperatures_of_a_fold_are_of_other_folds(evaluated):
    """What a fold holds out says nothing of its own probabilities."""
    data, _, folds, entries = evaluated
    found = fold_temperatures(data, folds, entries)
    changed = {
        fit: {task: (names, -scores) for task, (names, scores) in entry.items()}
        if fit.fold == 0 else entry
        for fit, entry in entries.items()
    }  # fmt: skip
    others = fold_temperatures(data, folds, changed)
    mine = {key for key in found if key[0] == "svc" and key[1] == CN_TASK}
    assert len(mine) == 2 * 5
    assert all(found[key] == others[key] for key in mine if key[3] == 0)
    assert all(found[key] != others[key] for key in mine if key[3] != 0)


def test_several_processes_give_the_same(evaluated):
    data, settings, folds, entries = evaluated
    _, others = _run(data, settings, workers=2)
    assert _rows(data, settings, folds, others) == _rows(data, settings, folds, entries)


def test_smaller_shares_are_parts_of_larger_ones():
    data = made_up_element()
    allowed = np.arange(len(data.spectra)) % 2 == 0
    members = [
        TrainingSet("x", True, True, share).members(data, allowed, 3) for share in (0.2, 0.5, 1.0)
    ]
    assert (members[0] <= members[1]).all()
    assert (members[1] <= members[2]).all()
    assert np.array_equal(members[2], allowed)
    counts = [len(set(np.array(data.materials)[m])) for m in members]
    assert counts == [4, 10, 20]
    sites = TrainingSet("site", False, True).members(data, allowed, 3)
    assert set(np.array(data.kinds)[sites]) == {"site"}


def test_names_of_training_sets_and_seeds():
    models = make_settings().models
    names = [s.name for s in training_sets(models, True)]
    assert names[0] == "full"
    assert names[1:4] == ["not_augmented", "site", "site_not_augmented"]
    assert seed_of(1, "Ti", "CN") != seed_of(1, "Ti", "CN_4 motifs")
    assert seed_of(1, "Ti") == seed_of(1, "Ti") < 2**31


def test_final_models_learn_from_everything_kept():
    data, settings = made_up_element(), make_settings(models=FAST)
    full = training_sets(settings.models, True)[0]
    everything = np.ones(len(data.spectra), dtype=bool)
    parameters = parameters_of(settings, data.tasks)
    models = fit_all_tasks(data, "forest", parameters, full, everything, 0).models
    assert models[CN_TASK].classes == ("CN_4", "CN_6")
    assert models["CN_4 motifs"].classes == ("tetrahedral",)
    assert models["CN_5 motifs"].classes == ()
    assert len(models["CN_6 motifs"].classes) == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_give_each_item_with_its_result(workers):
    found = run_in_workers(partial(np.multiply, 10), [3, 1, 2], workers)
    assert sorted(found) == [(1, 10), (2, 20), (3, 30)]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_use_one_thread_and_leave_this_process_as_it_was(workers):
    before = threadpool_info()
    found = [counts for _, counts in run_in_workers(_threads, [1, 2, 3], workers)]
    assert found == [{1}] * 3
    assert threadpool_info() == before


def _threads(_):
    return {pool["num_threads"] for pool in threadpool_info()}


def _die(item):
    os._exit(9)


def test_a_killed_worker_is_a_clear_error():
    with pytest.raises(XascoordError, match="fewer workers or more memory"):
        list(run_in_workers(_die, [1, 2], 2))


def _rows_of(settings, element="Ti", count=12):
    """Rows of a data set and of labels as the stages before write them."""
    datasets, labels = [], []
    for i in range(count):
        energy, mu = edge_spectrum(4966.0, width=1.0 + 0.1 * i)
        features, scale = cut_window(energy, mu, 4966.0, settings.window)
        shared = {"spectrum_id": f"s{i}", "material": f"m{i}", "absorber": element,
                  "kind": "site", "source": "demo"}  # fmt: skip
        datasets.append({**shared, "group": f"m{i}", "energy": energy.tolist(),
                         "mu": mu.tolist(), "e0": 4966.0, "onset": 4963.0, "scale": scale,
                         "features": features.tolist()})  # fmt: skip
        label = {"cn_label": "CN_4" if i % 2 else "CN_6", "cn_kept": True}
        for number in (2, 3, 4, 5, 6, 7, 8):
            label[f"motif_label_{number}"] = None
            label[f"motif_kept_{number}"] = False
        labels.append({**shared, **label})
    return datasets, labels


def test_element_data_joins_and_copies():
    settings = make_settings()
    datasets, labels = _rows_of(settings)
    data = element_data("Ti", datasets[::-1], labels, settings)
    assert data.spectra == tuple(f"s{i}" for i in range(12))
    assert data.features[3].tolist() == datasets[3]["features"]
    assert data.origin.tolist() == np.repeat(np.arange(12), 3).tolist()
    again = element_data("Ti", datasets, labels, settings)
    assert again.digest() == data.digest()
    other = element_data("Ti", datasets, labels, make_settings(seed=1))
    assert other.digest() != data.digest()
    assert data.status(0) == "motif_empty"
    with pytest.raises(AccountingError, match="s11"):
        element_data("Ti", datasets[:-1], labels, settings)


@pytest.mark.parametrize(
    "window", [{"points": 100}, {"points": 150}, {"upper": 40.0}, {"reference": "onset"}]
)
def test_data_sets_of_another_window_are_refused(window):
    datasets, labels = _rows_of(make_settings())
    with pytest.raises(XascoordError, match="run 'datasets' again"):
        element_data("Ti", datasets, labels, make_settings(window=window))


def test_data_sets_of_another_element_are_refused():
    datasets, labels = _rows_of(make_settings(), element="Cu")
    with pytest.raises(XascoordError, match="the tables are of Cu"):
        element_data("Ti", datasets, labels, make_settings())


def test_no_labelled_spectrum_says_where_the_reasons_stand(tmp_path):
    for kind in ("site", "averaged"):
        write_rows(tmp_path / f"d/{kind}/Ti.parquet", [], DATASET)
    write_rows(tmp_path / "l/Ti.parquet", [], LABELS)
    with pytest.raises(XascoordError, match=r"Ti: .*results/02_datasets/rejections\.csv"):
        read_element(ElementFiles("Ti", tmp_path / "d", tmp_path / "l"), make_settings())


def test_a_classifier_is_trained_from_tables(tmp_path):
    settings = make_settings(models={**FAST, "classifiers": ["svc"], "compare": [],
                                     "learning_curve": []}, labels={"min_samples": 3},
                             prediction={"classifier": "svc"})  # fmt: skip
    datasets, labels = _rows_of(settings, count=20)
    for row in datasets:
        row.update(structure_id="x", site_index=0, multiplicity=1)
    for row in labels:
        row.update(structure_id="x", site_index=0, multiplicity=1, cn_weights=[0.0] * 12,
                   motif_order_parameters=[0.0] * 25)  # fmt: skip
    write_rows(tmp_path / "d/site/Ti.parquet", datasets, DATASET)
    write_rows(tmp_path / "d/averaged/Ti.parquet", [], DATASET)
    write_rows(tmp_path / "l/Ti.parquet", labels, LABELS)
    files = ElementFiles("Ti", tmp_path / "d", tmp_path / "l")
    baseline = tmp_path / "baseline.parquet"
    train_baseline(files, settings, baseline, tmp_path / "reference.parquet")

    def train(settings, name):
        path = tmp_path / name / "svc.skops"
        train_classifier(
            files, "svc", settings, (0.2, 0.05), baseline, tmp_path / f"{name}.parquet", path, 1
        )
        return path.read_bytes()

    assert train(settings, "first") == train(settings, "second")
    # A bundle that lies there already, made by other code, is not taken for the new one.
    with_changed_record(tmp_path / "first/svc.skops", tmp_path / "second/svc.skops",
                        lambda record: record.update(conformal={}))  # fmt: skip
    other = (tmp_path / "second/svc.skops").read_bytes()
    assert other != train(settings, "second") == (tmp_path / "first/svc.skops").read_bytes()
    record = read_record(tmp_path / "first/svc.skops")
    row = next(m for m in record["metrics"] if m["scope"] == "all")
    assert row["top1_low"] != "" != row["baseline_top1"]
    assert 1 >= row["decided_cn"] >= row["decided_environment"] > 0
    assert "| decided CN | decided environment |" in (tmp_path / "first/svc.md").read_text()
    assert record["data"]["site"] == 20
    assert read_table(tmp_path / "reference.parquet", REFERENCE).num_rows == 20
    with pytest.raises(XascoordError, match="--search"):
        train(make_settings(models={"search": True}), "third")
