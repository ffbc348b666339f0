import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import PAPER_WINDOW, edge_spectrum
from xascoord.core.rejections import RejectedSpectrum
from xascoord.models.augmentation import augment, draw_distortion
from xascoord.settings.models import Augmentation
from xascoord.settings.spectra import Window
from xascoord.spectra.distortion import Distortion, broaden, distort, least_stretch
from xascoord.spectra.window import cut_window, relative_grid

E0 = 9000.0
WINDOW = Window()
WINDOWS = [WINDOW, PAPER_WINDOW]
NARROW = Window(upper=17.0, points=109)
STRETCHED = {"shift": 0.0, "resolution": 0.0, "noise": 0.0, "slope": 0.0, "stretch": 2.7,
             "copies": 1}  # fmt: skip


def _peak(position):
    """A step with a sharp peak that many eV above e0."""
    energy = E0 + np.arange(-20.0, 80.0, 0.1)
    mu = (energy > E0) + 2 * np.exp(-(((energy - E0 - position) / 0.5) ** 2))
    return energy, mu


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("start", [-15.0, -6.0])
def test_no_distortion_is_the_plain_window(window, start):
    energy, mu = edge_spectrum(E0, span=(start, 80.0))
    plain, _ = cut_window(energy, mu, E0, window)
    assert np.array_equal(distort(energy, mu, E0, window, Distortion()), plain)


@pytest.mark.parametrize(
    ("window", "peak", "what", "where"),
    [
        (PAPER_WINDOW, 20.0, Distortion(), 20.0),
        (PAPER_WINDOW, 20.0, Distortion(stretch=5.0), 22.0),  # 20 x 55/50
        (PAPER_WINDOW, 20.0, Distortion(stretch=-5.0), 18.0),
        (PAPER_WINDOW, 20.0, Distortion(shift=1.5), 21.5),
        (NARROW, 10.0, Distortion(), 10.0),
        (NARROW, 10.0, Distortion(stretch=2.7), 11.0),  # 10 x 29.7/27
        (NARROW, 10.0, Distortion(stretch=-2.7), 9.0),
        (WINDOW, 10.0, Distortion(shift=1.5), 11.5),
    ],
)
def test_peak_moves_where_it_should(window, peak, what, where):
    features = distort(*_peak(peak), E0, window, what)
    assert relative_grid(window)[features.argmax()] == pytest.approx(where, abs=0.15)
    assert features.max() == 1


def test_broadening_keeps_lines_straight_and_pads_nothing():
    energy = np.arange(0.0, 50.0, 0.5)
    even, smooth = broaden(energy, 2 * energy + 1, 2.0)
    assert even[0] >= energy[0] + 6
    assert even[-1] <= energy[-1] - 6
    assert smooth == pytest.approx(2 * even + 1, abs=1e-9)


def test_broadened_peak_has_the_width_of_both():
    energy = np.arange(-60.0, 60.0, 0.1)
    even, smooth = broaden(energy, np.exp(-((energy / 1.5) ** 2) / 2), 2.0)
    sigma = np.sqrt(np.average(even**2, weights=smooth))
    assert sigma == pytest.approx(2.5, rel=0.01)


def test_noise_has_the_asked_strength():
    energy, mu = edge_spectrum(E0)
    noise = np.random.default_rng(0).standard_normal(WINDOW.points)
    plain = distort(energy, mu, E0, WINDOW, Distortion())
    noisy = distort(energy, mu, E0, WINDOW, Distortion(noise=0.03), noise)
    assert np.allclose(noisy - plain, 0.03 * noise)


@settings(max_examples=120)
@given(
    window=st.sampled_from([*WINDOWS, Window(tail=0.0), Window(lower=-4.0), Window(tail=9.0)]),
    below=st.floats(3.0, 40.0),
    above=st.floats(15.0, 120.0),
    stretch=st.floats(0.0, 20.0),
    shift=st.floats(0.0, 3.0),
    resolution=st.floats(0.0, 2.0),
    seed=st.integers(0, 10_000),
)
def test_whatever_is_drawn_is_covered(window, below, above, stretch, shift, resolution, seed):
    """Nothing is padded: a spectrum that covers little gets a milder distortion or no copy.

    A tail below the first energy goes no farther in a copy than in the spectrum itself.
    """
    energy, mu = edge_spectrum(E0, span=(-below, above))
    limits = Augmentation(stretch=stretch, shift=shift, resolution=resolution, noise=0.0, slope=0.0)
    what = draw_distortion(energy, E0, window, limits, np.random.default_rng(seed))
    if what is None:
        # Shorter by what rounding, and the even axis of a broadened spectrum, may take away.
        less = 0.25 if resolution else 1e-5
        shorter = edge_spectrum(E0, span=(-below + less, above - less))
        edges = (Distortion(stretch, s, resolution) for s in (-shift, shift))
        with pytest.raises(RejectedSpectrum):
            for edge in edges:
                distort(*shorter, E0, window, edge)
        return
    assert abs(what.stretch) <= stretch + 1e-5
    assert abs(what.shift) <= shift
    assert 0 <= what.resolution <= resolution
    features = distort(energy, mu, E0, window, what)
    assert np.isfinite(features).all()
    assert features.max() == 1


def test_share_seed_and_origin():
    spectra = [(*edge_spectrum(E0 + i), E0 + i) for i in range(40)]
    limits = Augmentation(fraction=0.3, **STRETCHED)
    copies, origin = augment(spectra, WINDOW, limits, np.random.default_rng(5))
    again, _ = augment(spectra, WINDOW, limits, np.random.default_rng(5))
    other, others = augment(spectra, WINDOW, limits, np.random.default_rng(6))
    assert copies.shape == (12, 161)
    assert len(set(origin.tolist())) == 12
    assert np.array_equal(copies, again)
    assert not (np.array_equal(origin, others) and np.array_equal(copies, other))
    for copy, index in zip(copies, origin):
        plain, _ = cut_window(*spectra[index], WINDOW)
        assert not np.allclose(copy, plain, atol=1e-6)


@pytest.mark.parametrize("window", WINDOWS)
def test_spectrum_of_the_bare_window_is_only_broadened(window):
    energy, _ = edge_spectrum(E0, span=(window.lower + window.tail, window.upper))
    drawn = [
        draw_distortion(energy, E0, window, Augmentation(**STRETCHED), np.random.default_rng(i))
        for i in range(20)
    ]
    assert all(what.stretch >= 0 for what in drawn)
    assert len({what.stretch for what in drawn}) == 20
    short = edge_spectrum(E0, span=(-2.5, 30.0))  # too little for a tail
    copies, origin = augment(
        [(*short, E0)], window, Augmentation(**STRETCHED), np.random.default_rng(0)
    )
    assert copies.shape == (0, window.points)
    assert len(origin) == 0


@pytest.mark.parametrize(
    ("window", "start", "factor"),
    [
        (Window(tail=5.0), -8.0, 5 / 8),  # the tail may be 5 eV long: -5 eV is enough
        (Window(tail=5.0), -20.0, 5 / 20),
        (Window(tail=0.0), -20.0, 10 / 20),
        (Window(tail=9.0), -6.0, 3 / 6),  # less than 3 eV below the zero is no tail
        (Window(lower=-2.0), -6.0, 2 / 6),  # but enough where it covers the window
        (PAPER_WINDOW, -8.0, 5 / 8),
    ],
)
def test_least_stretch_by_hand(window, start, factor):
    """The strongest compression: just allowed, and a little more is not."""
    energy, mu = edge_spectrum(E0, span=(start, 500.0), points=2000)
    width = window.upper - window.lower
    least = least_stretch(energy, E0, window, 0.0, 0.0)
    assert least == pytest.approx((factor - 1) * width, abs=1e-5)
    assert np.isfinite(distort(energy, mu, E0, window, Distortion(stretch=least))).all()
    with pytest.raises(RejectedSpectrum):
        distort(energy, mu, E0, window, Distortion(stretch=least - 1e-3))


def test_spectra_with_a_tail_have_copies():
    """As many as the others, compressed ones among them."""
    spectra = [(*edge_spectrum(E0, span=(-8.0, 60.0), width=1 + i / 20), E0) for i in range(20)]
    copies, origin = augment(spectra, WINDOW, Augmentation(**STRETCHED), np.random.default_rng(0))
    assert origin.tolist() == list(range(20))
    assert np.isfinite(copies).all()
    limits = Augmentation(**STRETCHED)
    drawn = [draw_distortion(spectra[0][0], E0, WINDOW, limits, np.random.default_rng(i))
             for i in range(20)]  # fmt: skip
    assert min(what.stretch for what in drawn) < -1.0


def test_several_copies_of_each_differ_by_shift_and_slope():
    """A sloping copy is the plain one and a line; several copies of a spectrum differ."""
    spectra = [(*edge_spectrum(E0, span=(-30.0, 80.0)), E0)] * 4
    limits = Augmentation(fraction=0.5, **{**STRETCHED, "copies": 3, "stretch": 0.0, "slope": 0.05})
    copies, origin = augment(spectra, WINDOW, limits, np.random.default_rng(0))
    assert len(origin) == 6
    assert sorted(np.unique(origin, return_counts=True)[1].tolist()) == [3, 3]
    plain, _ = cut_window(*spectra[0], WINDOW)
    lines = copies - plain
    assert lines[:, 0] == pytest.approx(np.zeros(6), abs=1e-12)
    assert lines == pytest.approx(lines[:, -1:] * np.linspace(0, 1, WINDOW.points), abs=1e-12)
    assert np.abs(lines[:, -1]).max() <= 0.05
    assert len(set(lines[:, -1].round(6))) == 6
