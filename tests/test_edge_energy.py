import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import edge_spectrum
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.spectra import EdgeEnergy
from xascoord.spectra.edge_energy import find_e0, find_onset

DEFAULT = EdgeEnergy()


def _measured(path):
    """Energy and normalised mu of an XDI file, the way a beamline does it (larch)."""
    from larch import Group
    from larch.io import read_xdi
    from larch.xafs import find_e0 as larch_e0
    from larch.xafs import pre_edge

    data = read_xdi(str(path))
    energy = np.asarray(data.energy, dtype=float)
    mu = np.log(data.i0 / data.itrans) if hasattr(data, "itrans") else data.ifluor / data.i0
    order = np.argsort(energy, kind="stable")
    keep = order[np.r_[True, np.diff(energy[order]) > 1e-4]]
    group = Group(energy=energy[keep], mu=mu[keep])
    pre_edge(group)
    return group.energy, group.norm, larch_e0(group.energy, group.mu)


def test_symmetric_step_has_e0_in_its_middle():
    relative = np.linspace(-20, 80, 401)
    mu = np.clip((relative + 4) / 8, 0, 1)  # a ramp from 0 to 1 over -4..4 eV
    assert find_e0(5000 + relative, mu, DEFAULT) == pytest.approx(5000, abs=0.02)
    onset = find_onset(5000 + relative, mu, EdgeEnergy(broadening=0.0))
    assert onset == pytest.approx(5000 - 3.2, abs=0.06)  # a tenth of the ramp


@given(shift=st.floats(-3000, 3000), scale=st.floats(1e-6, 1e6))
def test_e0_moves_with_the_energies_and_ignores_the_scale(shift, scale):
    energy, mu = edge_spectrum(5000)
    reference = find_e0(energy, mu, DEFAULT)
    assert find_e0(energy + shift, scale * mu, DEFAULT) - shift == pytest.approx(
        reference, abs=0.01
    )


@given(points=st.integers(150, 900))
def test_e0_does_not_depend_on_the_sampling(points):
    fine = find_e0(*edge_spectrum(5000, points=2000), DEFAULT)
    assert find_e0(*edge_spectrum(5000, points=points), DEFAULT) == pytest.approx(fine, abs=0.15)


def test_a_sharp_pre_edge_peak_is_not_the_edge():
    energy, mu = edge_spectrum(5000, points=951)
    peak = 0.7 * np.exp(-(((energy - 4990) / 0.8) ** 2))
    assert find_e0(energy, mu + peak, DEFAULT) == pytest.approx(
        find_e0(energy, mu, DEFAULT), abs=0.2
    )


@pytest.mark.parametrize(
    ("spectrum", "reason", "words"),
    [
        (edge_spectrum(5000, span=(2.0, 90.0)), Reason.WINDOW_NOT_COVERED, "starts above half"),
        (edge_spectrum(5000, span=(-15.0, 30.0)), Reason.WINDOW_NOT_COVERED, "ends 30.0 eV above"),
        ((np.linspace(0, 99, 100), np.linspace(1, 0, 100)), Reason.WINDOW_NOT_COVERED,
         "starts above half"),
        ((np.linspace(0, 99, 100), np.zeros(100)), Reason.NO_EDGE, "never reaches half"),
    ],
)  # fmt: skip
def test_spectra_without_a_findable_edge_are_rejected(spectrum, reason, words):
    with pytest.raises(RejectedSpectrum, match=words) as caught:
        find_e0(*spectrum, DEFAULT)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["Mn/MnO_rt_01", "Mn/MnO2_rt_01", "Zn/ZnO", "Fe/Fe2O3_rt_01"])
def test_measured_edges_of_one_rise_have_e0_near_the_steepest_point(shared, name):
    energy, mu, steepest = _measured(shared / f"experimental/xasdatalibrary/{name}.xdi")
    assert find_e0(energy, mu, DEFAULT) == pytest.approx(steepest, abs=4.0)


@pytest.mark.parametrize("name", ["V/V2O5", "Cr/k2cro4_rt_001"])
def test_measured_pre_edge_peaks_are_not_the_edge(shared, name):
    """There the steepest point is the rise of the pre-edge peak, more than 10 eV too low."""
    energy, mu, steepest = _measured(shared / f"experimental/xasdatalibrary/{name}.xdi")
    assert 8 < find_e0(energy, mu, DEFAULT) - steepest < 20


def test_oxidation_moves_e0_up(shared):
    folder = shared / "experimental/xasdatalibrary"
    e0 = [
        find_e0(*_measured(folder / f"Mn/{name}_rt_01.xdi")[:2], DEFAULT)
        for name in ("MnO", "Mn2O3", "MnO2")
    ]
    assert e0 == sorted(e0)
    assert 2.0 < e0[-1] - e0[0] < 10.0


def test_computed_and_measured_windows_line_up(shared):
    """Measured tenorite beside FEFF's tetragonal CuO (also CuO4 squares).

    Half of the step lines them up to within 2 eV; the steepest points would be 4 eV off.
    """
    import tarfile

    from xascoord.settings.spectra import Window
    from xascoord.sources.feff.xmu import parse_xmu
    from xascoord.spectra.window import cut_window

    energy, mu, steepest = _measured(
        shared / "experimental/xasdatalibrary/Cu/CuO_tenorite_13K_01.xdi"
    )
    with tarfile.open(shared / "spectra/feff_cu_oxides.tar.gz") as archive:
        member = next(m for m in archive if "/mp-1692/" in m.name and m.name.endswith("xmu.dat"))
        xmu = parse_xmu(archive.extractfile(member).read().decode())
    window = Window()

    def fit(computed_zero, measured_zero):
        computed, _ = cut_window(xmu.energy, xmu.mu, computed_zero, window)
        return np.corrcoef(computed, cut_window(energy, mu, measured_zero, window)[0])[0, 1]

    zero, e0 = find_e0(xmu.energy, xmu.mu, DEFAULT), find_e0(energy, mu, DEFAULT)
    shifts = np.arange(-5, 5.1, 0.5)
    best = shifts[np.argmax([fit(zero, e0 + shift) for shift in shifts])]
    assert abs(best) <= 2.0
    assert fit(zero, e0) > 0.85
    steepest_computed = xmu.energy[np.argmax(np.gradient(xmu.mu, xmu.energy))]
    assert fit(steepest_computed, steepest) < 0.7


def test_an_e0_that_does_not_settle_is_no_e0():
    """A pre-edge peak above the edge step: with the step above it the main edge is found, whose
    step is higher and finds the main edge's half, and so on.
    """
    energy = np.arange(4900.0, 5100.0, 0.25)
    edge = 0.5 + np.arctan((energy - 5000) / 1.5) / np.pi
    found = []
    for height in np.linspace(0.3, 3, 28):
        mu = edge + height * np.exp(-(((energy - 4988) / 2.0) ** 2))
        late = 1.2 * np.exp(-(((energy - 5008) / 8.0) ** 2))
        try:
            found.append(find_e0(energy, mu + late, EdgeEnergy(broadening=1.0)))
        except RejectedSpectrum as error:
            assert error.reason == Reason.NO_EDGE
            assert "jumps between" in error.detail
            found.append(None)
    assert found[0] > 4995  # a small peak is passed over
    assert found[-1] < 4990  # a very strong one is the edge
    assert None in found
