"""What is learnt from measured references: numbers, kinds, sets, and one decision with models."""

from __future__ import annotations

import numpy as np
import pytest

from xascoord.core.rejections import RejectedSpectrum
from xascoord.models.ranking_distribution import RankingDistribution, Step
from xascoord.prediction.decision import combined, doubt_at
from xascoord.prediction.evidence import (
    COLUMNS,
    LeftOut,
    compounds_left_out,
    evidence_of,
    how_often_right,
    prediction_set,
)
from xascoord.references.classifier import (
    CoordinationClassifier,
    distance_to_nearest,
    likeliest,
    profile_of,
    profiles_of,
    shape_distance,
)
from xascoord.references.kinds import OXYGEN, KindClassifier
from xascoord.references.library import Reference, embedded_references
from xascoord.references.logistic import Logistic, fit_kernel, fit_linear
from xascoord.references.models import ReferenceModels, why_no_oxygen_compound

RELATIVE = np.arange(-50.0, 150.0, 0.25)


def edge(pre_edge: float, line: float, position: float = 7.0) -> np.ndarray:
    """A step with a pre-edge peak at -8 eV and a white line."""
    step = 0.5 + np.arctan(RELATIVE / 1.5) / np.pi
    peak = pre_edge * np.exp(-((RELATIVE + 8) ** 2) / 2)
    return step + peak + line * np.exp(-((RELATIVE - position) ** 2) / 18)


def reference(
    number: int | None, compound: str, pre_edge: float, line: float, kind: str = "oxide",
    element: str = "Fe", position: float = 7.0,
) -> Reference:  # fmt: skip
    e0 = 7120.0
    return Reference(
        f"{element}/{compound}", element, compound, number, "", kind, compound, "", "made up", "",
        "", e0, RELATIVE + e0, edge(pre_edge, line, position),
    )  # fmt: skip


def library(seed: int = 0) -> list[Reference]:
    """Strong pre-edges for four neighbours, high white lines for six, neither for metals."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(12):
        found.append(reference(4, f"four{i}", rng.uniform(0.15, 0.3), rng.uniform(0.2, 0.5)))
        found.append(reference(6, f"six{i}", rng.uniform(0.0, 0.05), rng.uniform(0.5, 0.9)))
        found.append(
            reference(None, f"metal{i}", 0.0, rng.uniform(0.0, 0.08), "metal", position=18.0)
        )
    return found


@pytest.fixture(scope="module")
def models() -> ReferenceModels:
    return ReferenceModels.fit(library())


def asked(models: ReferenceModels, mu: np.ndarray, element: str = "Fe") -> dict[int, float]:
    profile = profile_of(element, RELATIVE, mu, 0.0)
    (shares,) = models.coordination.predict_proba([profile])
    return shares


def test_pre_edge_and_white_line_tell_four_from_six(models):
    assert likeliest(asked(models, edge(0.25, 0.3))) == 4
    assert likeliest(asked(models, edge(0.02, 0.7))) == 6


def test_scale_of_mu_does_not_matter(models):
    mu = edge(0.1, 0.5)
    assert asked(models, 37.0 * mu) == pytest.approx(asked(models, mu))


def test_probabilities_add_up(models):
    shares = asked(models, edge(0.1, 0.5))
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == {4, 6}


def test_a_metal_is_no_oxygen_compound(models):
    for mu, is_oxide in ((edge(0.0, 0.04, 18.0), False), (edge(0.02, 0.7), True)):
        (kinds,) = models.kind.predict_proba([profile_of("Fe", RELATIVE, mu, 0.0)])
        why = why_no_oxygen_compound(kinds)
        assert (why == "") == is_oxide
        assert is_oxide or "metal or alloy" in why


def test_kept_models_say_what_fitted_ones_say(models, tmp_path, monkeypatch):
    """Arrays in a file give the same probabilities, and nothing of them is code."""
    path = tmp_path / "models.npz"
    models.save(path)
    with np.load(path, allow_pickle=False) as arrays:
        shape = Logistic.from_arrays(arrays, "shape")
        descriptors = Logistic.from_arrays(arrays, "descriptors")
        kind = KindClassifier(Logistic.from_arrays(arrays, "kind"))
    profile = profile_of("Fe", RELATIVE, edge(0.12, 0.5), 0.0)
    again = CoordinationClassifier(shape, descriptors)
    assert again.predict_proba([profile]) == models.coordination.predict_proba([profile])
    assert kind.predict_proba([profile]) == models.kind.predict_proba([profile])
    assert again.predict_proba([]) == []


def test_a_number_of_few_compounds_weighs_less():
    """One compound of five neighbours does not draw spectra of six to it."""
    few = [*library(), reference(5, "five", 0.06, 0.6)]
    found = asked(ReferenceModels.fit(few), edge(0.02, 0.7))
    assert found[6] > found[5]


def test_the_nearest_references_name_each_compound_once(models):
    twice = [*library(), reference(6, "six0", 0.02, 0.7)]
    near = ReferenceModels.fit(twice).nearest(profile_of("Fe", RELATIVE, edge(0.02, 0.7), 0.0), 5)
    assert near[0].reference.compound == "six0"
    assert near[0].distance < 1e-6
    assert len({one.reference.compound for one in near}) == len(near) == 5
    assert [one.distance for one in near] == sorted(one.distance for one in near)


def test_the_nearest_are_of_the_same_element(models):
    assert models.nearest(profile_of("Co", RELATIVE, edge(0.02, 0.7), 0.0), 3) == []


def test_distance_is_that_of_edge_steps():
    one = profile_of("Fe", RELATIVE, edge(0.0, 0.5), 0.0).mu
    assert shape_distance(one, one) == 0
    assert shape_distance(one, one + 0.1) == pytest.approx(0.1)


def test_descriptor_ranges_count_compounds(models):
    low, high, compounds = models.descriptor_range("pre_edge_area", "Fe", 4)
    assert 0 < low < high
    assert compounds == 12
    assert models.descriptor_range("pre_edge_area", "Fe", 5) is None


def test_logistic_arrays_are_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    features = rng.normal(size=(60, 3))
    classes = [str(int(value > 0)) for value in features[:, 0] + 0.3 * rng.normal(size=60)]
    weights = rng.uniform(0.5, 2, 60)
    own = fit_linear(features, classes, weights, 0.7)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    theirs = LogisticRegression(C=0.7, max_iter=2000).fit(scaled, classes, weights)
    assert own.predict_proba(features) == pytest.approx(theirs.predict_proba(scaled), abs=1e-6)


def test_a_kernel_separates_what_no_line_does():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(120, 2))
    classes = ["in" if radius < 1 else "out" for radius in np.hypot(*features.T)]
    model = fit_kernel(features, classes, np.ones(120), 30.0)
    found = np.array(model.classes)[model.predict_proba(features).argmax(axis=1)]
    assert np.mean(found == np.array(classes)) > 0.95


# One decision


def _learnt(labels, values):
    return RankingDistribution({"CN": Step(labels, np.array([values]))})


def test_references_decide_between_their_numbers_and_leave_the_others():
    learnt = _learnt(["CN_6", "CN_6-CN_5", "CN_4", "CN_8"], [0.5, 0.2, 0.2, 0.1])
    found = combined(learnt, learnt, {4: 0.9, 5: 0.05, 6: 0.05}, 0.04, balanced=True)
    shares = found.coordination()
    assert shares[8] == pytest.approx(0.1)
    assert sum(shares.values()) == pytest.approx(1)
    assert likeliest(shares) == 4
    labels, ((whole, longer, *_),) = found.cn
    assert whole / longer == pytest.approx(2.5)  # rankings of one number keep their ratio
    assert labels[-1] == "CN_5"  # which the models have not learnt
    assert shares[5] > 0


def test_models_of_many_natural_crystals_count_for_more():
    learnt = _learnt(["CN_6", "CN_4"], [0.9, 0.1])
    measured = {4: 0.6, 5: 0.1, 6: 0.3}
    few, many = (
        combined(learnt, learnt, measured, 0.04, balanced).coordination()
        for balanced in (True, False)
    )
    assert many[6] > few[6]


def test_what_is_like_no_reference_is_less_sure():
    """Far from all references of the element the likeliest number stays, and is less likely."""
    learnt, measured = _learnt(["CN_6", "CN_4"], [0.8, 0.2]), {4: 0.04, 5: 0.01, 6: 0.95}
    near, usual, far, none = (
        combined(learnt, learnt, measured, distance, balanced=True).coordination()
        for distance in (0.0, 0.04, 0.2, float("inf"))
    )
    assert near[6] > usual[6] > far[6] == none[6] > 0.5
    assert [doubt_at(d) for d in (0.0, 0.04, 0.08, 1.0)] == pytest.approx([0.8, 0.9, 1.65, 2.0])


def test_only_oxygen_compounds_of_the_element_are_near():
    library = profiles_of(embedded_references())
    one, profile = next(pair for pair in library if pair[0].compound == "hematite Fe2O3")
    assert distance_to_nearest(profile, library) == 0
    others = [pair for pair in library if pair[0].compound != one.compound]
    assert 0 < distance_to_nearest(profile, others) < 0.04
    metals = [pair for pair in others if not pair[0].is_oxygen_compound]
    assert distance_to_nearest(profile, metals) == float("inf")


def test_models_that_know_none_of_the_numbers_leave_it_to_references():
    natural = _learnt(["CN_2"], [0.4])
    found = combined(_learnt(["CN_2"], [1.0]), natural, {4: 0.7, 6: 0.3}, 0.04, balanced=True)
    assert found.coordination()[4] > found.coordination()[6]


# Promises


def made_of(*pairs: tuple[int, dict[int, float]]) -> list[LeftOut]:
    return [LeftOut("Fe", f"c{i}", number, shares) for i, (number, shares) in enumerate(pairs)]


def test_sets_hold_the_true_number_as_often_as_they_say():
    rng = np.random.default_rng(3)
    made = []
    for _ in range(400):
        sure = rng.uniform(0.4, 0.99)
        right = rng.uniform() < sure
        made.append((6 if right else 4, {6: sure, 4: (1 - sure) * 0.8, 5: (1 - sure) * 0.2}))
    past, later = made_of(*made[:200]), made_of(*made[200:])
    for rate in (0.05, 0.1, 0.2):
        held = [one.coordination in prediction_set(one.shares, rate, past) for one in later]
        assert np.mean(held) > 1 - rate - 0.06


def test_a_set_holds_the_answer_and_what_is_a_fifth():
    sure = made_of(*[(6, {6: 1.0})] * 40)
    assert prediction_set({6: 0.7, 4: 0.25, 5: 0.05}, 0.1, sure) == (6, 4)
    assert prediction_set({6: 0.99, 4: 0.01}, 0.1, sure) == (6,)


def test_too_few_compounds_give_no_set():
    assert prediction_set({6: 1.0}, 0.1, made_of((6, {6: 1.0}))) is None


def test_evidence_is_told_by_number():
    compounds = made_of((6, {6: 0.9, 4: 0.1}), (6, {6: 0.4, 4: 0.6}), (4, {4: 1.0}))
    text = how_often_right("Fe", compounds)
    assert "4-fold 1 of 1, 6-fold 1 of 2" in text
    assert "No measured Tc compound" in how_often_right("Tc", compounds)


# The library of the package


def test_fitted_models_of_the_package_are_those_of_its_table():
    kept, fitted = ReferenceModels.load(), ReferenceModels.fit(embedded_references())
    profiles = [profile for _, profile in fitted.library[::10]]
    for mine, theirs in (
        (kept.coordination, fitted.coordination), (kept.kind, fitted.kind),
    ):  # fmt: skip
        for one, other in zip(
            mine.predict_proba(profiles), theirs.predict_proba(profiles), strict=True
        ):
            assert one == pytest.approx(other, abs=1e-4)


def test_each_reference_was_tested_without_its_compound():
    names = {one.name for one in embedded_references()}
    import csv

    from xascoord.prediction.evidence import TABLE

    with TABLE.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == COLUMNS
    assert {row["name"] for row in rows} == names


def test_answers_for_measured_compounds_are_as_good_as_is_said():
    """The targets of measured references, each compound left out: a fall below is a fault."""
    metals = [one for one in compounds_left_out() if one.shares and one.element in
              ("Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn")]  # fmt: skip
    recall = {
        number: np.mean([one.predicted == number for one in metals if one.coordination == number])
        for number in (4, 6)
    }
    assert np.mean(list(recall.values())) > 0.85
    assert np.mean([one.predicted == one.coordination for one in metals]) > 0.88


def test_profiles_leave_out_what_is_too_short():
    short = Reference(
        "s", "Fe", "short", 6, "", "oxide", "s", "", "", "", "", 7120.0,
        RELATIVE[200:230] + 7120.0, edge(0, 0.5)[200:230],
    )  # fmt: skip
    with pytest.raises(RejectedSpectrum):
        profile_of("Fe", short.energy, short.norm, short.e0)
    assert profiles_of([short]) == []


def test_evidence_of_a_spectrum_names_numbers_kind_and_pre_edge(models):
    from xascoord.measured.spectrum import NormalisedSpectrum

    found = evidence_of(
        NormalisedSpectrum("a", "Fe", RELATIVE + 7120, edge(0.2, 0.3), 7120.0, 7120.0), models
    )
    assert likeliest(found.coordination) == 4
    assert found.kinds[OXYGEN] > 0.5
    assert found.refusal == ""
    assert "pre-edge" in found.pre_edge and "four-fold Fe references" in found.pre_edge
    short = NormalisedSpectrum("a", "Fe", np.array([7119.0, 7125.0]), np.array([0.0, 1.0]), 7120.0,
                               7120.0)  # fmt: skip
    assert evidence_of(short, models) is None


def test_elements_without_references_get_a_kind_and_no_number(models):
    from xascoord.measured.spectrum import NormalisedSpectrum

    found = evidence_of(
        NormalisedSpectrum("a", "Sn", RELATIVE + 29200, edge(0.0, 0.6), 29200.0, 29200.0), models
    )
    assert found.coordination == {}
    assert found.pre_edge == ""


def row(
    name: str, number: int | str, shares: str, kind: str = "oxide", oxygen: float = 0.9
) -> dict[str, str | int | float | bool]:
    why = "" if oxygen >= 0.5 else "probably no oxygen compound but a metal"
    return {
        "name": name, "element": "Fe", "compound": name, "coordination": number, "kind": kind,
        "oxygen_compound": oxygen, "answered": True, "predicted": "", "probability": "",
        "shares": shares, "why": why,
    }  # fmt: skip


def test_figures_of_compounds_are_counted_by_hand():
    from xascoord.prediction.tested_figures import describe_tested

    text = describe_tested([
        row("a", 6, "4:0.1000 6:0.9000"), row("b", 6, "4:0.6000 6:0.4000"),
        row("c", 4, "4:0.9000 6:0.1000"), row("d", "", "4:0.5000 6:0.5000"),
        row("iron", "", "6:1.0000", "metal", 0.1), row("zinc", "", "6:1.0000", "metal", 0.8),
    ])  # fmt: skip
    assert "Sc to Zn: 2 of 3 compounds right (66.7%); by number 4: 1 of 1, 6: 1 of 2" in text
    assert "mean recall of 4 and 6: 0.750" in text
    assert "6-fold taken for 4: 1, 6: 1" in text
    assert "wrong at more than 80%: 0" in text
    assert "no oxygen compounds: 1 of 2 refused; oxygen compounds: 0 of 4 refused" in text
    assert "wrong: Fe b (6): 4 60%, 6 40%" in text


def test_references_are_asked_without_their_compound(tmp_path, monkeypatch):
    """A lone compound that looks like no other is not known by its own spectrum."""
    from xascoord.prediction import tested
    from xascoord.prediction.predictor import Predictor

    odd = reference(4, "odd", 0.02, 0.7)  # looks like all of six
    monkeypatch.setattr(tested, "embedded_references", lambda: (*library(), odd))
    monkeypatch.setattr(tested, "show_progress", lambda steps, _: list(steps))
    rows = tested.ask_references(Predictor(), tmp_path / "tested.csv")
    assert len(rows) == len(library()) + 1
    (mine,) = [one for one in rows if one["compound"] == "odd"]
    assert mine["predicted"] == 6
    assert (tmp_path / "tested.csv").read_text().count("\n") == len(rows) + 1


def test_elements_without_a_measured_oxide_are_refused_later(models):
    kinds = {OXYGEN: 0.4, "metal or alloy": 0.35, "sulfide or the like": 0.25}
    assert "metal or alloy (60%" in why_no_oxygen_compound(kinds)
    assert why_no_oxygen_compound(kinds, knows_oxides=False) == ""
    assert models.has_oxide("Fe") and not models.has_oxide("Cd")
