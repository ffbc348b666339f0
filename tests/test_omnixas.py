"""OmniXAS: lines of spectra, their names, and crystals; what does not fit is a rejection."""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest

from conftest import make_settings, rutile
from xascoord.core.errors import SourceError
from xascoord.sources.collect import Spectrum
from xascoord.sources.omnixas import POINTS, STARTS, STEP, read_omnixas


def _line(begins=5):
    mu = 0.05 + 1 / (1 + np.exp(-(np.arange(POINTS) - 60) / 4.0))
    mu[:begins] = mu[begins]
    return " ".join(f"{value:.10e}" for value in mu)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "omnixas"
    for name in ("ml_data", "material_id_and_site", "cif"):
        (root / name).mkdir(parents=True)
    crystal = rutile("Ti")
    crystal.to(filename=str(root / "cif/mp-1.cif"))
    titanium = crystal.indices_from_symbol("Ti")[0]
    oxygen = crystal.indices_from_symbol("O")[0]
    (root / "cif/mp-3.cif").write_text("no crystal")
    names = [f"mp-1_{titanium:03d}", "mp-2_000", f"mp-1_{oxygen:03d}", "mp-1_099", "mp-3_000",
             "what", f"mp-1_{titanium:03d}", f"mp-1_{titanium:03d}"]  # fmt: skip
    lines = [_line()] * 6 + ["1 2 three", "1.0 2.0"]
    (root / "material_id_and_site/Ti_FEFF_val.txt").write_text("\n".join(names) + "\n")
    (root / "ml_data/Ti_FEFF_val_y.txt").write_text("\n".join(lines) + "\n")
    return root


def _read(path, limits=None, **omnixas):
    settings = make_settings(
        sources=["omnixas"], elements=["Ti", "Cu"], omnixas={"path": str(path), **omnixas},
        limits=limits or {},
    )  # fmt: skip
    return list(read_omnixas(settings))


def test_good_and_bad_lines(folder):
    found = _read(folder)
    assert len(found) == 8  # each line is a spectrum or a rejection
    (spectrum, structure), *rejected = found
    assert isinstance(spectrum, Spectrum)
    assert structure["species"][spectrum.site_index] == "Ti"
    assert spectrum.energy[0] == pytest.approx(STARTS["Ti"] + 5 * STEP)  # one flat point is kept
    assert spectrum.energy[-1] == pytest.approx(STARTS["Ti"] + (POINTS - 1) * STEP)
    assert len(spectrum.energy) == len(spectrum.mu) == POINTS - 5
    assert [str(r.reason) for r, _ in rejected] == [
        "no_structure", "element_mismatch", "site_out_of_range", "bad_structure", "wrong_type",
        "unreadable", "wrong_columns",
    ]  # fmt: skip


def test_an_archive_and_crystals_elsewhere_give_the_same(folder, tmp_path):
    archive = tmp_path / "omnixas.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "omnixas")
    whole = _read(folder)
    (folder / "cif").rename(tmp_path / "crystals")
    for found in (_read(archive), _read(folder, structures=str(tmp_path / "crystals"))):
        assert [getattr(one, "key", None) for one, _ in found] == [
            getattr(one, "key", None) for one, _ in whole
        ]


def _pack(folder, path, *more):
    """An archive of a folder and of further members, each a name and a number of zero bytes."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        tar.add(folder, "omnixas")
        for name, size in more:
            info = tarfile.TarInfo(f"omnixas/{name}")
            info.size = size
            with Path("/dev/zero").open("rb") as zeros:
                tar.addfile(info, zeros)
    return path


def test_members_of_an_archive_beyond_a_limit(folder, tmp_path):
    """A crystal costs its own spectra, a file of spectra the import."""
    archive = _pack(folder, tmp_path / "a.tar.gz", ("cif/mp-2.cif", 60 << 20))
    (spectrum, _), *rejected = _read(archive)
    assert isinstance(spectrum, Spectrum)
    assert (str(rejected[0][0].reason), rejected[0][0].detail) == (
        "bad_structure", "mp-2.cif: 62,914,560 bytes; limits.file_bytes allows 50,000,000",
    )  # fmt: skip
    for name in ("ml_data/Ti_FEFF_val_y.txt", "material_id_and_site/Ti_FEFF_val.txt"):
        archive = _pack(folder, tmp_path / "b.tar.gz", (name, 60 << 20))
        with pytest.raises(SourceError, match=f"{name}: 62,914,560 bytes; limits.file_bytes"):
            _read(archive)
    many = [(f"cif/mp-{n}.cif", 19_000) for n in range(100, 110)]
    archive = _pack(folder, tmp_path / "c.tar", *many)
    assert len(_read(archive, limits={"file_bytes": 30_000})) == 8
    with pytest.raises(SourceError, match="together larger than 10 times limits.file_bytes"):
        _read(archive, limits={"file_bytes": 19_000})


@pytest.mark.parametrize("name", ["ml_data/Ti_FEFF_val_y.txt",
                                  "material_id_and_site/Ti_FEFF_val.txt"])  # fmt: skip
def test_files_of_too_many_lines(folder, name):
    with (folder / name).open("a") as file:
        file.write("\n" * 1_000_000)
    with pytest.raises(SourceError, match=f"{name}: 1,000,008 lines; limits.points"):
        _read(folder)


@pytest.mark.parametrize("packing", ["", ".gz"])
def test_an_archive_that_is_not_whole(folder, tmp_path, packing):
    """Zeros in its middle, which tarfile takes for the end; cut off; damaged."""
    plain = _pack(folder, tmp_path / "plain.tar")
    with tarfile.open(plain) as tar:
        members = tar.getmembers()
    middle = next(m.offset for m in members if m.name.endswith("cif/mp-3.cif"))
    whole = plain.read_bytes()
    path = tmp_path / f"broken.tar{packing}"
    for blocks in (1, 2, 10):
        broken = whole[:middle] + bytes(512 * blocks) + whole[middle:]
        path.write_bytes(gzip.compress(broken, 1) if packing else broken)
        with pytest.raises(SourceError, match="more comes behind.*fetch it again"):
            _read(path)
    content = gzip.compress(whole) if packing else whole
    damaged = bytearray(content)
    place = 700 if packing else members[len(members) // 2].offset
    damaged[place : place + 60] = b"\xff" * 60
    for broken in (content[: len(content) // 2], bytes(damaged)):
        path.write_bytes(broken)
        with pytest.raises(SourceError, match="no whole tar archive"):
            _read(path)


def test_what_is_not_there_is_one_message(folder, tmp_path):
    with pytest.raises(SourceError, match="xascoord fetch omnixas"):
        _read(tmp_path / "material_id_and_site")
    (folder / "material_id_and_site/Ti_FEFF_val.txt").write_text("mp-1_000\n")
    with pytest.raises(SourceError, match="8 spectra, but .* names 1"):
        _read(folder)
    (folder / "ml_data/Ti_FEFF_val_y.txt").unlink()
    with pytest.raises(SourceError, match="Ti Cu"):
        _read(folder)


def test_the_real_ones(shared):
    settings = make_settings(
        sources=["omnixas"], elements=["Cr"],
        omnixas={"path": str(shared / "spectra/omnixas_3d.tar.gz")},
    )  # fmt: skip
    found = list(read_omnixas(settings))
    assert len(found) == 482
    good = [one for one, _ in found if isinstance(one, Spectrum)]
    assert len(good) == 397
    assert {str(one.reason) for one, _ in found if not isinstance(one, Spectrum)} == {
        "no_structure", "element_mismatch", "site_out_of_range"}  # fmt: skip
