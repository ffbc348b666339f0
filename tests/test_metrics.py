import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from xascoord.core.rankings import describe, read_description
from xascoord.core.schemas import SCORES
from xascoord.models.mean import MEAN, mean_predictions
from xascoord.models.metrics import COLUMNS, macro_f1, mean_scores, metric_rows, resample
from xascoord.models.reliability import (
    expected_calibration_error,
    reliability_bins,
    reliability_rows,
    reliability_table,
)

LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1)


@settings(max_examples=80)
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
                    "decided_cn": 6 if i % 4 else 4, "decided_environment": "CN_6",
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
    assert (whole["decided_cn"], whole["decided_environment"]) == (0.75, 1.0)
    assert whole["decided_cn_low"] < whole["decided_cn"] < whole["decided_cn_high"]
    assert whole["top1_low"] < whole["top1"] < whole["top1_high"]
    assert found["forest", "all", "site"]["top1_low"] == ""
    assert rows == metric_rows("Ti", "transition_metal", frame, 200, 0)


def test_calibration_error_by_hand():
    stated = np.array([0.62, 0.68, 0.9, 1.0, 0.95])
    right = np.array([True, False, True, True, False])
    # 0.6 to 0.7: mean 0.65, right 1/2; 0.9 to 1: mean 0.95, right 2/3
    found = reliability_bins(stated, right)
    assert [(b.lower, b.spectra) for b in found] == [(0.6, 2), (0.9, 3)]
    expected = (2 * 0.15 + 3 * (0.95 - 2 / 3)) / 5
    assert expected_calibration_error(found) == pytest.approx(expected)
    *bins, whole = reliability_rows(stated, right)
    assert [row["bin"] for row in bins] == ["0.6-0.7", "0.9-1"]
    assert whole["ece"] == pytest.approx(expected, abs=1e-4)
    assert (whole["spectra"], whole["right"], whole["mean_probability"]) == (5, 0.6, 0.83)
    assert (whole["confident"], whole["confident_error_rate"]) == (3, 0.3333)
    assert reliability_rows(stated[:0], right[:0]) == []
    assert reliability_rows(stated[:2], right[:2])[-1]["confident_error_rate"] == ""


def test_a_calibrated_set_has_no_error_and_a_boastful_one_has():
    rng = np.random.default_rng(0)
    stated = rng.uniform(0.2, 1.0, 40_000)
    right = rng.random(40_000) < stated
    assert expected_calibration_error(reliability_bins(stated, right)) < 0.01
    boast = expected_calibration_error(reliability_bins(np.sqrt(stated), right))
    assert boast == pytest.approx(np.mean(np.sqrt(stated) - stated), abs=0.01)


def _predictions(classifier, shares):
    """Two spectra, of CN 4 and of CN 6, with these probabilities of CN_4, CN_6 and CN_6-CN_4."""
    true = ["CN_4 (tetrahedral)", "CN_6"]
    labels = ["CN: CN_4", "CN: CN_6", "CN: CN_6-CN_4", "CN_4 motifs: tetrahedral"]
    return pd.DataFrame(
        {
            "spectrum_id": ["a", "b"], "material": ["m", "n"], "kind": "site",
            "classifier": classifier, "training_set": "full", "split": "grouped", "fold": 0,
            "learnable": True, "true_label": true, "predicted_label": "",
            "true_cn": ["CN_4", "CN_6"],
            "true_environment": ["CN_4 tetrahedral", "CN_6"], "predicted_environment": "",
            "predicted_cn": "", "decided_cn": 0, "decided_environment": "",
            "probability": 0.0, "cn_probability": 0.0,
            "step_labels": [labels] * 2,
            "step_raw": [[*one, 1.0] for one in shares],
            "step_probabilities": [[*one, 1.0] for one in shares], **dict.fromkeys(SCORES, 0.0),
        }
    )  # fmt: skip


def test_the_mean_of_classifiers_is_one_more():
    one = _predictions("knn", [(0.6, 0.4, 0.0), (0.5, 0.3, 0.2)])
    two = _predictions("svc", [(0.2, 0.5, 0.3), (0.2, 0.7, 0.1)])
    frame = pd.concat([one, two], ignore_index=True)
    mean = mean_predictions("Ti", frame)
    assert list(mean.columns) == list(frame.columns)
    assert set(mean["classifier"]) == {MEAN}
    assert mean["predicted_cn"].tolist() == ["CN_6", "CN_6"]  # 0.4, 0.45, 0.15; 0.35, 0.5, 0.15
    assert mean["cn_probability"].tolist() == [0.45, 0.5]
    # By first numbers CN 6 has 0.6 and 0.65.
    assert mean["decided_cn"].tolist() == [6, 6]
    assert mean["decided_environment"].tolist() == ["CN_6", "CN_6"]
    assert mean["cn_top1"].tolist() == mean["exact"].tolist() == [0.0, 1.0]
    assert mean_predictions("Ti", one).empty  # of one alone there is none
    table = reliability_table({"Ti": pd.concat([frame, mean], ignore_index=True)})
    whole = {
        row["classifier"]: row for row in table
        if row["bin"] == "all" and row["step"] == "first CN" and row["temperature"] == "after"
    }  # fmt: skip
    # first numbers, not rankings: CN 6 has 0.6 and 0.65 of the mean
    assert (whole[MEAN]["mean_probability"], whole[MEAN]["right"]) == (0.625, 0.5)
    assert whole["knn"]["right"] == 0.5  # of the second spectrum 0.5 say each; the smaller is taken
    groups = metric_rows("Ti", "transition_metal", pd.concat([frame, mean]), 10, 0)
    assert {row["classifier"] for row in groups} == {"knn", "svc", MEAN}
    decided = {r["classifier"]: r["decided_cn"] for r in groups if r["scope"] == "all"}
    assert decided == {"knn": 0.0, "svc": 0.0, MEAN: 0.5}  # nothing decided is never right


def test_descriptions_are_read_back():
    for text in (
        "",
        "CN_6",
        "CN_6 (octahedral > pentagonal pyramidal) > CN_12 > CN_4 (see-saw-like)",
    ):
        assert describe(read_description(text)) == text
