import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import edge_spectrum
from xascoord.spectra.averaging import average_sites, missing_orbits


def test_weighted_mean_by_hand():
    energy = np.array([0.0, 1.0, 2.0])
    low, high = np.array([0.0, 1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    axis, mu = average_sites([(energy, low), (energy, high)], [2, 1], step=0.5)
    np.testing.assert_allclose(axis, [0, 0.5, 1, 1.5, 2])
    np.testing.assert_allclose(mu, [1, 1.5, 2, 2.5, 3])  # (2 low + high) / 3


def test_only_common_energies_are_kept():
    one, two = edge_spectrum(100), edge_spectrum(103)
    axis, _ = average_sites([one, two], [1, 1], step=0.2)
    assert axis[0] == two[0][0]
    assert one[0][-1] - 0.2 < axis[-1] <= one[0][-1]


def test_a_single_site_stays_as_it_is():
    spectrum = edge_spectrum(100)
    assert average_sites([spectrum], [4], step=0.2) is spectrum


def test_no_overlap_is_an_error():
    with pytest.raises(ValueError, match="no energy in common"):
        average_sites([edge_spectrum(100), edge_spectrum(900)], [1, 1], step=0.2)


@given(
    weights=st.lists(st.integers(1, 48), min_size=2, max_size=5),
    shifts=st.lists(st.floats(-3, 3), min_size=5, max_size=5),
)
def test_the_mean_lies_between_its_sites(weights, shifts):
    spectra = [edge_spectrum(100 + shift) for shift, _ in zip(shifts, weights)]
    axis, mu = average_sites(spectra, weights, step=0.25)
    values = np.stack([np.interp(axis, *s) for s in spectra])
    assert (mu <= values.max(axis=0) + 1e-12).all()
    assert (mu >= values.min(axis=0) - 1e-12).all()
    _, twice = average_sites(spectra, [2 * w for w in weights], step=0.25)
    np.testing.assert_allclose(twice, mu)


def test_missing_orbits_by_hand():
    orbits, species = [0, 0, 2, 2, 4], ["Cu", "Cu", "Cu", "Cu", "O"]
    assert missing_orbits(orbits, species, "Cu", [1]) == [2]
    assert missing_orbits(orbits, species, "Cu", [0, 3]) == []
