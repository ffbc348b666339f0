import pytest

from xascoord.core.rankings import brief, combine, describe, dominant, members, score

OCTAHEDRAL = "octahedral > pentagonal pyramidal"
TRUE = combine("CN_6-CN_4", {6: OCTAHEDRAL, 4: "tetrahedral"})


def test_combined_ranking():
    assert TRUE == ((6, ("octahedral", "pentagonal pyramidal")), (4, ("tetrahedral",)))
    assert describe(TRUE) == "CN_6 (octahedral > pentagonal pyramidal) > CN_4 (tetrahedral)"
    assert dominant(TRUE) == "CN_6 octahedral"
    assert members(TRUE) == {(6, "octahedral"), (6, "pentagonal pyramidal"), (4, "tetrahedral")}


def test_brief_description_keeps_the_first_motifs():
    assert brief(describe(TRUE)) == "CN_6 (octahedral ...) > CN_4 (tetrahedral)"
    assert brief("CN_12") == "CN_12"


def test_numbers_without_a_motif_count_as_themselves():
    nine = combine("CN_9-CN_6", {6: OCTAHEDRAL})
    assert dominant(nine) == "CN_9"
    assert (9, "") in members(nine)
    assert combine("", {}) == ()
    assert dominant(()) == ""
    assert combine("CN_6", {6: ""}) == ((6, ()),)


@pytest.mark.parametrize(
    ("predicted", "top1", "top1_ranking", "exact", "jaccard", "numbers"),
    [
        (TRUE, 1, 1, 1, 1.0, (1, 1, 1.0)),
        # the same environments, the numbers in the other order
        (combine("CN_4-CN_6", {6: OCTAHEDRAL, 4: "tetrahedral"}), 0, 0, 0, 1.0, (0, 0, 1.0)),
        # the first number alone
        (combine("CN_6", {6: OCTAHEDRAL}), 1, 1, 0, 2 / 3, (1, 0, 1 / 2)),
        # first motif right, second missing
        (combine("CN_6-CN_4", {6: "octahedral", 4: "tetrahedral"}), 1, 0, 0, 2 / 3, (1, 1, 1.0)),
        # nothing right
        (combine("CN_5", {5: "square pyramidal"}), 0, 0, 0, 0.0, (0, 0, 0.0)),
        ((), 0, 0, 0, 0.0, (0, 0, 0.0)),
    ],
)
def test_scores_by_hand(predicted, top1, top1_ranking, exact, jaccard, numbers):
    found = score(TRUE, predicted)
    assert (found.top1, found.top1_ranking, found.exact) == (top1, top1_ranking, exact)
    assert found.jaccard == pytest.approx(jaccard)
    assert (found.cn_top1, found.cn_exact) == numbers[:2]
    assert found.cn_jaccard == pytest.approx(numbers[2])


def test_no_prediction_is_wrong_even_of_no_label():
    assert set(vars(score((), ())).values()) == {0.0}
