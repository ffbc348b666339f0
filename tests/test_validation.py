import csv
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import PAPER_WINDOW, make_settings
from model_data import copper_edge, made_up_element
from xascoord.core.errors import AccountingError, SourceError
from xascoord.core.kinds import DEGRADED
from xascoord.core.rankings import combine, dominant
from xascoord.core.rejections import RejectedSpectrum
from xascoord.labels.expected import expected_ranking
from xascoord.measured.spectrum import Options, Refusal
from xascoord.models import cross_validation as training
from xascoord.models.cross_validation import fit_one_task, parameters_of
from xascoord.models.element import ElementFiles, make_folds
from xascoord.settings.spectra import Window
from xascoord.spectra.distortion import Distortion
from xascoord.structures.compounds import read_compounds
from xascoord.validation import figures, stage
from xascoord.validation.cases import TRAINING_SETS, Case, conditions, degraded_cases, distorted
from xascoord.validation.evaluate import _scores, evaluate
from xascoord.validation.manifest import COLUMNS, expectation, prepare_sample, read_manifest
from xascoord.validation.promise import Promise, promise_of
from xascoord.validation.stage import summary_rows, validate_element

PAPER = (0.20, 0.05)


@pytest.fixture(scope="module")
def compounds(root):
    return read_compounds(root / "data/compounds.csv")


@pytest.mark.parametrize(
    ("compound", "element", "environment", "formula"),
    [
        ("CuO", "Cu", "CN_4 square co-planar", "CuO"),
        ("Cu2O", "Cu", "CN_2", "Cu2O"),  # no motif step for CN 2 of transition metals
        ("ZnO", "Zn", "CN_4 tetrahedral", "ZnO"),
        ("V2O5", "V", "CN_5 trigonal bipyramidal", "V2O5"),  # as in the text of Patterns
        ("VO2", "V", "CN_6 octahedral", "VO2"),
        ("SrTiO3", "Sr", "CN_12", "SrTiO3"),
        ("Mn3O4", "Mn", "CN_6 octahedral", "Mn3O4"),
        ("Mn2O3", "Mn", "CN_6 octahedral", "Mn2O3"),
    ],
)
def test_known_compounds(compounds, compound, element, environment, formula):
    structure = compounds[compound]
    assert structure.composition.reduced_formula == formula
    assert dominant(expected_ranking(structure, element, PAPER)) == environment


def test_spinels_have_both_coordinations(compounds):
    ranking = expected_ranking(compounds["Fe3O4"], "Fe", PAPER)
    assert [number for number, _ in ranking] == [6, 4]


def test_no_atoms_overlap_and_shells_have_plausible_lengths(compounds):
    for name, structure in compounds.items():
        distances = structure.distance_matrix + 10 * np.eye(len(structure))
        assert distances.min() > 1.5, name
        assert distances.min() < 2.7, name


def test_every_sample_of_the_manifest_has_an_expectation(root, compounds):
    samples = read_manifest(root / "data/experiments.csv")
    assert len(samples) == 36
    for sample in samples:
        ranking, environment = expectation(sample, compounds, PAPER)
        assert environment.startswith("CN_")
        assert ranking is None or dominant(ranking) == environment


def _manifest(path, **changes):
    row = dict.fromkeys(COLUMNS, "x") | {"element": "Cu", "compound": "CuO", "expected": ""}
    row |= changes
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerow(row)
    return path


def test_wrong_tables_name_file_line_and_remedy(tmp_path, compounds):
    with pytest.raises(SourceError, match=r"line 2: no element 'Qq'"):
        read_manifest(_manifest(tmp_path / "m.csv", element="Qq"))
    with pytest.raises(SourceError, match="line 2"):
        read_manifest(_manifest(tmp_path / "m.csv", file=""))
    with pytest.raises(SourceError, match="cannot be read"):
        read_manifest(tmp_path / "none.csv")
    (sample,) = read_manifest(_manifest(tmp_path / "m.csv", compound="Kryptonite"))
    with pytest.raises(SourceError, match="Kryptonite"):
        expectation(sample, compounds, PAPER)
    bad = tmp_path / "c.csv"
    bad.write_text("compound,name,space_group,a,b,c,alpha,beta,gamma,sites,reference\n"
                   "X,x,Fm-3m,four,4,4,90,90,90,Cu 0 0 0,none\n")  # fmt: skip
    with pytest.raises(SourceError, match=r"c\.csv, line 2"):
        read_compounds(bad)


@pytest.mark.parametrize("file", ["/etc/passwd", "../a.xdi", "Cu/../../a.xdi", "a\0.xdi"])
def test_manifest_rows_stay_in_their_folder(tmp_path, file):
    with pytest.raises(SourceError, match=r"m\.csv, line 2: .*not below the folder"):
        read_manifest(_manifest(tmp_path / "m.csv", file=file))


def test_a_manifest_of_huge_fields_is_one_error(tmp_path):
    with pytest.raises(SourceError, match=r"m\.csv: cannot be read"):
        read_manifest(_manifest(tmp_path / "m.csv", sample="x" * 200_000))
    (tmp_path / "m.csv").write_text("a," * 50_000 + "\n" + "b\n" * 50_000)
    with pytest.raises(SourceError, match=r"m\.csv: more than 100 columns"):
        read_manifest(tmp_path / "m.csv")


def test_repeat_scans_are_merged_and_a_wrong_element_is_refused(tmp_path):
    energy, mu = copper_edge(0, 0)
    for name, extra in (("a.dat", 0.0), ("b.dat", 0.02)):
        text = "\n".join(f"{e:.3f} {m + extra:.6f}" for e, m in zip(energy, mu)) + "\n"
        (tmp_path / name).write_text(text)
    path = tmp_path / "m.csv"
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        for name in ("a.dat", "b.dat"):
            row = dict.fromkeys(COLUMNS, "x") | {"file": name, "element": "Cu", "expected": ""}
            writer.writerow(row)
    (sample,) = read_manifest(path)
    prepared = prepare_sample(sample, tmp_path, Options())
    assert any("mean of 2 scans" in note for note in prepared.notes)
    (other,) = read_manifest(_manifest(tmp_path / "z.csv", file="a.dat", element="Zn"))
    refused = prepare_sample(other, tmp_path, Options())
    assert isinstance(refused, Refusal) and "no Zn K edge" in refused.reason


def _case(base=Distortion()):  # noqa: B008
    energy, mu = copper_edge(0, 0)
    return Case("s", "m", energy, mu, 8979.0, None, "CN_4 square co-planar", base)


@pytest.mark.parametrize(
    ("window", "step"), [(Window(), 27 / 108), (PAPER_WINDOW, 50 / 199)], ids=["default", "paper"]
)
def test_conditions_do_what_they_say(window, step):
    settings = make_settings(window=window.model_dump())
    plain = distorted(_case(), "as it is", 0.0, settings)
    shifted = distorted(_case(), "e0 error", 2.0, settings)
    assert plain.argmax() - shifted.argmax() == pytest.approx(2.0 / step, abs=1.1)
    assert np.array_equal(distorted(_case(), "as it is", 0.0, settings), plain)
    noisy = distorted(_case(), "noise", 0.05, settings)
    assert np.std(noisy - plain) == pytest.approx(0.05, rel=0.4)
    broad = distorted(_case(), "resolution", 3.0, settings)
    assert np.abs(np.diff(broad)).max() < np.abs(np.diff(plain)).max()
    assert len(conditions(settings)) == 1 + 5 + 4 + 6
    energy, mu = copper_edge(0, 0)
    inside = energy < 8979.0 + window.upper + 2
    short = Case("s", "m", energy[inside], mu[inside], 8979.0, None, "", Distortion())
    assert distorted(short, "as it is", 0.0, settings).max() == 1
    with pytest.raises(RejectedSpectrum):
        distorted(short, "e0 error", 3.0, settings)


def test_right_wrong_and_why():
    true = combine("CN_4", {4: "square co-planar > tetrahedral"})
    case = Case("s", "m", np.zeros(2), np.zeros(2), 0.0, true, dominant(true), Distortion())
    reasons = {
        "": true,
        "first coordination number": combine("CN_6", {6: "octahedral"}),
        "first motif": combine("CN_4", {4: "tetrahedral > square co-planar"}),
        "rest of the ranking": combine("CN_4", {4: "square co-planar"}),
    }
    for why, predicted in reasons.items():
        assert _scores(case, predicted)["why"] == why
    unknown = Case("s", "m", np.zeros(2), np.zeros(2), 0.0, None, "CN_4 tetrahedral", Distortion())
    found = _scores(unknown, combine("CN_4", {4: "tetrahedral"}))
    assert (found["top1"], found["exact"], found["why"]) == (1.0, "", "")
    assert _scores(unknown, ())["cn_top1"] == 0.0


def test_compounds_not_scans_are_resampled():
    rows = [
        {"element": "Cu", "compound": f"c{i // 5}", "data": "measured", "training_set": "t",
         "condition": "as it is", "value": 0.0, "top1": float(i // 5), "cn_top1": 1.0,
         "exact": "", "jaccard": "", "sample": f"s{i}", "true_environment": f"e{i // 5}",
         "certain": "4 6" if i else "4", "in_certain": float(i > 1)}
        for i in range(10)
    ]  # fmt: skip
    (row,) = summary_rows(pd.DataFrame(rows), make_settings())
    assert (row["spectra"], row["materials"], row["top1"]) == (10, 2, 0.5)
    assert (row["top1_low"], row["top1_high"]) == (0.0, 1.0)
    assert row["with_ranking"] == 0
    assert (row["promised"], row["in_certain"], row["certain_size"]) == (0.9, 0.8, 1.9)
    assert (row["same_top1"], row["dominant_environment"], row["dominant_top1"]) == (0.5, "e0", 0.5)


def test_held_out_materials_are_not_learnt(monkeypatch):
    """Degraded spectra are evaluated by models that know nothing of their materials."""
    settings = make_settings(
        models={"splits": ["random"], "bootstrap": 0}, validation={"noises": [], "shifts": []}
    )
    data = made_up_element()
    folds = make_folds(data, make_settings())["grouped"]
    learnt = folds != 0
    energy, mu = copper_edge(0, 0)
    spectra = dict.fromkeys(data.spectra, (energy, mu, 8979.0))
    cases = degraded_cases(data, spectra, ~learnt, settings)
    averaged = {s for s, k, f in zip(data.spectra, data.kinds, folds) if k == "averaged" and f == 0}
    assert {case.name for case in cases} == averaged
    seen = []
    real = training.fit_task

    def spy(classifier, parameters, features, labels, materials, seed):
        seen.append(set(materials))
        return real(classifier, parameters, features, labels, materials, seed)

    monkeypatch.setattr(training, "fit_task", spy)
    parameters = parameters_of(settings, data.tasks)
    rows, rejected = evaluate(data, cases, "x", learnt, parameters, settings)
    assert len(rows) + len(rejected) == len(cases) * (3 + 1 + 5)
    assert seen
    assert not set.union(*seen) & {case.compound for case in cases}
    assert {row["training_set"] for row in rows} == {s.name for s in TRAINING_SETS}


def test_an_evaluated_spectrum_that_gets_lost_is_noticed(monkeypatch, tmp_path):
    data = made_up_element()
    energy, mu = copper_edge(0, 0)
    rows = [{"spectrum_id": s, "energy": energy, "mu": mu, "e0": 8979.0} for s in data.spectra]
    monkeypatch.setattr(stage, "read_element", lambda files, settings: (data, rows))
    monkeypatch.setattr(stage, "promise_of", lambda *a: None)
    monkeypatch.setattr(stage, "evaluate", lambda data, cases, *a: (cases[1:], []))
    files = ElementFiles("Ti", tmp_path / "datasets", tmp_path / "labels")
    with pytest.raises(AccountingError, match="were evaluated, 0 rejected"):
        validate_element(files, make_settings(), tmp_path / "t", tmp_path / "a", tmp_path / "b")
    assert not list(tmp_path.iterdir())


def test_an_element_without_measured_files_needs_no_models(root, tmp_path):
    """Neither its data sets nor its labels are read: there are none here."""
    with (root / "data/experiments.csv").open(newline="") as handle:
        assert "Li" not in {row["element"] for row in csv.DictReader(handle)}
    settings = make_settings(elements=["Li"], validation={"folder": str(tmp_path)})
    files = ElementFiles("Li", tmp_path / "datasets", tmp_path / "labels")
    thresholds = tmp_path / "thresholds.json"
    thresholds.write_text('{"cn_threshold": 0.2, "motif_threshold": 0.05}')
    out, rejected = tmp_path / "Li.csv", tmp_path / "Li_rejections.csv"
    validate_element(files, settings, thresholds, out, rejected)
    assert [len(path.read_text().splitlines()) for path in (out, rejected)] == [1, 1]


def test_sets_promise_by_other_materials_and_are_counted():
    """Clear spectra: sets of one number that hold the true one, but for a label nobody learnt."""
    settings = make_settings(
        models={"bootstrap": 0}, validation={"resolutions": [], "noises": [], "shifts": []}
    )
    data = made_up_element(materials=30)
    folds = make_folds(data, settings)["grouped"]
    learnt = folds != 0
    parameters = parameters_of(settings, data.tasks)
    promise = promise_of(data, folds, learnt, parameters, settings)
    changed = {**data.labels, "CN": tuple("CN_6" if f == 0 else label for label, f in zip(
        data.labels["CN"], folds, strict=True))}  # fmt: skip
    other = promise_of(replace(data, labels=changed), folds, learnt, parameters, settings)
    assert promise == other  # what is evaluated has no part in it
    model = fit_one_task(data, "CN", "forest", {"trees": 10}, learnt, False, 0)
    scores = {"CN": (model.classes, model.scores(data.features[~learnt]))}
    sets = promise.sets(scores)
    true = [int(label[3:]) for label, left in zip(data.labels["CN"], learnt) if not left]
    assert np.mean([number in one for number, one in zip(true, sets)]) > 0.9
    assert {len(one) for one in sets} == {1}
    assert {len(one) for one in Promise(1.0, 1.0).sets(scores)} == {2}
    assert conditions(settings) == [("as it is", 0.0)]
    assert conditions(settings, DEGRADED) == [("as it is", 0.0), ("clean", 0.0)]
    blurred = _case(Distortion(resolution=2.0))
    clean = distorted(blurred, "clean", 0.0, settings)
    assert np.array_equal(clean, distorted(_case(), "clean", 0.0, settings))
    assert not np.allclose(clean, distorted(blurred, "as it is", 0.0, settings))


@pytest.mark.parametrize(
    ("environments", "label"),
    [
        (["octahedral"] * 6, "always octahedral"),
        (["octahedral"] * 5 + ["tetrahedral"], "always the commonest environment"),
    ],
)
def test_robustness_is_drawn_beside_the_constant_guess(tmp_path, monkeypatch, environments, label):
    """Each panel: the spectra as they are, then the two values of its condition."""
    rows = [
        {"data": DEGRADED, "training_set": TRAINING_SETS[0].name, "condition": condition,
         "value": value, "spectra": 9, "materials": 3, "dominant_environment": environment,
         "dominant_top1": guess, "same_top1": 0.9,
         **{f"{name}{end}": 0.8 for name in ("top1", "cn_top1") for end in ("", "_low", "_high")}}
        for (condition, value, guess), environment in zip([
            ("as it is", 0.0, 0.5), ("resolution", 1.0, 0.25), ("noise", 0.1, 0.5),
            ("noise", 0.05, 0.75), ("e0 error", -1.0, 0.5), ("e0 error", 1.0, 0.5),
        ], environments)
    ]  # fmt: skip
    drawn = []
    monkeypatch.setattr(figures, "save_figure", lambda figure, path: drawn.append(figure))
    figures.plot_robustness(rows, tmp_path / "robustness.png")
    (figure,) = drawn
    lines = [next(line for line in axes.get_lines() if line.get_label() == label)
             for axes in figure.axes]  # fmt: skip
    assert [list(zip(*line.get_data())) for line in lines] == [
        [(0.0, 0.5), (1.0, 0.25)],
        [(0.0, 0.5), (0.05, 0.75), (0.1, 0.5)],
        [(-1.0, 0.5), (0.0, 0.5), (1.0, 0.5)],
    ]
    assert label in [text.get_text() for text in figure.legends[0].get_texts()]
