from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xascoord.core.errors import XascoordError
from xascoord.models.folds import assign_folds


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 30)), min_size=25, max_size=90),
    st.sampled_from(["grouped", "random"]),
)
def test_every_spectrum_is_tested_once_and_no_material_twice(pairs, split):
    labels = [label for label, _ in pairs]
    materials = [f"mp-{number}" for _, number in pairs]
    if split == "grouped" and len(set(materials)) < 5:
        return
    try:
        found = assign_folds(labels, materials, split, 5, 0)
    except XascoordError as error:
        assert "left empty" in str(error)
        assert split == "grouped"
        return
    assert set(found.tolist()) == set(range(5))
    assert np.array_equal(found, assign_folds(labels, materials, split, 5, 0))
    if split == "grouped":
        assert len({(m, f) for m, f in zip(materials, found)}) == len(set(materials))


def test_folds_are_stratified_where_groups_allow():
    labels = ["CN_4"] * 100 + ["CN_6"] * 50
    materials = [f"m{i}" for i in range(150)]
    for split in ("grouped", "random"):
        found = assign_folds(labels, materials, split, 5, 1)
        for fold in range(5):
            inside = Counter(label for label, f in zip(labels, found) if f == fold)
            assert inside == {"CN_4": 20, "CN_6": 10}


def test_seeds_differ_and_random_folds_leak():
    labels = ["a"] * 60
    materials = [f"m{i // 6}" for i in range(60)]
    first, second = (assign_folds(labels, materials, "grouped", 5, seed) for seed in (0, 1))
    assert not np.array_equal(first, second)
    random = assign_folds(labels, materials, "random", 5, 0)
    assert len(set(zip(materials, random.tolist()))) > 10


@pytest.mark.parametrize(("split", "what"), [("grouped", "materials"), ("random", "spectra")])
def test_too_little_data_is_said(split, what):
    with pytest.raises(XascoordError, match=f"3 {what} for 5 folds"):
        assign_folds(["a"] * 3, ["x", "y", "z"], split, 5, 0)
