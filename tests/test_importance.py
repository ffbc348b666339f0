import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import PAPER_WINDOW, make_settings
from model_data import made_up_element
from xascoord.core.coordination import CN_TASK
from xascoord.core.errors import XascoordError
from xascoord.importance.drop import (
    DROPPED,
    NUMBERS,
    DroppedFold,
    dropped_folds,
    evaluate_without,
    importance_rows,
)
from xascoord.importance.stage import summarise_importance
from xascoord.models.cross_validation import Fit, parameters_of, run_fit
from xascoord.models.element import make_folds
from xascoord.models.training_sets import TrainingSet
from xascoord.spectra.regions import region_masks

FULL = TrainingSet("full", True, True)


@given(st.floats(1, 20), st.floats(1, 20))
def test_regions_hold_each_point_once(first, width):
    masks = region_masks(make_settings().window, (first, first + width))
    assert (sum(mask.astype(int) for mask in masks.values()) == 1).all()


def test_regions_are_those_of_the_paper():
    """0-15, 15-30, 30-45 eV above the onset."""
    window = PAPER_WINDOW.model_copy(update={"reference": "onset", "lower": 0.0})
    masks = region_masks(window, (15.0, 30.0))
    grid = np.linspace(0, 45, 200)
    assert grid[masks["pre"]][[0, -1]] == pytest.approx([0, 14.92], abs=0.01)
    assert grid[masks["main"]][[0, -1]] == pytest.approx([15.15, 29.85], abs=0.01)
    assert grid[masks["post"]][[0, -1]] == pytest.approx([30.08, 45], abs=0.01)


def test_regions_of_the_defaults():
    """Below e0, the white line, what follows."""
    settings = make_settings()
    masks = region_masks(settings.window, settings.importance.bounds)
    grid = np.linspace(-10, 30, 161)
    assert grid[masks["pre"]][[0, -1]].tolist() == [-10, -0.25]
    assert grid[masks["main"]][[0, -1]].tolist() == [0, 9.75]
    assert grid[masks["post"]][[0, -1]].tolist() == [10, 30]


@given(st.floats(1, 20), st.floats(1, 20))
def test_regions_of_the_papers_window_hold_each_point_once(first, width):
    masks = region_masks(PAPER_WINDOW, (first, first + width))
    assert (sum(mask.astype(int) for mask in masks.values()) == 1).all()
    assert all(mask.any() for mask in masks.values())


def _results(data, masks):
    settings = make_settings()
    folds = make_folds(data, settings)["grouped"]
    return {
        dropped_fold: evaluate_without(data, folds, masks, FULL, {"trees": 10}, 1, dropped_fold)
        for dropped_fold in dropped_folds(5)
    }


def test_the_region_that_tells_everything_has_the_whole_loss():
    """CN 4 and 6 of the made-up element differ in the first third of the points only."""
    data = made_up_element()
    points = np.arange(data.features.shape[1])
    first, second = len(points) / 3, 2 * len(points) / 3
    features = np.where(points < first, data.features, 0.5)
    copies = np.where(points < first, data.copies, 0.5)
    data = data.with_points(points >= 0)
    object.__setattr__(data, "features", features)
    object.__setattr__(data, "copies", copies)
    masks = {"pre": points < first, "main": (points >= first) & (points < second),
             "post": points >= second}  # fmt: skip
    rows = importance_rows("Ti", "transition_metal", _results(data, masks))
    assert len(rows) == len(DROPPED) * len(NUMBERS)
    found = {(r["dropped"], r["cn"]): r for r in rows}
    assert found["pre", 4]["accuracy"] > 0.9
    for dropped in ("pre", "pre+main", "pre+post"):
        assert found[dropped, 4]["importance"] > 0.9
    for dropped in ("main", "post", "main+post"):
        assert abs(found[dropped, 4]["loss"]) < 0.1
    assert max(r["importance"] for r in rows if r["spectra"]) == 1
    nothing = found["pre", 3]  # no such spectra
    assert (nothing["spectra"], nothing["loss"], nothing["importance"]) == (0, "", "")
    assert nothing["decided_cn"] == ""


def test_losses_by_hand():
    results = {
        dropped_fold: {"counts": {str(n): [0, 0, 0] for n in NUMBERS}}
        for dropped_fold in dropped_folds(2)
    }
    for fold, (whole, without) in enumerate([(8, 6), (10, 4)]):
        results[DroppedFold((), fold)]["counts"]["6"] = [10, whole, 10]
        results[DroppedFold(("pre",), fold)]["counts"]["6"] = [10, without, without + 1]
        results[DroppedFold(("main",), fold)]["counts"]["6"] = [10, 10, 10]  # better without it
    rows = {(r["dropped"], r["cn"]): r for r in importance_rows("Ti", "transition_metal", results)}
    pre, main = rows["pre", 6], rows["main", 6]
    assert (pre["accuracy"], pre["accuracy_without"], pre["loss"]) == (0.9, 0.5, 0.4)
    assert (pre["decided_cn"], pre["decided_cn_without"]) == (1.0, 0.6)
    assert pre["std"] == pytest.approx(0.2)  # of 0.2 and 0.6
    assert main["loss"] == pytest.approx(-0.1)
    assert main["importance"] == 0
    assert rows["pre+main", 6]["importance"] == 1  # everything lost: 0 of 20 right
    assert pre["importance"] == pytest.approx(0.4 / 0.9, abs=1e-4)


def test_nothing_dropped_is_the_forest_of_the_model_stage():
    data, settings = made_up_element(), make_settings()
    folds = make_folds(data, settings)
    parameters = parameters_of(settings, data.tasks)
    dropped_fold = evaluate_without(
        data, folds["grouped"], {}, FULL, parameters["forest", CN_TASK], settings.seed,
        DroppedFold((), 2),
    )  # fmt: skip
    fit = Fit("forest", FULL, "grouped", 2)
    classes, scores = run_fit(data, folds, parameters, settings.seed, fit)[CN_TASK]
    best = scores.argmax(axis=1)
    tested = np.flatnonzero(folds["grouped"] == 2)
    kept = [i for i, row in enumerate(tested) if data.kept[CN_TASK][row]]
    right = sum(classes[best[i]] == data.labels[CN_TASK][tested[i]] for i in kept)
    assert sum(count[1] for count in dropped_fold["counts"].values()) == right
    assert sum(count[0] for count in dropped_fold["counts"].values()) == len(kept)


def test_a_table_of_another_version_is_named(tmp_path):
    (tmp_path / "Cu.csv").write_text("element,number,dropped\nCu,4,pre\n")
    with pytest.raises(XascoordError, match=r"Cu\.csv: columns do not fit"):
        summarise_importance(make_settings(elements=["Cu"]), tmp_path, tmp_path, tmp_path, tmp_path)
