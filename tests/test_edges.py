"""Edges of other elements in a scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xascoord.core.elements import k_edge_energy
from xascoord.core.errors import MeasurementError
from xascoord.measured.clean import find_element
from xascoord.measured.edges import other_edges, stretch_of
from xascoord.measured.prepare import normalise_measurement, read_and_normalise
from xascoord.measured.read import Measurement
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal

ENERGY = np.arange(5700.0, 9000.0, 2.0)


def scan(steps: dict[str, float], wiggle: float = 0.0) -> np.ndarray:
    """Falling background, and an edge of each element with oscillations behind it."""
    mu = 2.0 - 2e-4 * (ENERGY - ENERGY[0])
    for element, step in steps.items():
        beyond = ENERGY - k_edge_energy(element)
        k = np.sqrt(np.clip(beyond, 0, None) / 3.81)
        edge = 0.5 + np.arctan(beyond / 1.5) / np.pi
        mu = mu + step * edge * (1 + wiggle * np.sin(4 * k) * np.exp(-k / 3) * (beyond > 0))
    return mu


def measurement(mu: np.ndarray, energy: np.ndarray = ENERGY) -> Measurement:
    return Measurement("a", energy, mu, "Fe", "K", "mu", "", ())


def test_one_edge_is_alone_whatever_its_oscillations():
    assert other_edges(ENERGY, scan({"Fe": 1.0}, wiggle=0.3), "Fe") == []
    one = measurement(scan({"Fe": 1.0}, wiggle=0.3))
    assert stretch_of(one, "Fe") is one


def test_other_edges_are_found_with_their_steps():
    found = other_edges(ENERGY, scan({"Cr": 0.3, "Fe": 1.0, "Ni": 0.2}), "Fe")
    assert [one.element for one in found] == ["Cr", "Ni"]
    assert [one.step for one in found] == pytest.approx([0.3, 0.2], abs=0.05)


def test_noise_is_no_edge():
    rng = np.random.default_rng(0)
    noisy = scan({"Fe": 1.0}) + rng.normal(0, 0.1, len(ENERGY))
    assert other_edges(ENERGY, noisy, "Fe") == []


def test_the_stretch_between_is_kept_and_said():
    cut = stretch_of(measurement(scan({"Cr": 0.3, "Fe": 1.0, "Ni": 0.2})), "Fe")
    assert cut.energy[0] > k_edge_energy("Cr") + 50
    assert cut.energy[-1] < k_edge_energy("Ni") - 20
    assert "Cr (5989 eV), Ni (8333 eV)" in cut.warnings[-1]
    found = normalise_measurement(measurement(scan({"Fe": 1.0, "Co": 0.5})), Options())
    assert isinstance(found, NormalisedSpectrum)
    assert found.energy[-1] < k_edge_energy("Co")
    assert any("other edges in the scan: Co" in warning for warning in found.warnings)


def test_a_lower_edge_is_cut_off_and_the_absorber_answered():
    short = ENERGY < 8100
    one = replace(measurement(scan({"Co": 1.0, "Fe": 0.9})[short], ENERGY[short]), element="Co")
    found = normalise_measurement(one, Options())
    assert isinstance(found, NormalisedSpectrum)
    assert found.energy[0] > k_edge_energy("Fe") + 50


def test_few_points_near_the_edge_are_no_spectrum():
    sparse = np.r_[np.arange(6900.0, 7100.0, 2.0), np.arange(7100.0, 7400.0, 12.0)]
    mu = np.interp(sparse, ENERGY, scan({"Fe": 1.0}))
    found = normalise_measurement(measurement(mu, sparse), Options())
    assert isinstance(found, Refusal)
    assert "measured points within -10 to +35 eV" in found.reason


def test_the_absorber_is_found_beside_a_few_bad_points():
    """The rise that stays names the element, not the one that is highest."""
    mu = scan({"Fe": 1.0})
    mu[(ENERGY > 7400) & (ENERGY < 7412)] += 3.0
    assert find_element(ENERGY, mu) == "Fe"
    with pytest.raises(MeasurementError, match="no K edge of a known element"):
        find_element(ENERGY, np.where(np.abs(ENERGY - 7406) < 6, 3.0, 1.0))


def test_corrected_fluorescence_goes_before_a_dead_channel(tmp_path):
    """Names as LUCIA writes them: FY, FY_c and TEY, which holds no edge."""
    near = ENERGY[(ENERGY > 7000) & (ENERGY < 7400)]
    edge = np.interp(near, ENERGY, scan({"Fe": 1.0}))
    noise = 1e-3 * np.random.default_rng(0).random(len(near))
    table = np.c_[near, 1e5 + 0 * near, edge * 9e4, edge * 1e5, noise, 0 * near]
    path = tmp_path / "scan.dat"
    np.savetxt(path, table, header="Energy Io FY FY_c TEY It", comments="# ")
    (found,) = read_and_normalise(path, Options())
    assert isinstance(found, NormalisedSpectrum)
    assert "mu = fy_c/io" in found.notes
