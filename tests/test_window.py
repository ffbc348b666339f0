import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import edge_spectrum
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.spectra import Window
from xascoord.spectra.window import cut_window, relative_grid


def test_grid_is_the_papers():
    grid = relative_grid(Window())
    assert len(grid) == 200
    assert (grid[0], grid[-1]) == (-5.0, 45.0)


def test_straight_lines_are_kept():
    energy = np.linspace(90, 160, 71)
    features, scale = cut_window(energy, energy - 80, 100.0, Window(points=51))
    assert scale == pytest.approx(65.0)  # mu at 145 eV
    np.testing.assert_allclose(features, (np.arange(95, 146) - 80) / 65)


@given(
    e0=st.floats(60, 30000), scale=st.floats(1e-3, 1e3), points=st.integers(2, 600),
    lower=st.floats(-10, 0), upper=st.floats(5, 60),
)  # fmt: skip
def test_windows_have_maximum_one_and_ignore_the_scale(e0, scale, points, lower, upper):
    energy, mu = edge_spectrum(e0)
    window = Window(lower=lower, upper=upper, points=points)
    features, factor = cut_window(energy, scale * mu, e0, window)
    assert features.shape == (points,)
    assert features.max() == pytest.approx(1.0)
    assert features.min() >= 0
    np.testing.assert_allclose(
        features, cut_window(energy, mu, e0, window)[0], rtol=1e-9, atol=1e-12
    )
    assert factor > 0


@pytest.mark.parametrize("span", [(-4.9, 80.0), (-15.0, 44.9)])
def test_nothing_is_padded(span):
    with pytest.raises(RejectedSpectrum) as caught:
        cut_window(*edge_spectrum(5000, span=span), 5000.0, Window())
    assert caught.value.reason is Reason.WINDOW_NOT_COVERED
    assert "covers" in caught.value.detail
