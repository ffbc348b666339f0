"""Valid inputs of every reader, mutated: bits flipped, parts cut, swapped, repeated, made huge.

A reader may answer, reject with a reason, or raise ``XascoordError``; it may neither raise anything
else nor take long or much memory. ``benchmarks/fuzzing.py`` prints what came out.
"""

from __future__ import annotations

import faulthandler
import gzip
import io
import json
import resource
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import beamline_files
from conftest import edge_spectrum, make_settings, rutile, xas_dictionary, xmu_text
from xascoord.core.errors import XascoordError
from xascoord.core.rejections import RejectedSpectrum, Rejection

CU, TI = 8979.0, 4966.0
LONGEST = 10.0  # s an input
MOST_MEMORY = 600_000  # kB an input
_TOKENS = [
    b"\0", b"\xff", b"\x1b[2J", b"\n", b"\r", b" ", b"\x0c", b'"', b"'", b"\\", b"[", b"]", b"{",
    b"}", b",", b":", b"#", b"nan", b"inf", b"-1", b"0", b"1e400", b"1e-400", b"9" * 400,
    b"9" * 5000, b"null", b"true", b"-", b"*1", b"&a ", b"<<: *a", b"!!python/object", b"../../",
    b"\xed\xa0\x80", b"NaN", b"1 " * 500, b"[" * 3000, b"9999999999",
]  # fmt: skip
_position = st.floats(0, 1, exclude_max=True)
_mutation = st.one_of(
    st.tuples(st.just("flip"), _position, st.integers(0, 7)),
    st.tuples(st.just("cut"), _position, st.integers(1, 400)),
    st.tuples(st.just("swap"), _position, _position, st.integers(1, 40)),
    st.tuples(st.just("repeat"), _position, st.integers(1, 100), st.sampled_from([2, 50, 5000])),
    st.tuples(st.just("insert"), _position, st.sampled_from(_TOKENS)),
    st.tuples(st.just("replace"), _position, st.sampled_from(_TOKENS)),
    st.tuples(st.just("byte"), _position, st.integers(0, 255)),
    st.tuples(st.just("end"), _position),
)
Mutation = tuple[Any, ...]


def mutated(data: bytes, mutation: Mutation) -> bytes:
    """Data with one change."""
    kind, where, *rest = mutation
    at = int(where * len(data))
    if kind == "flip" and data:
        return data[:at] + bytes([data[at] ^ (1 << rest[0])]) + data[at + 1 :]
    if kind == "byte":
        return data[:at] + bytes([rest[0]]) + data[at + 1 :]
    if kind == "cut":
        return data[:at] + data[at + rest[0] :]
    if kind == "swap":
        a, b = sorted((at, int(rest[0] * len(data))))
        size = min(rest[1], b - a)
        return (data[:a] + data[b : b + size] + data[a + size : b] + data[a : a + size]
                + data[b + size :])  # fmt: skip
    if kind == "repeat":
        return data[:at] + data[at : at + rest[0]] * rest[1] + data[at + rest[0] :]
    if kind == "insert":
        return data[:at] + rest[0] + data[at:]
    if kind == "replace":
        return data[:at] + rest[0] + data[at + len(rest[0]) :]
    return data[:at]


@dataclass
class Tally:
    """What came of some inputs."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # s of processor time
    memory: int = 0  # kB that one input took while it was read
    worst: dict[str, bytes] = field(default_factory=dict)  # the inputs of these two figures

    def add(self, content: bytes, seconds: float, memory: int) -> None:
        """Keep the figures of an input where they are the worst so far."""
        if seconds > self.slowest:
            self.slowest, self.worst["slowest"] = seconds, content
        if memory > self.memory:
            self.memory, self.worst["largest"] = memory, content

    def row(self, name: str) -> str:
        """A line of the table."""
        kinds = [self.outcomes[kind] for kind in ("answer", "rejection", "error")]
        numbers = "".join(f"{n:>11,}" for n in (sum(kinds), *kinds))
        return f"{name:<18}{numbers}{self.slowest:>12.2f}{self.memory / 1000:>12.0f}"


_COUNTED = ("inputs", "answers", "rejected", "errors")
HEADER = (f"{'reader':<18}" + "".join(f"{word:>11}" for word in _COUNTED)
          + f"{'slowest, s':>12}{'memory, MB':>12}")  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """A reader and what it reads: ``make`` writes valid inputs, ``read`` says how it ended."""

    file: str
    make: Callable[[], list[bytes]]
    read: Callable[[Path], str]
    pack: Callable[[bytes], bytes] | None = None
    around: Callable[[Path], None] = lambda folder: None


def _forget_peak() -> None:
    """Let the peak of memory begin anew, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Highest memory of the process since then, in kB."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def _watched(tally: Tally, content: bytes) -> Iterator[None]:
    """End the process, with a traceback, where an input hangs."""
    faulthandler.dump_traceback_later(6 * LONGEST, exit=True, file=sys.__stderr__)
    _forget_peak()
    before, started = _peak(), time.process_time()  # other programs are no fault of a reader
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        tally.add(content, time.process_time() - started, _peak() - before)


def run_reader(name: str, folder: Path, number: int) -> Tally:
    """Give a reader mutated inputs, always the same ones; anything unforeseen is raised."""
    reader = READERS[name]
    seeds = reader.make()
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    reader.around(folder)
    target = folder if reader.around is not Reader.around else path
    for seed in seeds:
        path.write_bytes(reader.pack(seed) if reader.pack else seed)
        assert reader.read(target) == "answer", name
    tally = Tally()

    @settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sampled_from(range(len(seeds))),
        st.lists(_mutation, min_size=1, max_size=4),
        st.booleans(),
    )
    def inputs(seed: int, mutations: list[Mutation], raw: bool) -> None:
        packed = reader.pack(seeds[seed]) if reader.pack and raw else seeds[seed]
        for mutation in mutations:
            packed = mutated(packed, mutation)
        content = packed if raw or not reader.pack else reader.pack(packed)
        path.write_bytes(content)
        with _watched(tally, content), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                outcome = reader.read(target)
            except (XascoordError, RejectedSpectrum) as error:
                assert str(error).strip()
                outcome = "error"
        tally.outcomes[outcome] += 1

    inputs()
    return tally


# --- measured files


def _edge() -> tuple[np.ndarray, np.ndarray]:
    return edge_spectrum(CU, span=(-150.0, 200.0), points=141)


def _columns() -> list[bytes]:
    rows = "".join(f"{e:.3f} {m:.6f} {2 * m:.6f}\n" for e, m in zip(*_edge()))
    two = "".join(f"{e:.3f},{m:.6f}\n" for e, m in zip(*_edge()))
    made_up = [beamline_files.ssrl(), beamline_files.photon_factory(2), beamline_files.spec()]
    made_up += [beamline_files.xdac(), beamline_files.spring8(), beamline_files.diamond()]
    samples = "".join(f"{e:.3f} {m:.6f} {2 * m:.6f}\n" for e, m in zip(*_edge()))
    made_up.append(f"# energy CuO Cu2O\n{samples}")
    return [f"# made up\n# energy mu other\n{rows}".encode(), two.encode(),
            *(text.encode() for text in made_up)]  # fmt: skip


def _fio() -> list[bytes]:
    return [beamline_files.fio().encode()]


def _hdf5() -> list[bytes]:
    """A table, the old NXxas with links, packed pieces: each as the bytes of a file."""
    import h5py

    energy, mu = _edge()
    i0, i1, _ = beamline_files.counts(mu)
    found = []
    for kind in ("table", "nxxas", "packed"):
        out = io.BytesIO()
        with h5py.File(out, "w") as file:
            if kind == "nxxas":
                file["entry/definition"] = "NXxas"
                file["entry/instrument/incoming_beam/data"] = i0
                file["entry/data/energy"], file["entry/data/absorbed_beam"] = energy, i1
                file["entry/data/mode"] = "Transmission"
                file["entry/link"] = h5py.SoftLink("/entry/data")
            elif kind == "packed":
                for name, values in (("energy", energy), ("mu", mu)):
                    file.create_dataset(name, data=values, chunks=(50,), compression="gzip")
            else:
                file["1.1/energy"], file["1.1/mu"] = energy, mu
                file["1.1/energy"].attrs["units"] = "eV"
        found.append(out.getvalue())
    return found


def _listed(path: Path) -> str:
    from xascoord.measured.listing import list_file
    from xascoord.settings.limits import DEFAULT_LIMITS

    assert list_file(path, DEFAULT_LIMITS)
    return "answer"


def _xdi() -> list[bytes]:
    head = ("# XDI/1.0 test\n# Element.symbol: Cu\n# Element.edge: K\n# Mono.d_spacing: 3.13555\n"
            "# Sample.name: made up\n# Column.1: energy eV\n# Column.2: mutrans\n# ///\n# note\n"
            "#----\n# energy mutrans\n")  # fmt: skip
    return [(head + "".join(f"{e:.3f}  {m:.6f}\n" for e, m in zip(*_edge()))).encode()]


def _project() -> list[bytes]:
    from tempfile import TemporaryDirectory

    from larch import Group
    from larch.io import create_athena

    energy, mu = _edge()
    with TemporaryDirectory() as folder:
        project = create_athena(f"{folder}/a.prj")
        project.add_group(Group(energy=energy, mu=mu, label="a", filename="a", e0=CU, atsym="Cu",
                                edge="K"))  # fmt: skip
        project.save()
        json_form = gzip.decompress(Path(f"{folder}/a.prj").read_bytes())
    numbers = ("'" + "','".join(f"{v:.4f}" for v in values) + "'" for values in (energy, mu))
    x, y = numbers
    perl = ("# Athena project file -- Demeter version 0.9.24\n\n$old_group = 'abcd';\n"
            "@args = ('annotation','','atsym','Cu','bkg_e0','8979','edge','K','label','a',"
            f"'datatype','xmu');\n@x = ({x});\n@y = ({y});\n[record]   # \n\n1;\n")  # fmt: skip
    return [json_form, perl.encode()]


def _measured(path: Path) -> str:
    from xascoord.measured.prepare import read_and_normalise
    from xascoord.measured.spectrum import Options, Refusal

    found = read_and_normalise(path, Options())
    return "rejection" if all(isinstance(one, Refusal) for one in found) else "answer"


# --- FEFF output and dumps


def _outcome(found: Any) -> str:
    """An answer where there is at least one spectrum, rejections where there is none."""
    kinds = {isinstance(one, Rejection) for one, _ in found}
    return "answer" if False in kinds else "rejection"


def _feff(folder: Path) -> str:
    from xascoord.sources.feff.output import read_feff

    return _outcome(list(read_feff(make_settings(sources=["feff"], feff={"path": str(folder)}))))


def _xmu() -> list[bytes]:
    return [xmu_text(*edge_spectrum(CU, points=60)).encode()]


def _poscar() -> list[bytes]:
    return [rutile("Cu").to(fmt="poscar").encode()]


def _with_run(folder: Path) -> None:
    run = folder / "m/FEFF-XANES/000_Cu"
    run.mkdir(parents=True, exist_ok=True)
    (run / "xmu.dat").write_bytes(_xmu()[0])
    (folder / "m/POSCAR").write_bytes(_poscar()[0])


def _feff_inp() -> list[bytes]:
    from xascoord.settings.feff import FAST
    from xascoord.sources.feff.inputs import xanes_input

    return [xanes_input(rutile("Cu"), 0, FAST).encode()]


def _with_spectrum(folder: Path) -> None:
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run/xmu.dat").write_bytes(_xmu()[0])


def _archive() -> list[bytes]:
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in (("m/POSCAR", _poscar()[0]),
                              ("m/FEFF-XANES/000_Cu/xmu.dat", _xmu()[0])):  # fmt: skip
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return [out.getvalue()]


def _document() -> dict[str, Any]:
    document = xas_dictionary(rutile(), 0, "Ti", TI)
    for name in ("x", "y"):
        document[name]["data"] = document[name]["data"][::4]
    return {"task_id": "mp-1", "spectrum": document}


def _documents() -> list[bytes]:
    one = _document()
    return [json.dumps(form).encode() for form in (one, [one, one], {"mp-2": one["spectrum"]},
                                                   {"data": [one]})]  # fmt: skip


def _lines() -> list[bytes]:
    line = json.dumps(_document()).encode()
    return [line + b"\n" + line + b"\n"]


def _dump(path: Path) -> str:
    from xascoord.sources.xasdb_archive import read_archive

    sections = make_settings(sources=["xasdb_archive"], xasdb_archive={"path": str(path)})
    return _outcome(list(read_archive(sections)))


def _omnixas_lines() -> list[bytes]:
    from xascoord.sources.omnixas import POINTS

    mu = 0.05 + 1 / (1 + np.exp(-(np.arange(POINTS) - 60) / 4.0))
    return [" ".join(f"{value:.6e}" for value in mu).encode() + b"\n"]


def _cif() -> list[bytes]:
    return [rutile().to(fmt="cif").encode()]


def _with_omnixas(folder: Path) -> None:
    for name, content in (("ml_data/Ti_FEFF_val_y.txt", _omnixas_lines()[0]),
                          ("material_id_and_site/Ti_FEFF_val.txt", b"mp-1_000\n"),
                          ("cif/mp-1.cif", _cif()[0])):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _omnixas(folder: Path) -> str:
    from xascoord.sources.omnixas import read_omnixas

    sections = make_settings(sources=["omnixas"], elements=["Ti"], omnixas={"path": str(folder)})
    return _outcome(list(read_omnixas(sections)))


# --- models, settings, tables


def _bundles() -> list[bytes]:
    from tempfile import TemporaryDirectory

    from model_data import made_up_element
    from xascoord.models.bundles import input_spec, save_bundle
    from xascoord.models.cross_validation import fit_all_tasks, parameters_of
    from xascoord.models.training_sets import training_sets

    sections = make_settings(
        models={"forest": {"cn_trees": 3, "motif_trees": 2}, "mlp": {"hidden": [5]}}
    )
    data = made_up_element(materials=10)
    full = training_sets(sections.models, True)[0]
    found = []
    for classifier in ("forest", "knn", "svc", "mlp"):
        everything = np.ones(len(data.spectra), dtype=bool)
        parameters = parameters_of(sections, data.tasks)
        models = fit_all_tasks(data, classifier, parameters, full, everything, 0).models
        record = {
            "element": "Ti", "classifier": classifier, "input_spec": input_spec(sections),
            "thresholds": [0.2, 0.05], "min_samples": 10, "folds": 5, "seed": 1,
            "split": "grouped", "searched": False, "novelty": {"0.95": 0.1, "0.99": 0.2},
            "data": {"hash": "0f", "site": 3, "averaged": 1, "materials": 2, "copies": 2,
                     "sources": ["demo"]},
            "metrics": [],
            "tasks": {task: {"classes": list(m.classes), "spectra": 9, "temperature": 1.5,
                             "parameters": {}} for task, m in models.items()},
        }  # fmt: skip
        with TemporaryDirectory() as folder:
            save_bundle(Path(folder) / "a.skops", record, models)
            found.append(_unzipped((Path(folder) / "a.skops").read_bytes()))
    return found


_MEMBER = b"\n=== "


def _unzipped(data: bytes) -> bytes:
    """Members of an archive one after the other, each behind its name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"".join(_MEMBER + name.encode() + b"\n" + archive.read(name)
                        for name in archive.namelist())  # fmt: skip


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for part in data.split(_MEMBER)[1:]:
            name, _, content = part.partition(b"\n")
            archive.writestr(name.decode("latin-1")[:1000].replace("\0", "") or "-", content)
    return out.getvalue()


def _bundle(path: Path) -> str:
    from xascoord.models.bundles import load_bundle

    bundle = load_bundle(path)
    probe = np.random.default_rng(0).random((2, bundle.record["input_spec"]["window"]["points"]))
    for model in bundle.models.values():
        assert np.isfinite(model.scores(probe)).all()
    return "answer"


def _references() -> list[bytes]:
    import pyarrow.parquet as pq

    from xascoord.core.schemas import REFERENCE
    from xascoord.core.tables import to_table

    rows = [{"spectrum_id": f"s{i}", "material": "m", "kind": "site", "label": "CN_6",
             "features": np.linspace(0, 1, 20).tolist()} for i in range(10)]  # fmt: skip
    found = []
    for options in ({"compression": "zstd"}, {"compression": "none", "use_dictionary": False}):
        out = io.BytesIO()
        pq.write_table(to_table(rows, REFERENCE), out, **options)
        found.append(out.getvalue())
    return found


def _reference(path: Path) -> str:
    from xascoord.models.reference import read_reference

    assert np.isfinite(read_reference(path, 20).features).all()
    return "answer"


def _params() -> list[bytes]:
    return [(Path(__file__).parents[1] / "params.yaml").read_bytes()]


def _settings(path: Path) -> str:
    from xascoord.settings.tree import load_settings

    load_settings(path).model_dump_json()
    return "answer"


def _manifests() -> list[bytes]:
    whole = (Path(__file__).parents[1] / "data/experiments.csv").read_bytes()
    return [b"".join(whole.splitlines(keepends=True)[:8])]


def _manifest(path: Path) -> str:
    from xascoord.validation.manifest import read_manifest

    return "answer" if read_manifest(path) else "rejection"


READERS: dict[str, Reader] = {
    "XDI": Reader("a.xdi", _xdi, _measured),
    "columns": Reader("a.dat", _columns, _measured),
    "fio": Reader("a.fio", _fio, _listed),
    "HDF5": Reader("a.h5", _hdf5, _measured),
    "HDF5 list": Reader("a.h5", _hdf5, _listed),
    "Athena project": Reader("a.prj", _project, _measured, gzip.compress),
    "xmu.dat": Reader("m/FEFF-XANES/000_Cu/xmu.dat", _xmu, _feff, around=_with_run),
    "feff.inp": Reader("run/feff.inp", _feff_inp, _feff, around=_with_spectrum),
    "POSCAR": Reader("m/POSCAR", _poscar, _feff, around=_with_run),
    "tar archive": Reader("a.tar", _archive, _feff),
    "JSON": Reader("a.json", _documents, _dump),
    "JSON lines": Reader("a.jsonl", _lines, _dump),
    "OmniXAS": Reader("ml_data/Ti_FEFF_val_y.txt", _omnixas_lines, _omnixas, around=_with_omnixas),
    "CIF": Reader("cif/mp-1.cif", _cif, _omnixas, around=_with_omnixas),
    "bundle": Reader("a.skops", _bundles, _bundle, _zipped),
    "reference table": Reader("a.parquet", _references, _reference),
    "params.yaml": Reader("a.yaml", _params, _settings),
    "manifest": Reader("a.csv", _manifests, _manifest),
}
