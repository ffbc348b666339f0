import numpy as np
import pytest

from xascoord.models.classifiers import TaskModel
from xascoord.models.conformal import certain_set
from xascoord.models.ranking_classifier import RankingClassifier
from xascoord.models.ranking_distribution import RankingDistribution, Step
from xascoord.prediction.answer import Answer

LABELS = ["CN_5", "CN_5-CN_6", "CN_5-CN_4", "CN_6"]
FIVES = ["square pyramidal", "trigonal bipyramidal"]


def _distribution(numbers=((0.2, 0.2, 0.2, 0.4),), fives=((0.75, 0.25),)):
    return RankingDistribution(
        {
            "CN": Step(LABELS, np.array(numbers)),
            "CN_4 motifs": Step((), np.zeros((len(numbers), 0))),
            "CN_5 motifs": Step(FIVES, np.array(fives)),
            "CN_6 motifs": Step(["octahedral"], np.ones((len(numbers), 1))),
        }
    )


def test_probabilities_are_summed_over_rankings():
    """Five neighbours by three rankings outweigh six by one; each sum is 1."""
    found = _distribution()
    assert found.coordination() == {5: 0.6, 6: 0.4}
    numbers, shares = found.first_numbers
    assert numbers == (5, 6)
    assert shares == pytest.approx(np.array([[0.6, 0.4]]))
    environments, shares = found.first_environments
    assert environments == (
        "CN_5 square pyramidal", "CN_5 trigonal bipyramidal", "CN_6 octahedral")  # fmt: skip
    assert shares == pytest.approx(np.array([[0.45, 0.15, 0.4]]))
    alternatives = found.alternatives()
    assert [a.environment for a in alternatives] == [
        "CN_5 square pyramidal", "CN_6 octahedral", "CN_5 trigonal bipyramidal"]  # fmt: skip
    assert [a.probability for a in alternatives] == pytest.approx([0.45, 0.4, 0.15])
    assert alternatives[0].words == "square pyramidal, five neighbours"


def test_the_likeliest_number_goes_first_even_where_another_environment_is_likelier():
    found = _distribution(fives=((0.5, 0.5),)).alternatives()
    assert [a.number for a in found] == [5, 6, 5]
    assert found[1].probability > found[0].probability
    # And the sentence says the number first, with the share of that shape beside it.
    assert Answer("a", "Cu", "forest", tuple(found), {5: 0.6, 6: 0.4}).sentence() == (
        "Five neighbours: 60% (trigonal bipyramidal 30%). Next: six neighbours 40%."
    )


def test_the_decision_sums_and_the_likeliest_ranking_does_not():
    found = _distribution([(0.2, 0.2, 0.2, 0.4), (0.1, 0.1, 0.1, 0.7)], [(0.75, 0.25), (0.2, 0.8)])
    decision = found.decide()
    assert decision.numbers.tolist() == [5, 6]
    assert decision.number_probabilities == pytest.approx([0.6, 0.7])
    assert decision.environments.tolist() == ["CN_5 square pyramidal", "CN_6 octahedral"]
    assert decision.environment_probabilities == pytest.approx([0.45, 0.7])
    assert [found.alternatives(i)[0].environment for i in range(2)] == list(decision.environments)
    first, _ = found.likeliest()
    assert (first.ranking, first.cn_label) == (((6, ("octahedral",)),), "CN_6")
    assert (first.probability, first.cn_probability) == (0.4, 0.4)


def test_the_likeliest_ranking_has_the_best_motifs_of_all_its_numbers():
    (found,) = _distribution([(0.1, 0.6, 0.1, 0.2)]).likeliest()
    assert found.ranking == ((5, ("square pyramidal",)), (6, ("octahedral",)))
    assert (found.probability, found.cn_probability) == (pytest.approx(0.45), 0.6)


def test_of_equals_the_smaller_number_and_the_first_name_are_decided():
    """0.1 + 0.2 + 0.2 is 0.5 but for the last bit."""
    found = _distribution([(0.1, 0.2, 0.2, 0.5)], [(0.5, 0.5)])
    assert found.decide().numbers.tolist() == [5]
    assert found.decide().environments.tolist() == ["CN_5 square pyramidal"]
    assert list(found.coordination()) == [5, 6]
    assert certain_set({6: 0.5, 5: 0.1 + 0.2 + 0.2}, 0.5) == [5, 6]
    assert certain_set({6: 0.5, 5: 0.5}, 0.1) == [5]  # never empty


def test_a_classifier_without_labels_decides_nothing():
    found = RankingDistribution.from_scores({"CN": ((), np.zeros((2, 0)))})
    assert found.decide().numbers.tolist() == [0, 0]
    assert found.decide().environments.tolist() == ["", ""]
    assert [one.ranking for one in found.likeliest()] == [(), ()]
    assert (found.alternatives(), found.coordination(), found.columns) == ([], {}, [])
    assert found.values.shape == (2, 0)
    assert found.first_environments[1].shape == (2, 0)


def test_columns_and_values_say_everything():
    found = _distribution([(0.2, 0.2, 0.2, 0.4), (0.1, 0.1, 0.1, 0.7)], [(0.75, 0.25), (0.2, 0.8)])
    assert found.columns == [
        *(f"CN: {label}" for label in LABELS), *(f"CN_5 motifs: {name}" for name in FIVES),
        "CN_6 motifs: octahedral",
    ]  # fmt: skip
    again = RankingDistribution.from_columns(found.columns, found.values)
    assert again.columns == found.columns
    assert np.array_equal(again.values, found.values)
    assert again.motifs(5).labels == FIVES
    assert not again.motifs(4).labels


def test_the_mean_is_of_each_step():
    mean = _distribution([(1, 0, 0, 0), (0, 0, 0, 1)], [(1, 0), (0.5, 0.5)]).mean()
    assert mean.values.tolist() == [[0.5, 0, 0, 0.5, 0.75, 0.25, 1]]


def test_odds_of_numbers_are_changed_and_rankings_of_one_keep_theirs():
    found = _distribution([(0.1, 0.2, 0.3, 0.4)])
    doubled = found.reweighted({6: 3.0})  # 0.6 : 1.2
    assert doubled.cn.probabilities[0] * 1.8 == pytest.approx([0.1, 0.2, 0.3, 1.2])
    assert doubled.motifs(5) is found.motifs(5)
    given = found.with_first_numbers({5: 0.3, 4: 0.1})
    assert given.cn.labels == [*LABELS, "CN_4"]
    assert given.cn.probabilities[0] == pytest.approx([0.05, 0.1, 0.15, 0.4, 0.1])
    nothing = _distribution([(0.0, 0.0, 0.0, 0.0)])
    assert nothing.reweighted({5: 2.0}).cn.probabilities.tolist() == [[0, 0, 0, 0]]


def test_a_ranking_classifier_gives_each_step_its_temperature():
    class Halves:
        def predict_proba(self, features):
            return np.tile([0.2, 0.8], (len(features), 1))

    models = {
        "CN": TaskModel(("CN_4", "CN_6"), Halves()),
        "CN_6 motifs": TaskModel(("octahedral",)),
    }
    windows = np.zeros((2, 3))
    plain = RankingClassifier(models)
    assert plain.predict_proba(windows).cn.probabilities == pytest.approx(
        np.array([[0.2, 0.8], [0.2, 0.8]])
    )
    # The odds of 4 are the root of that at twice the temperature.
    hot = RankingClassifier(models, {"CN": 2.0}).predict_proba(windows[:1])
    assert hot.cn.probabilities == pytest.approx(np.array([[1 / 3, 2 / 3]]))
    assert plain.predict(windows) == [((6, ("octahedral",)),)] * 2
