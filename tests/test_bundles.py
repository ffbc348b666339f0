import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from conftest import PAPER_EDGE, PAPER_WINDOW, make_settings
from model_data import made_up_element, with_changed_record
from xascoord.core.engines import PATHS, engine_of
from xascoord.core.errors import BundleError
from xascoord.models import bundles as bundles
from xascoord.models.bundles import (
    input_spec,
    library_versions,
    load_bundle,
    read_record,
    save_bundle,
)
from xascoord.models.card import model_card
from xascoord.models.classifiers import TaskModel
from xascoord.models.cross_validation import fit_all_tasks, parameters_of
from xascoord.models.training_sets import training_sets

SETTINGS = make_settings(models={"cnn": {"epochs": 3}})
FULL = engine_of("crystals:")
METRIC = {
    "split": "grouped", "scope": "kept", "spectra": 79, "baseline_top1": 0.4,
    **{f"{m}{s}": 0.5 for m in ("top1", "exact", "jaccard") for s in ("", "_low", "_high")},
}  # fmt: skip


def _models(classifier):
    data = made_up_element()
    full = training_sets(SETTINGS.models, True)[0]
    everything = np.ones(len(data.spectra), dtype=bool)
    parameters = parameters_of(SETTINGS, data.tasks)
    return data, fit_all_tasks(data, classifier, parameters, full, everything, 0).models


def _record(models, classifier="svc"):
    return {
        "element": "Ti",
        "classifier": classifier,
        "input_spec": input_spec(SETTINGS),
        "thresholds": [0.2, 0.05],
        "min_samples": 10,
        "folds": 5,
        "seed": 1,
        "split": "grouped",
        "searched": False,
        "data": {"hash": "0f", "site": 60, "averaged": 20, "materials": 20, "copies": 27,
                 "sources": ["demo"]},
        "metrics": [METRIC],
        "novelty": {"0.95": 0.1, "0.99": 0.2},
        "tasks": {
            task: {"classes": list(m.classes), "spectra": 9, "temperature": 1.5,
                   "parameters": {"C": 100.0}}
            for task, m in models.items()
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    data, models = _models("svc")
    path = tmp_path_factory.mktemp("bundles") / "svc.skops"
    save_bundle(path, _record(models), models)
    return data, models, path


@pytest.mark.parametrize("classifier", ["knn", "forest", "mlp", "svc", "cnn"])
@pytest.mark.filterwarnings("ignore:.*Stochastic Optimizer.*")
def test_saved_and_read_models_are_the_same(tmp_path, classifier):
    data, models = _models(classifier)
    path = tmp_path / "a.skops"
    save_bundle(path, _record(models, classifier), models)
    bundle = load_bundle(path, SETTINGS)
    for task, model in models.items():
        assert bundle.models[task].classes == model.classes
        assert np.array_equal(bundle.models[task].scores(data.features),
                              model.scores(data.features))  # fmt: skip
        assert bundle.classifier.temperatures[task] == 1.5
    _, again = _models(classifier)
    save_bundle(tmp_path / "b.skops", _record(again, classifier), again)
    assert path.read_bytes() == (tmp_path / "b.skops").read_bytes()


def test_a_bundle_is_asked_for_the_steps_of_its_elements_group_only(saved):
    """Published forests may be of other motifs too."""
    data, models, path = saved
    bundle = load_bundle(path, SETTINGS)
    other = {"CN_8 motifs": TaskModel(("hexagonal bipyramidal",))}
    classifier = replace(bundle, models={**bundle.models, **other}).classifier
    assert list(classifier.models) == list(models)
    said = classifier.predict_proba(data.features)
    assert [len(step.probabilities) for step in said.steps.values()] == [len(data.spectra)] * 4


def test_other_stored_models_can_be_read_beside_ours(saved):
    """Reading bundles changes nothing for a user's own models."""
    import skops.io
    from sklearn.linear_model import LogisticRegression

    load_bundle(saved[2])
    own = skops.io.loads(skops.io.dumps(LogisticRegression(C=3.0)))
    assert own.C == 3.0


def test_no_pickle_inside(saved):
    with zipfile.ZipFile(saved[2]) as archive:
        assert not [n for n in archive.namelist() if not n.endswith((".npy", ".json"))]


@pytest.mark.parametrize(
    ("section", "field"),
    [({"window": {"points": 100}}, "window.points"),
     ({"window": {"upper": 40.0}}, "window.upper"),
     ({"window": {"reference": "onset"}}, "window.reference"),
     ({"window": {"tail": 0.0}}, "window.tail"),
     ({"window": PAPER_WINDOW.model_dump()}, "window.lower"),
     ({"edge_energy": {"level": 0.4}}, "edge_energy.level"),
     ({"edge_energy": PAPER_EDGE.model_dump()}, "edge_energy.step_range")],
)  # fmt: skip
def test_another_grid_or_energy_reference_is_refused(saved, section, field):
    with pytest.raises(BundleError, match=field):
        load_bundle(saved[2], make_settings(**section))
    load_bundle(saved[2])


def _with_record(saved, tmp_path, change):
    return with_changed_record(saved[2], tmp_path / "changed.skops", change)


@pytest.mark.parametrize("library", ["scikit-learn", "xascoord"])
def test_another_major_version_is_refused(saved, tmp_path, library):
    def older(record):
        record["versions"][library] = "99.1.0"

    with pytest.raises(BundleError, match=rf"{library} 99\.1\.0.*train anew"):
        load_bundle(_with_record(saved, tmp_path, older))

    def minor(record):
        major = record["versions"][library].split(".")[0]
        record["versions"][library] = f"{major}.999"

    changed = _with_record(saved, tmp_path, minor)
    if library == "xascoord":  # before 1.0 a minor version is a major one
        with pytest.raises(BundleError, match=r"xascoord 0\.999.*train anew"):
            load_bundle(changed)
    else:
        with pytest.warns(UserWarning, match="promises nothing for another minor version"):
            load_bundle(changed)


def test_another_format_is_refused(saved, tmp_path):
    path = _with_record(saved, tmp_path, lambda record: record.update(format=99))
    with pytest.raises(BundleError, match="format 99"):
        load_bundle(path)


@pytest.mark.parametrize("field", ["versions", "input_spec", "tasks"])
def test_damaged_records_are_refused(saved, tmp_path, field):
    with pytest.raises(BundleError, match=field):
        load_bundle(_with_record(saved, tmp_path, lambda record: record.pop(field)))

    def swapped(record):
        record["tasks"]["CN"]["classes"] = ["CN_4", "CN_9"]

    with pytest.raises(BundleError, match="do not belong together"):
        load_bundle(_with_record(saved, tmp_path, swapped))
    with pytest.raises(BundleError, match="unknown"):
        load_bundle(_with_record(saved, tmp_path, lambda record: record["versions"].clear()))


def test_bundles_of_before_there_were_tails_have_none(saved, tmp_path):
    """Whatever the default is now: they learnt windows that were covered."""
    path = _with_record(saved, tmp_path, lambda record: record["input_spec"]["window"].pop("tail"))
    for record in (read_record(path), load_bundle(path).record):
        assert record["input_spec"]["window"]["tail"] == 0.0
    load_bundle(path, make_settings(window={"tail": 0.0}))
    with pytest.raises(BundleError, match=r"window\.tail = 0\.0"):
        load_bundle(path, SETTINGS)


def test_unknown_types_are_refused(saved, tmp_path):
    """A file that would run code of its maker when it is read."""
    path = tmp_path / "evil.skops"
    with zipfile.ZipFile(saved[2]) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                content = content.replace(b'"sklearn.svm._classes"', b'"subprocess"')
                content = content.replace(b'"SVC"', b'"Popen"')
            new.writestr(name, content)
    with pytest.raises(BundleError, match="subprocess"):
        load_bundle(path)


def test_missing_damaged_and_foreign_files_are_clear_errors(saved, tmp_path):
    with pytest.raises(BundleError, match="train the models first"):
        load_bundle(tmp_path / "none.skops")
    text = tmp_path / "text.skops"
    text.write_text("hello")
    with pytest.raises(BundleError, match="not a bundle"):
        load_bundle(text)
    short = tmp_path / "short.skops"
    shutil.copy(saved[2], short)
    short.write_bytes(short.read_bytes()[:-200])
    with pytest.raises(BundleError, match="not a bundle"):
        load_bundle(short)
    empty = tmp_path / "empty.skops"
    with zipfile.ZipFile(saved[2]) as old, zipfile.ZipFile(empty, "w") as new:
        for name in ("record.json", "schema.json"):
            new.writestr(name, old.read(name))
    with pytest.raises(BundleError, match="damaged"):
        load_bundle(empty)


def test_card_is_made_from_the_record_alone(saved):
    record = read_record(saved[2])
    card = model_card(record)
    assert card.startswith("# Ti: coordination environment by svc")
    for words in ("-10 to +30 eV about e0, 161 points", "level 0.5", "step_range [9.0, 14.0]",
                  "up to 7 eV are continued", "0.2 (CN), 0.05 (motifs)",
                  "| grouped | kept | 79 |", "hash `0f`"):  # fmt: skip
        assert words in card
    assert all(f"{k} {v}" in card for k, v in library_versions("svc").items())
    assert record["format"] == bundles.FORMAT
    record["input_spec"]["window"]["tail"] = 0.0
    assert "nothing is continued" in model_card(record)
    assert "decided" not in card  # of which an older record says nothing
    decided = {"decided_cn": 0.6, "decided_cn_low": 0.5, "decided_cn_high": 0.7,
               "decided_environment": 0.4}  # fmt: skip
    record["metrics"] = [{**METRIC, **decided}, METRIC]
    first, second = model_card(record).split("| grouped ")[1:]
    assert "| 0.600 (0.500-0.700) | 0.400 | 0.400 |\n" in first
    assert "| - | - | 0.400 |\n" in second


def test_card_says_what_the_spectra_were_computed_by_and_what_that_is_worth(saved):
    record = read_record(saved[2])
    assert "Computed by: not told." in model_card(record)
    doubt = "do not rely on what they say of measured spectra"
    for engines, doubted in (([FULL], False), ([FULL, PATHS], True)):
        record["data"]["engines"] = engines
        card = model_card(record)
        assert f"Computed by: {'; '.join(engines)}." in card
        assert (doubt in card) == doubted
    assert "## Measured spectra" not in card
    assert "## Measured spectra\n\nRight in 3 of 4.\n" in model_card(record, "Right in 3 of 4.")


def test_a_model_that_could_not_be_read_again_is_not_saved(tmp_path):
    """Its types are named when it is made, not when it is asked."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    features = np.arange(40.0)[:, None]
    estimator = HistGradientBoostingClassifier(max_iter=1).fit(features, [0, 1] * 20)
    model = TaskModel(("a", "b"), estimator)
    with pytest.raises(BundleError, match=r"_TRUSTED.*TreePredictor"):
        save_bundle(tmp_path / "a.skops", _record({"CN": model}), {"CN": model})
    assert not (tmp_path / "a.skops").exists()


def test_skops_is_imported_without_array_libraries_and_leaves_nothing_behind():
    program = (
        "import sys\n"
        "from xascoord.models.bundles import import_skops\n"
        "import_skops()\n"
        "assert 'torch' not in sys.modules\n"
        "assert not [f for f in sys.meta_path if type(f).__module__.startswith('xascoord')]\n"
        "from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES as names\n"
        "assert 'sklearn.ensemble._forest.RandomForestClassifier' in names and len(names) > 150\n"
        "import importlib.util\n"
        "assert importlib.util.find_spec('torch')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
