import gzip

import numpy as np
import pytest

from conftest import PAPER_EDGE, PAPER_WINDOW, edge_spectrum
from xascoord.core.errors import MeasurementError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.clean import deglitch, find_element, merge_scans
from xascoord.measured.normalise import edge_step, find_inflection
from xascoord.measured.prepare import normalise_measurement, read_and_normalise
from xascoord.measured.read import Measurement, read_measurements
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal
from xascoord.prediction.windows import MOST_FILLED, cut_windows
from xascoord.settings.tree import Settings

CU = 8979.0
SETTINGS = Settings()


def long_edge(e0=CU, scale=1.0):
    """An edge with enough before and behind it for the normalisation."""
    return edge_spectrum(e0, span=(-200.0, 500.0), points=701, width=scale)


def xdi_text(columns, names, element="Cu", edge="K", units="eV"):
    head = ["# XDI/1.0 test", f"# Element.symbol: {element}", f"# Element.edge: {edge}",
            "# Mono.d_spacing: 3.13555"]  # fmt: skip
    head += [f"# Column.{i}: {n}{' ' + units if n == 'energy' else ''}"
             for i, n in enumerate(names, 1)]  # fmt: skip
    rows = ["  ".join(f"{value:.6f}" for value in row) for row in zip(*columns)]
    return "\n".join([*head, "# ///", "# made up", "#----", "# " + "  ".join(names), *rows]) + "\n"


def write(path, text):
    path.write_text(text)
    return path


def test_xdi_counts_in_transmission(tmp_path):
    energy, mu = long_edge()
    counts = 1e5 * np.exp(-mu)
    path = write(tmp_path / "a.xdi", xdi_text([energy, 1e5 + 0 * mu, counts],
                                              ["energy", "i0", "itrans"]))  # fmt: skip
    (found,) = read_measurements(path)
    assert (found.element, found.edge, found.channel) == ("Cu", "K", "transmission")
    assert found.energy == pytest.approx(energy, abs=1e-5)
    assert found.mu == pytest.approx(mu, abs=1e-4)


def test_channel_is_chosen_or_wished(tmp_path):
    energy, mu = long_edge()
    path = write(tmp_path / "a.xdi", xdi_text(
        [energy, 1e5 + 0 * mu, 1e5 * np.exp(-mu), 3e4 * mu + 1],
        ["energy", "i0", "itrans", "ifluor"],
    ))  # fmt: skip
    assert read_measurements(path)[0].channel == "transmission"
    fluorescence = read_measurements(path, "fluorescence")[0]
    assert fluorescence.channel == "fluorescence"
    assert np.corrcoef(fluorescence.mu, mu)[0, 1] > 0.9999
    with pytest.raises(MeasurementError, match="--channel"):
        read_measurements(path, "mu")


@pytest.mark.parametrize("header", ["", "# energy mu\n", "# a comment\n#---\n# energy  xmu\n"])
def test_plain_columns(tmp_path, header):
    energy, mu = long_edge()
    rows = "\n".join(f"{e:.3f} {m:.6f}" for e, m in zip(energy, mu))
    (found,) = read_measurements(write(tmp_path / "a.dat", header + rows + "\n"))
    assert found.element is None
    assert found.mu == pytest.approx(mu, abs=1e-5)


def test_names_of_columns_are_understood(tmp_path):
    energy, mu = long_edge()
    rows = "".join(f"{e:.3f} {1e5:.1f} {1e5 * np.exp(-m):.4f}\n" for e, m in zip(energy, mu))
    for header in ("# Energy(eV) I0 I1\n", "# energy_ev  i0  itrans\n", "# ENERGY I0 ITRANS\n"):
        (found,) = read_measurements(write(tmp_path / "a.dat", header + rows))
        assert found.channel == "transmission"
        assert found.mu == pytest.approx(mu, abs=1e-4)


def test_fluorescence_may_be_zero_before_the_edge(tmp_path):
    energy, mu = long_edge()
    path = write(tmp_path / "a.xdi", xdi_text(
        [energy, 1e5 + 0 * mu, np.where(energy < CU - 50, 0, 3e4 * mu)], ["energy", "i0", "ifluor"]
    ))  # fmt: skip
    assert read_measurements(path)[0].channel == "fluorescence"


@pytest.mark.parametrize("unit", [1.0, 0.001])
def test_soft_edges_in_ev_are_not_taken_for_kev(tmp_path, unit):
    """Be K is at 111.5 eV: an energy below 150 may be in eV."""
    energy = np.linspace(70, 149, 400) if unit == 1.0 else np.linspace(8.8, 9.4, 400)
    text = "".join(f"{e:.6f} {m:.6f}\n" for e, m in zip(energy, np.tanh(energy - energy[200]) + 1))
    (found,) = read_measurements(write(tmp_path / "a.dat", text))
    assert found.energy[0] == pytest.approx(energy[0] / unit, rel=1e-4)


def test_athena_project(tmp_path):
    """A project as larch writes it, in JSON, with two spectra."""
    from larch import Group
    from larch.io import create_athena

    project = create_athena(str(tmp_path / "two.prj"))
    for name, scale in (("first", 1.0), ("second", 2.0)):
        energy, mu = long_edge(scale=scale)
        group = Group(energy=energy, mu=mu, label=name, filename=name, e0=CU, atsym="Cu", edge="K")
        project.add_group(group)
    project.save()
    found = read_measurements(tmp_path / "two.prj")
    assert len(found) == 2
    assert found[0].mu == pytest.approx(long_edge()[1], abs=1e-6)
    assert "first" in found[0].name
    assert found[0].said == ("Cu", "K")


def test_kev_falling_and_repeated_energies(tmp_path):
    energy, mu = long_edge()
    energy, mu = np.r_[energy, energy[-1]], np.r_[mu, mu[-1] + 0.2]
    rows = "\n".join(f"{e / 1000:.7f} {m:.6f}" for e, m in zip(energy[::-1], mu[::-1]))
    (found,) = read_measurements(write(tmp_path / "a.dat", rows + "\n"))
    assert found.energy == pytest.approx(energy[:-1], abs=1e-3)
    assert found.mu[-1] == pytest.approx(mu[-2] + 0.1, abs=1e-5)
    notes = " ".join(found.notes)
    for words in ("keV", "falling", "1 repeated"):
        assert words in notes


def _columns(energy, mu):
    return "\n".join(f"{e} {m}" for e, m in zip(energy, mu)) + "\n"


MALFORMED = {
    "empty": ("", "empty"),
    "text": ("once upon a time\n" * 50, "two columns"),
    "one column": ("\n".join(f"{i}" for i in range(100)) + "\n", "two columns"),
    "cut off": (_columns(*(a[:12] for a in long_edge())), "cut off"),
    "nan": (_columns(long_edge()[0], np.where(np.arange(701) == 300, np.nan, long_edge()[1])),
            "data row 301"),
    "disorder": (_columns(long_edge()[0] + 4 * (np.arange(701) % 2), long_edge()[1]),
                 "energies go back"),
    "no edge": (_columns(long_edge()[0] + 3000, long_edge()[1]),
                "asked for is Cu, the scan covers 11779 to 12479 eV: it holds no Cu K edge, which "
                "is at 8979 eV"),
    "flat": (_columns(long_edge()[0], np.zeros(701)), "normalised"),
    "short step": (_columns(*(a[150:216] for a in long_edge(CU + 10))),
                   "-40 to +25 eV about the Cu K edge at 8979 eV; 8969 to 9014 eV"),
    "short below": (_columns(*(a[195:] for a in long_edge())), "-5 to +500 eV about the Cu K edge"),
    "other edge": (xdi_text(long_edge(), ["energy", "mutrans"], "Pt", "L3"), "L3 edge"),
    "no channel": (xdi_text(long_edge(), ["energy", "temperature"]), "no channel"),
    "zero counts": (xdi_text([long_edge()[0], np.ones(701), np.zeros(701)],
                             ["energy", "i0", "it"]), "not positive"),
    "constant energy": (_columns(np.full(60, 8979.0), np.ones(60)), "no spectrum"),
    "absurd energy": (_columns(np.r_[long_edge()[0], 1e13], np.r_[long_edge()[1], 1]),
                      "no spectrum"),
    "damaged row": (_columns(*(a[:300] for a in long_edge())) + "9128.x 1.02\n"
                    + _columns(*(a[300:] for a in long_edge())), "row of the data is damaged"),
    "angle": ("# angle i0 itrans\n" + "".join(f"{a} 1 2\n" for a in np.linspace(9, 20, 99)),
              "does not say the d spacing"),
    "three nameless": ("".join(f"{e} 1 2\n" for e in long_edge()[0]), "--i0, --i1"),
    "another edge": (_columns(long_edge()[0] + 90, long_edge()[1]), "is the element right"),
    "broken xdi": ("# XDI/1.0\n# Element.symbol: Cu\n# ///\n1 2 3\n4 5\n", "XDI"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_say_what_is_wrong(tmp_path, name):
    text, words = MALFORMED[name]
    suffix = "xdi" if text.startswith("# XDI") else "dat"
    path = write(tmp_path / f"bad.{suffix}", text)
    element = None if suffix == "xdi" else "Cu"
    try:
        (found,) = read_and_normalise(path, Options(element))
    except MeasurementError as error:
        assert "bad." in str(error)
        assert words in str(error)
    else:
        assert isinstance(found, Refusal)
        assert words in found.reason


def test_the_papers_window_needs_more(tmp_path):
    """What is enough for the default is not enough for it."""
    default, paper = (SETTINGS.window, SETTINGS.edge_energy), (PAPER_WINDOW, PAPER_EDGE)
    for name, part, words in (
        ("a.dat", slice(150, 245), "45 eV are needed"), ("b.dat", slice(150, 701), ""),
    ):  # fmt: skip
        path = write(tmp_path / name, _columns(*(a[part] for a in long_edge())))
        (found,) = read_and_normalise(path, Options("Cu"))
        assert cut_windows(found, *default, [0.0]).seen.features.shape == (161,)
        if words:
            with pytest.raises(RejectedSpectrum, match=words):
                cut_windows(found, *paper, [0.0])
        else:
            assert cut_windows(found, *paper, [0.0]).seen.features.shape == (200,)


@pytest.mark.parametrize("missing", [-0.5, 0.5, 7.5, 8.5])
def test_a_window_beyond_the_scan_is_filled_by_little_and_said(missing):
    """The mean of the last 5 eV, up to 8 eV beyond the end; more is refused."""
    energy = np.arange(CU - 60, CU + 30 - missing + 1e-9, 0.5)
    norm = 0.5 + np.arctan((energy - CU) / 2) / np.pi + 0.01 * (energy > energy[-1] - 5)
    spectrum = NormalisedSpectrum("a", "Cu", energy, norm, CU, CU)
    asked = spectrum, SETTINGS.window, SETTINGS.edge_energy, [-0.5, 0.0, 0.5]
    if missing > MOST_FILLED:
        with pytest.raises(RejectedSpectrum, match=r"the window is -10 to \+30 eV"):
            cut_windows(*asked)
        return
    found = cut_windows(*asked)
    assert found.features.shape == (3, 161)
    if missing < 0:
        assert found.warnings == ()
        return
    assert found.warnings == (
        f"the window ends {missing:.1f} eV beyond the scan: filled with the mean of its last 5 eV",
    )
    level = norm[energy >= energy[-1] - 5].mean() / norm.max()
    assert found.seen.features[-1] == pytest.approx(level, abs=1e-3)
    assert np.abs(np.diff(found.seen.features[-60:])).max() < 0.02


# --- normalisation


def measured(energy, mu, element="Cu", **options):
    """A spectrum at hand, normalised."""
    one = Measurement("a", energy, mu, element, "K", "mu", "", ())
    return normalise_measurement(one, Options(**options))


@pytest.mark.parametrize("degree", [0, 1, 2])
@pytest.mark.parametrize(
    ("pre", "post"), [((-150, -30), (150, 480)), ((-80, -40), (30, 120)), ((-190, -20), (60, 300))]
)
def test_edge_step_and_lines_are_those_of_larch(pre, post, degree):
    from larch import Group
    from larch.xafs import pre_edge

    energy, mu = long_edge()
    mu = 2.3 * mu * (1 + 0.02 * np.sin(energy / 17)) + 0.7 - 4e-4 * (energy - CU)
    theirs = Group(energy=energy, mu=mu)
    for e0 in (CU, CU + 3.3):
        pre_edge(theirs, e0=e0, pre1=pre[0], pre2=pre[1], norm1=post[0], norm2=post[1],
                 nnorm=degree)  # fmt: skip
        ours = edge_step(energy, mu, e0, pre, post, degree)
        assert ours.edge_step == pytest.approx(theirs.edge_step, abs=1e-3)
        assert ours.pre_edge == pytest.approx(theirs.pre_edge, abs=1e-3)
        assert ours.post_edge == pytest.approx(theirs.post_edge, abs=1e-3)
        assert ours.norm == pytest.approx(theirs.norm, abs=1e-3)


def test_a_constant_below_the_edge_is_that_of_larch():
    from larch import Group
    from larch.xafs import pre_edge

    energy, mu = long_edge()
    theirs = Group(energy=energy, mu=mu + 0.3)
    pre_edge(theirs, e0=CU, pre1=-20, pre2=-10, norm1=50, norm2=400, nnorm=1, npre=0)
    ours = edge_step(energy, mu + 0.3, CU, (-20, -10), (50, 400), 1, pre_degree=0)
    assert ours.norm == pytest.approx(theirs.norm, abs=1e-3)


@pytest.mark.parametrize(
    ("low", "high", "note", "warned"),
    [
        (-200, 500, "(line -150 to -30 eV, quadratic line 150 to 500 eV", ()),
        (-200, 300, "(line -150 to -30 eV, line 100 to 300 eV", ()),
        (-60, 100, "(line -60 to -30 eV, mean 20 to 100 eV", ()),
        (-60, 45, "(line -60 to -30 eV, mean 20 to 45 eV", ("only 45 eV measured above",)),
        (-10, 500, "(constant -10 to -5 eV, quadratic", ("only 10 eV measured below",)),
        (-10, 35, "(constant -10 to -5 eV, mean 17 to 35 eV",
         ("only 10 eV measured below", "only 35 eV measured above")),
    ],
)  # fmt: skip
def test_short_scans_fall_back_and_say_so(low, high, note, warned):
    energy, mu = long_edge()
    part = (energy >= CU + low) & (energy <= CU + high)
    found = measured(energy[part], 2.5 * mu[part] + 0.4)
    assert isinstance(found, NormalisedSpectrum)
    assert note in found.notes[0]
    said = [warning for warning in found.warnings if warning.startswith("only")]
    assert len(said) == len(warned)
    assert all(one.startswith(words) for one, words in zip(said, warned))
    whole = measured(energy, 2.5 * mu + 0.4)
    assert found.e0 == pytest.approx(whole.e0, abs=0.3)
    assert found.norm == pytest.approx(whole.norm[part], abs=0.12)


@pytest.mark.parametrize("part", [slice(0, None), slice(1, None), slice(0, -1), slice(0, -2)])
def test_a_scan_may_lack_a_step_at_its_ends(part):
    """From 10 eV below to 35 eV above the edge in steps of 1.5 eV, then less of it."""
    energy = np.arange(CU - 10, CU + 36, 1.5)[part]
    found = measured(energy, np.interp(energy, *long_edge()))
    assert isinstance(found, Refusal) == (part.stop == -2)


def test_a_step_of_any_height_is_an_edge_step_unless_it_is_noise():
    energy, mu = long_edge()
    noise = np.random.default_rng(1).normal(0, 0.01, len(energy))
    for height in (1e-4, 0.3, 50.0):
        found = measured(energy, height * (mu + noise))
        assert found.norm[energy > CU + 100].mean() == pytest.approx(1, abs=0.03)
        assert found.norm[energy < CU - 30].mean() == pytest.approx(0, abs=0.01)
    for flat in (noise, 0.02 * mu + noise, -mu):
        refused = measured(energy, flat)
        assert isinstance(refused, Refusal)
        assert "no edge step" in refused.reason


def test_mback_is_a_choice_and_falls_back():
    energy, mu = long_edge()
    found = measured(energy, 2.5 * mu + 0.4, normalisation="mback")
    assert "normalised by MBACK (larch's mback_norm)" in found.notes
    assert found.norm[(energy > CU + 40) & (energy < CU + 75)].mean() == pytest.approx(1, abs=0.2)
    short = energy < CU + 90
    found = measured(energy[short], mu[short], normalisation="mback")
    assert any("too few for MBACK" in note for note in found.notes)
    assert any("by the edge step" in note for note in found.notes)


def test_the_inflection_is_no_glitch_and_that_of_larch(shared):
    energy, mu = long_edge()
    spoilt = mu.copy()
    spoilt[260] += 2
    assert find_inflection(energy, spoilt) == pytest.approx(find_inflection(energy, mu), abs=0.3)
    from larch.xafs import find_e0

    off = []
    for path in sorted((shared / "experimental/xasdatalibrary/Cr").glob("*.x*d*"))[:30]:
        (one,) = read_measurements(path)
        if one.edge == "K" and one.element == "Cr":
            near = np.abs(one.energy - 5989) < 60
            found = one.energy[near], one.mu[near]
            off.append(abs(find_inflection(*found) - find_e0(*found)))
    assert len(off) > 10
    assert np.mean(np.array(off) < 1) > 0.9


def test_damaged_projects_are_clear_errors(tmp_path):
    path = tmp_path / "bad.prj"
    path.write_bytes(gzip.compress(b"# Athena project file\nnothing else\n"))
    with pytest.raises(MeasurementError, match=r"bad\.prj"):
        read_measurements(path)
    path.write_bytes(b"\x1f\x8bjunk")
    with pytest.raises(MeasurementError, match=r"bad\.prj"):
        read_measurements(path)
    with pytest.raises(MeasurementError, match="no such file"):
        read_measurements(tmp_path / "none.xdi")


def test_glitches_go_and_nothing_else(tmp_path):
    energy, mu = long_edge()
    (clean,) = read_measurements(write(tmp_path / "a.dat", _columns(energy, mu)))
    assert deglitch(clean) is clean
    spoilt = mu.copy()
    spoilt[[350, 500]] += [0.4, -0.3]
    (found,) = read_measurements(write(tmp_path / "b.dat", _columns(energy, spoilt)))
    mended = deglitch(found)
    assert len(mended.energy) == len(energy) - 2
    assert not set(energy[[350, 500]]) & set(mended.energy)
    assert "glitches" in mended.notes[-1]


def test_merged_scans_are_their_mean(tmp_path):
    energy, mu = long_edge()
    (first,) = read_measurements(write(tmp_path / "a.dat", _columns(energy, mu)))
    (second,) = read_measurements(write(tmp_path / "b.dat", _columns(energy[5:], mu[5:] + 0.2)))
    merged = merge_scans([first, second], "both")
    assert merged.energy == pytest.approx(energy[5:])
    assert merged.mu == pytest.approx(mu[5:] + 0.1)
    assert "a.dat, b.dat" in merged.notes[-1]


@pytest.mark.parametrize(("element", "edge"), [("Cu", 8979.0), ("Ti", 4966.0), ("Zn", 9659.0)])
def test_element_from_the_energies(element, edge):
    assert find_element(*long_edge(edge)) == element
    glitchy = long_edge(edge)[1].copy()
    glitchy[80] += 5
    assert find_element(long_edge(edge)[0], glitchy) == element
    with pytest.raises(MeasurementError, match="--element"):
        find_element(*long_edge(11000.0))


def test_normalised_spectrum_is_that_of_a_computed_one(tmp_path):
    """A background and a scale do not change what the models see."""
    energy, mu = long_edge()
    raw = 3.0 * mu + 0.7 - 2e-4 * (energy - CU)
    path = write(tmp_path / "a.dat", _columns(energy, raw))
    (found,) = read_and_normalise(path, Options("Cu"))
    from xascoord.spectra.edge_energy import find_e0
    from xascoord.spectra.window import cut_window

    e0 = find_e0(energy, mu, SETTINGS.edge_energy)
    assert found.e0 == pytest.approx(e0, abs=0.5)
    computed, _ = cut_window(energy, mu, e0, SETTINGS.window)
    seen = cut_windows(found, SETTINGS.window, SETTINGS.edge_energy, [0.0]).seen
    assert np.abs(seen.features - computed).max() < 0.06
    (given,) = read_and_normalise(path, Options("Cu", e0 + 4))
    assert given.e0 == e0 + 4
    assert given.given_e0 and not found.given_e0
    assert "given" in given.notes[-1]
    (far,) = read_and_normalise(path, Options("Cu", e0 + 60))
    assert any("--e0" in warning for warning in far.warnings)


def test_every_real_k_edge_can_be_prepared(shared):
    """All K edges of the 33 elements in the folder, the element found from the energies too."""
    from xascoord.core.elements import ELEMENTS

    count = 0
    for path in sorted((shared / "experimental/xasdatalibrary").glob("[CFMNVZ]*/*.x*d*")):
        (found,) = read_measurements(path)
        if found.edge != "K" or found.element not in ELEMENTS:
            continue
        assert find_element(found.energy, found.mu) == found.element, path
        spectrum = normalise_measurement(found, Options())
        assert isinstance(spectrum, NormalisedSpectrum), (path, spectrum)
        seen = cut_windows(spectrum, SETTINGS.window, SETTINGS.edge_energy, [0.0]).seen
        assert seen.features.max() == 1
        count += 1
    assert count > 100


def test_a_project_of_unequal_columns_is_refused_and_prints_nothing(tmp_path, capsys):
    """larch prints entries that it does not know, and would have them reach the terminal."""
    energy, mu = long_edge()
    x, y = (",".join(f"'{value:.4f}'" for value in values) for values in (energy, mu[:-5]))
    text = ("# Athena project file -- Demeter version 0.9.24\n$old_group = 'abcd';\n"
            "'\x1b[31modd',1;\n@args = ('atsym','Cu','edge','K','label','a');\n"
            f"@x = ({x});\n@y = ({y});\n[record]\n1;\n")  # fmt: skip
    path = tmp_path / "a.prj"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(MeasurementError, match="701 energies and 696 values"):
        read_measurements(path)
    shown = capsys.readouterr()
    assert not shown.out + shown.err
