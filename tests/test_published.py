"""The published forests: read without running anything, checked, and the same as published."""

import contextlib
import json
import os
import pickle
import zlib
from collections import OrderedDict

import numpy as np
import pytest

from model_data import with_changed_record
from project import make_project, snakemake
from xascoord.core.errors import BundleError, SettingsError, XascoordError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.prepare import read_and_normalise
from xascoord.measured.spectrum import Options
from xascoord.models.bundles import load_bundle
from xascoord.models.published import pickles
from xascoord.models.published.convert import EDGE_ENERGY, WINDOWS, _label, convert_folder
from xascoord.models.published.pickles import NODE, read_pickle
from xascoord.models.published.trees import _depth, as_estimator, read_forest
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.store import TABLE
from xascoord.prediction.windows import cut_windows
from xascoord.settings.limits import DEFAULT_LIMITS
from xascoord.settings.models import Prediction
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.settings.tree import parse_settings
from xascoord.spectra.edge_energy import find_steepest
from xascoord.spectra.window import cut_window

FILES = 117


# --- a stand-in for joblib's pickles of scikit-learn 0.21, which is not installed ---
class Raw(bytes):
    """Bytes of a pickle that stand where an object is written."""


def text(value):
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def write(value):
    """The pickle of a plain value; of Raw what it is."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, dict):
        return b"}(" + b"".join(write(k) + write(v) for k, v in value.items()) + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(write, value)) + b"e"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(write, value)) + b"t"
    if isinstance(value, bool) or value is None:
        return {True: b"\x88", False: b"\x89", None: b"N"}[value]
    if isinstance(value, int):
        return b"J" + value.to_bytes(4, "little", signed=True)
    if isinstance(value, bytes):
        return b"C" + bytes([len(value)]) + value
    return text(value)


def named(module, name):
    return Raw(f"c{module}\n{name}\n".encode())


def made(what, arguments, state):
    return Raw(what + write(arguments) + b"R" + write(state) + b"b")


DTYPE = named("numpy", "dtype")
RECONSTRUCT = named("numpy.core.multiarray", "_reconstruct")


def number_type(code):
    if code == "O8":
        return made(DTYPE, (code, 0, 1), (3, "|", None, None, None, -1, -1, 63))
    if code == "V56":
        fields = {n: (number_type(NODE[n].str[1:]), 8 * i) for i, n in enumerate(NODE.names)}
        return made(DTYPE, (code, 0, 1), (3, "|", None, tuple(NODE.names), fields, 56, 1, 16))
    return made(DTYPE, (code, 0, 1), (3, "<", None, None, None, -1, -1, 0))


def array(values, code=None, shape=None):
    values = np.asarray(values)
    code = code or ("V56" if values.dtype == NODE else values.dtype.str[1:])
    body = values.tobytes()
    if code == "O8":
        inner = made(
            RECONSTRUCT, (named("numpy", "ndarray"), (0,), b"b"),
            (1, (len(values),), number_type(code), False, values.tolist()),
        )  # fmt: skip
        body = b"\x80\x02" + inner + b"."
    state = {
        "subclass": named("numpy", "ndarray"), "shape": shape or values.shape, "order": "C",
        "dtype": number_type(code), "allow_mmap": False,
    }  # fmt: skip
    wrapper = named("joblib.numpy_pickle", "NumpyArrayWrapper")
    return Raw(wrapper + b")\x81" + write(state) + b"b" + body)


def nodes_of(rows):
    return np.array([(*row, 0.1, 1, row[-1]) for row in rows], dtype=NODE)


def tree(
    nodes=None, counts=((6.0, 4.0), (6.0, 0.0), (0.0, 4.0)), features=200, depth=1, number=None
):
    if nodes is None:
        nodes = np.array([(1, 2, 7, 0.5, 0.4, 7, 10.0), (-1, -1, -2, -2.0, 0, 4, 6.0),
                          (-1, -1, -2, -2.0, 0, 3, 4.0)], dtype=NODE)  # fmt: skip
    counts = np.asarray(counts)
    state = {"max_depth": depth, "node_count": number or len(nodes), "nodes": array(nodes),
             "values": array(counts[:, None, :])}  # fmt: skip
    inner = made(named("sklearn.tree._tree", "Tree"),
                 (features, array(np.array([counts.shape[1]])), 1), state)  # fmt: skip
    outer = {"tree_": inner, "classes_": array(np.arange(counts.shape[1], dtype=float))}
    return made(named("sklearn.tree.tree", "DecisionTreeClassifier"), (), outer)


def forest(trees=None, **changes):
    state = {
        "classes_": array(np.array(["CN_6", "CN_4"], dtype=object), "O8"), "n_features_": 200,
        "class_weight": None, "bootstrap": True, "estimators_": trees or [tree(), tree()],
        "_sklearn_version": "0.21.2", **changes,
    }  # fmt: skip
    what = named("sklearn.ensemble.forest", "RandomForestClassifier")
    return b"\x80\x03" + made(what, (), state) + b"."


def save(folder, content, name="RandomForest_Fe_c_num.sav", packed=True):
    path = folder / name
    path.write_bytes(zlib.compress(content) if packed else content)
    return path


def node(**changes):
    """The nodes of the small tree with some numbers of its first node or others changed."""
    nodes = np.array([(1, 2, 7, 0.5, 0.4, 7, 10.0), (-1, -1, -2, -2.0, 0, 4, 6.0),
                      (-1, -1, -2, -2.0, 0, 3, 4.0)], dtype=NODE)  # fmt: skip
    for name, (position, value) in changes.items():
        nodes[name][position] = value
    return nodes


def test_a_small_forest_is_read_and_sorted_by_label(tmp_path):
    read = read_forest(save(tmp_path, forest()))
    assert (read.classes, read.features, read.spectra) == (("CN_6", "CN_4"), 200, 10)
    assert read.splits()[7] == 2 and read.splits().sum() == 2
    features = np.zeros((2, 200))
    features[1, 7] = 1.0
    found = as_estimator(read, np.array([1, 0])).predict_proba(features)
    assert found.tolist() == [[0.0, 1.0], [1.0, 0.0]]


# --- nothing is run -------------------------------------------------------------------------------
class Bomb:
    """Runs what it is told to when it is loaded."""

    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what


def _bombs(sentinel):
    command = f"touch {sentinel}"
    yield "os.system", pickle.dumps(Bomb(os.system, (command,)), 3)
    yield "eval", pickle.dumps(Bomb(eval, (f"open({str(sentinel)!r}, 'w')",)), 3)
    yield "exec in protocol 4", pickle.dumps(Bomb(exec, (f"open({str(sentinel)!r}, 'w')",)), 4)
    yield "open", pickle.dumps(Bomb(open, (str(sentinel), "w")), 2)
    yield "protocol 0", pickle.dumps(Bomb(os.system, (command,)), 0)
    objects = sentinel.with_name("objects.npy")
    np.save(objects, np.array([Bomb(os.system, (command,))], dtype=object), allow_pickle=True)
    yield "numpy's reader", pickle.dumps(Bomb(np.load, (str(objects), None, True)), 3)
    yield "getattr", pickle.dumps(Bomb(getattr, (np.ndarray, "tofile")), 3)
    inst = b"(S'" + command.encode() + b"'\nios\nsystem\n."
    yield "INST", inst
    yield "OBJ", b"(cos\nsystem\nS'" + command.encode() + b"'\no."
    yield "inside an allowed call", b"\x80\x03" + made(DTYPE, (named("os", "system"),), None) + b"."
    array_of = Raw(array(np.array(["a"], dtype=object), "O8"))
    inner = pickle.dumps(Bomb(os.system, (command,)), 3)
    cut = array_of.index(b"\x80\x02")
    yield "in the stream of an array", b"\x80\x03" + array_of[:cut] + inner + b"."


def test_the_bombs_would_go_off(tmp_path):
    """Else the next test could not notice that something was run."""
    sentinel = tmp_path / "sentinel"
    gone_off = []
    for name, content in _bombs(sentinel):
        with contextlib.suppress(Exception):
            pickle.loads(content)
        if sentinel.exists():
            gone_off.append(name)
            sentinel.unlink()
    assert {
        "os.system", "eval", "exec in protocol 4", "open", "protocol 0", "numpy's reader", "INST",
        "OBJ",
    } <= set(gone_off)  # fmt: skip


def test_malicious_pickles_are_refused_and_not_run(tmp_path):
    sentinel = tmp_path / "sentinel"
    for name, content in _bombs(sentinel):
        path = save(tmp_path, content)
        with pytest.raises(XascoordError, match=path.name):
            read_pickle(path)
        assert not sentinel.exists(), name


def test_the_forbidden_name_is_said(tmp_path):
    path = save(tmp_path, pickle.dumps(Bomb(os.system, ("true",)), 3))
    with pytest.raises(XascoordError, match=r"RandomForest_Fe_c_num.*posix\.system"):
        read_pickle(path)
    path = save(tmp_path, pickle.dumps(OrderedDict(a=1), 3))
    with pytest.raises(XascoordError, match=r"collections\.OrderedDict"):
        read_pickle(path)


TREE_NAME = named("sklearn.tree._tree", "Tree")


@pytest.mark.parametrize(
    "content",
    [
        # what was made is called, and a class is changed
        TREE_NAME + b")R)R.",
        TREE_NAME + b"}X\x01\x00\x00\x00a" + b"Nsb.",
        TREE_NAME + b"N}X\x08\x00\x00\x00__call__" + b"Ns\x86b.",
        # a text is called, and a dictionary gets keys that take for ever to hash
        text("x") + b")R.",
        b"}" + b")\x85" + b"2\x86" * 60 + b"Ns.",
        b"})Ns.",
        # a memo of four billion places, of nothing, and one that is not there
        b"Nr\xff\xff\xff\xff0.",
        b"j\xff\xff\xff\xff.",
        # persistent ids, extensions, buffers, a long number, a long text
        b"P1\n.",
        b"NQ.",
        b"\x82\x01.",
        b"\x97.",
        b"\x8b\xff\xff\xff\x7f" + b"1" * 10 + b".",
        b"\x96\xff\xff\xff\xff\xff\x00\x00\x00.",
        b"X\xff\xff\xff\x7fabc.",
        # nothing, no end, something behind the end
        b"",
        b"N",
        b".",
        TREE_NAME + b")R." + b"N",
        b"\x80\xff.",
    ],
)
def test_odd_instructions_are_refused(tmp_path, content):
    path = save(tmp_path, b"\x80\x03" + content)
    with pytest.raises(XascoordError, match=path.name):
        read_pickle(path)


def test_arrays_of_impossible_sizes_are_refused(tmp_path):
    for shape in ((2**31 - 1, 2**31 - 1), (-1,), (4,), ("a",)):
        values = array(np.zeros(3), shape=shape)
        with pytest.raises(XascoordError, match="array"):
            read_pickle(save(tmp_path, b"\x80\x03" + values + b"."))
    with pytest.raises(XascoordError, match="unknown type"):
        read_pickle(save(tmp_path, b"\x80\x03" + array(np.zeros(3, dtype="i4")) + b"."))


def test_files_that_are_no_compressed_pickle_or_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(pickles, "_LARGEST_FILE", 2**14)
    monkeypatch.setattr(pickles, "_LARGEST", 2**20)
    good, zeros = zlib.compress(forest()), zlib.compress(b"\0" * 2**21)
    for content in (b"", b"x", forest(), good[:-20], good + b"more"):
        with pytest.raises(XascoordError, match="RandomForest_Fe"):
            read_forest(save(tmp_path, content, packed=False))
    for content in (zeros, good + b"x" * 2**14):
        with pytest.raises(XascoordError, match="larger than"):
            read_forest(save(tmp_path, content, packed=False))
    with pytest.raises(XascoordError, match="nothing"):
        read_forest(tmp_path / "nothing.sav")


# --- damaged trees --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        (tree(node(left_child=(0, 0))), "parents"),
        (tree(node(left_child=(0, 2))), "parents"),
        (tree(node(right_child=(0, 3))), "parents"),
        (tree(node(right_child=(0, -7))), "parents"),
        (tree(node(left_child=(0, -1))), "one child"),
        (tree(node(left_child=(1, 2))), "one child"),
        (tree(node(feature=(0, 200))), "split"),
        (tree(node(feature=(0, -1))), "split"),
        (tree(node(feature=(1, 3))), "leaf"),
        (tree(node(threshold=(0, np.nan))), "threshold"),
        (tree(node(threshold=(0, np.inf))), "threshold"),
        (tree(node(impurity=(1, np.nan))), "impurity"),
        (tree(node(n_node_samples=(1, 0))), "without spectra"),
        (tree(node(weighted_n_node_samples=(1, np.nan))), "without spectra"),
        (tree(counts=((6.0, 4.0), (np.nan, 0.0), (0.0, 4.0))), "count"),
        (tree(counts=((6.0, 4.0), (7.0, -1.0), (0.0, 4.0))), "count"),
        (tree(counts=((6.0, 4.0), (5.0, 0.0), (0.0, 4.0))), "add up"),
        (tree(counts=((6.0, 4.0), (6.0, 0.0))), "counts"),
        (tree(counts=((6.0, 4.0, 0.0), (6.0, 0.0, 0.0), (0.0, 4.0, 0.0))), "classes"),
        (tree(features=100), "features"),
        (tree(depth=2), "depth"),
        (tree(number=4), "nodes"),
    ],
)
def test_damaged_trees_are_refused(tmp_path, damaged, why):
    with pytest.raises(XascoordError, match=f"RandomForest_Fe_c_num.sav.*{why}"):
        read_forest(save(tmp_path, forest([tree(), damaged])))


@pytest.mark.parametrize(
    "changes",
    [
        {"estimators_": []}, {"estimators_": None}, {"estimators_": [None]}, {"n_features_": 0},
        {"n_features_": 10**9}, {"n_features_": "200"}, {"class_weight": "balanced"},
        {"bootstrap": False}, {"classes_": None}, {"_sklearn_version": None},
        {"classes_": array(np.array(["CN_6", "CN_6"], dtype=object), "O8")},
        {"classes_": array(np.arange(2.0))},
    ],
)  # fmt: skip
def test_damaged_forests_are_refused(tmp_path, changes):
    with pytest.raises(XascoordError, match="RandomForest_Fe"):
        read_forest(save(tmp_path, forest(**{"trees": None, **changes})))


def test_a_circle_of_nodes_is_no_tree():
    """Each has one parent, but the second and the third are each other's."""
    nodes = np.array(
        [(1, 2, 0, 0.5, 0, 1, 1.0)] * 3 + [(-1, -1, -2, -2.0, 0, 1, 1.0)] * 2, dtype=NODE
    )
    nodes["left_child"][:3], nodes["right_child"][:3] = (3, 2, 1), (4, -1, -1)
    with pytest.raises(Exception, match="parents|before"):
        _depth(nodes)
    nodes = np.array([(1, 2, 0, 0.5, 0, 1, 1.0)] * 3 + [(-1, -1, -2, -2.0, 0, 1, 1.0)] * 4,
                     dtype=NODE)  # fmt: skip
    nodes["left_child"][:3], nodes["right_child"][:3] = (3, 2, 1), (4, 5, 6)
    with pytest.raises(Exception, match="before"):
        _depth(nodes)


# --- labels, bundles, answers ---------------------------------------------------------------------
def test_labels_are_this_projects(tmp_path):
    def label(text, task):
        return _label(text, task, tmp_path)

    assert label("CN_4-CN_12", "CN") == "CN_4-CN_12"
    assert label("rectangular see-saw-like-see-saw-like-square co-planar", "CN_4 motifs") == (
        "rectangular see-saw-like > see-saw-like > square co-planar"
    )
    for text, task in [
        ("CN_4-CN_4", "CN"), ("CN_13", "CN"), ("", "CN"), ("octahedral", "CN_4 motifs"),
        ("tetrahedral-", "CN_4 motifs"), ("tetrahedraloctahedral", "CN_4 motifs"),
    ]:  # fmt: skip
        with pytest.raises(XascoordError):
            label(text, task)


def test_a_folder_becomes_bundles_that_predict(tmp_path):
    folder = tmp_path / "models/cnum"
    folder.mkdir(parents=True)
    save(folder, forest())
    save(folder, forest(classes_=array(np.array(["octahedral", "pentagonal pyramidal"],
         dtype=object), "O8")), "RandomForest_Fe_c_env_ex_CN_6.sav")  # fmt: skip
    save(folder, forest(), "RandomForest_Ru_c_num.sav")
    out = tmp_path / "bundles"
    done = convert_folder(tmp_path / "models", out, WINDOWS["table"])
    assert (done.forests, done.elements, list(done.left)) == (3, ("Fe",), ["Ru"])
    bundle = load_bundle(out / "Fe/forest.skops")
    assert bundle.models["CN"].classes == ("CN_4", "CN_6")
    assert bundle.models["CN_4 motifs"].classes == ()
    assert bundle.record["published"]["licence"] == "BSD-3-Clause"
    card = (out / "Fe/forest.md").read_text()
    assert "f4a396821be04bbcd6fd0980c3c0aa494b6a18a7" in card and "Copyright" in card
    features = np.linspace(0, 0.9, 200)[None]
    answer = Predictor(out).predict_windows("Fe", features)[0]
    assert answer.best.environment == "CN_6 octahedral"
    assert answer.nearest == () and answer.record()["distance"] is None
    assert "no computed spectra" in answer.text()
    told = answer.text(verbose=True)
    assert "as published by Zheng" in told and "0 sites" not in told
    again = tmp_path / "again"
    convert_folder(tmp_path / "models", again, WINDOWS["table"])
    assert (again / "Fe/forest.skops").read_bytes() == (out / "Fe/forest.skops").read_bytes()


def _converted(folder):
    """Bundles of one small forest where a run's published ones lie."""
    save(folder, forest())
    convert_folder(folder, folder / "data/04_models/published", WINDOWS["table"])
    return folder / "data/04_models"


def test_published_models_answer_where_they_are_asked_for(tmp_path, monkeypatch):
    run = _converted(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert Predictor().entry("Fe").origin == "embedded"
    for asked in (
        Predictor(settings=Prediction(classifier="published")),
        Predictor(origin="published"),
        Predictor(run / "published"),
    ):
        assert asked.elements == ("Fe",) and asked.entry("Fe").origin == "published"
        assert "as published by Zheng" in asked.models("Fe").known[0]
        assert "'xascoord validate' counts" in asked.models("Fe").known[1]
    with pytest.raises(BundleError, match="leave one of the two out"):
        Predictor(settings=Prediction(classifier="published"), origin="embedded")
    with pytest.raises(BundleError, match="--origin asks for those of published"):
        _ = Predictor(run).elements
    (run / TABLE).write_text("origin,element,classifier,samples,cn_right\n")  # released
    assert Predictor(run).entry("Fe").origin == "published"


def test_the_page_lists_published_models(tmp_path):
    pytest.importorskip("dash", reason="needs the extra 'web'")
    from xascoord.web.asking import Asker
    from xascoord.web.models_page import element_card

    run = _converted(tmp_path)
    asker = Asker(run / "published", Prediction(), None, DEFAULT_LIMITS)
    assert asker.classifiers == ["forest", "published"]
    shown = str(element_card(asker.predictor("published"), "Fe"))
    assert "(these answer)" in shown and "Published by" in shown


def test_missing_published_models_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match=r"fetch published_forests.*convert_published_forests"):
        _ = Predictor(settings=Prediction(classifier="published")).elements


@pytest.mark.slow
def test_the_workflow_converts_what_was_fetched(tmp_path):
    """One job an element; where none of it is wanted, the folder is not walked through."""
    folder = make_project(tmp_path / "project")
    rules = folder / "workflow/rules/common.smk"
    code = rules.read_text()
    walk = "    names = {path.name.split"
    told = code.replace(walk, f'    print("WALKS", folder, file=sys.stderr)\n{walk}')
    assert told != code
    rules.write_text(told)
    said = snakemake(folder, "convert_published_forests", check=False)
    assert "bring them by 'xascoord fetch published_forests'" in said
    fetched = folder / "data/external/published_forests/cnum"
    fetched.mkdir(parents=True)
    save(fetched, forest())
    # Neither the job itself nor a plan of another stage.
    assert snakemake(folder, "convert_published_forests").count("WALKS") == 1
    assert "WALKS" not in snakemake(folder, "-n", "build_all_datasets")
    made = folder / "data/04_models/published"
    assert load_bundle(made / "Fe/forest.skops").record["published"]["licence"] == "BSD-3-Clause"
    save(fetched, forest(), "RandomForest_Cu_c_num.sav")
    planned = snakemake(folder, "-n", "all")
    assert "published/Cu/forest.skops" in planned
    assert planned.count("WALKS") == 1


def test_one_element_of_the_published_forests(tmp_path):
    save(tmp_path, forest())
    save(tmp_path, forest(), "RandomForest_Cu_c_num.sav")
    done = convert_folder(tmp_path, tmp_path / "out", WINDOWS["table"], only="Cu")
    assert done.elements == ("Cu",)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Cu"]
    with pytest.raises(XascoordError, match="none of Ti, but of Cu Fe"):
        convert_folder(tmp_path, tmp_path / "out", WINDOWS["table"], only="Ti")


def _without(key):
    return lambda record: record.pop(key)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without("published"), "thresholds"),
        (_without("input_spec"), "input_spec"),
        (lambda r: r["published"].pop("licence"), "published.licence"),
        (lambda r: r["published"].update(tasks=[]), "published.tasks"),
        (lambda r: r["published"]["tasks"]["CN"].pop("file"), "published.tasks.CN.file"),
        (lambda r: r["published"]["tasks"].update(x=r["published"]["tasks"]["CN"]), "tasks"),
        (lambda r: r["tasks"]["CN"]["parameters"].clear(), "says nothing of the trees of CN"),
        (lambda r: r["tasks"].pop("CN_4 motifs"), "tasks: must be CN"),
        (lambda r: r["tasks"].update({"CN_99 motifs": r["tasks"]["CN"]}), "tasks: must be CN"),
        (lambda r: r["tasks"]["CN"].update(classes=["CN_4", "CN_99"]), "no ranking label"),
        (lambda r: r.update(published="yes"), "published"),
    ],
)
def test_damaged_records_of_published_models_are_one_error(tmp_path, change, words):
    save(tmp_path, forest())
    convert_folder(tmp_path, tmp_path / "out", WINDOWS["table"])
    path, damaged = tmp_path / "out/Fe/forest.skops", tmp_path / "damaged.skops"
    with_changed_record(path, damaged, change)
    with pytest.raises(BundleError) as caught:
        load_bundle(damaged)
    assert words in str(caught.value) and str(damaged) in str(caught.value)


def test_folders_that_do_not_hold_forests(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(XascoordError, match="fetch published_forests"):
        convert_folder(tmp_path / "nothing", out, WINDOWS["table"])
    save(tmp_path, forest())
    path = save(tmp_path, forest(), "RandomForest_Fe_c_env_ex_CN_6.sav")
    with pytest.raises(XascoordError, match=f"{path.name}.*no ranking of CN_6 motifs"):
        convert_folder(tmp_path, out, WINDOWS["table"])
    path.rename(tmp_path / "forest.sav")
    with pytest.raises(XascoordError, match="not named"):
        convert_folder(tmp_path, out, WINDOWS["table"])
    assert not out.exists()


# --- the windows ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", WINDOWS)
def test_windows_of_published_models_do_not_follow_the_defaults(name):
    """They are those of forests that exist: 200 points, and nothing was continued."""
    window = WINDOWS[name]
    assert (window.points, window.tail) == (200, 0.0)
    assert window.model_fields_set == set(Window.model_fields)
    assert {"broadening", "step_range"} <= EDGE_ENERGY.model_fields_set


def test_windows_of_published_models():
    energy = np.arange(7000.0, 7200.0, 0.3)
    mu = 0.2 + 0.8 / (1 + np.exp(-(energy - 7112.0)))
    zero = find_steepest(energy, mu, EdgeEnergy(broadening=1.0))
    assert zero == pytest.approx(7112.0, abs=0.2)
    features, scale = cut_window(energy, mu, zero, Window(normalise="range"))
    assert (features.min(), features.max()) == (0.0, 1.0) and scale < 0.8
    with pytest.raises(RejectedSpectrum):
        find_steepest(energy[:2], mu[:2], EdgeEnergy())
    with pytest.raises(RejectedSpectrum, match="no absorption"):
        cut_window(energy, np.ones_like(mu), zero, Window(normalise="range"))
    for section in ({"reference": "steepest"}, {"reference": "tabulated"}, {"normalise": "range"}):
        with pytest.raises(SettingsError, match="published models"):
            parse_settings({"window": section}, "params.yaml")


def test_measured_spectra_are_brought_to_the_published_windows(shared):
    path = shared / "experimental/xasdatalibrary/Fe/Fe2O3_rt_01.xdi"
    (spectrum,) = read_and_normalise(path, Options())
    edge = EdgeEnergy(broadening=1.0)
    table = cut_windows(spectrum, WINDOWS["table"], edge, [0.0]).seen
    assert table.zero == 7112.0 and table.features.min() == 0.0
    example = cut_windows(spectrum, WINDOWS["example"], edge, [0.0]).seen
    assert example.zero == pytest.approx(spectrum.inflection, abs=0.5)


# --- the published files --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def published(shared):
    folder = shared / "peers/veidt_rfxas/models"
    if not folder.is_dir():
        pytest.skip("the published forests are not beside the project")
    return folder


def _walk(read, features):
    """Probabilities by walking the published nodes, one by one."""
    found = np.zeros((len(features), len(read.classes)))
    for one in read.trees:
        for row, spectrum in enumerate(features.astype(np.float32)):
            at = 0
            while one.nodes["left_child"][at] != -1:
                feature, threshold = one.nodes["feature"][at], one.nodes["threshold"][at]
                side = "left_child" if spectrum[feature] <= threshold else "right_child"
                at = int(one.nodes[side][at])
            found[row] += one.counts[at] / one.counts[at].sum()
    return found / len(read.trees)


def test_every_published_forest_gives_what_its_trees_say(published):
    generator = np.random.default_rng(1)
    files = sorted(published.rglob("*.sav"))
    assert len(files) == FILES
    for path in files:
        read = read_forest(path)
        features = generator.random((3, 200))
        found = as_estimator(read, np.arange(len(read.classes))).predict_proba(features)
        np.testing.assert_allclose(found, _walk(read, features), rtol=0, atol=1e-12)


def test_published_labels_are_those_of_the_authors_tables(published):
    names = json.loads((published.parent / "data/cmotif_labels.json").read_text())
    for path in sorted(published.rglob("*_c_env_ex_*.sav")):
        element, number = path.stem.split("_")[1], path.stem[-1]
        assert set(read_forest(path).classes) <= set(
            names[f"{element}_c_env_CN_{number}_env_label"]
        )


@pytest.mark.slow
def test_every_element_becomes_a_bundle(published, tmp_path):
    done = convert_folder(published, tmp_path, WINDOWS["example"])
    assert done.forests == FILES and len(done.elements) == 32 and set(done.left) == {"Li", "Ru"}
    for element in ("Fe", "B", "Be"):
        assert load_bundle(tmp_path / element / "forest.skops").models["CN"].classes
