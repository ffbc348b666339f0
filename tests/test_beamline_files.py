"""Files as beamlines, spreadsheets and Athena write them: read, or refused with what to do."""

import gzip
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import beamline_files as files
from beamline_files import CU, counts, edge, rows
from xascoord.core.errors import MeasurementError
from xascoord.measured.columns import Columns
from xascoord.measured.doubts import l3_edges_near
from xascoord.measured.prepare import read_and_normalise
from xascoord.measured.read import read_measurements, why_no_spectrum
from xascoord.measured.spectrum import Options, Refusal
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.store import RELEASED

ENERGY, MU = edge()
I0, I1, FLUORESCENCE = counts(MU)


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def read_one(path, **options):
    (found,) = read_measurements(path, **options)
    return found


def assert_edge(found, energy=ENERGY, mu=MU):
    """The same energies and, but for scale and background, the same mu."""
    assert found.energy == pytest.approx(energy, abs=0.05)
    assert np.corrcoef(found.mu, mu)[0, 1] > 0.9999


BEAMLINES = {
    "SSRL": (files.ssrl, "transmission", "ln(i0/i1)"),
    "SSRL micro": (files.ssrl_micro, "fluorescence", "sum of 3: sca1_1 ... sca1_3"),
    "Photon Factory, 2": (lambda: files.photon_factory(2), "transmission", "ln(i0/itrans)"),
    "Photon Factory, 3": (lambda: files.photon_factory(3), "fluorescence", "ifluor/i0"),
    "SPEC": (lambda: files.spec((7,)), "transmission", "ln(mon/ion1)"),
    "APS 20ID": (files.aps_20id, "fluorescence", "xmap4_cuka_sum/prekb_i0"),
    "APS 9BM": (files.aps_9bm, "transmission", "ln(i0_32/it_32)"),
    "APS 12BM": (files.aps_12bm, "transmission", "ln(i0/i1)"),
    "APS 10BM": (files.mrcat, "transmission", "ln(io/it)"),
    "ESRF LISA": (files.lisa, "transmission", "ln(i0_eh1/i1_eh1)"),
    "NSLS-II ISS": (files.iss, "transmission", "ln(i0/it)"),
    "NSLS-II BMM": (files.bmm, "mu", "column 'xmu'"),
    "NSLS-II QAS": (files.qas, "transmission", "ln(i0/it)"),
    "NSLS X11": (files.xdac, "transmission", "ln(i0/i)"),
    "Diamond B18": (files.diamond, "transmission", "ln(i0/it)"),
    "SESAME": (files.sesame, "transmission", "ln(i0/i1)"),
    "Aichi": (lambda: files.photon_factory(2, "AichiSR  BL5S1"), "transmission", "ln(i0/itrans)"),
    "SPring-8": (files.spring8, "fluorescence", "(sum of 3: roi_5 ... roi_7)/i0"),
}


@pytest.mark.parametrize("name", BEAMLINES)
def test_files_of_beamlines_are_read(tmp_path, name):
    make, channel, formula = BEAMLINES[name]
    found = read_one(write(tmp_path / "scan.001", make()))
    assert found.channel == channel
    assert any(formula in note for note in found.notes)
    assert_edge(found)


def test_what_was_guessed_is_said(tmp_path):
    found = read_one(write(tmp_path / "a.dat", files.aps_20id()))
    assert "energy is column 'mono_energy' (else --energy-column)" in found.notes
    assert any("not mu = ln(prekb_i0/it)" in note for note in found.notes)


def test_element_and_edge_of_a_header(tmp_path):
    for make in (files.iss, files.bmm, files.fdmnes):
        found = read_one(write(tmp_path / "a.dat", make()))
        assert (found.element, found.edge) == ("Cu", "K")


def test_the_line_of_the_element_that_is_scanned(tmp_path):
    found = read_one(write(tmp_path / "a.dat", files.phoenix()))
    assert_edge(found, *edge(1559.0))
    assert any("alka_sum_cps_c3/i0_keithley1_c4" in note for note in found.notes)


def test_energies_of_fdmnes_count_from_the_edge(tmp_path):
    found = read_one(write(tmp_path / "a.txt", files.fdmnes()))
    assert found.energy[[0, -1]] == pytest.approx([CU - 40, CU + 150])
    bare = "\n".join(files.fdmnes().splitlines()[2:])
    with pytest.raises(MeasurementError, match="count from an edge that the file does not say"):
        read_measurements(write(tmp_path / "b.txt", bare))


# --- columns that nobody can tell


def test_columns_that_cannot_be_told_are_listed(tmp_path):
    path = write(tmp_path / "a.dat", files.cls_hxma())
    with pytest.raises(MeasurementError, match=r"4 detector1, 5 detector2.* --i0, --i1 or --if"):
        read_measurements(path)
    with pytest.raises(MeasurementError, match=r"--i0 monitor: no such column; there are 1 event"):
        read_measurements(path, columns=Columns(i0="monitor", i1="detector3"))
    for columns, channel in (
        (Columns(i0="Detector2", i1="6"), "transmission"),
        (Columns("absenergyname", i0="5", fluorescence=("detector1",)), "fluorescence"),
    ):
        found = read_one(path, columns=columns)
        assert found.channel == channel
        assert_edge(found)


def test_names_of_a_fio_file_are_shown_and_asked_for(tmp_path):
    """Names are of devices: the energies are told by their values, the counts by the user."""
    path = write(tmp_path / "a.fio", files.fio())
    with pytest.raises(MeasurementError, match="3 fe_0001_c1, 4 fe_0001_c2.* --i0"):
        read_measurements(path)
    found = read_one(path, columns=Columns(i0="FE_0001_C1", fluorescence=("FE_0001_C2",)))
    assert "energy is column 'fe_0001' (else --energy-column)" in found.notes
    assert_edge(found)


def test_a_constant_mu_is_said_with_the_columns(tmp_path):
    path = write(tmp_path / "a.dat", "# energy mu\n" + rows(ENERGY, 0 * MU))
    for element in (None, "Cu"):
        (refused,) = prepare(path, element=element)
        assert refused.reason.endswith(
            "there is no rise; mu is constant (taken: mu is column 'mu')"
        )


def test_named_columns_of_fluorescence_are_summed_and_of_mu_averaged(tmp_path):
    path = write(tmp_path / "a.dat", "# x a b c\n" + rows(ENERGY, I0, MU, MU + 0.2))
    found = read_one(path, columns=Columns("x", mu=("b", "4")))
    assert found.mu == pytest.approx(MU + 0.1, abs=1e-5)
    found = read_one(path, columns=Columns("1", i0="a", fluorescence=("b", "c")))
    assert found.mu == pytest.approx((2 * MU + 0.2) / I0, rel=1e-3)


def test_angles_need_the_spacing_of_the_crystal(tmp_path):
    angle = np.degrees(np.arcsin(12398.41984 / (2 * 3.1355 * ENERGY)))
    table = "# theta i0 it\n" + rows(angle, I0, I1, digits=8)
    assert_edge(read_one(write(tmp_path / "a.dat", f"# d_spacing: 3.1355\n{table}")))
    with pytest.raises(MeasurementError, match="d spacing"):
        read_measurements(write(tmp_path / "b.dat", table), columns=Columns(energy="theta"))


def test_columns_of_a_predicted_file(tmp_path):
    path = write(tmp_path / "a.dat", files.cls_hxma())
    (answer,) = Predictor(RELEASED).predict_file(path, "Cu", i0="detector2", if_=[4])
    assert "mu = detector1/detector2" in answer.notes
    result = subprocess.run(
        [sys.executable, "-m", "xascoord", "predict", "-v", path, "--models", RELEASED, "--i0", "5",
         "--if", "detector1", "--if", "7"], capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "mu = (sum of 2: detector1 ... ringcurrent)/detector2" in result.stdout


def test_a_channel_without_an_edge_says_what_was_taken(tmp_path):
    """Another channel is taken where there is one; else the refusal names the columns."""
    flat = I0 * np.exp(-0.04 - 1e-5 * (ENERGY - CU))
    two = "# energy i0 i1 if\n" + rows(ENERGY, I0, flat, FLUORESCENCE)
    found = read_one(write(tmp_path / "a.dat", two))
    assert found.channel == "fluorescence"
    assert "not mu = ln(i0/i1): no edge in it" in found.notes
    noise = 30 + np.random.default_rng(1).normal(0, 5, len(ENERGY))
    one = "# energy i0 i1 if\n" + rows(ENERGY, I0, flat, noise)
    (refused,) = prepare(write(tmp_path / "b.dat", one), element="Cu")
    assert "no edge step" in refused.reason
    assert refused.reason.endswith("(taken: mu = ln(i0/i1))")


def test_a_computed_spectrum_says_its_e0(tmp_path):
    """FEFF's energies are off by its potential: the scan is long enough about its own edge."""
    head = "# XDI/1.0 a\n# Element.symbol: Cu\n# Element.edge: K\n# Column.1: energy eV\n"
    head += "# Column.2: mu\n"
    inside = ENERGY > CU - 16
    table = "# ---\n# energy mu\n" + rows(ENERGY[inside] + 15, MU[inside])
    said = f"# Simulation.e0: {CU + 15} eV\n"
    (measured,) = prepare(write(tmp_path / "a.xdi", head + table))
    (computed,) = prepare(write(tmp_path / "b.xdi", head + said + table))
    assert isinstance(measured, Refusal)
    assert computed.e0 == CU + 15
    assert computed.given_e0


# --- exports


NAMELESS = rows(ENERGY, I0, I1)
EXPORTS = {
    "comma": "Energy (eV),mu\n" + rows(ENERGY, MU, mark=","),
    "tab": "Energy\tAbsorbance\n" + rows(ENERGY, MU, mark="\t"),
    "semicolon": "Energy;mu\n" + rows(ENERGY, MU, mark=";"),
    "quoted": '"Energy [eV]";"mu"\n' + rows(ENERGY, MU, mark=";"),
    "decimal comma": "Energie mu\n" + rows(ENERGY, MU).replace(".", ","),
    "four": "Energie (eV);mu;a;b\n" + rows(ENERGY, MU, I0, I0, mark=";").replace(".", ","),
    "scans": "energy,mu1,mu2,mu3\n" + rows(ENERGY, MU, MU + 0.01, MU - 0.01, mark=","),
    "energy second": rows(MU, ENERGY),
    "three": NAMELESS,
    "three, energy second": rows(I1, ENERGY, I0),
    "keV": "E/keV  xmu\n" + rows(ENERGY / 1000, MU, digits=8),
    "empty cells": "energy,comment,mu\n" + rows(ENERGY, MU, mark=",,"),
    "times": "# energy time mu\n" + rows(ENERGY, MU, mark=" 12:30:05 "),
    "a row cut off": rows(ENERGY, MU) + "9180.0\n",
    "a beam dump": rows(ENERGY[:70], MU[:70]) + "# beam dump\n" + rows(ENERGY[70:], MU[70:]),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_read(tmp_path, name):
    assert_edge(read_one(write(tmp_path / "a.csv", EXPORTS[name])))


@pytest.mark.parametrize("name", ["scans", "a row cut off", "a beam dump", "decimal comma"])
def test_what_was_done_to_an_export_is_said(tmp_path, name):
    words = {
        "scans": "mean of 3 scans: mu1, mu2, mu3",
        "a row cut off": "last row",
        "a beam dump": "passed over: # beam dump",
        "decimal comma": "decimal commas",
    }
    assert words[name] in " ".join(read_one(write(tmp_path / "a", EXPORTS[name])).notes)


@pytest.mark.parametrize("columns", [(MU, 2 * MU), (I0, FLUORESCENCE), (MU, MU + 0.1)])
def test_three_nameless_columns_that_may_be_anything(tmp_path, columns):
    with pytest.raises(MeasurementError, match="--energy-column and --i0, --i1 or --if"):
        read_measurements(write(tmp_path / "a.dat", rows(ENERGY, *columns)))


def test_the_monitor_is_told_from_what_is_called_like_it(tmp_path):
    head = "# energy i0_time mon_theta dt_corr_i0 prekb_i0 i1\n"
    one = np.ones_like(MU)
    path = write(tmp_path / "a.dat", head + rows(ENERGY, one, one, 0.5 * I0, I0, I1))
    assert "mu = ln(prekb_i0/i1)" in read_one(path).notes


def test_counts_without_a_monitor_are_no_mu(tmp_path):
    with pytest.raises(MeasurementError, match="--i0"):
        read_measurements(write(tmp_path / "a.dat", "# energy i1\n" + rows(ENERGY, I1)))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    order=st.permutations(["energy", "i0", "itrans", "temperature"]),
    mark=st.sampled_from([" ", "\t", ",", ";", "  ", "; ", ", "]),
    decimal=st.sampled_from(".,"),
    comment=st.sampled_from(["", "# ", "% "]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"]),
    above=st.sampled_from(["", "# a sample, 3 of 4\n", "# 1 2 3\n\n"]),
)
def test_one_table_is_one_spectrum(tmp_path, order, mark, decimal, comment, end, encoding, above):
    """Whatever parts the columns, their order, the decimal sign, ends of lines and encoding."""
    table = {"energy": ENERGY, "i0": I0, "itrans": I1, "temperature": 300 + 0 * MU}
    # A comma cannot part columns and be within numbers at once.
    point = "." if "," in mark else decimal
    text = (above + comment + mark.join(order) + "\n"
            + rows(*(table[name] for name in order), mark="\0").replace(".", point)
            .replace("\0", mark))  # fmt: skip
    found = read_one(write(tmp_path / "a.dat", text.replace("\n", end), encoding))
    assert found.channel == "transmission"
    assert found.energy == pytest.approx(ENERGY, abs=1e-6)
    assert found.mu == pytest.approx(MU, abs=1e-5)


# --- several scans


def test_each_scan_of_spec_is_a_spectrum(tmp_path):
    found = read_measurements(write(tmp_path / "a.spec", files.spec((3, 4, 9))))
    assert [one.name for one in found] == [f"a.spec [scan {n}]" for n in (3, 4, 9)]
    for one, number in zip(found, (3, 4, 9), strict=True):
        assert one.mu == pytest.approx(number * MU, abs=1e-3)


def test_a_scan_of_something_else_is_left_out_and_said(tmp_path):
    motor = "#S 1 ascan tab1 0 1 50 1\n#L tab1  Det1\n" + rows(np.arange(50.0), np.ones(50))
    (found,) = read_measurements(write(tmp_path / "a.dat", motor + files.spec((2,))))
    assert found.name == "a.dat [scan 2]"
    assert found.warnings[0].startswith("1 of 2 scans left out")


def test_scans_one_after_another_are_parted(tmp_path):
    up = rows(np.tile(ENERGY, 3), np.r_[MU, 2 * MU, 3 * MU])
    found = read_measurements(write(tmp_path / "a.dat", up))
    assert [one.name for one in found] == [f"a.dat [part {n}]" for n in (1, 2, 3)]
    for number, one in enumerate(found, start=1):
        assert one.energy == pytest.approx(ENERGY)
        assert one.mu == pytest.approx(number * MU, abs=1e-5)
    back = read_measurements(
        write(tmp_path / "b.dat", rows(np.r_[ENERGY, ENERGY[::-1]], np.r_[MU, MU[::-1]]))
    )
    assert [len(one.energy) for one in back] == [140, 141]
    cut = write(tmp_path / "c.dat", rows(np.r_[ENERGY, ENERGY[:12]], np.r_[MU, MU[:12]]))
    assert "12 points of scans of fewer than 30 left out" in read_one(cut).notes


# --- Athena


def project(path, *groups):
    """An Athena project in Perl's form; of each group the parameters, energies and mu."""
    text = "# Athena project file -- Demeter version 0.9.24\n"
    for number, (parameters, energy, mu) in enumerate(groups):
        pairs = ",".join(f"'{k}','{v}'" for k, v in {"label": f"g{number}", **parameters}.items())
        x, y = (",".join(f"'{v:.5f}'" for v in values) for values in (energy, mu))
        text += (
            f"$old_group = 'abc{number}';\n@args = ({pairs});\n@x = ({x});\n@y = ({y});\n[record]\n"
        )
    path.write_bytes(gzip.compress(text.encode()))
    return path


def prepare(path, **options):
    return read_and_normalise(path, Options(**options))


FINE, FINE_MU = edge(points=701)


def test_a_project_that_says_another_edge_is_not_obeyed_but_said(tmp_path):
    path = project(tmp_path / "a.prj", ({"bkg_z": "Yb", "fft_edge": "l3"}, FINE, FINE_MU),
                   ({"bkg_z": "Cu", "fft_edge": "k"}, FINE, FINE_MU))  # fmt: skip
    other, same = prepare(path)
    assert other.element == same.element == "Cu"
    assert any("says Yb L3 edge, taken is the Cu K edge" in w for w in other.warnings)
    assert not any("L3" in warning for warning in same.warnings)


def test_e0_and_normalisation_of_a_project_are_taken_if_wished(tmp_path):
    raw = 3 * FINE_MU + 0.5 - 2e-4 * (FINE - CU)
    said = {"bkg_z": "Cu", "fft_edge": "k", "bkg_e0": CU + 2.5, "bkg_eshift": 0.5, "bkg_pre1": -120,
            "bkg_pre2": -40, "bkg_nor1": 40, "bkg_nor2": 180, "bkg_nnorm": 2}  # fmt: skip
    path = project(tmp_path / "a.prj", (said, FINE, raw))
    (own,), (theirs,) = prepare(path), prepare(path, athena=True)
    assert own.e0 != pytest.approx(CU + 2.5, abs=0.5)
    assert theirs.e0 == CU + 2.5
    assert theirs.energy == pytest.approx(FINE + 0.5)
    assert any("lines -120 to -40 and 40 to 180 eV, degree 1" in note for note in theirs.notes)
    assert theirs.norm[FINE < CU - 40].mean() == pytest.approx(0, abs=0.01)
    assert theirs.norm[FINE > CU + 60].mean() == pytest.approx(1, abs=0.02)
    (plain,) = prepare(write(tmp_path / "a.dat", rows(FINE, raw)), athena=True)
    assert "--athena: not of an Athena project" in plain.warnings
    assert plain.e0 == pytest.approx(own.e0, abs=0.1)


def test_data_that_came_in_normalised_are_said_and_kept(tmp_path):
    said = {"bkg_z": "Cu", "fft_edge": "k", "bkg_e0": CU, "is_nor": 1}
    path = project(tmp_path / "a.prj", (said, FINE, FINE_MU), (said, FINE, 40 * FINE_MU))
    (kept, absurd) = prepare(path, athena=True)
    assert kept.norm == pytest.approx(FINE_MU, abs=1e-5)
    assert "normalised already, as the Athena project says" in kept.notes
    # Whatever the project says: this is no edge step.
    assert "edge step 39.66" in absurd.reason
    (raw,), (nor,) = (prepare(write(tmp_path / "a.nor", rows(FINE, mu)))
                      for mu in (0.5 + FINE_MU, FINE_MU))  # fmt: skip
    assert not any("came in normalised" in note for note in raw.notes)
    assert any("came in normalised" in note for note in nor.notes)


# --- doubts


def test_another_element_with_its_l3_edge_there(tmp_path):
    assert [l3_edges_near(e) for e in ("V", "Cr", "Cu", "Fe")] == [["La"], ["Pr"], ["Yb"], []]
    path = write(tmp_path / "a.dat", rows(FINE, FINE_MU))
    (told,), (found,) = prepare(path, element="Cu"), prepare(path)
    assert any("L3 edge of Yb is within" in warning for warning in found.warnings)
    assert not any("Yb" in warning for warning in told.warnings)


def test_a_spike_at_the_edge_is_said(tmp_path):
    spoilt = FINE_MU.copy()
    spoilt[np.argmin(np.abs(FINE - CU - 5))] += 1.5
    path = write(tmp_path / "a.dat", rows(FINE, spoilt))
    (found,), (mended,) = prepare(path), prepare(path, deglitch=True)
    assert any(w == "a glitch at 8984.0 eV? --deglitch takes such points out"
               for w in found.warnings)  # fmt: skip
    assert not any("glitch" in warning for warning in mended.warnings)
    (clean,) = prepare(write(tmp_path / "b.dat", rows(FINE, FINE_MU)))
    assert not any("glitch" in warning for warning in clean.warnings)


# --- what is no text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        (b"PK\x03\x04" + bytes(100), "Excel"),
        (b"\x93NUMPY" + bytes(100), "NumPy"),
        (b"8979 1\n" + bytes(100), "not a text"),
    ],
)
def test_files_that_are_no_text_are_named(tmp_path, content, words):
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    with pytest.raises(MeasurementError, match=f"{words}.*export energy and mu"):
        read_measurements(path)


def test_spectra_are_told_by_their_content(tmp_path):
    spectra = {"a.001": files.ssrl(), "b": files.spec(), "c.xdd": files.bmm()}
    for name, text in spectra.items():
        assert why_no_spectrum(write(tmp_path / name, text)) == ""
    assert why_no_spectrum(project(tmp_path / "d", ({}, FINE, FINE_MU))) == ""
    assert why_no_spectrum(write(tmp_path / "e.md", "# Notes\n1 2\n3 4\n")) == "no table of numbers"
    assert why_no_spectrum(write(tmp_path / "f", "")) == "the file is empty"
    (tmp_path / "g.gz").write_bytes(gzip.compress(b"something else"))
    assert "no project" in why_no_spectrum(tmp_path / "g.gz")


def test_real_spectra_survive_a_spreadsheet(tmp_path, shared):
    """Counts of real files, as a European spreadsheet exports them, under other names."""
    count = 0
    for path in sorted((shared / "experimental/xasdatalibrary/Fe").glob("*.xdi"))[:12]:
        real = read_one(path)
        if real.edge != "K":
            continue
        table = rows(1 + 0 * real.mu, real.mu, real.energy, mark=";", digits=7)
        head = "Seconds;Absorbance;Mono Energy (eV)\n"
        again = read_one(write(tmp_path / "a.csv", head + table.replace(".", ",")))
        assert again.energy == pytest.approx(real.energy, abs=1e-5)
        assert again.mu == pytest.approx(real.mu, abs=1e-6)
        one, other = (read_and_normalise(file, Options())[0] for file in (path, tmp_path / "a.csv"))
        assert type(one) is type(other)
        if not isinstance(one, Refusal):
            assert other.element == "Fe"
            assert other.norm == pytest.approx(one.norm, abs=1e-4)
            assert other.e0 == pytest.approx(one.e0, abs=1e-3)
            count += 1
    assert count > 5
