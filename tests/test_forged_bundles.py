"""Bundles and reference tables that were damaged or made up: one clear error, never a hang."""

import io
import json
import os
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import make_settings
from model_data import POINTS, train_copper
from xascoord.core.errors import BundleError
from xascoord.models.bundle_checks import check_models
from xascoord.models.bundles import load_bundle, read_record
from xascoord.models.reference import read_reference
from xascoord.prediction.predictor import Predictor
from xascoord.settings.models import CLASSIFIERS

FAST = {"classifiers": list(CLASSIFIERS), "compare": [], "learning_curve": [], "bootstrap": 10,
        "cnn": {"epochs": 1}}  # fmt: skip


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    return train_copper(tmp_path_factory.mktemp("copper"), make_settings(models=FAST))


def rewritten(source, target, change):
    """A bundle with some members changed: change(name, content) gives the new content."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def with_record(source, target, change):
    def changed(name, content):
        if name != "record.json":
            return content
        record = json.loads(content)
        change(record)
        return json.dumps(record).encode()

    return rewritten(source, target, changed)


def put(*keys, value):
    def change(record):
        for key in keys[:-1]:
            record = record[key]
        if value is ...:
            del record[keys[-1]]
        else:
            record[keys[-1]] = value

    return change


FORGED = [
    (put("element", value="Xx"), "element"),
    (put("element", value=3), "element"),
    (put("element", value="Li"), "tasks: must be CN, CN_3 motifs"),
    (put("classifier", value="oracle"), "classifier"),
    (put("novelty", value=...), "novelty"),
    (put("novelty", value={"0.99": "far"}), "novelty.0.99"),
    (put("novelty", value={"0.99": float("nan")}), "novelty.0.99"),
    (put("input_spec", "window", "points", value="161"), "input_spec.window.points"),
    (put("input_spec", "window", "reference", value="middle"), "input_spec.window.reference"),
    (put("input_spec", "window", "upper", value=-11.0), "input_spec.window"),
    (put("input_spec", "window", "tail", value=-1.0), "input_spec.window.tail"),
    (put("input_spec", "window", "tail", value="long"), "input_spec.window.tail"),
    (put("input_spec", "edge_energy", "level", value=None), "input_spec.edge_energy.level"),
    (put("input_spec", "edge_energy", value=[]), "input_spec.edge_energy"),
    (put("tasks", "CN", value=...), "tasks: must be CN"),
    (put("tasks", "CN_4 motifs", value=...), "tasks: must be CN"),
    (put("tasks", "CN", "classes", value=["CN_4", "CN_six"]), "'CN_six' is no ranking label"),
    (put("tasks", "CN", "classes", value=["CN_4", "CN_99"]), "'CN_99' is no ranking label"),
    (put("tasks", "CN", "classes", value=["CN_6", "CN_4"]), "not sorted"),
    (put("tasks", "CN_6 motifs", "classes", value=["round"]), "'round' is no ranking label"),
    (put("tasks", "CN", "temperature", value=0.0), "tasks.CN.temperature"),
    (put("tasks", "CN", "temperature", value=float("inf")), "tasks.CN.temperature"),
    (put("tasks", "CN", "classes", value=["CN_4"]), "do not belong together"),
    (put("input_spec", "window", "points", value=100), "not for windows of 100 points"),
    (put("data", value={}), "data.copies"),
    (put("data", "engines", value=[1]), "data.engines.0"),
    (put("data", "engines", value="FEFF"), "data.engines"),
    (put("metrics", value=[{}]), "metrics.0.exact"),
    (put("thresholds", value=[0.2]), "thresholds"),
    (put("versions", value={"numpy": 2}), "versions.numpy"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), FORGED, ids=[words for _, words in FORGED])
def test_forged_records_are_one_error(bundles, tmp_path, change, words):
    path = with_record(bundles / "Cu/forest.skops", tmp_path / "forged.skops", change)
    with pytest.raises(BundleError) as caught:
        load_bundle(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_models_in_the_place_of_others_are_refused(bundles, tmp_path):
    (tmp_path / "Ti").mkdir()
    for name in ("forest.skops", "reference.parquet"):
        (tmp_path / "Ti" / name).write_bytes((bundles / "Cu" / name).read_bytes())
    with pytest.raises(BundleError, match="holds models of Cu"):
        Predictor(tmp_path).models("Ti")


def _nodes(forest, change):
    """Change the nodes of the largest tree, as a bundle would restore it."""
    tree = max(forest.estimators_, key=lambda one: one.tree_.node_count).tree_
    state = tree.__getstate__()
    state["nodes"], state["values"] = state["nodes"].copy(), state["values"].copy()
    change(state)
    tree.__setstate__(state)


def _set(field, value, row=0):
    return lambda state: state["nodes"][field].__setitem__(row, value)


DAMAGED = {
    "cycle": ("forest", lambda e: _nodes(e, _set("left_child", 0)), "in a circle"),
    "child slightly out of range": ("forest", lambda e: _nodes(
        e, lambda s: s["nodes"]["right_child"].__setitem__(0, len(s["nodes"]))), "lead nowhere"),
    "one child": ("forest", lambda e: _nodes(e, _set("right_child", -1)), "one child"),
    "feature": ("forest", lambda e: _nodes(e, _set("feature", POINTS)), "beyond the window"),
    "threshold": ("forest", lambda e: _nodes(e, _set("threshold", np.nan)), "not finite"),
    "value": ("forest", lambda e: _nodes(e, lambda s: s["values"].fill(np.inf)), "not finite"),
    "no trees": ("forest", lambda e: setattr(e, "estimators_", []), "lacks trees"),
    "unfitted tree": ("forest", lambda e: delattr(e.estimators_[0], "tree_"), "tree_"),
    "fewer classes": ("forest", lambda e: setattr(e, "classes_", np.array([0])), "classes_"),
    "other classes": ("svc", lambda e: setattr(e, "classes_", np.array([3, 4])), "other classes"),
    "half the vectors": ("svc", lambda e: setattr(
        e, "support_vectors_", e.support_vectors_[: len(e.support_vectors_) // 2]), "shape"),
    "other vectors": ("svc", lambda e: setattr(
        e, "support_vectors_", e.support_vectors_[:, :100]), "shape"),
    "half the coefficients": ("svc", lambda e: setattr(
        e, "_dual_coef_", e._dual_coef_[:, :1]), "_dual_coef_"),
    "counts": ("svc", lambda e: setattr(e, "_n_support", e._n_support + 1000), "it counts"),
    "not finite": ("svc", lambda e: e.intercept_.fill(np.nan), "intercept_ is not finite"),
    "neighbours of nobody": ("knn", lambda e: e._y.fill(7), "other classes"),
    "half the spectra": ("knn", lambda e: setattr(e, "_fit_X", e._fit_X[:, :50]), "_fit_X"),
    "text": ("knn", lambda e: setattr(e, "_fit_X", e._fit_X.astype(str)), "_fit_X holds"),
    "a layer less": ("mlp", lambda e: e.coefs_.pop(), "lacks layers"),
    "a layer of others": ("mlp", lambda e: e.coefs_.__setitem__(1, e.coefs_[0]), "coefs_[1]"),
    "another end": ("mlp", lambda e: setattr(e, "out_activation_", "identity"), "probabilities"),
    "half the weights": ("cnn", lambda e: e.weights_.popitem(), "lacks weights"),
    "weights of others": ("cnn", lambda e: setattr(
        e, "weights_", {k: v[:1] for k, v in e.weights_.items()}), "shape"),
    "huge network": ("cnn", lambda e: setattr(e, "dense", (10**6, 10**6)), "shape"),
    "no scale": ("cnn", lambda e: setattr(e, "scale_", 0.0), "no scale"),
    "unfitted": ("svc", lambda e: [delattr(e, n) for n in list(vars(e)) if n.endswith("_")],
                 "n_features_in_"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_estimators_are_named(bundles, name):
    classifier, change, words = DAMAGED[name]
    bundle = load_bundle(bundles / f"Cu/{classifier}.skops")
    check_models(classifier, POINTS, bundle.models)
    change(bundle.models["CN"].estimator)
    with pytest.raises(ValueError, match="CN: ") as caught:
        check_models(classifier, POINTS, bundle.models)
    assert words in str(caught.value)


def test_another_estimator_than_declared_is_refused(bundles, tmp_path):
    path = with_record(bundles / "Cu/svc.skops", tmp_path / "a.skops",
                       put("classifier", value="forest"))  # fmt: skip
    with pytest.raises(BundleError, match="is a SVC, not a RandomForestClassifier"):
        load_bundle(path)


def test_a_cycle_in_a_stored_tree_is_refused(bundles, tmp_path):
    """The whole way: in the file, where a prediction would never end."""

    def cyclic(name, content):
        array = np.load(io.BytesIO(content)) if name.endswith(".npy") else None
        if array is None or array.dtype.names is None or len(array) < 3:
            return content
        array["left_child"][0] = 0
        out = io.BytesIO()
        np.save(out, array)
        return out.getvalue()

    path = rewritten(bundles / "Cu/forest.skops", tmp_path / "cycle.skops", cyclic)
    with pytest.raises(BundleError, match="in a circle"):
        load_bundle(path)


def _flagged(data, encrypted=0, method=8):
    """The archive with its first member said to be encrypted, or packed by another method."""
    data = bytearray(data)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(mark)
        struct.pack_into("<HH", data, place + flags, encrypted, method)
    return bytes(data)


@pytest.mark.parametrize("how", [{"encrypted": 1}, {"method": 9}, {"method": 14}, {"method": 97}])
def test_odd_members_are_one_error(bundles, tmp_path, how):
    path = tmp_path / "odd.skops"
    path.write_bytes(_flagged((bundles / "Cu/svc.skops").read_bytes(), **how))
    for read in (read_record, load_bundle):
        with pytest.raises(BundleError, match="not a bundle"):
            read(path)


def test_pipes_devices_and_bombs_are_not_read(bundles, tmp_path):
    pipe = tmp_path / "pipe.skops"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, type(pipe)("/dev/zero")):
        for read in (read_record, load_bundle):
            with pytest.raises(BundleError, match="not a regular file"):
                read(path)

    def bomb(name, content):
        return b" " * 30_000_000 if name == "record.json" else content

    path = rewritten(bundles / "Cu/svc.skops", tmp_path / "bomb.skops", bomb)
    for read in (read_record, load_bundle):
        with pytest.raises(BundleError, match=r"limits\.document_bytes"):
            read(path)
    small = make_settings(limits={"bundle_bytes": 5000})
    with pytest.raises(BundleError, match=r"limits\.bundle_bytes"):
        load_bundle(bundles / "Cu/svc.skops", small)


def _features(change):
    def changed(table):
        rows = table["features"].to_pylist()
        return table.set_column(table.schema.get_field_index("features"), "features",
                                pa.array(change(rows)))  # fmt: skip

    return changed


REFERENCES = {
    "nan": (_features(lambda r: [[float("nan")] * POINTS, *r[1:]]), "no numbers"),
    "null": (_features(lambda r: [None, *r[1:]]), "nothing where"),
    "null inside": (_features(lambda r: [[None, *r[0][1:]], *r[1:]]), "no numbers"),
    "short": (_features(lambda r: [r[0][:100], *r[1:]]), f"{POINTS} points"),
    "shifted": (_features(lambda r: [r[0] + [1.0], r[1][:-1], *r[2:]]), f"{POINTS} points"),
    "text": (_features(lambda r: [["a"] * POINTS] * len(r)), "other types"),
    "none": (lambda t: t.drop_columns("features"), "columns do not fit"),
    "empty": (lambda t: t.slice(0, 0), "no spectrum"),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_damaged_reference_tables_are_one_error(bundles, tmp_path, name):
    change, words = REFERENCES[name]
    path = tmp_path / "reference.parquet"
    pq.write_table(change(pq.read_table(bundles / "Cu/reference.parquet")), path)
    with pytest.raises(BundleError) as caught:
        read_reference(path, POINTS)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_flipped_bytes_of_a_reference_table_are_an_error_or_an_answer(bundles, tmp_path):
    whole = (bundles / "Cu/reference.parquet").read_bytes()
    path = tmp_path / "reference.parquet"
    for place in np.linspace(0, len(whole) - 1, 150).astype(int):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        path.write_bytes(bytes(broken))
        try:
            assert np.isfinite(read_reference(path, POINTS).features).all()
        except BundleError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.filterwarnings("ignore:.*Stochastic Optimizer.*")
def test_whole_models_of_several_classes_pass(classifier):
    from xascoord.models.classifiers import default_parameters, fit_task
    from xascoord.settings.models import Models

    rng = np.random.default_rng(0)
    labels = ["CN_4", "CN_5", "CN_6"] * 20
    features = rng.normal(size=(60, 50)) + np.repeat([[0.0], [1.0], [2.0]], 20, axis=1).T.reshape(
        -1, 1
    )
    parameters = default_parameters(classifier, "CN", Models.model_validate({"cnn": {"epochs": 1}}))
    materials = [f"m{i}" for i in range(60)]
    check_models(
        classifier, 50,
        {"CN": fit_task(classifier, parameters, features, labels, materials, 0)},
    )  # fmt: skip
