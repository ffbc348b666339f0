"""Repeat scans of one sample: their mean, how far they are from it, what is refused."""

import subprocess
import sys

import numpy as np
import pytest

from beamline_files import CU, edge, rows
from xascoord.core.errors import MeasurementError
from xascoord.measured.columns import Columns
from xascoord.measured.merge import merge_and_normalise
from xascoord.measured.spectrum import Options
from xascoord.prediction.store import RELEASED

ENERGY, MU = edge()


def write(path, energy, *columns, head="# energy mu\n"):
    path.write_text(head + rows(energy, *columns))
    return path


def merged(*paths, **options):
    return merge_and_normalise(paths, Options(**options))


def test_scans_of_several_files_are_averaged(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.02, (2, len(MU)))
    found = merged(*(write(tmp_path / f"{n}.dat", ENERGY, MU + noise[n]) for n in (0, 1)))
    assert found.name == "0.dat and 1 more, merged"
    assert found.element == "Cu"
    assert "mean of 2 scans: 0.dat, 1.dat" in found.notes
    (spread,) = [note for note in found.notes if "from their mean" in note]
    # Half the difference of two scans, about 0.02 / sqrt(2) of a step of 1.
    assert float(spread.split("%")[0].split()[-1]) == pytest.approx(1.4, abs=0.4)
    assert not any("from their mean" in warning for warning in found.warnings)


def test_scans_that_differ_much_are_a_warning(tmp_path):
    paths = [write(tmp_path / f"{n}.dat", ENERGY, (1 + n) * MU) for n in (0, 1)]
    assert any("are they of one sample" in warning for warning in merged(*paths).warnings)


def test_scans_that_are_not_of_one_sample_are_refused_by_name(tmp_path):
    one = write(tmp_path / "a.dat", ENERGY, MU)
    other = write(tmp_path / "b.dat", *edge(7112.0))
    with pytest.raises(MeasurementError, match=r"different elements: a.dat of Cu, b.dat of Fe"):
        merged(one, other)
    far = write(tmp_path / "c.dat", ENERGY + 400, MU)
    with pytest.raises(MeasurementError, match=r"in common .*a.dat 8829 to 9179 eV, c.dat 9229 to"):
        merged(one, far, element="Cu")
    light = write(tmp_path / "d.dat", ENERGY, MU, head="# energy mufluor\n")
    with pytest.raises(MeasurementError, match=r"channels \(a.dat mu, d.dat fluorescence\)"):
        merged(one, light)
    many = write(tmp_path / "e.nor", ENERGY, MU, MU, head="# energy CuO Cu2O\n")
    with pytest.raises(MeasurementError, match=r"e.nor holds several samples \(e.nor: CuO"):
        merged(one, many)
    assert merged(many, many, columns=Columns(mu=("CuO",))).element == "Cu"


def predict(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "xascoord", "predict", *map(str, arguments), "--models", RELEASED],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_command_gives_one_answer_for_all_scans(tmp_path):
    paths = [write(tmp_path / f"{n}.dat", ENERGY, MU) for n in range(3)]
    result = predict("--merge", "--verbose", *paths)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("0.dat and 2 more, merged: Cu K edge")
    assert "mean of 3 scans: 0.dat, 1.dat, 2.dat" in result.stdout
    for arguments, words in (
        (["--merge", tmp_path], "is a folder; name the files"),
        (["--merge", paths[0]], "one file; name all scans"),
        (["--merge", paths[0], tmp_path / "no.dat"], "no.dat: no such file"),
    ):
        result = predict(*arguments)
        assert result.returncode == 2
        assert words in result.stderr


def test_scans_reach_only_as_far_as_all_of_them(tmp_path):
    paths = [write(tmp_path / "a.dat", ENERGY, MU), write(tmp_path / "b.dat", ENERGY[5:], MU[5:])]
    found = merged(*paths)
    assert found.energy[0] == pytest.approx(ENERGY[5])
    assert found.energy[-1] > CU
