"""The benchmark of answers: what is counted, and that it can be wrong."""

import csv

import numpy as np
import pytest

from conftest import make_settings
from model_data import copper_edge, train_copper
from xascoord.core.errors import SourceError, XascoordError
from xascoord.prediction.benchmark import describe_figures, interval, summary
from xascoord.prediction.benchmark_command import CHOICE, run_benchmark
from xascoord.prediction.benchmark_reliability import coverage_curve, stated_and_right
from xascoord.prediction.predictor import Predictor

FAST = {"classifiers": ["forest"], "compare": [], "learning_curve": [], "bootstrap": 10}
MANIFEST = "file,element,compound,sample,expected,source,licence\n"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    return train_copper(tmp_path_factory.mktemp("copper"), make_settings(models=FAST))


@pytest.fixture
def measured(tmp_path):
    """Two right expectations, a wrong one, one that is no oxide, a file that is not there."""
    lines = []
    for number, (kind, expected) in enumerate(
        [(0, "CN_4 square co-planar"), (1, "CN_6 octahedral"), (1, "CN_4 tetrahedral"), (2, "none")]
    ):
        energy, mu = copper_edge(min(kind, 1), 3 + number)
        if kind == 2:  # a step whose first maximum is far above it
            mu = 0.5 + np.arctan((energy - 8979) / 2) / np.pi
            mu += 0.25 * np.exp(-(((energy - 8997) / 2) ** 2))
        text = "\n".join(f"{e:.3f} {m:.6f}" for e, m in zip(energy, mu, strict=True))
        (tmp_path / f"{number}.dat").write_text(text + "\n")
        lines.append(f"{number}.dat,Cu,c{number},s{number},{expected},here,public\n")
    lines.append("gone.dat,Cu,c9,s9,CN_6 octahedral,here,public\n")
    (tmp_path / "manifest.csv").write_text(MANIFEST + "".join(lines))
    return tmp_path


def test_answers_are_counted(bundles, measured, tmp_path, capsys):
    settings = make_settings(prediction={"abstain_distance": 100.0})
    run_benchmark(measured, [measured / "manifest.csv"], bundles, None, settings, tmp_path / "out")
    with (tmp_path / "out/spectra.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    alone, answered = rows[:5], rows[5:]  # by the models alone, and with measured references
    assert [row["cn_right"] for row in alone] == ["True", "True", "False", "", ""]
    assert [row["cn_right"] for row in answered] == ["True", "True", "False", "", ""]
    assert [row["answered"] for row in answered] == ["True", "True", "True", "False", "False"]
    assert "probably no oxygen compound but a metal" in answered[3]["why"]
    assert "gone.dat" in answered[4]["why"]
    shown = capsys.readouterr().out
    assert "first coordination number right: 2 of 3 (67%" in shown
    assert "constant guess 2" in shown
    assert "recall by coordination number: 4:1/2 6:1/1; mean 75%" in shown
    assert "wrong at more than 80%: 1" in shown
    assert "other compounds refused: 1 of 1" in shown
    with (tmp_path / "out/origins.csv").open() as handle:
        (row,) = csv.DictReader(handle)
    assert (row["origin"], row["samples"], row["cn_right"]) == ("here", "3", "2")
    assert (row["classes"], row["recall"]) == ("4 6", "4:1/2 6:1/1")
    assert "expected calibration error 0." in shown
    assert "Jaccard index of the rankings: " in shown
    with (tmp_path / "out/reliability.csv").open() as handle:
        whole = [row for row in csv.DictReader(handle) if row["bin"] == "all"]
    assert [(row["origin"], row["step"], row["spectra"], row["right"]) for row in whole] == [
        (origin, step, "3", "0.6667")
        for origin in ("here", CHOICE) for step in ("first CN", "first environment")
    ]  # fmt: skip
    assert whole[0]["confident_error_rate"] == "0.3333"
    assert (tmp_path / "out/coverage.png").read_bytes()[:4] == b"\x89PNG"


def test_its_table_chooses_the_models(bundles, measured, tmp_path):
    """What the benchmark writes is what the predictor reads."""
    import shutil

    models = tmp_path / "models"
    for origin in ("one", "two"):
        shutil.copytree(bundles, models / origin)
    settings = make_settings(prediction={"abstain_distance": 100.0})
    run_benchmark(measured, [measured / "manifest.csv"], models, None, settings, models)
    with (models / "spectra.csv").open() as handle:
        origins = {row["origin"] for row in csv.DictReader(handle)}
    assert origins == {"one", "two", CHOICE}
    assert Predictor(models).entry("Cu").right == (2, 3)


def test_origins_on_request_are_counted_and_not_chosen(bundles, measured, tmp_path, capsys):
    import shutil

    run = tmp_path / "run"
    for name in ("bundles", "published"):
        shutil.copytree(bundles, run / name)
    settings = make_settings(prediction={"abstain_distance": 100.0})
    out = tmp_path / "out"
    run_benchmark(measured, [measured / "manifest.csv"], run, None, settings, out)
    with (out / "origins.csv").open() as handle:
        assert [(r["origin"], r["cn_right"]) for r in csv.DictReader(handle)] == [
            ("here", "2"), ("published", "2"),
        ]  # fmt: skip
    shown = capsys.readouterr().out
    assert f"{CHOICE}: 3 samples" in shown
    assert "by element:\n        here  published  the best" in shown
    shutil.rmtree(run / "published")
    with pytest.raises(XascoordError, match="fetch published_forests"):
        run_benchmark(measured, [measured / "manifest.csv"], run, "published", settings, out)


def test_a_benchmark_of_nothing_is_an_error(bundles, tmp_path):
    (tmp_path / "manifest.csv").write_text(MANIFEST + "gone.dat,Cu,c,s,CN_6,here,public\n")
    with pytest.raises(XascoordError, match="no sample could be asked"):
        run_benchmark(tmp_path, [tmp_path / "manifest.csv"], bundles, None, make_settings(),
                      tmp_path / "out")  # fmt: skip
    with pytest.raises(SourceError, match="cannot be read"):
        run_benchmark(tmp_path, [tmp_path / "none.csv"], bundles, None, make_settings(),
                      tmp_path / "out")  # fmt: skip


def test_intervals_and_empty_figures():
    low, high = interval(33, 33)
    assert 0.89 < low < 0.9  # Wilson's for 33 of 33
    assert high == pytest.approx(1)
    assert interval(0, 0) == (0.0, 1.0)
    row = {"origin": "a", "true_environment": "none", "answered": True, "cn": ""}
    (figures,) = summary([row])
    assert figures["samples"] == 0
    assert "refused: 0 of 1" in describe_figures(figures)
    assert "certain set: these models give none" in describe_figures(figures)


def test_the_surest_are_answered_first():
    stated = np.array([0.6, 0.9, 0.6, 0.8])
    right = np.array([True, True, False, False])
    coverage, accuracy = coverage_curve(stated, right, 5)  # one sample got no answer
    assert coverage.tolist() == [0.2, 0.4, 0.8]  # the two of 0.6 together
    assert accuracy.tolist() == [1.0, 0.5, 0.5]
    assert [len(x) for x in coverage_curve(stated[:0], right[:0], 3)] == [0, 0]
    rows = [
        {"answered": True, "cn_probability": 0.7, "cn_right": True, "probability": 0.5,
         "environment_right": False},
        {"answered": False, "cn_probability": 0.3, "cn_right": True, "probability": 0.2,
         "environment_right": True},
    ]  # fmt: skip
    assert [x.tolist() for x in stated_and_right(rows)] == [[0.7], [True]]
    assert [x.tolist() for x in stated_and_right(rows, "first environment")] == [[0.5], [False]]
