import subprocess
import sys

import numpy as np
import pytest

from xascoord.core.errors import XascoordError
from xascoord.models.classifiers import BASELINE, build, default_parameters, fit_task, grid
from xascoord.models.temperature import fit_temperature, probabilities
from xascoord.networks import network as networks
from xascoord.settings.models import Models

MODELS = Models()


def two_kinds(count=60, points=40, seed=0):
    """Peaks at one of two places, with noise: a task that any classifier can learn."""
    rng = np.random.default_rng(seed)
    kind = np.arange(count) % 2
    grid = np.linspace(0, 1, points)
    peaks = np.exp(-(((grid - np.where(kind, 0.3, 0.7)[:, None]) / 0.1) ** 2))
    labels = ["CN_6" if k else "CN_4" for k in kind]
    materials = [f"m{i // 4}" for i in range(count)]
    return peaks + 0.02 * rng.standard_normal(peaks.shape), labels, materials


@pytest.mark.parametrize("classifier", ["knn", "forest", "mlp", "svc", "cnn"])
@pytest.mark.filterwarnings("ignore:.*Stochastic Optimizer.*")
def test_each_classifier_learns_two_kinds(classifier):
    features, labels, materials = two_kinds()
    parameters = default_parameters(classifier, "CN", MODELS)
    model = fit_task(classifier, parameters, features, labels, materials, 1)
    others, truth, _ = two_kinds(20, seed=9)
    values = probabilities(model.scores(others))
    assert values.sum(axis=1) == pytest.approx(1)
    assert [model.classes[i] for i in values.argmax(axis=1)] == truth
    again = fit_task(classifier, parameters, features, labels, materials, 1)
    assert np.array_equal(again.scores(others), model.scores(others))


def test_baseline_says_the_commonest_label():
    features, labels, materials = two_kinds(21)
    model = fit_task(BASELINE, {}, features, labels, materials, 0)
    best = model.scores(features).argmax(axis=1)
    assert {model.classes[i] for i in best} == {"CN_4"}


def test_one_label_is_constant_and_none_predicts_nothing():
    features, _, materials = two_kinds(10)
    constant = fit_task("svc", {}, features[:3], ["a"] * 3, materials[:3], 0)
    assert constant.classes == ("a",)
    assert probabilities(constant.scores(features)).tolist() == [[1.0]] * 10
    nothing = fit_task("svc", {}, features[:0], [], [], 0)
    assert nothing.classes == ()
    assert probabilities(nothing.scores(features)).shape == (10, 0)


def test_more_neighbours_than_spectra():
    features, labels, materials = two_kinds(6)
    model = fit_task("knn", {"n_neighbors": 10, "p": 1}, features, labels, materials, 0)
    assert model.scores(features).shape == (6, 2)


def test_papers_values_are_the_defaults_and_in_the_grids():
    assert default_parameters("forest", "CN", MODELS) == {"trees": 30}
    assert default_parameters("forest", "CN_6 motifs", MODELS) == {"trees": 50}
    sizes = {name: len(grid(name, MODELS)) for name in ("knn", "forest", "mlp", "svc", "cnn")}
    assert sizes == {"knn": 8, "forest": 6, "mlp": 117, "svc": 12, "cnn": 12}
    for name in ("knn", "mlp", "svc", "cnn"):
        assert default_parameters(name, "CN", MODELS) in grid(name, MODELS)


def test_temperature_tames_certainty_that_is_not_earned():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 3000)
    said = np.where(rng.random(3000) < 0.7, truth, rng.integers(0, 3, 3000))
    scores = np.full((3000, 3), -5.0)
    scores[np.arange(3000), said] = 5.0  # says 99.99 %, is right in 80 %
    temperature = fit_temperature([(scores, truth)])
    values = probabilities(scores, temperature)
    assert values.max(axis=1).mean() == pytest.approx((said == truth).mean(), abs=0.01)
    assert (values.argmax(axis=1) == said).all()


def test_temperature_without_anything_to_learn_from_is_one():
    assert fit_temperature([]) == 1.0
    assert fit_temperature([(np.zeros((4, 1)), np.zeros(4, dtype=int))]) == 1.0
    assert fit_temperature([(np.zeros((4, 2)), np.full(4, -1))]) == 1.0


def test_network_stops_early_and_never_on_what_it_learnt(monkeypatch):
    features, labels, materials = two_kinds(80)
    rows = np.concatenate([np.arange(80), np.arange(0, 80, 3)])  # with copies of some
    seen = []
    real = networks.train_module

    def spy(module, loss, training, learnt, held_out):
        seen.append((learnt[0], held_out[0]))
        return real(module, loss, training, learnt, held_out)

    monkeypatch.setattr(networks, "train_module", spy)
    parameters = {**default_parameters("cnn", "CN", MODELS), "epochs": 300, "patience": 3}
    model = fit_task(
        "cnn", parameters, features[rows], [labels[r] for r in rows],
        [materials[r] for r in rows], 0,
    )  # fmt: skip
    standardised = model.estimator._standardised(features)
    owner = {row.tobytes(): material for row, material in zip(standardised, materials)}
    learnt, held = ({owner[row.tobytes()] for row in part} for part in seen[0])
    assert held
    assert learnt
    assert not learnt & held
    assert learnt | held == set(materials)
    assert model.estimator.epochs_ < 300


def test_a_network_that_diverges_is_a_clear_error():
    features, labels, materials = two_kinds(40)
    parameters = {**default_parameters("cnn", "CN", MODELS), "learning_rate": 1e20}
    with pytest.raises(XascoordError, match="learning_rate"):
        fit_task("cnn", parameters, features, labels, materials, 0)


def test_network_leaves_the_global_random_state_alone():
    import torch

    from xascoord.networks.classifier import NetworkClassifier

    torch.manual_seed(7)
    before = torch.get_rng_state()
    features, labels, _ = two_kinds(20)
    NetworkClassifier(epochs=2, patience=None).fit(features, np.array(labels))
    assert torch.equal(before, torch.get_rng_state())


def test_torch_is_not_imported_unless_the_network_is_asked_for():
    code = (
        "import sys, numpy as np; from xascoord.models.classifiers import fit_task; "
        "p = {'C': 1, 'gamma': 'scale'}; "
        "fit_task('svc', p, np.eye(4), list('aabb'), list('wxyz'), 0); "
        "import xascoord.networks.classifier, xascoord.models.bundles; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_name_that_nobody_builds_is_an_error():
    """Not silently the constant guess, or the network."""
    with pytest.raises(XascoordError, match="no classifier 'boosting'"):
        build("boosting", {}, 0, 10)
    with pytest.raises(XascoordError, match="no grid"):
        grid("boosting", MODELS)
