import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import PAPER_EDGE, PAPER_WINDOW, edge_spectrum
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.spectra import Window
from xascoord.settings.tree import load_settings, parse_settings
from xascoord.spectra.window import cut_window, relative_grid


def test_grid_of_the_defaults():
    grid = relative_grid(Window())
    assert len(grid) == 161
    assert (grid[0], grid[-1]) == (-10.0, 30.0)
    np.testing.assert_allclose(np.diff(grid), 0.25)


def test_grid_of_the_paper():
    grid = relative_grid(PAPER_WINDOW)
    assert len(grid) == 200
    assert (grid[0], grid[-1]) == (-5.0, 45.0)


def test_settings_of_the_paper_are_in_a_file_of_their_own(root):
    """Alone, and after params.yaml, as Snakemake's --configfile joins them."""
    from snakemake.common.configfile import load_configfile
    from snakemake.utils import update_config

    files = [root / "params.yaml", root / "params_patterns.yaml"]
    joined: dict = {}
    for file in files:
        update_config(joined, load_configfile(str(file)))
    for settings in (load_settings(files[1]), parse_settings(joined, "both")):
        assert settings.window == PAPER_WINDOW
        assert settings.edge_energy == PAPER_EDGE
        assert settings.augmentation.stretch == 5.0
        assert settings.importance.bounds == (15.0, 30.0)
    assert load_settings(files[0]).window == Window()


def test_straight_lines_are_kept():
    energy = np.linspace(90, 160, 71)
    window = Window(lower=-5.0, upper=45.0, points=51)
    features, scale = cut_window(energy, energy - 80, 100.0, window)
    assert scale == pytest.approx(65.0)  # mu at 145 eV
    np.testing.assert_allclose(features, (np.arange(95, 146) - 80) / 65)


@given(
    e0=st.floats(60, 30000), scale=st.floats(1e-3, 1e3), points=st.integers(2, 600),
    lower=st.floats(-10, 0), upper=st.floats(5, 60), start=st.floats(-15, -5.5),
)  # fmt: skip
def test_windows_have_maximum_one_and_ignore_the_scale(e0, scale, points, lower, upper, start):
    energy, mu = edge_spectrum(e0, span=(start, 80.0))
    window = Window(lower=lower, upper=upper, points=points)
    features, factor = cut_window(energy, scale * mu, e0, window)
    assert features.shape == (points,)
    assert features.max() == pytest.approx(1.0)
    assert features.min() >= 0
    np.testing.assert_allclose(
        features, cut_window(energy, mu, e0, window)[0], rtol=1e-9, atol=1e-12
    )
    assert factor > 0


@pytest.mark.parametrize(
    ("window", "span"),
    [(PAPER_WINDOW, (-4.9, 80.0)), (PAPER_WINDOW, (-15.0, 44.9)), (Window(), (-15.0, 16.9)),
     (Window(tail=0.0), (-9.9, 80.0))],
)  # fmt: skip
def test_nothing_is_padded(window, span):
    with pytest.raises(RejectedSpectrum) as caught:
        cut_window(*edge_spectrum(5000, span=span), 5000.0, window)
    assert caught.value.reason is Reason.WINDOW_NOT_COVERED
    assert "covers" in caught.value.detail


# --- below the first energy -----------------------------------------------------------------------
def test_a_tail_falls_as_the_inverse_distance_from_the_edge():
    """By hand: mu 0.2 at -8 eV makes 0.2 x 8/9 at -9 and 0.2 x 8/10 at -10 eV."""
    relative = np.array([-8.0, -4.0, 0.0, 4.0, 20.0])
    mu = np.array([0.2, 0.3, 1.0, 2.0, 2.0])
    window = Window(lower=-10.0, upper=10.0, points=21)
    features, scale = cut_window(100 + relative, mu, 100.0, window)
    assert scale == 2.0
    values = 2 * features
    np.testing.assert_allclose(values[:3], [0.2 * 8 / 10, 0.2 * 8 / 9, 0.2])
    np.testing.assert_allclose(values[2:], np.interp(np.arange(-8, 11), relative, mu))


def test_a_tail_is_that_of_the_energy_zero_not_of_the_scale():
    """``range`` takes the least value off what is continued, too."""
    energy, mu = edge_spectrum(5000, span=(-8.0, 60.0))
    plain, scale = cut_window(energy, mu, 5000.0, Window())
    ranged, width = cut_window(energy, mu, 5000.0, Window(normalise="range"))
    values = scale * plain
    np.testing.assert_allclose(width * ranged, values - values.min(), atol=1e-12)
    assert values.argmin() == 0


@given(
    e0=st.floats(60, 30000), start=st.floats(-9.9, -5.1), tail=st.floats(5, 20),
    points=st.integers(2, 600), height=st.floats(-0.2, 0.5),
)  # fmt: skip
def test_tails_are_continuous_and_leave_what_is_covered(e0, start, tail, points, height):
    relative = np.linspace(start, 60.0, 200)
    mu = height + 1 / (1 + np.exp(-relative / 2))
    energy = e0 + relative
    window = Window(tail=tail, points=points)
    grid = relative_grid(window)
    features, scale = cut_window(energy, mu, e0, window)
    below = e0 + grid < energy[0]
    assert below[0] and not below[-1]
    values, covered = features * scale, np.interp(e0 + grid, energy, mu)
    np.testing.assert_allclose(values[~below], covered[~below], rtol=1e-9, atol=1e-12)
    first = e0 - energy[0]
    # Times the distance from the edge it is the same everywhere, also at the first energy.
    np.testing.assert_allclose(values[below] * -grid[below], mu[0] * first, rtol=1e-6, atol=1e-9)
    towards = values[below] / mu[0] if mu[0] else np.zeros(0)
    assert (np.diff(towards) > 0).all() and (towards < 1).all()


@given(start=st.floats(-9.9, -5.1))
def test_a_tail_meets_the_first_energy(start):
    """However close below it: no step."""
    energy, mu = edge_spectrum(5000, span=(start, 60.0))
    for gap in (1e-2, 1e-4, 1e-6):
        window = Window(lower=start - gap, upper=10.0, points=2)
        features, scale = cut_window(energy, mu, 5000.0, window)
        assert features[0] * scale == pytest.approx(mu[0], rel=gap)


@given(
    start=st.floats(-60.0, -10.0), tail=st.floats(0, 30), span=st.floats(31.0, 80.0),
    points=st.integers(2, 400),
)  # fmt: skip
def test_a_covered_window_has_no_tail(start, tail, span, points):
    energy, mu = edge_spectrum(5000, span=(start, span))
    found = cut_window(energy, mu, 5000.0, Window(tail=tail, points=points))
    plain = cut_window(energy, mu, 5000.0, Window(tail=0.0, points=points))
    assert np.array_equal(found[0], plain[0])
    assert found[1] == plain[1]


@pytest.mark.parametrize(
    ("tail", "start"),
    [(5.0, -4.9), (2.0, -7.9), (0.0, -9.9), (7.0, -2.9), (20.0, -2.9), (20.0, 1.0)],
)
def test_a_tail_is_no_longer_than_allowed_and_starts_well_below_the_edge(tail, start):
    """Beyond ``tail``, or less than 3 eV below the energy zero, there is nothing to go on from."""
    spectrum = edge_spectrum(5000, span=(start, 60.0))
    with pytest.raises(RejectedSpectrum, match=re.escape(f"covers {start:+.1f} to")) as caught:
        cut_window(*spectrum, 5000.0, Window(tail=tail))
    assert caught.value.reason is Reason.WINDOW_NOT_COVERED


@pytest.mark.parametrize(("tail", "start"), [(5.0, -5.0), (2.0, -8.0), (7.0, -3.1), (20.0, -3.1)])
def test_a_tail_may_be_as_long_as_allowed(tail, start):
    features, _ = cut_window(*edge_spectrum(5000, span=(start, 60.0)), 5000.0, Window(tail=tail))
    assert np.isfinite(features).all() and features.max() == 1


def test_a_window_that_starts_at_the_zero_needs_no_tail():
    """Nor 3 eV below it: it is covered."""
    energy, mu = edge_spectrum(5000, span=(-1.0, 60.0))
    features, _ = cut_window(energy, mu, 5000.0, Window(lower=-0.5))
    assert features.max() == 1
