import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import PAPER_EDGE, PAPER_WINDOW, edge_spectrum
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.spectra.edge_energy import find_e0, find_onset

DEFAULT = EdgeEnergy()
BOTH = pytest.mark.parametrize("edge", [DEFAULT, PAPER_EDGE], ids=["default", "paper"])


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


@BOTH
def test_symmetric_step_has_e0_in_its_middle(edge):
    relative = np.linspace(-20, 80, 401)
    mu = np.clip((relative + 4) / 8, 0, 1)  # a ramp from 0 to 1 over -4..4 eV
    assert find_e0(5000 + relative, mu, edge) == pytest.approx(5000, abs=0.02)
    onset = find_onset(5000 + relative, mu, edge.model_copy(update={"broadening": 0.0}))
    assert onset == pytest.approx(5000 - 3.2, abs=0.06)  # a tenth of the ramp


@BOTH
@given(shift=st.floats(-3000, 3000), scale=st.floats(1e-6, 1e6))
def test_e0_moves_with_the_energies_and_ignores_the_scale(edge, shift, scale):
    energy, mu = edge_spectrum(5000)
    reference = find_e0(energy, mu, edge)
    assert find_e0(energy + shift, scale * mu, edge) - shift == pytest.approx(reference, abs=0.01)


@BOTH
@given(points=st.integers(150, 900))
def test_e0_does_not_depend_on_the_sampling(edge, points):
    fine = find_e0(*edge_spectrum(5000, points=2000), edge)
    assert find_e0(*edge_spectrum(5000, points=points), edge) == pytest.approx(fine, abs=0.15)


@BOTH
def test_a_sharp_pre_edge_peak_is_not_the_edge(edge):
    energy, mu = edge_spectrum(5000, points=951)
    peak = 0.7 * np.exp(-(((energy - 4990) / 0.8) ** 2))
    assert find_e0(energy, mu + peak, edge) == pytest.approx(find_e0(energy, mu, edge), abs=0.2)


@pytest.mark.parametrize(
    ("spectrum", "reason", "words"),
    [
        (edge_spectrum(5000, span=(2.0, 90.0)), Reason.WINDOW_NOT_COVERED, "starts above half"),
        (edge_spectrum(5000, span=(-15.0, 12.0)), Reason.WINDOW_NOT_COVERED,
         "ends 1[12].. eV above"),
        ((np.linspace(0, 99, 100), np.linspace(1, 0, 100)), Reason.WINDOW_NOT_COVERED,
         "starts above half"),
        ((np.linspace(0, 99, 100), np.zeros(100)), Reason.NO_EDGE, "never reaches half"),
    ],
)  # fmt: skip
@BOTH
def test_spectra_without_a_findable_edge_are_rejected(edge, spectrum, reason, words):
    with pytest.raises(RejectedSpectrum, match=words) as caught:
        find_e0(*spectrum, edge)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("edge", "end"), [(DEFAULT, 14.0), (PAPER_EDGE, 45.0)])
def test_no_more_than_the_range_of_the_edge_step_is_needed(edge, end):
    """Half an eV beyond it is enough, half an eV less is not."""
    e0 = find_e0(*edge_spectrum(5000), edge) - 5000
    enough = edge_spectrum(5000, span=(-15.0, e0 + end + 0.5))
    assert find_e0(*enough, edge) == pytest.approx(5000 + e0, abs=0.15)
    with pytest.raises(RejectedSpectrum, match=f"{end:g} eV are needed for the edge step"):
        find_e0(*edge_spectrum(5000, span=(-15.0, e0 + end - 0.5)), edge)


@BOTH
@pytest.mark.parametrize("name", ["Mn/MnO_rt_01", "Mn/MnO2_rt_01", "Zn/ZnO", "Fe/Fe2O3_rt_01"])
def test_measured_edges_of_one_rise_have_e0_near_the_steepest_point(shared, name, edge):
    energy, mu, steepest = _measured(shared / f"experimental/xasdatalibrary/{name}.xdi")
    assert find_e0(energy, mu, edge) == pytest.approx(steepest, abs=4.0)


@BOTH
@pytest.mark.parametrize("name", ["V/V2O5", "Cr/k2cro4_rt_001"])
def test_measured_pre_edge_peaks_are_not_the_edge(shared, name, edge):
    """There the steepest point is the rise of the pre-edge peak, more than 10 eV too low."""
    energy, mu, steepest = _measured(shared / f"experimental/xasdatalibrary/{name}.xdi")
    assert 8 < find_e0(energy, mu, edge) - steepest < 20


@BOTH
def test_oxidation_moves_e0_up(shared, edge):
    folder = shared / "experimental/xasdatalibrary"
    e0 = [
        find_e0(*_measured(folder / f"Mn/{name}_rt_01.xdi")[:2], edge)
        for name in ("MnO", "Mn2O3", "MnO2")
    ]
    assert e0 == sorted(e0)
    assert 2.0 < e0[-1] - e0[0] < 10.0


@pytest.mark.parametrize(
    ("window", "edge", "apart"), [(PAPER_WINDOW, PAPER_EDGE, 0.7), (Window(), DEFAULT, 0.8)],
    ids=["paper", "default"],
)  # fmt: skip
def test_computed_and_measured_windows_line_up(shared, window, edge, apart):
    """Measured tenorite beside FEFF's tetragonal CuO (also CuO4 squares).

    Half of the step lines them up to within 2 eV; the steepest points would be 4 eV off.
    """
    import tarfile

    from xascoord.sources.feff.xmu import parse_xmu
    from xascoord.spectra.window import cut_window

    energy, mu, steepest = _measured(
        shared / "experimental/xasdatalibrary/Cu/CuO_tenorite_13K_01.xdi"
    )
    with tarfile.open(shared / "spectra/feff_cu_oxides.tar.gz") as archive:
        member = next(m for m in archive if "/mp-1692/" in m.name and m.name.endswith("xmu.dat"))
        xmu = parse_xmu(archive.extractfile(member).read().decode())

    def fit(computed_zero, measured_zero):
        computed, _ = cut_window(xmu.energy, xmu.mu, computed_zero, window)
        return np.corrcoef(computed, cut_window(energy, mu, measured_zero, window)[0])[0, 1]

    zero, e0 = find_e0(xmu.energy, xmu.mu, edge), find_e0(energy, mu, edge)
    shifts = np.arange(-5, 5.1, 0.5)
    best = shifts[np.argmax([fit(zero, e0 + shift) for shift in shifts])]
    assert abs(best) <= 2.0
    assert fit(zero, e0) > 0.85
    steepest_computed = xmu.energy[np.argmax(np.gradient(xmu.mu, xmu.energy))]
    assert fit(steepest_computed, steepest) < apart


def test_an_e0_that_does_not_settle_is_no_e0():
    """A pre-edge peak above the edge step: with the step above it the main edge is found, whose
    step is higher and finds the main edge's half, and so on.
    """
    settings = PAPER_EDGE.model_copy(update={"broadening": 1.0})
    energy = np.arange(4900.0, 5100.0, 0.25)
    edge = 0.5 + np.arctan((energy - 5000) / 1.5) / np.pi
    found = []
    for height in np.linspace(0.3, 3, 28):
        mu = edge + height * np.exp(-(((energy - 4988) / 2.0) ** 2))
        late = 1.2 * np.exp(-(((energy - 5008) / 8.0) ** 2))
        try:
            found.append(find_e0(energy, mu + late, settings))
        except RejectedSpectrum as error:
            assert error.reason == Reason.NO_EDGE
            assert "jumps between" in error.detail
            found.append(None)
    assert found[0] > 4995  # a small peak is passed over
    assert found[-1] < 4990  # a very strong one is the edge
    assert None in found


def test_a_late_white_line_needs_broadening():
    """A short range of the edge step sees it or not, by where e0 is; smoothly only if broadened."""
    energy = np.arange(4900.0, 5100.0, 0.25)
    edge = 0.5 + np.arctan((energy - 5000) / 1.5) / np.pi
    late = 2 * np.exp(-(((energy - 5012) / 4.0) ** 2))
    with pytest.raises(RejectedSpectrum, match="jumps between") as caught:
        find_e0(energy, edge + late, DEFAULT.model_copy(update={"broadening": 1.0}))
    assert caught.value.reason == Reason.NO_EDGE
    assert find_e0(energy, edge + late, DEFAULT) == pytest.approx(5004, abs=1.0)
    assert find_e0(energy, edge + late, PAPER_EDGE) == pytest.approx(5000, abs=1.0)
