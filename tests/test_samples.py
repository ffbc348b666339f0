"""Tables of one column a sample: one spectrum each, and what is no such table."""

import numpy as np
import pytest

from beamline_files import CU, counts, edge, rows
from xascoord.core.errors import MeasurementError
from xascoord.measured.columns import Columns
from xascoord.measured.prepare import read_and_normalise
from xascoord.measured.read import read_measurements
from xascoord.measured.spectrum import Options, Refusal

ENERGY, MU = edge()
ATHENA = "# Normalized spectra exported from Athena\n#-----\n"


def write(path, head, *columns, mark=" "):
    path.write_text(head + rows(ENERGY, *columns, mark=mark))
    return path


def test_each_column_that_is_named_by_a_sample_is_a_spectrum(tmp_path):
    path = write(tmp_path / "many.nor", ATHENA + "#  energy CuO Cu2O Cu_foil.001\n", MU, 2 * MU,
                 MU + 0.1)  # fmt: skip
    found = read_measurements(path)
    assert [one.name for one in found] == [f"many.nor: {n}" for n in ("CuO", "Cu2O", "Cu_foil.001")]
    for one, factor, offset in zip(found, (1, 2, 1), (0, 0, 0.1), strict=True):
        assert one.mu == pytest.approx(factor * MU + offset, abs=1e-5)
    assert "mu is column 'cu2o', one of several samples" in found[1].notes
    (one,) = read_measurements(path, columns=Columns(mu=("Cu2O",)))
    assert one.mu == pytest.approx(2 * MU, abs=1e-5)


def test_a_column_without_an_edge_is_refused_by_name(tmp_path):
    noise = 0.5 + np.random.default_rng(1).normal(0, 0.1, len(MU))
    head = "# energy CuO glass blank Cu2O red\n"
    path = write(tmp_path / "many.nor", head, MU, 0 * MU, noise, MU, MU)
    good, glass, blank, *others = read_and_normalise(path, Options())
    assert good.element == "Cu"
    assert isinstance(glass, Refusal)
    assert glass.name == "many.nor: glass"
    assert glass.reason == "there is no edge in this column; it is constant"
    assert blank.reason == "there is no edge in this column"
    assert not any(isinstance(one, Refusal) for one in others)


def test_a_sample_of_fewer_energies(tmp_path):
    """Spreadsheets leave the cells empty where a sample was not measured."""
    lines = [f"{e:.2f},{a:.5f},{b:.5f}" for e, a, b in zip(ENERGY, MU, MU, strict=True)]
    lines[:10] = [line.rsplit(",", 1)[0] + ",nan" for line in lines[:10]]
    path = tmp_path / "a.csv"
    path.write_text("energy,CuO,Cu2O\n" + "\n".join(lines) + "\n")
    whole, part = read_measurements(path)
    assert len(whole.energy) == len(part.energy) + 10
    assert part.energy[0] == pytest.approx(ENERGY[10])
    assert "10 energies without a number in this column left out" in part.notes


I0, I1, FLUORESCENCE = counts(MU)
OTHERS = {
    "detectors": ("energy detector1 detector2", (MU, MU)),
    "a monitor": ("energy I0 CuO Cu2O", (I0, MU, MU)),
    "what falls at the edge": ("energy front behind", (MU, I1 / 1e5)),
    "counts": ("energy front side", (np.round(FLUORESCENCE), np.round(2 * FLUORESCENCE))),
    "most without an edge": ("energy CuO glass blank", (MU, 0 * MU, 0 * MU)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_tables_of_one_sample_stay_what_they_are(tmp_path, name):
    head, columns = OTHERS[name]
    with pytest.raises(MeasurementError, match=r"can be told among its columns \(1 energy"):
        read_measurements(write(tmp_path / "a.dat", f"# {head}\n", *columns))


def test_samples_of_an_xdi_file_are_there_once(tmp_path):
    """larch has columns with brackets in their names under a second name, too."""
    head = "# XDI/1.0 Demeter/0.9.26\n# Element.symbol: Cu\n# Element.edge: K\n"
    names = ("energy", "Cu(II)O", "Cu2O")
    head += "".join(f"# Column.{i}: {name}\n" for i, name in enumerate(names, start=1))
    path = write(tmp_path / "a.nor", f"{head}# ---\n# {'  '.join(names)}\n", MU, MU)
    assert [one.name for one in read_measurements(path)] == ["a.nor: Cu(II)O", "a.nor: Cu2O"]


def test_known_columns_come_before_samples(tmp_path):
    """Athena's own export of one group: norm, background, flat, derivatives."""
    path = write(tmp_path / "a.nor", ATHENA + "# energy norm nbkg flat nder\n", MU, MU, MU, MU)
    (one,) = read_measurements(path)
    assert "mu is column 'norm'" in one.notes
    assert CU in one.energy
