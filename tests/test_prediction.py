import csv
import inspect
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from conftest import PAPER_WINDOW, make_settings
from model_data import copper_edge, train_copper
from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import BundleError, MeasurementError, XascoordError
from xascoord.measured.prepare import normalise_measurement
from xascoord.measured.read import Measurement
from xascoord.measured.spectrum import Options, Refusal
from xascoord.models.environments import Alternative
from xascoord.models.novelty import Nearest, distance_quantiles, nearest
from xascoord.models.ranking_distribution import RankingDistribution, Step
from xascoord.prediction import command
from xascoord.prediction.answer import BY_COMPUTED, BY_REFERENCES, Answer
from xascoord.prediction.command import run as predict
from xascoord.prediction.element_models import FAR_EDGE
from xascoord.prediction.output import COLUMNS as OUTPUT
from xascoord.prediction.output import csv_row
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.table import table_row, table_text
from xascoord.references.library import Reference
from xascoord.references.models import NearReference
from xascoord.settings.models import Importance, Prediction
from xascoord.settings.spectra import Window
from xascoord.spectra.descriptors import Descriptors

ALONE = Prediction(references=False)  # computed spectra alone decide
FAST = {"classifiers": ["forest", "svc"], "compare": [], "learning_curve": [], "bootstrap": 10}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    return train_copper(tmp_path_factory.mktemp("copper"), make_settings(models=FAST))


def columns(path, energy, mu):
    path.write_text("\n".join(f"{e:.3f} {m:.6f}" for e, m in zip(energy, mu)) + "\n")
    return path


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "xascoord", "predict", *map(str, arguments)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "environment"), [(0, "CN_4 square co-planar"), (1, "CN_6 octahedral")]
)
def test_three_lines_of_python(bundles, tmp_path, kind, environment):
    energy, mu = copper_edge(kind, 3)
    path = columns(tmp_path / "a.dat", energy, 2.5 * mu + 0.3)  # raw: a scale and a background
    answer = Predictor(bundles).predict_file(path)[0]
    assert answer.element == "Cu"  # from the energies
    assert answer.best.environment == environment
    assert answer.best.cn_probability > 0.8
    assert 0 < answer.best.probability <= answer.best.cn_probability
    shown = [a.probability for a in answer.alternatives]
    assert shown == sorted(shown, reverse=True)
    assert sum(shown) == pytest.approx(1, abs=1e-5)
    assert sum(answer.coordination.values()) == pytest.approx(1, abs=1e-5)
    assert answer.best.number in answer.certain
    assert answer.prepared.e0 == pytest.approx(8979, abs=4)


def test_a_bundle_is_loaded_once_for_a_folder(bundles, tmp_path, monkeypatch, capsys):
    from xascoord.models import bundles as module

    opened, real = [], module.load_bundle
    for number in range(3):
        columns(tmp_path / f"in{number}.dat", *copper_edge(number % 2, number))

    def counted(path, *arguments):
        opened.append(path)
        return real(path, *arguments)

    monkeypatch.setattr(module, "load_bundle", counted)
    predict([tmp_path], None, None, bundles, None, {}, None, False, Prediction())
    assert "3 files, 3 spectra: 3 answered" in capsys.readouterr().err
    assert opened == [bundles / "Cu/forest.skops"]


def test_it_abstains_from_what_it_has_never_seen(bundles, tmp_path):
    energy, mu = copper_edge(0, 3)
    odd = mu * (1 + 0.5 * np.sin(energy / 4) * (energy > 8980))
    path = columns(tmp_path / "odd.dat", energy, odd)
    # With measured references the distance from computed spectra is a warning only.
    (warned,) = Predictor(bundles).predict_file(path)
    assert any("farther from every computed spectrum" in one for one in warned.warnings)
    answer = Predictor(bundles, ALONE).predict_file(path)[0]
    assert answer.best is None
    assert "nothing the models have seen" in answer.abstains
    assert "No answer: looks like nothing" in answer.text()
    assert "%  CN_" not in answer.text()  # no list of percentages behind a refusal
    assert answer.record()["answer"] is None
    assert answer.alternatives  # what it would have said is still there


def test_low_confidence_is_warned_of_and_then_refused(bundles):
    models = Predictor(bundles).models("Cu")
    quantiles = {"0.95": 0.05, "0.99": 0.1}

    def evaluated(probability, distance=0.01, by_references=False):
        one = Alternative("CN_4", "CN_4", "CN_4", probability, probability)
        return models._judge(distance, quantiles, [one], Prediction(), by_references)

    assert evaluated(0.9) == ("", ())
    abstains, warnings = evaluated(0.5)
    assert not abstains
    assert "low confidence" in warnings[0]
    assert "abstain_probability" in evaluated(0.2)[0]
    assert "far from every" in evaluated(0.5, distance=0.06)[0]
    abstains, warnings = evaluated(0.9, distance=0.06)
    assert not abstains
    assert "95 %" in warnings[0]
    assert "nothing the models have seen" in evaluated(0.9, distance=0.21)[0]
    # With measured references a great distance is warned of, a low probability still refused.
    abstains, warnings = evaluated(0.9, distance=0.21, by_references=True)
    assert not abstains and "farther from every" in warnings[0]
    assert "abstain_probability" in evaluated(0.2, by_references=True)[0]
    assert "no label" in models._judge(0.01, quantiles, [], Prediction(), False)[0]


def test_window_that_is_not_covered_gets_no_answer(bundles, tmp_path):
    energy, mu = copper_edge(0, 3)
    inside = energy < 8990
    answer = Predictor(bundles).predict_file(
        columns(tmp_path / "short.dat", energy[inside], mu[inside]), "Cu"
    )[0]
    assert answer.best is None
    assert "too short: the scan covers 8779 to 8990 eV" in answer.abstains
    assert "8969 to 9014 eV (-10 to +35 eV) are needed" in answer.abstains


def test_many_windows_at_once(bundles):
    predictor = Predictor(bundles)
    features = predictor.models("Cu").reference
    answers = predictor.predict_windows("Cu", features)
    assert [a.best.cn_label for a in answers] == ["CN_4", "CN_6"] * 15
    assert max(a.distance for a in answers) < 1e-3
    with pytest.raises(MeasurementError, match="161 finite values"):
        predictor.predict_windows("Cu", features[:, :100])
    with pytest.raises(BundleError, match="There are those of Cu"):
        predictor.predict_windows("Ti", features)


def test_no_models_is_a_clear_error(tmp_path):
    with pytest.raises(BundleError, match="--models"):
        _ = Predictor(tmp_path).elements


def test_command_text_json_and_picture(bundles, tmp_path):
    path = columns(tmp_path / "a.dat", *copper_edge(1, 3))
    result = run(path, "--models", bundles, "--plot", tmp_path / "a.png", "--verbose")
    assert result.returncode == 0, result.stderr
    assert "\n  Six neighbours: 89% (octahedral 89%). Next: four neighbours 6%.\n" in result.stdout
    assert "CN_6 (octahedral)" in result.stdout
    assert "learnt from" in result.stdout
    assert "e0" in result.stdout
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    result = run(path, "--models", bundles, "--json", "--element", "Cu", "--e0", "8980",
                 "--classifier", "svc")  # fmt: skip
    (record,) = json.loads(result.stdout)
    assert record["classifier"] == "svc"
    assert record["e0"] == 8980
    assert record["alternatives"][0]["label"] == "CN_6 (octahedral)"
    assert any("given" in note for note in record["notes"])


def test_command_with_a_folder_gives_a_table(bundles, tmp_path):
    columns(tmp_path / "a.dat", *copper_edge(0, 3))
    columns(tmp_path / "b.txt", *copper_edge(1, 4))
    (tmp_path / "broken.dat").write_text("not a spectrum")
    (tmp_path / "constant.dat").write_text("8979 1.0\n" * 60)
    (tmp_path / "scan.001").write_text("another name")
    (tmp_path / "folder.dat").mkdir()
    result = run(tmp_path, "--models", bundles, "--plot", tmp_path / "pictures")
    assert result.returncode == 0, result.stderr
    assert "1 other files" in result.stderr
    pictures = sorted(p.name for p in (tmp_path / "pictures").iterdir())
    assert pictures == ["a.dat.png", "b.txt.png"]
    rows = {row["file"]: row for row in csv.DictReader(result.stdout.splitlines())}
    assert set(rows) == {"a.dat", "b.txt", "broken.dat", "constant.dat", "scan.001"}
    assert rows["scan.001"]["abstains"] == "skipped: no table of numbers"
    assert "no spectrum" in rows["constant.dat"]["abstains"]
    assert rows["a.dat"]["answer"].startswith("CN_4 (square co-planar")
    assert rows["broken.dat"]["answer"] == ""
    assert rows["broken.dat"]["abstains"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.dat"], "no such file"),
        (["--element", "Ti"], "no models of Ti"),
        (["--classifier", "oracle"], "--classifier"),
        (["--channel", "gamma"], "--channel"),
        (["--e0", "nan"], "--e0"),
        (["--plot", "picture.foo"], "must end in"),
        (["--origin", "elsewhere"], "of origin 'elsewhere'"),
        (["--plot", "{path}/picture.png"], "a.dat is a file, not a folder"),
        (["--out", "{folder}"], "is a folder; name a file"),
        (["--out", "{path}/table.csv"], "a.dat is a file, not a folder"),
        (["--out", "{folder}/a.csv", "--json"], "a table (CSV) is asked for by its name"),
    ],
)
def test_command_errors_are_one_message(bundles, tmp_path, arguments, words):
    path = columns(tmp_path / "a.dat", *copper_edge(0, 3))
    arguments = [one.format(path=path, folder=tmp_path) for one in arguments]
    given = arguments if arguments[0] == "none.dat" else [path, *arguments]
    result = run(*given, "--models", bundles)
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


SLOW = ("sklearn", "skops", "larch", "scipy", "matplotlib")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothere.xdi"], "nothere.xdi: no such file"),
        ([".", "--classifier", "oracle"], "--classifier"),
        ([".", "--element", "Xx"], "no models of Xx"),
        ([".", "--out", "a.csv", "--json"], "name a .json file"),
    ],
)
def test_what_cannot_be_is_said_before_anything_slow_is_imported(tmp_path, arguments, words):
    code = (
        "import sys\nfrom xascoord.cli.main import app\n"
        f"try: app(['predict', *{arguments!r}])\n"
        "except SystemExit as end: code = end.code\n"
        f"print(code, [name for name in {SLOW!r} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert words in result.stderr
    assert result.stdout == "2 []\n", result.stderr


NOT_NEEDED = ("torch", "snakemake", "dvc", "mp_api", "pymatgen", "matminer", "feff10", "ijson")


def test_predicting_needs_no_more_than_its_dependencies(bundles, tmp_path):
    """As after 'pip install xascoord' without extras."""
    path = columns(tmp_path / "a.dat", *copper_edge(0, 3))
    code = (
        "import sys; sys.meta_path.insert(0, type('Blocked', (), {'find_spec': staticmethod("
        f"lambda name, *_: exec('raise ImportError(name)') if name in {NOT_NEEDED!r} else None"
        ")})); from xascoord import Predictor; "
        f"print(Predictor({str(bundles)!r}).predict_file({str(path)!r})[0].text(True))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert "CN_4 (square co-planar" in result.stdout


def test_distances_by_hand():
    reference = np.zeros((2, 4))
    reference[1] = 2.0
    distances, indices = nearest(np.ones((1, 4)) * 0.5, reference, 5)
    assert distances[0].tolist() == pytest.approx([0.5, 1.5])
    assert indices[0].tolist() == [0, 1]
    quantiles = distance_quantiles(
        np.array([[0.0], [1.0], [5.0]]), np.array([0, 1, 2], dtype=np.int32)
    )
    assert quantiles["1"] == pytest.approx(4.0)
    assert quantiles["0.5"] == pytest.approx(1.0)


def predict_folder(folder, bundles, out, **options):
    from xascoord.prediction import command

    given = {"plot": None, "as_json": False, **options}
    command.run([folder], "Cu", None, bundles, None, {}, settings=Prediction(), out=out, **given)


def test_one_crash_in_a_folder_loses_nothing(bundles, tmp_path, monkeypatch):
    """What is answered is in the table before the next file is read; a fault is its own row."""
    spectra, out = tmp_path / "spectra", tmp_path / "spectra/a/table.csv"
    spectra.mkdir()
    for name in ("a", "b", "c", "d"):
        columns(spectra / f"{name}.dat", *copper_edge(0, 3))
    whole = command.read_and_normalise

    def faulty(path, options):
        if path.name == "b.dat":
            raise ZeroDivisionError("by nothing")
        if path.name == "d.dat":
            seen.append(out.read_text() if out.exists() else "")
            raise KeyboardInterrupt
        return whole(path, options)

    seen = []
    monkeypatch.setattr(command, "read_and_normalise", faulty)
    with pytest.raises(KeyboardInterrupt):
        predict_folder(spectra, bundles, out)
    rows = list(csv.DictReader(seen[0].splitlines()))
    assert [row["file"] for row in rows] == ["a.dat", "b.dat", "c.dat"]
    assert [bool(row["answer"]) for row in rows] == [True, False, True]
    assert "ZeroDivisionError: by nothing" in rows[1]["abstains"]
    assert out.read_text() == seen[0]
    out.unlink()
    with pytest.raises(KeyboardInterrupt):
        predict_folder(spectra, bundles, tmp_path / "a.json", as_json=True)
    assert len(json.loads((tmp_path / "a.json").read_text())) == 3


def test_a_picture_that_fails_is_a_message(bundles, tmp_path, monkeypatch, capsys):
    from xascoord.prediction import figure

    columns(tmp_path / "a.dat", *copper_edge(0, 3))
    columns(tmp_path / "b.dat", *copper_edge(1, 3))
    monkeypatch.setattr(figure, "plot_answer", lambda *_: 1 / 0)
    predict_folder(tmp_path, bundles, None, plot=tmp_path / "pictures")
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 3
    assert shown.err.count("not drawn, ZeroDivisionError") == 2


def test_a_table_for_people(bundles, tmp_path, monkeypatch, capsys):
    """On a terminal: aligned, in words, with reasons; the CSV is named. In a pipe: CSV as ever."""
    columns(tmp_path / "a.dat", *copper_edge(0, 3))
    columns(tmp_path / "a name that is longer than others.dat", *copper_edge(1, 3))
    (tmp_path / "[red]b.dat").write_text("no spectrum")
    predict_folder(tmp_path, bundles, None)
    assert capsys.readouterr().out.startswith(f"{','.join(OUTPUT)}\n")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    predict_folder(tmp_path, bundles, None)
    lines = capsys.readouterr().out.splitlines()
    start = lines[0].index("environment")
    assert lines[0].split() == ["spectrum", "element", "environment", "prob.", "set"]
    assert lines[1].startswith("[red]b.dat") and lines[1][start:] == "no answer"
    assert lines[2].startswith("    ") and "two columns" in " ".join(lines[2:4])
    name = lines.index("a name that is longer than others.dat")
    assert lines[name + 1][start:].startswith("octahedral, six neighbours")
    (short,) = [line for line in lines if line.startswith("a.dat")]
    assert short[start:].startswith("square co-planar, four neighbours")
    assert "%" in short
    assert lines[-1].endswith("--out FILE.csv, or a pipe.")
    assert all(len(line) <= 80 for line in lines)


def test_rows_of_the_table_by_hand():
    octahedral = Alternative("CN_6 (octahedral)", "CN_6", "CN_6 octahedral", 0.875, 0.9)
    sure = Answer("p.prj [one]", "Fe", "forest", (octahedral,), certain=(6, 5), error_rate=0.1,
                  warnings=("low", "odd"))  # fmt: skip
    row = table_row("folder/p.prj", sure)
    assert row == (
        "folder/p.prj [one]", "Fe", "octahedral, six neighbours", "88%", "6, 5", "low; odd"
    )  # fmt: skip
    refused = replace(sure, name="b.xdi", abstains="far from all")
    assert table_row("b.xdi", refused) == ("b.xdi", "Fe", "no answer", "", "", "far from all")
    assert table_text([row], 80, 0.1).splitlines() == [
        "spectrum            element  environment                 prob.  set",
        "folder/p.prj [one]  Fe       octahedral, six neighbours  88%    6, 5",
        "    low; odd",
        "",
        "set: the coordination numbers that hold the true one at an error rate of 10%, as",
        "tested on measured references, each compound left out.",
        "All columns (probabilities, descriptors, ...) as CSV: --out FILE.csv, or a pipe.",
    ]
    assert "as tested on computed spectra." in table_text([row], 200, 0.1, {BY_COMPUTED})
    both = table_text([row], 200, 0.1, {BY_COMPUTED, BY_REFERENCES})
    assert "left out; where there are too few, on computed spectra." in both


def test_sets_say_what_they_were_tested_on():
    alone = Answer("a", "Fe", "forest", certain=(6,), error_rate=0.1)
    assert alone.basis == BY_COMPUTED and alone.record()["certain_basis"] == BY_COMPUTED
    measured = replace(alone, evidence="Measured Fe compounds: right.")
    assert measured.basis == BY_REFERENCES
    # Of other elements references are shown, but the numbers are not learnt from them.
    assert replace(measured, element="Sr").basis == BY_COMPUTED


def test_a_line_of_the_table_by_hand():
    """Number first, then what it is weighed against; what is not known or not said is empty."""
    octahedral = Alternative("CN_6 (octahedral)", "CN_6", "CN_6 octahedral", 0.75, 0.8)
    shape = Descriptors(0.048, 0.13, -10.4, 1.44, 8, 5, 0.8, 40, 0.1, 1, 9)
    energy = np.array([0.0, 1.0])
    hematite = Reference("h", "Fe", "hematite", 6, "", "oxide", "", "", "", "", "", 7124.0,
                         energy, energy)  # fmt: skip
    answer = Answer(
        "a.xdi", "Fe", "forest", (octahedral,), {6: 0.8, 5: 0.147, 4: 0.051, 8: 0.002}, (6, 5), 0.1,
        distance=0.04, nearest=(Nearest("s/Fe/0", "CN_6 (octahedral)", 0.04, energy),),
        warnings=("low", "odd"), descriptors=shape, pre_edge="pre-edge 0.13 eV",
        kinds={"metal or alloy": 0.1, "oxygen compound": 0.9},
        references=(NearReference(hematite, 0.0333333),), evidence="right.",
    )  # fmt: skip
    row = csv_row("a.xdi", answer.record())
    assert tuple(row) == OUTPUT
    assert row == {
        "file": "a.xdi", "spectrum": "a.xdi", "element": "Fe", "coordination_number": 6,
        "cn_probability": "0.8000", "environment": "CN_6 octahedral", "probability": "0.7500",
        "answer": "CN_6 (octahedral)", "second_number": 5, "second_probability": "0.1470",
        "p4": "0.0510", "p5": "0.1470", "p6": "0.8000", "coordination": "6:0.80 5:0.15 4:0.05",
        "prediction_set": "6 5", "kind": "oxygen compound", "kind_probability": "0.9000", "e0": "",
        "pre_edge_height": 0.048, "pre_edge_area": 0.13, "pre_edge_centroid": -10.4,
        "white_line_height": 1.44, "nearest_reference": "hematite",
        "nearest_reference_distance": 0.03333, "nearest_computed": "s/Fe/0", "distance": 0.04,
        "abstains": "", "warnings": "low; odd",
    }  # fmt: skip
    refused = csv_row("a.xdi", replace(answer, abstains="a metal").record())
    assert refused["abstains"] == "a metal" and refused["kind"] == "oxygen compound"
    said = ("coordination_number", "second_number", "p4", "p6", "coordination", "prediction_set")
    assert not any(refused[name] for name in said)
    assert csv_row("a", replace(answer, pre_edge="").record())["pre_edge_height"] == ""
    nothing = csv_row("a", Answer("a", "", "forest", abstains="empty").record())
    assert {name for name, cell in nothing.items() if cell != ""} == {
        "file",
        "spectrum",
        "abstains",
    }


@pytest.mark.slow
def test_a_bar_and_a_table_on_a_real_terminal(bundles, tmp_path):
    """The bar is gone before the table comes; nothing of one stands in the other."""
    columns(tmp_path / "a.dat", *copper_edge(0, 3))
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "xascoord", "predict", tmp_path, "--models", bundles]
    shown = b""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs) as process:
        os.close(theirs)
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # Linux says so that the other side has ended
            pass
    os.close(ours)
    text = shown.decode()
    assert process.returncode == 0, text
    assert text.index("1/1") < text.index("spectrum ") < text.index("1 files, 1 spectra")
    table = text[text.index("spectrum ") :]
    assert "\x1b" not in table and "square co-planar, four neighbours" in table


def test_progress_of_a_folder_is_beside_the_table(bundles, tmp_path, monkeypatch, capsys):
    for name in ("a", "b"):
        columns(tmp_path / f"{name}.dat", *copper_edge(0, 3))
    predict_folder(tmp_path, bundles, None)
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [
        "files: 0 of 2", "files: 2 of 2, done", "2 files, 2 spectra: 2 answered, 0 not",
    ]  # fmt: skip
    assert [row["file"] for row in csv.DictReader(shown.out.splitlines())] == ["a.dat", "b.dat"]
    # Lines that grow on a terminal are progress enough.
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    predict_folder(tmp_path, bundles, None, as_json=True)
    shown = capsys.readouterr()
    assert shown.err.splitlines() == ["2 files, 2 spectra: 2 answered, 0 not"]
    assert len(json.loads(shown.out)) == 2


@pytest.mark.slow
def test_names_do_not_command_the_terminal(bundles, tmp_path):
    """Escape sequences, line breaks, right-to-left marks and bytes that are no text."""
    odd = ["\x1b[31mred\x07.dat", "line\nbreak.dat", "\u202erevo.dat", "\udcff.dat", "\x9b1m.001"]
    for name in odd[:4]:
        columns(tmp_path / name, *copper_edge(0, 3))
    (tmp_path / odd[4]).write_text("another name")
    result = run(tmp_path, "--models", bundles, "--element", "Cu")
    assert result.returncode == 0, result.stderr
    shown = result.stdout + result.stderr
    assert not set("\x1b\x07\x9b\u202e\udcff") & set(shown)
    assert len(result.stdout.splitlines()) == 6
    assert "\\x1b[31mred\\x07.dat" in result.stdout
    result = run(tmp_path / "\x1b[31mnone.dat", "--models", bundles)
    assert "\x1b" not in result.stderr
    assert "\\x1b[31mnone.dat: no such file" in result.stderr
    text = Answer(odd[0], "Cu", "forest", notes=("\x9b a note",)).text(verbose=True)
    assert text.splitlines()[0] == "\\x1b[31mred\\x07.dat: Cu K edge"
    assert text.splitlines()[-1] == "  \\x9b a note"


@pytest.mark.parametrize("name", ["x" * 300 + ".dat", "x/" * 3000 + "a.dat"])
def test_a_name_that_is_too_long_is_one_message(bundles, name):
    result = run(name, "--models", bundles)
    assert result.returncode == 2
    assert "too long" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("points", [29, 30, 31, 40])
@pytest.mark.parametrize("span", [(-200.0, 500.0), (-15.0, 80.0), (-1000.0, 60.0)])
def test_the_fewest_points_give_an_answer_or_a_reason(bundles, tmp_path, points, span):
    energy, mu = copper_edge(0, 3)
    few = np.linspace(8979 + span[0], 8979 + span[1], points)
    path = columns(tmp_path / "few.dat", few, np.interp(few, energy, mu))
    predictor = Predictor(bundles)
    if points < 30:
        with pytest.raises(MeasurementError, match="29 points"):
            predictor.predict_file(path, "Cu")
        return
    (answer,) = predictor.predict_file(path, "Cu")
    assert answer.alternatives or answer.abstains


def test_a_picture_shows_the_regions_of_the_settings(bundles, tmp_path, monkeypatch):
    from xascoord.prediction import command, figure

    path = columns(tmp_path / "a.dat", *copper_edge(0, 3))
    shown, masks = [], figure.region_masks
    monkeypatch.setattr(
        figure, "region_masks", lambda window, bounds: shown.append(bounds) or masks(window, bounds)
    )
    command.run([path], "Cu", None, bundles, None, {}, tmp_path / "a.png", False, Prediction(),
                bounds=(7.0, 31.0))  # fmt: skip
    assert shown == [(7.0, 31.0)] != [Importance().bounds]
    # Regions of the settings' window say nothing of models of another one.
    command.run([path], "Cu", None, bundles, None, {}, tmp_path / "a.png", False, Prediction(),
                bounds=(7.0, 31.0), window=PAPER_WINDOW)  # fmt: skip
    assert len(shown) == 1


def test_nothing_is_printed_over_a_curve(bundles, tmp_path, monkeypatch):
    """Names of regions stand above their panel, the legend of neighbours below both."""
    from xascoord.prediction import figure

    drawn = []
    monkeypatch.setattr(figure, "save_figure", lambda made, path: drawn.append(made))
    (answer,) = Predictor(bundles).predict_file(
        columns(tmp_path / "a.dat", *copper_edge(0, 3)), "Cu"
    )
    figure.plot_answer(answer, Window(), tmp_path / "a.png", (15.0, 30.0))
    (made,) = drawn
    made.draw_without_rendering()
    left, right = (axes.get_window_extent() for axes in made.axes)
    assert (left.y0, left.y1) == pytest.approx((right.y0, right.y1))
    assert [text.get_text() for text in made.axes[1].texts] == ["pre", "main", "post"]
    for text in made.axes[1].texts:
        assert text.get_window_extent().y0 >= right.y1
    (legend,) = made.legends
    assert legend.get_window_extent().y1 <= right.y0
    assert len(legend.get_texts()) == 1 + len(answer.nearest)


def test_the_command_line_hands_over_the_regions_of_the_settings(monkeypatch):
    from typer.testing import CliRunner

    from xascoord.cli.main import app
    from xascoord.prediction import command

    asked = inspect.signature(command.run)
    found = []
    monkeypatch.setattr(
        command, "run", lambda *given: found.append(asked.bind(*given).arguments["bounds"])
    )
    result = CliRunner().invoke(
        app, ["--settings", '{"importance": {"bounds": [7.0, 31.0]}}', "predict", "a.dat"]
    )
    assert result.exit_code == 0, result.output
    assert found == [(7.0, 31.0)] != [Importance().bounds]


@pytest.mark.parametrize("given", [[], ["--deglitch"], ["--no-deglitch"]])
@pytest.mark.parametrize("setting", [True, False])
def test_deglitching_asked_for_by_hand_goes_before_the_settings(monkeypatch, given, setting):
    from typer.testing import CliRunner

    from xascoord.cli.main import app
    from xascoord.prediction import command

    found = []

    def told(models, settings, *_):
        found.append(settings.deglitch)
        raise XascoordError("seen")

    monkeypatch.setattr(command, "Predictor", told)
    sections = json.dumps({"prediction": {"deglitch": setting}})
    CliRunner().invoke(app, ["--settings", sections, "predict", __file__, *given])
    assert found == [setting if not given else given == ["--deglitch"]]


def test_usual_distances_are_to_other_materials_under_any_split(tmp_path):
    """Two spectra of a material are alike: under a random split one is in another fold."""
    from xascoord.models.bundles import read_record

    novelty = {}
    for split in ("grouped", "random"):
        models = {**FAST, "classifiers": ["forest"], "splits": [split]}
        folder = train_copper(tmp_path / split, make_settings(models=models))
        novelty[split] = read_record(folder / "Cu/forest.skops")["novelty"]
    assert novelty["random"] == novelty["grouped"]


def test_a_shifted_spectrum_keeps_its_answer_and_says_the_shift(bundles):
    """The answer is a mean over energy zeros, unless e0 is given."""
    predictor = Predictor(bundles, Prediction(abstain_distance=100.0))
    energy, mu = copper_edge(1, 3)
    answer = predictor.predict_arrays(energy, mu, "Cu")
    assert answer.shift == 0
    moved = predictor.predict_arrays(energy, mu, "Cu", e0=answer.prepared.e0 + 1.5)
    assert moved.best.environment == answer.best.environment
    assert moved.shift == 0  # what was given is not searched about
    assert moved.distance > answer.distance


def test_natural_frequencies_outweigh_those_of_a_balanced_set():
    from xascoord.prediction.prior import Prior, natural_counts

    counts = natural_counts()
    assert set(counts) == set(ELEMENTS)
    prior = Prior("Fe", ["CN_4"] * 50 + ["CN_5"] * 50 + ["CN_6"] * 50, 1.0)
    learnt = RankingDistribution({"CN": Step(["CN_4", "CN_5", "CN_6"], np.full((1, 3), 1 / 3))})
    even = prior.applied(learnt).cn.probabilities[0]
    assert even.sum() == pytest.approx(1)
    sites = np.array([counts["Fe"][n] + 1 for n in (4, 5, 6)], dtype=float)
    assert even == pytest.approx(sites / sites.sum())
    same = Prior("Fe", ["CN_4"] * 50 + ["CN_6"] * 50, 0.0)
    uneven = RankingDistribution({"CN": Step(["CN_4", "CN_6"], np.array([[0.3, 0.7]]))})
    assert same.applied(uneven).cn.probabilities[0] == pytest.approx([0.3, 0.7])


@pytest.mark.slow
def test_several_files_on_one_line(bundles, tmp_path):
    one = columns(tmp_path / "a.dat", *copper_edge(0, 3))
    two = columns(tmp_path / "b.dat", *copper_edge(1, 3))
    result = run(one, two, tmp_path / "gone.dat", "--models", bundles, "--element", "Cu")
    assert result.returncode == 0, result.stderr
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [bool(row["answer"]) for row in rows] == [True, True, False]
    assert "no such file" in rows[2]["abstains"]
    assert "3 files, 3 spectra: 2 answered, 1 not" in result.stderr


def test_models_of_several_origins(bundles, tmp_path, monkeypatch):
    """The one that was right more often answers; another can be asked for; one's own goes first."""
    from xascoord.prediction.store import choose, find_models

    for origin in ("poor", "good"):
        shutil.copytree(bundles, tmp_path / origin)
    (tmp_path / "origins.csv").write_text(
        "origin,element,classifier,samples,cn_right\npoor,Cu,forest,10,4\ngood,Cu,forest,10,9\n"
    )
    entries = find_models([tmp_path], "forest")
    assert choose(entries, "Cu").origin == "good"
    assert choose(entries, "Cu", "poor").origin == "poor"
    with pytest.raises(BundleError, match="origins: good, poor"):
        choose(entries, "Cu", "none")
    # Of one's own run, but learnt from the very data of released ones: those answer.
    assert choose(find_models([bundles, tmp_path], "forest"), "Cu").origin == "good"
    other = train_copper(tmp_path / "own", make_settings(models=FAST, seed=1))
    assert choose(find_models([other, tmp_path], "forest"), "Cu").origin == "here"
    fewer = train_copper(tmp_path / "fewer", make_settings(models=FAST, seed=1), count=24)
    chosen = choose(find_models([fewer, tmp_path], "forest"), "Cu")
    assert chosen.origin == "good"
    assert "your run were not asked: they learnt from 24 sites, these from 30" in chosen.known()
    assert choose(find_models([fewer, tmp_path], "forest"), "Cu", "here").origin == "here"
    monkeypatch.setenv("XASCOORD_MODELS", str(tmp_path))
    answer = Predictor().predict_arrays(*copper_edge(0, 3), "Cu")
    assert "right in 9 of 10 samples" in answer.text(verbose=True)
    (tmp_path / "origins.csv").write_text("origin,element\ngood,Cu\n")
    with pytest.raises(BundleError, match="xascoord validate"):
        Predictor().predict_arrays(*copper_edge(0, 3), "Cu")


def test_every_answer_says_that_it_is_of_oxygen_compounds(bundles):
    answer = Predictor(bundles).predict_arrays(*copper_edge(0, 3), "Cu")
    assert answer.known[0].endswith("Oxygen compounds only.")
    assert "Oxygen compounds only." in answer.text(verbose=True)
    assert "Oxygen compounds only." in " ".join(answer.record()["known"])


@pytest.mark.parametrize(
    ("steepest", "said"), [(-8.5, "+8.5 eV"), (8.5, "-8.5 eV"), (-7.5, None), (7.5, None)]
)
def test_e0_far_from_the_steepest_point_is_warned_of(bundles, steepest, said):
    """The steepest point is moved off the edge of the spectrum; the answer is what it was."""
    predictor = Predictor(bundles)
    models, answer = predictor.models("Cu"), predictor.predict_arrays(*copper_edge(0, 3), "Cu")
    prepared = answer.prepared
    assert abs(prepared.e0 - prepared.inflection) < FAR_EDGE
    again = models.answer(replace(prepared, inflection=prepared.e0 + steepest), Prediction())
    warned = [text for text in again.warnings if "steepest point" in text]
    if said is None:
        assert warned == []
    else:
        assert warned == [f"e0 is {said} from the steepest point: a strong pre-edge peak, or e0 is "
                          "wrong (then give --e0)"]  # fmt: skip
        assert warned[0] in again.text()
    assert again.best.environment == answer.best.environment


# One door for the command, the page, validation and simulation


def spectrum_of(energy, mu, name="a", **options):
    one = Measurement(name, energy, mu, "Cu", "K", "mu", "", ())
    return normalise_measurement(one, Options(**options))


def test_one_door_answers_in_order_and_refusals_abstain(bundles):
    predictor = Predictor(bundles)
    good = spectrum_of(*copper_edge(1, 3), name="good")
    iron = replace(good, name="iron", element="Fe")
    answers = predictor.predict([good, Refusal("bad", "Cu", "too short"), iron])
    assert [answer.name for answer in answers] == ["good", "bad", "iron"]
    assert [answer.abstains for answer in answers] == [
        "", "too short", "no models of Fe; there are Cu",
    ]  # fmt: skip
    assert [answer.seen is None for answer in answers] == [False, True, True]
    assert answers[0].seen.zero == good.e0


def test_settings_of_a_request_are_its_own(bundles):
    """Neither the error rate nor the classifier of one request is that of the next."""
    predictor = Predictor(bundles)
    good = spectrum_of(*copper_edge(1, 3))
    (before,) = predictor.predict([good])
    (other,) = predictor.predict([good], Prediction(error_rate=0.01, classifier="svc"))
    strict = ALONE.model_copy(update={"abstain_distance": 1e-9})
    (refused,) = predictor.predict([good], strict)
    assert (other.error_rate, other.classifier) == (0.01, "svc")
    assert refused.best is None and "nothing the models have seen" in refused.abstains
    (after,) = predictor.predict([good])
    assert after.record() == before.record()
    assert (after.error_rate, after.classifier) == (0.1, "forest")
    assert predictor.with_classifier("svc") is predictor.with_classifier("svc")
    assert predictor.with_classifier("forest") is predictor


def test_a_short_scan_is_answered_with_a_warning_or_refused_by_its_window(bundles):
    energy, mu = copper_edge(1, 3)
    predictor = Predictor(bundles, Prediction(abstain_distance=100.0))
    (whole,) = predictor.predict([spectrum_of(energy, mu)])
    # From 10 eV below to 35 eV above the tabulated edge.
    near = (energy >= 8969) & (energy <= 9014)
    (short,) = predictor.predict([spectrum_of(energy[near], mu[near])])
    assert short.best.environment == whole.best.environment
    assert any("a constant is taken off" in warning for warning in short.warnings)
    end = float(energy[near][-1])
    (filled,) = predictor.predict([spectrum_of(energy[near], mu[near], e0=end - 25.0)])
    assert any(w.startswith("the window ends 5.0 eV beyond") for w in filled.warnings)
    (refused,) = predictor.predict([spectrum_of(energy[near], mu[near], e0=end - 20.0)])
    assert "the window is -10 to +30 eV" in refused.abstains


def test_predict_and_validate_see_the_same_of_a_file(bundles, tmp_path):
    from xascoord.validation.manifest import Sample, prepare_sample

    path = columns(tmp_path / "a.dat", *copper_edge(0, 3))
    sample = Sample("a sample", "Cu", "CuO", ("a.dat",), "")
    predictor = Predictor(bundles)
    (answer,) = predictor.predict_file(path, "Cu")
    (same,) = predictor.predict([prepare_sample(sample, tmp_path, Options())])
    assert same.name == "a sample"
    assert replace(same, name="a.dat").record() == answer.record()


def test_the_normalisation_is_a_setting_and_an_option(bundles, tmp_path, capsys):
    path = columns(tmp_path / "a.dat", *copper_edge(0, 3))
    for setting, wish, said in (
        ("edge_step", None, "by the edge step"), ("mback", None, "by MBACK"),
        ("edge_step", "mback", "by MBACK"), ("mback", "edge_step", "by the edge step"),
    ):  # fmt: skip
        settings, wishes = Prediction(normalisation=setting), {"normalisation": wish}
        predict([path], "Cu", None, bundles, None, wishes, None, False, settings, verbose=True)
        assert f"normalised {said}" in capsys.readouterr().out
    with pytest.raises(XascoordError, match="--normalisation: Input should be 'edge_step' or"):
        predict([path], "Cu", None, bundles, None, {"normalisation": "x"}, None, False,
                Prediction())  # fmt: skip
