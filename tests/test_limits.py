"""What is too large, too deep, never ends or is there twice: rejected at once, with the limit."""

import csv
import gzip
import io
import json
import os
import re
import resource
import tarfile
import time

import numpy as np
import pytest

from conftest import edge_spectrum, make_settings, rutile, xas_dictionary, xmu_text
from corrupt import CU, TI, feff_corpus
from xascoord.core.errors import LimitError, MeasurementError, SourceError, StructureError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.core.schemas import SPECTRA
from xascoord.core.tables import read_rows
from xascoord.measured.read import read_measurements
from xascoord.settings.limits import Limits
from xascoord.sources.crystals.amcsd import parse_cif
from xascoord.sources.feff.missing import crystals_to_run, write_missing
from xascoord.sources.json_stream import parts
from xascoord.sources.stage import import_source
from xascoord.sources.xasdb_archive import read_documents
from xascoord.structures.cif import check_cif


@pytest.fixture(autouse=True)
def bound():
    """Each case within 10 s and 300 MB more than before."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    yield
    assert time.process_time() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def _import(source, path, out, element, **more):
    settings = make_settings(
        sources=[source], elements=[element], **{source: {"path": str(path)}, **more}
    )
    import_source(source, settings, out, out / "raw")
    rows = read_rows(out / f"spectra/{element}.parquet", SPECTRA)
    with (out / "rejections.csv").open(newline="") as handle:
        return rows, list(csv.DictReader(handle))


def _dump(path, *pieces):
    open_it = gzip.open if path.suffix == ".gz" else open
    with open_it(path, "wb") as handle:
        for piece in pieces:
            handle.writelines(piece if isinstance(piece, list) else [piece])


HUGE = [b'{"x": ["', *[b"a" * (1 << 20)] * 30, b'"]}']
DEEP = [b'{"x": ', b"[" * 100_000, b"]" * 100_000, b"}"]
NUMBERS = [b'{"x": [', *[b"1," * (1 << 18)] * 60, b"1]}"]
LONG = json.dumps({"x": [0.5] * 200_000, "y": [], "structure": {}}).encode()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz", "keyed.json",
                                  "data.json"])  # fmt: skip
def test_a_document_beyond_a_limit_costs_no_other(tmp_path, name):
    good = [json.dumps({**xas_dictionary(rutile(), 0, "Ti", TI), "task_id": f"mp-{n}"}).encode()
            for n in (1, 2)]  # fmt: skip
    many = xas_dictionary(rutile(), 0, "Ti", TI)
    many["structure"]["sites"] *= 400
    documents = [good[0], HUGE, DEEP, NUMBERS, LONG, json.dumps(many).encode(), good[1]]
    if "jsonl" in name:
        pieces = [part for one in documents for part in (one, b"\n")]
    elif name == "keyed.json":
        pieces = [part for i, one in enumerate(documents)
                  for part in (b"," if i else b"{", b'"k%d": ' % i, one)] + [b"}"]  # fmt: skip
    else:
        pieces = [part for i, one in enumerate(documents) for part in (b"," if i else b"[", one)]
        pieces.append(b"]")
        if name == "data.json":
            pieces = [b'{"meta": [[1]], "data": ', *pieces, b', "more": 1}']
    _dump(tmp_path / name, *pieces)
    rows, rejected = _import("xasdb_archive", tmp_path / name, tmp_path / "out", "Ti")
    assert sorted(row["material"] for row in rows) == ["mp-1", "mp-2"]
    assert [row["reason"] for row in rejected] == ["beyond_limit"] * 5
    told = " ".join(row["detail"] for row in rejected)
    for limit in ("document_bytes", "nesting", "points", "atoms"):
        assert f"limits.{limit}" in told


def test_strings_with_brackets_and_escapes_do_not_end_a_document():
    values = [{"a": '\\"]}[{,'}, {"b": ["\\\\", "\\"]}, [], 3, "x,y", {"\\": {"]": 1}}]
    for block in (1, 2, 3, 7, 1 << 18):
        stream = io.BytesIO(json.dumps(values).encode())
        stream.read, whole = lambda _, b=block, r=stream.read: r(b), stream.read
        found = [json.loads(data) for data, fault in parts(stream, Limits()) if fault is None]
        assert found == values
        assert whole() == b""


@pytest.mark.parametrize("content", [b'["' + b'\\"' * 500_000, b"[" + b'"\\' * 500_000,
                                     b"[{" + b"\\" * 500_000])  # fmt: skip
def test_what_never_ends_a_string_is_one_rejection(tmp_path, content):
    for name in ("a.json", "a.jsonl"):
        (tmp_path / name).write_bytes(content)
        ((_, fault),) = list(read_documents(tmp_path / name, Limits()))
        assert isinstance(fault, RejectedSpectrum)


def _sparse(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        handle.truncate(size)


def test_huge_files_of_runs_are_rejected(tmp_path):
    """In a folder and in an archive; the others are read."""
    feff_corpus(tmp_path / "runs")
    home = tmp_path / "runs/Cu"
    for name, size in (("sparse", 100 << 30), ("zeros", 60 << 20)):
        _sparse(home / f"{name}/FEFF-XANES/000_Cu/xmu.dat", size)
    _sparse(home / "large-poscar/POSCAR", 100 << 30)
    run = home / "large-poscar/FEFF-XANES/000_Cu/xmu.dat"
    run.parent.mkdir(parents=True)
    run.write_text(xmu_text(*edge_spectrum(CU)))
    for name, claim in (("claims", "1000000000 2"), ("minus", "1000000000 -1000000000")):
        lines = (home / "good/POSCAR").read_text().splitlines()
        lines[6] = claim
        run = home / f"{name}/FEFF-XANES/000_Cu/xmu.dat"
        run.parent.mkdir(parents=True)
        run.write_text(xmu_text(*edge_spectrum(CU)))
        (home / name / "POSCAR").write_text("\n".join(lines) + "\n")
    rows = "1 2 3 4 5 6\n" * 200_000
    (home / "rows/FEFF-XANES/000_Cu").mkdir(parents=True)
    (home / "rows/FEFF-XANES/000_Cu/xmu.dat").write_text(rows)
    (home / "rows/POSCAR").write_bytes((home / "good/POSCAR").read_bytes())
    accepted, rejected = _import("feff", tmp_path / "runs", tmp_path / "out", "Cu")
    beyond = {r["item"].split("/")[1]: r["detail"] for r in rejected
              if r["reason"] == "beyond_limit"}  # fmt: skip
    assert beyond.keys() == {"sparse", "zeros", "large-poscar", "claims", "minus", "rows"}
    assert "limits.atoms" in beyond["claims"]
    assert "limits.file_bytes" in beyond["large-poscar"]
    assert "limits.points" in beyond["rows"]
    assert len(accepted) == 2


def test_huge_members_of_an_archive_are_rejected(tmp_path):
    feff_corpus(tmp_path / "runs")
    path = tmp_path / "runs.tar.gz"
    poscar = (tmp_path / "runs/Cu/good/POSCAR").read_bytes()
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(tmp_path / "runs", arcname=".")
        info = tarfile.TarInfo("Cu/large/FEFF-XANES/000_Cu/xmu.dat")
        info.size = 200 << 20
        archive.addfile(info, _Zeros())
        _add(archive, "Cu/large/POSCAR", poscar)
    accepted, rejected = _import("feff", path, tmp_path / "out", "Cu")
    assert len(accepted) == 2
    (row,) = [r for r in rejected if r["item"].startswith("Cu/large")]
    assert row["reason"] == "beyond_limit"
    assert "limits.file_bytes" in row["detail"]


class _Zeros:
    def read(self, size):
        return bytes(size)


def _add(archive, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("packing", ["", ":gz"])
def test_zeros_in_the_middle_of_an_archive_are_no_end(tmp_path, packing):
    feff_corpus(tmp_path / "runs")
    plain = tmp_path / "plain.tar"
    with tarfile.open(plain, "w") as archive:
        archive.add(tmp_path / "runs", arcname=".")
    with tarfile.open(plain) as archive:  # one that is being written knows no offsets
        members = archive.getmembers()
    middle = members[len(members) // 2].offset
    whole = plain.read_bytes()
    assert 0.2 < middle / len(whole) < 0.8
    for blocks in (1, 2, 10):
        broken = whole[:middle] + bytes(512 * blocks) + whole[middle:]
        path = tmp_path / f"broken{blocks}.tar"
        path.write_bytes(gzip.compress(broken, 1) if packing else broken)
        with pytest.raises(SourceError, match="more comes behind"):
            _import("feff", path, tmp_path / "out", "Cu")


def test_two_members_of_one_name_are_rejected_where_they_differ(tmp_path):
    feff_corpus(tmp_path / "runs")
    home = tmp_path / "runs/Cu"
    poscar = (home / "good/POSCAR").read_bytes()
    other = (home / "one-of-two/POSCAR").read_bytes()
    first, second = (xmu_text(*edge_spectrum(CU, width=w)).encode() for w in (1.5, 2.5))
    path = tmp_path / "runs.tar"
    run = "FEFF-XANES/000_Cu/xmu.dat"
    with tarfile.open(path, "w") as archive:
        for material, poscars, spectra in (
            ("alike", [poscar, poscar], [first]),
            ("cells", [poscar, other], [first]),
            ("again", [poscar], [first, first]),
            ("spectra", [poscar], [first, second]),
            ("dotted", [poscar], [second]),
        ):
            for content in poscars:
                _add(archive, f"{material}/POSCAR", content)
            for number, content in enumerate(spectra):
                _add(archive, f"{'./' * number}{material}/{run}", content)
    rows, rejected = _import("feff", path, tmp_path / "out", "Cu")
    assert sorted(row["material"] for row in rows) == ["again", "alike", "dotted"]
    told = sorted((re.split("[/#]", r["item"])[0], r["reason"]) for r in rejected)
    assert told == [
        ("again", "duplicate"), ("cells", "duplicate"),
        ("spectra", "duplicate"), ("spectra", "duplicate"),
    ]  # fmt: skip


def test_files_that_are_no_files_are_not_opened(tmp_path):
    """A pipe nobody writes to would be waited for, a device read for ever."""
    pipe = tmp_path / "pipe.xdi"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/zero"):
        for source in ("feff", "xasdb_archive"):
            with pytest.raises(SourceError):
                _import(source, path, tmp_path / "out", "Cu")
        with pytest.raises(MeasurementError, match="not a regular file"):
            read_measurements(type(pipe)(path))
    with pytest.raises(MeasurementError, match="not a regular file"):
        read_measurements(tmp_path)


def test_a_file_that_cannot_be_read_is_one_rejection(tmp_path, monkeypatch):
    feff_corpus(tmp_path / "runs")
    open_it = os.open

    def forbidding(path, *given):
        if "Cu/good/FEFF" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return open_it(path, *given)

    monkeypatch.setattr(os, "open", forbidding)
    rows, rejected = _import("feff", tmp_path / "runs", tmp_path / "out", "Cu")
    assert len(rows) == 1
    (row,) = [r for r in rejected if r["item"].endswith("Cu/good/FEFF-XANES/000_Cu")]
    assert (row["reason"], row["detail"]) == ("unreadable", "cannot be read: Permission denied")


def test_a_dump_that_cannot_be_read_is_one_rejection(tmp_path, monkeypatch):
    for name in ("a.jsonl", "b.jsonl"):
        document = {**xas_dictionary(rutile(), 0, "Ti", TI), "task_id": f"mp-{name}"}
        (tmp_path / name).write_text(json.dumps(document) + "\n")
    open_it = os.open

    def forbidding(path, *given):
        if "a.jsonl" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return open_it(path, *given)

    monkeypatch.setattr(os, "open", forbidding)
    rows, rejected = _import("xasdb_archive", tmp_path, tmp_path / "out", "Ti")
    assert [row["material"] for row in rows] == ["mp-b.jsonl"]
    assert [(row["item"], row["reason"]) for row in rejected] == [("a.jsonl", "unreadable")]


def _measured(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return path


COLUMNS = "".join(f"{e:.2f} {m:.5f}\n" for e, m in zip(*edge_spectrum(CU))).encode()
XDI = b"# XDI/1.0\n# Element.symbol: Cu\n"
LARGE = {
    "sparse": (None, "limits.file_bytes"),
    "one line.dat": (b"1 " * (20 << 20), "limits.line_bytes"),
    "one line.xdi": (XDI + b"1 " * (20 << 20), "limits.line_bytes"),
    "one comment.dat": (b"# " + b"a" * 200_000 + b"\n" + COLUMNS, "limits.line_bytes"),
    "rows.dat": (b"1 2\n" * (1 << 20), "limits.points"),
    "rows.xdi": (XDI + b"1 2\n" * (1 << 20), "limits.points"),
    "wide.dat": (COLUMNS + b"1 " * 1_001 + b"\n", "limits.columns"),
    "wide.xdi": (XDI + COLUMNS + b"1 " * 1_001 + b"\n", "limits.columns"),
    "ragged.xdi": (XDI + b"1 2\n" * 20_000 + b"1 " * 600 + b"\n", "limits.values"),
    "form feeds.dat": (b"\x0c" * (20 << 20), "empty"),
    "separators.dat": (COLUMNS + b"\x1e" * (20 << 20), "limits.points"),
    "zeros.prj": (gzip.compress(b"# Athena project file\n" + bytes(200 << 20), 1),
                  "limits.file_bytes"),
    "members.prj": (gzip.compress(bytes(20 << 20), 1) * 4, "limits.file_bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_large_measured_files_are_refused(tmp_path, name):
    content, limit = LARGE[name]
    if content is None:
        _sparse(tmp_path / "sparse.dat", 100 << 30)
        path = tmp_path / "sparse.dat"
    else:
        path = _measured(tmp_path, name, content)
    with pytest.raises(MeasurementError, match=limit) as caught:
        read_measurements(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("line", [b"9" * 90_000 + b"x", b"1 " * 45_000, b"1," * 45_000 + b"x",
                                  b" " * 90_000 + b"x", b"9" * 90_000, b"." * 90_000])  # fmt: skip
@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_long_lines_take_no_longer(tmp_path, line, place):
    """Time grows with the length of a line, not with its square."""
    rows = COLUMNS.splitlines(keepends=True)
    rows.insert(int(place * len(rows)), line + b"\n")
    path = _measured(tmp_path, "a.dat", b"".join(rows))
    started = time.process_time()
    try:
        read_measurements(path)
    except MeasurementError as error:
        assert str(path) in str(error)
    assert time.process_time() - started < 2


def test_limits_of_the_settings_are_in_force(tmp_path):
    path = _measured(tmp_path, "a.dat", COLUMNS)
    assert len(read_measurements(path)) == 1
    for name in ("file_bytes", "line_bytes", "points", "columns", "values"):
        with pytest.raises(MeasurementError, match=name):
            read_measurements(path, limits=Limits.model_validate({name: 1}))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("_cell_angle_alpha", "\n" * 500_000 + "_cell_angle_alpha", "more than 100 blank lines"),
        ("_cell_angle_alpha", " " * 100_000 + "_cell_angle_alpha", "[0-9,]+ characters"),
        ("_cell_angle_alpha", "'a" * 50_000 + "\n_cell_angle_alpha", "100,000 characters"),
    ],
)
def test_lines_of_a_cif_that_would_take_a_parser_minutes(old, new, words):
    """Found by mutation."""
    bad = rutile("Ti").to(fmt="cif").replace(old, new)
    started = time.process_time()
    with pytest.raises(StructureError, match=rf"line \d+: {words}"):
        parse_cif(bad, 100)
    assert time.process_time() - started < 5


def test_numbers_of_a_cif_that_would_take_a_parser_hours(tmp_path):
    """3,000 digits in a symmetry operation; found by mutation."""
    text = rutile("Ti").to(fmt="cif")
    bad = text.replace("x, y, z", "x, y, z+" + "9" * 3000)
    assert bad != text
    started = time.process_time()
    with pytest.raises(StructureError, match=r"line \d+: a number of 3000 digits"):
        parse_cif(bad, 100)
    (tmp_path / "good.cif").write_text(text)
    (tmp_path / "bad.cif").write_text(bad)
    settings = make_settings(
        sources=["feff"], elements=["Ti"], feff={"run": {"structures": str(tmp_path)}}
    )
    assert write_missing(settings, tmp_path / "plan") == 1
    with (tmp_path / "plan/rejections.csv").open(newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert row["item"].endswith("bad.cif")
    assert "a number of 3000 digits" in row["detail"]
    assert time.process_time() - started < 10


@pytest.mark.parametrize("layout", ["a row a line", "a row two lines", "commented"])
def test_sites_of_a_cif_are_counted_before_a_parser_does(tmp_path, layout):
    """20,000 of them, which pymatgen looks at for a minute."""
    head, rows = rutile("Ti").to(fmt="cif").split("_atom_site_occupancy\n")
    row = rows.splitlines()[0].strip()
    many = "\n".join([row] * 20_000)
    if layout == "a row two lines":
        many = many.replace(row, row.replace("  ", "\n", 1))
    elif layout == "commented":
        many = many.replace("\n", " # loop_ _none\n")
    bad = f"{head}_atom_site_occupancy\n{many}\n"
    (tmp_path / "bad.cif").write_text(bad)
    (tmp_path / "good.cif").write_text(f"{head}_atom_site_occupancy\n{rows}")
    settings = make_settings(
        sources=["feff"], elements=["Ti"], feff={"run": {"structures": str(tmp_path)}}
    )
    started = time.process_time()
    with pytest.raises(StructureError, match=r"20,000 sites; limits\.atoms"):
        parse_cif(bad, 60)
    _, (rejection,) = crystals_to_run(settings)
    assert str(rejection.reason) == "beyond_limit"
    assert rejection.detail == "20,000 sites; limits.atoms allows 2,000"
    assert time.process_time() - started < 2


def _loop(columns, rows):
    return "\n".join(["loop_", *columns.split(), *rows, ""])


def test_symmetry_of_a_cif_is_counted_before_a_parser_multiplies_by_it():
    """Of 500 sites in Fm-3m pymatgen makes 96,000 atoms; of 500 in P1, 500."""
    places = np.random.default_rng(1).random((500, 3))
    rows = [f"O {x:.6f} {y:.6f} {z:.6f}" for x, y, z in places]
    columns = "_atom_site_label _atom_site_fract_x _atom_site_fract_y _atom_site_fract_z"
    sites = _loop(columns, rows)
    started = time.process_time()
    check_cif(f"data_x\n_symmetry_space_group_name_H-M 'P 1'\n{sites}", 2_000)
    with pytest.raises(LimitError, match="96,000 images of 500 sites"):
        check_cif(f"data_x\n_symmetry_space_group_name_H-M 'F m -3 m'\n{sites}", 2_000)
    columns = "_symmetry_equiv_pos_site_id _symmetry_equiv_pos_as_xyz"
    check_cif("data_x\n" + _loop(columns, ["1 'x, y, z'"] * 2_000), 2_000)
    for row in ("1 'x, y, z'", "1 x,y,z", "1 'x,y,z"):
        with pytest.raises(LimitError, match="100,000 symmetry operations"):
            check_cif("data_x\n" + _loop(columns, [row] * 100_000), 2_000)
    assert time.process_time() - started < 4


@pytest.mark.parametrize(
    ("row", "number"), [("a 0.1", 1), ("'a b' 0.1", 1), ("'a b 0.1 c", 2), ("a'b c' ' d' 'e'", 2),
                        ("a 0.1 # 'b c", 1), ("a\n0.1", 1)],
)  # fmt: skip
def test_rows_of_a_loop_are_counted_as_a_parser_does(row, number):
    from pymatgen.io.cif import CifFile

    text = "data_x\n" + _loop("_atom_site_label _atom_site_fract_x", [row] * 10)
    (block,) = CifFile.from_str(text).data.values()
    assert len(block["_atom_site_fract_x"]) == 10 * number
    check_cif(text, 10 * number)
    with pytest.raises(LimitError, match=f"{10 * number} sites"):
        check_cif(text, 10 * number - 1)


def test_crystals_to_compute_are_read_by_name_and_size(tmp_path):
    folder = tmp_path / "crystals"
    (folder / "a").mkdir(parents=True)
    rutile("Cu").to(filename=str(folder / "good.cif"), fmt="cif")
    rutile("Ti").to(filename=str(folder / "a/POSCAR"), fmt="poscar")
    _sparse(folder / "a/WAVECAR", 100 << 30)
    _sparse(folder / "a/POSCAR.huge", 100 << 30)
    _sparse(folder / "huge.cif", 100 << 30)
    (folder / "README").write_text("not a crystal")
    settings = make_settings(
        sources=["feff"], elements=["Cu", "Ti"], feff={"run": {"structures": str(folder)}}
    )
    assert write_missing(settings, tmp_path / "plan") == 2
    with (tmp_path / "plan/rejections.csv").open(newline="") as handle:
        rejected = {row["item"].split("/")[-1]: row for row in csv.DictReader(handle)}
    assert rejected.keys() == {"POSCAR.huge", "huge.cif"}
    assert all("limits.file_bytes" in row["detail"] for row in rejected.values())


def test_damaged_gzip_of_a_project_is_named(tmp_path):
    packed = gzip.compress(b"# Athena project file\n" * 100)
    for content in (packed[:-9], packed[:20] + b"\xff" * 9 + packed[29:], b"\x1f\x8b"):
        path = _measured(tmp_path, "a.prj", content)
        with pytest.raises(MeasurementError, match=r"a\.prj"):
            read_measurements(path)
