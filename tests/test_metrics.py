import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from xascoord.core.schemas import SCORES
from xascoord.models.metrics import COLUMNS, macro_f1, mean_scores, metric_rows, resample

LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1)


@settings(max_examples=80, deadline=None)
@given(LABELS)
def test_macro_f1_is_that_of_scikit_learn(pairs):
    true, predicted = (np.array(side) for side in zip(*pairs))
    member = np.zeros(len(true), dtype=int)
    found = macro_f1(true, predicted, member, np.ones((1, 1)))
    assert found[0] == pytest.approx(f1_score(true, predicted, average="macro", zero_division=0))


def test_resampling_weighs_whole_materials():
    values = np.array([[1.0], [1.0], [0.0]])
    member = np.array([0, 0, 1])
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    assert mean_scores(values, member, weights)[:, 0] == pytest.approx([2 / 3, 1.0, 0.0])
    true, predicted = np.array(["a", "a", "b"]), np.array(["a", "a", "a"])
    # all: f1(a) = 4/5, f1(b) = 0; first material alone: 1; second alone: 0 for both
    assert macro_f1(true, predicted, member, weights) == pytest.approx([0.4, 1.0, 0.0])


def test_resample_draws_as_many_materials_each_time():
    weights = resample(7, 50, np.random.default_rng(0))
    assert weights.shape == (51, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert (weights[0] == 1).all()
    assert resample(7, 0, np.random.default_rng(0)).shape == (1, 7)


def _frame():
    rng = np.random.default_rng(0)
    rows = []
    for classifier, quality in (("baseline", 0.4), ("forest", 0.9)):
        for i in range(60):
            right = bool(rng.random() < quality)
            rows.append(
                {
                    "material": f"m{i // 3}", "kind": "averaged" if i % 3 == 2 else "site",
                    "classifier": classifier, "training_set": "full", "split": "grouped",
                    "learnable": i % 10 != 0, "true_label": "CN_6", "true_cn": "CN_6",
                    "predicted_cn": "CN_6" if right else "CN_4",
                    "true_environment": "CN_6", "predicted_environment": "CN_6" if right else "x",
                    **dict.fromkeys(SCORES, float(right)),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_rows_count_everything_and_hold_the_baseline():
    frame = _frame()
    rows = metric_rows("Ti", "transition_metal", frame, 200, 0)
    assert all(row.keys() == set(COLUMNS) for row in rows)
    found = {(r["classifier"], r["scope"], r["kind"]): r for r in rows}
    kept, whole = found["forest", "kept", "both"], found["forest", "all", "both"]
    assert (kept["spectra"], kept["left_out"]) == (54, 6)
    assert (whole["spectra"], whole["left_out"], whole["materials"]) == (60, 0, 20)
    assert whole["baseline_top1"] == found["baseline", "all", "both"]["top1"]
    mine = frame[frame["classifier"] == "forest"]
    assert whole["top1"] == pytest.approx(mine["top1"].mean(), abs=1e-4)
    assert whole["top1_low"] < whole["top1"] < whole["top1_high"]
    assert found["forest", "all", "site"]["top1_low"] == ""
    assert rows == metric_rows("Ti", "transition_metal", frame, 200, 0)
