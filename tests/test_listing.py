"""What ``xascoord predict FILE --list`` shows of a file."""

import gzip
import subprocess
import sys

import h5py
import numpy as np
import pytest

import beamline_files as files
from xascoord.core.errors import MeasurementError
from xascoord.measured.listing import list_file
from xascoord.settings.limits import DEFAULT_LIMITS, Limits


def listed(path, content):
    path.write_bytes(content)
    return list_file(path, DEFAULT_LIMITS)


def test_columns_of_a_text_with_names_and_ranges(tmp_path):
    lines = listed(tmp_path / "a.fio", files.fio().encode())
    assert len(lines) == 4
    assert lines[:3] == [
        "1 fe_0001: 8829 to 9179",
        "2 fe_0001_delta: 0.3 to 0.3",
        "3 fe_0001_c1: 190000 to 200000",
    ]


def test_each_scan_is_a_table(tmp_path):
    lines = listed(tmp_path / "a.spec", files.spec((3, 4)).encode())
    assert [line for line in lines if "table" in line] == [
        "table 1 (scan 3), 141 rows:",
        "table 2 (scan 4), 141 rows:",
    ]
    assert lines[1] == "1 mon: 190000 to 200000"


def test_groups_of_a_project(tmp_path):
    energy, mu = files.edge()
    x, y = (",".join(f"'{v:.5f}'" for v in values) for values in (energy, mu))
    text = (
        "# Athena project file -- Demeter version 0.9.24\n$old_group = 'abc';\n"
        f"@args = ('label','CuO','bkg_z','Cu','fft_edge','k');\n@x = ({x});\n@y = ({y});\n"
        "[record]\n"
    )
    (line,) = listed(tmp_path / "a.prj", gzip.compress(text.encode()))
    assert line == "1 CuO: 141 points, 8829 to 9179 eV, Cu K as the project says"


def test_datasets_of_hdf5(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["e/energy"] = np.arange(20.0)
    assert list_file(tmp_path / "a.h5", DEFAULT_LIMITS) == ["/e/energy: 20 (float64), 0 to 19"]
    with pytest.raises(MeasurementError, match=r"a.h5: .*limits.file_bytes"):
        list_file(tmp_path / "a.h5", Limits(file_bytes=10))


def test_what_cannot_be_listed_is_said(tmp_path):
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "no", "no such file")):
        with pytest.raises(MeasurementError, match=words):
            list_file(path, DEFAULT_LIMITS)


def test_the_command_predicts_nothing(tmp_path):
    (tmp_path / "a.dat").write_text(files.mrcat())
    result = subprocess.run(
        [sys.executable, "-m", "xascoord", "predict", tmp_path / "a.dat", "--list"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == "1 energy: 8829 to 9179"
    assert "K edge" not in result.stdout
