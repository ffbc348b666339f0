"""Descriptors on edges whose numbers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xascoord.core.rejections import RejectedSpectrum
from xascoord.spectra.descriptors import NAMES, STEP, Descriptors, describe, grid, on_grid

energies = np.arange(-60.0, 120.0, 0.25)


def edge(height: float = 0.0, position: float = -9.0, line: float = 0.0) -> np.ndarray:
    """A step with a Gaussian pre-edge peak (width 1 eV) and a white line at 6 eV."""
    rise = 0.5 + np.arctan(energies / 1.0) / np.pi
    peak = height * np.exp(-((energies - position) ** 2) / 2)
    return rise + peak + line * np.exp(-((energies - 6) ** 2) / (2 * 2.0**2))


def described(mu: np.ndarray, e0: float = 0.0, energy: np.ndarray = energies) -> Descriptors:
    return describe(on_grid(energy, mu, e0))


def test_a_convex_tail_is_no_pre_edge() -> None:
    found = described(edge())
    assert found.pre_edge_height < 1e-3
    assert found.pre_edge_area < 1e-3


def test_a_gaussian_pre_edge_has_its_area_and_place() -> None:
    found = described(edge(0.2, -9.0))
    # The hull is a straight line below the peak, the tail is bent: some of the area is lost.
    assert found.pre_edge_area == pytest.approx(0.2 * np.sqrt(2 * np.pi), rel=0.1)
    assert found.pre_edge_centroid == pytest.approx(-9.0, abs=0.2)
    assert 0.15 < found.pre_edge_height < 0.2


def test_white_line_and_minimum() -> None:
    found = described(edge(line=1.0))
    assert found.white_line_position == pytest.approx(6.0, abs=0.2)
    assert found.white_line_height == pytest.approx(1.95, abs=0.06)
    assert found.minimum_position > 10


@given(
    scale=st.floats(0.01, 100), place=st.floats(4000, 30000), height=st.floats(0, 0.8),
    position=st.floats(-14, -6),
)  # fmt: skip
def test_scale_and_place_do_not_matter(
    scale: float, place: float, height: float, position: float
) -> None:
    mu = edge(height, position, 0.5)
    here, there = described(mu), described(mu * scale, place, energies + place)
    for name in NAMES:
        assert getattr(there, name) == pytest.approx(getattr(here, name), abs=0.11), name


def test_more_pre_edge_is_more_area() -> None:
    areas = [described(edge(height)).pre_edge_area for height in (0.0, 0.05, 0.1, 0.4)]
    assert areas == sorted(areas)
    assert len(set(areas)) == 4


@pytest.mark.parametrize(("low", "high", "said"), [(-5, 100, "below e0"), (-50, 15, "above e0")])
def test_too_short_scans_are_refused(low: float, high: float, said: str) -> None:
    inside = (energies >= low) & (energies <= high)
    with pytest.raises(RejectedSpectrum, match=said):
        on_grid(energies[inside], edge()[inside], 0.0)


def test_a_falling_mu_has_no_edge() -> None:
    with pytest.raises(RejectedSpectrum, match="does not rise"):
        on_grid(energies, -edge(), 0.0)


def test_the_grid_is_even() -> None:
    assert np.diff(grid) == pytest.approx(np.full(len(grid) - 1, STEP))
