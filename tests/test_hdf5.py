"""HDF5 and NeXus: tables of datasets, both forms of NXxas, paths by hand, what is refused."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from beamline_files import counts, edge
from xascoord.core.errors import MeasurementError
from xascoord.measured.columns import Columns
from xascoord.measured.hdf5 import read_hdf5
from xascoord.measured.hdf5_content import list_hdf5
from xascoord.measured.read import read_measurements, why_no_spectrum
from xascoord.settings.limits import DEFAULT_LIMITS, Limits

ENERGY, MU = edge()
I0, I1, FLUORESCENCE = counts(MU)


def read_one(path, **options):
    (found,) = read_measurements(path, **options)
    return found


def assert_edge(found):
    assert found.energy == pytest.approx(ENERGY)
    assert np.corrcoef(found.mu, MU)[0, 1] > 0.9999


def test_a_group_of_energies_and_counts(tmp_path):
    """As BLISS writes a scan: links to detectors in one group, other groups beside it."""
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        for name, values in {"energy": ENERGY / 1000, "I0": I0, "I1": I1}.items():
            file[f"1.1/instrument/{name}/data"] = values
            file[f"1.1/measurement/{name}"] = h5py.SoftLink(f"/1.1/instrument/{name}/data")
        file["1.1/instrument/positioners/x"] = np.arange(20.0)
    found = read_one(path)
    assert found.name == "scan.h5"
    assert found.channel == "transmission"
    assert "mu = ln(i0/i1)" in found.notes
    assert_edge(found)


@pytest.mark.parametrize(("mode", "formula"), [("Transmission", "ln(i0/itrans)"),
                                               ("Fluorescence Yield", "ifluor/i0")])  # fmt: skip
def test_the_old_nxxas_keeps_counts_and_a_monitor(tmp_path, mode, formula):
    path = tmp_path / "a.nxs"
    signal = I1 if mode == "Transmission" else FLUORESCENCE
    with h5py.File(path, "w") as file:
        file["entry/definition"] = "NXxas"
        file["entry/instrument/monochromator/energy"] = ENERGY
        file["entry/instrument/absorbed_beam/data"] = signal
        file["entry/instrument/incoming_beam/data"] = I0
        file["entry/sample/name"] = "CuO"
        for name, of in (
            ("energy", "monochromator/energy"),
            ("absorbed_beam", "absorbed_beam/data"),
        ):
            file[f"entry/data/{name}"] = file[f"entry/instrument/{of}"]
        file["entry/data/mode"] = mode
    found = read_one(path)
    assert any(formula in note for note in found.notes)
    assert found.sample == "CuO"
    assert_edge(found)


def test_the_new_nxxas_says_element_and_edge(tmp_path):
    """Two entries are two spectra, each named by its group."""
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        for entry, factor in (("a", 1), ("b", 2)):
            file[f"{entry}/definition"] = "NXxas"
            file[f"{entry}/element/symbol"] = "Cu"
            file[f"{entry}/edge/name"] = "K"
            file[f"{entry}/data/energy"] = ENERGY
            file[f"{entry}/data/intensity"] = factor * MU
            file[f"{entry}/data"].attrs.update(NX_class="NXdata", signal="intensity")
    one, two = read_measurements(path)
    assert (one.element, one.edge) == ("Cu", "K")
    assert [one.name, two.name] == ["a.nxs [/a/data]", "a.nxs [/b/data]"]
    assert two.mu == pytest.approx(2 * MU)


def test_detectors_in_groups_of_their_own(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry/mono/energy"] = ENERGY
        file["entry/mono/energy"].attrs["units"] = "eV"
        file["entry/i0/data"] = I0
        file["entry/itrans/data"] = I1
    found = read_one(path)
    assert "mu = ln(i0/itrans)" in found.notes
    assert_edge(found)


def test_datasets_are_named_by_path_or_by_name(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["scan/position"] = ENERGY
        file["scan/first"] = I0
        file["scan/second"] = I1
        file["other/short"] = np.arange(50.0)
    with pytest.raises(MeasurementError, match=r"/scan/first \(141\).*--energy-column PATH"):
        read_measurements(path)
    for columns in (Columns("/scan/position", "/scan/first", "scan/second"),
                    Columns("position", "first", "second")):  # fmt: skip
        assert_edge(read_one(path, columns=columns))
    with pytest.raises(MeasurementError, match="--energy-column /scan/no: no such column"):
        read_measurements(path, columns=Columns("/scan/no", mu=("/scan/first",)))


def test_samples_in_a_group_are_spectra(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.update({"energy": ENERGY, "CuO": MU, "Cu2O": 2 * MU})
    assert {one.name for one in read_measurements(path)} == {"a.h5: CuO", "a.h5: Cu2O"}


# --- what is refused


def test_other_files_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["energy"], file["mu"] = ENERGY, MU
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["energy"] = ENERGY
        file["mu"] = h5py.ExternalLink("secret.h5", "/mu")
        file["up"] = file["/"]  # a circle
    with pytest.raises(MeasurementError, match=r"no energies with mu .*\(/energy \(141\)\)"):
        read_measurements(tmp_path / "a.h5")


def test_damaged_and_empty_files_say_so(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["energy"], file["mu"] = ENERGY, MU
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert why_no_spectrum(path) == ""
    with pytest.raises(MeasurementError, match="a.h5: not readable as HDF5 .*fetch it again"):
        read_measurements(path)
    h5py.File(path, "w").close()
    with pytest.raises(MeasurementError, match="none of numbers in one dimension"):
        read_measurements(path)


@pytest.mark.parametrize("name", ["points", "columns", "values", "file_bytes", "nesting"])
def test_limits_hold(tmp_path, name):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a/b/c/energy"], file["a/b/c/mu"] = ENERGY, MU
    with pytest.raises(MeasurementError, match=f"limits.{name}"):
        read_measurements(path, limits=Limits.model_validate({name: 1}))


def test_a_piece_that_unpacks_to_more_than_a_file_may_be(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["energy"] = ENERGY
        file.create_dataset("mu", data=MU, chunks=(20_000_000,), maxshape=(None,),
                            compression="gzip")  # fmt: skip
    with pytest.raises(MeasurementError, match="limits.file_bytes"):
        read_measurements(path)
    assert list_hdf5(path, DEFAULT_LIMITS)[1] == "/mu: 141 (float64)"


def test_what_is_in_a_file_is_listed(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["e/energy"], file["e/name"], file["e/map"] = np.arange(20.0), "CuO", np.ones((3, 4))
    assert list_hdf5(path, DEFAULT_LIMITS) == [
        "/e/energy: 20 (float64), 0 to 19",
        "/e/map: 3 x 4 (float64)",
        "/e/name: single value (object)",
    ]


def test_names_of_a_table_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["energy"], file["MuTrans"] = ENERGY, MU
    ((arrays, facts),) = read_hdf5(path, Columns(), DEFAULT_LIMITS)
    assert set(arrays) == {"energy", "mutrans"}
    assert facts["labels"]["mutrans"] == "MuTrans"


def test_h5py_is_imported_for_such_files_only():
    code = (
        "import sys, xascoord.measured.read\n"
        "assert 'h5py' not in sys.modules, [n for n in sys.modules if 'h5py' in n]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
