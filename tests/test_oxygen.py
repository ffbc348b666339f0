"""Metal atoms about oxygen from O K-edge spectra: import, examples, splits, networks."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import edge_spectrum, make_settings, rutile, xmu_text
from xascoord.core.errors import SettingsError, SourceError, XascoordError
from xascoord.core.schemas import OXYGEN, REJECTIONS
from xascoord.core.tables import read_rows
from xascoord.oxygen import training
from xascoord.oxygen.examples import (
    RawSpectra,
    class_examples,
    divide,
    divide_by_snapshot,
    ensemble_examples,
    part_sizes,
)
from xascoord.oxygen.spectra import (
    all_rows,
    environment_names,
    local_environment,
    read_columns,
    read_snapshots,
    snapshot_files,
)
from xascoord.oxygen.stage import import_oxygen, summarise_oxygen, train_oxygen
from xascoord.oxygen.training import Fit, fit_keys, fits_of, train_and_test
from xascoord.settings.networks import Oxygen

QUICK = {
    "classifier": {"examples": 300, "epochs": 15, "averaged": [1, 3]},
    "regressor": {"examples": 300, "epochs": 15, "ensemble": [5, 10], "learning_rate": 0.01},
    "tried_layers": [[4, 3]], "tried_examples": [100], "tried_rates": [0.01], "repeats": 1,
}  # fmt: skip


def _crystal():
    """Four oxygens: 0, 1 and 2 irons about the first three; the last two are a dimer."""
    from pymatgen.core import Lattice, Structure

    places = [[3, 3, 3], [3, 3, 12], [12, 12, 3], [12, 3, 12], [12, 3, 13.3],
              [3, 3, 14.0], [14.0, 12, 3], [12, 14.0, 3]]  # fmt: skip
    symbols = ["O"] * 5 + ["Fe"] * 3
    return Structure(Lattice.cubic(18), symbols, places, coords_are_cartesian=True)


def _snapshot(folder, name, shift=0.0, spoil=None):
    """A column file and a POSCAR; the height of a line tells the irons."""
    structure = _crystal()
    energy = np.arange(-5.0, 20.0, 0.1)
    heights = [0.2, 0.5, 0.8, 1.1, 1.1]
    columns = [
        (1 + np.tanh(energy)) / 2 + h * np.exp(-((energy - 4 - shift) ** 2)) for h in heights
    ]
    table = np.column_stack([energy, *columns])
    if spoil is not None:
        spoil(table)
    folder.mkdir(exist_ok=True)
    np.savetxt(folder / f"{name}_O_all.dat", table)
    structure.to(filename=str(folder / f"POSCAR_{name}"), fmt="poscar")


def test_environments_by_hand():
    structure, settings = _crystal(), Oxygen()
    found = [local_environment(structure, site, settings) for site in range(5)]
    assert found == [(0, False), (1, False), (2, False), (0, True), (0, True)]
    assert environment_names(settings) == ("0", "1", "2", "3", "4", "dimer")
    far = local_environment(structure, 1, Oxygen(metal_cutoff=1.9))
    assert far == (0, False)


def test_each_oxygen_of_a_snapshot_is_read_in_the_order_of_the_structure(tmp_path):
    _snapshot(tmp_path, "a")
    _snapshot(tmp_path, "ab")  # a name that begins like another
    rows, rejected = read_snapshots(tmp_path, Oxygen())
    assert not rejected
    assert [r["snapshot"] for r in rows] == ["a"] * 5 + ["ab"] * 5
    assert [r["environment"] for r in rows[:5]] == ["0", "1", "2", "dimer", "dimer"]
    peaks = [max(r["features"]) for r in rows[:3]]
    assert peaks == sorted(peaks)
    assert all(len(r["features"]) == 70 for r in rows)


def _set(row, column, value):
    def spoil(table):
        table[row, column] = value

    return spoil


@pytest.mark.parametrize(
    ("column", "value", "reason"), [(2, np.nan, "not_a_number"), (3, -1.0, "negative_mu")]
)
def test_a_bad_column_is_rejected_and_the_others_stay(tmp_path, column, value, reason):
    _snapshot(tmp_path, "a", spoil=_set(7, column, value))
    rows, rejected = read_snapshots(tmp_path, Oxygen())
    assert len(rows) + len(rejected) == 5
    assert [(r["item"], r["reason"]) for r in rejected] == [(f"a/{column - 1}", reason)]


def test_negative_mu_is_kept_where_the_settings_say_so(tmp_path):
    _snapshot(tmp_path, "a", spoil=_set(7, 3, -1.0))
    for allowed, count in ((False, 4), (True, 5)):
        settings = make_settings(
            oxygen={"folder": str(tmp_path)}, quality={"allow_negative": allowed}
        )
        ((rows, _),) = all_rows(settings)
        assert len(rows) == count


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "POSCAR_a").unlink(), "no POSCAR_a"),
        (lambda f: (f / "a_O_all.dat").unlink(), "no a_"),
        (lambda f: (f / "POSCAR_a").write_text("nonsense"), "POSCAR_a: not a readable"),
        (lambda f: (f / "a_O_all.dat").write_text("1 2 3\nx y z\n"), "a_O_all.dat: not a table"),
        (lambda f: (f / "a_O_all.dat").write_text("1 2 3\n"), "cut off"),
        (lambda f: shutil.copy(f / "a_O_all.dat", f / "a_copy.dat"), "second column file"),
        (lambda f: (f / "a_O_all.dat").write_text("1 2 3\n0 2 3\n"), "do not rise"),
        (lambda f: (f / "a_O_all.dat").write_text("1 2 3\n2 2 3\n"), "2 columns .* 5 oxygens"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, spoil, words):
    _snapshot(tmp_path, "a")
    spoil(tmp_path)
    with pytest.raises(SourceError, match=words):
        read_snapshots(tmp_path, Oxygen())


def test_no_source_no_folder_no_spectrum(tmp_path):
    with pytest.raises(SourceError, match="both null"):
        import_oxygen(make_settings(), tmp_path / "a", tmp_path / "b")
    with pytest.raises(SourceError, match="is no folder"):
        snapshot_files(tmp_path / "none")
    _snapshot(tmp_path / "late", "a")
    late = make_settings(oxygen={"folder": str(tmp_path / "late"), "window": [-10.0, 5.0]})
    with pytest.raises(SourceError, match="window_not_covered"):
        import_oxygen(late, tmp_path / "a", tmp_path / "b")


def test_oxygen_sites_of_feff_output(tmp_path):
    """Rutile: each O has three metals; runs of other absorbers are rejected with their reason."""
    home = tmp_path / "runs/TiO2"
    home.mkdir(parents=True)
    rutile("Fe").to(filename=str(home / "POSCAR"), fmt="poscar")
    for name, e0 in (("002_O", 543.1), ("000_Fe", 7112.0)):
        run = home / "FEFF-XANES" / name
        run.mkdir(parents=True)
        (run / "xmu.dat").write_text(xmu_text(*edge_spectrum(e0)))
    settings = make_settings(oxygen={"feff": str(tmp_path / "runs")})
    import_oxygen(settings, tmp_path / "s.parquet", tmp_path / "r.parquet")
    (row,) = read_rows(tmp_path / "s.parquet", OXYGEN)
    assert (row["environment"], row["site_index"], row["source"]) == ("3", 2, "feff")
    (rejected,) = read_rows(tmp_path / "r.parquet", REJECTIONS)
    assert rejected["reason"] == "other_element"


def _raw(count=40, classes=("0", "1", "2"), seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(classes)
    grid = np.linspace(-1.2, 11.5, 70)
    features = np.array(
        [np.exp(-(((grid - 2 - 2 * k) / 1.5) ** 2)) + 0.2 * rng.random() for k in labels]
    )
    snapshots = tuple("a" if i < count // 2 else "b" for i in range(count))
    return RawSpectra(features, labels.astype(np.int64), labels.astype(float), snapshots, classes)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 9))
def test_no_raw_spectrum_is_on_two_sides(labels, seed):
    labels = np.array(labels)
    parts = divide(labels, np.random.default_rng(seed))
    together = np.concatenate(parts)
    assert sorted(together) == list(range(len(labels)))
    assert set(labels[parts[2]]) <= set(labels[parts[0]])  # what is tested can be learnt
    for label in set(labels.tolist()):
        if (labels == label).sum() > 1:
            assert label in labels[parts[2]]


def test_a_snapshot_is_tested_whole():
    raw = _raw()
    learnt, validated, tested = divide_by_snapshot(
        raw.labels, raw.snapshots, "b", np.random.default_rng(0)
    )
    assert [raw.snapshots[i] for i in tested] == ["b"] * 20
    assert {raw.snapshots[i] for i in (*learnt, *validated)} == {"a"}
    assert len(learnt) + len(validated) == 20


def test_examples_are_means_of_one_class():
    raw = _raw()
    members = np.arange(0, 40, 2)
    one, labels = class_examples(raw, members, 50, (1, 1), np.random.default_rng(1))
    for features, label in zip(one, labels, strict=True):
        same = members[raw.labels[members] == label]
        assert np.abs(raw.features[same] - features).sum(axis=1).min() == 0
    many, labels = class_examples(raw, members, 50, (99, 99), np.random.default_rng(1))
    for features, label in zip(many, labels, strict=True):
        same = members[raw.labels[members] == label]
        assert features == pytest.approx(raw.features[same].mean(axis=0))
    assert len(set(labels.tolist())) == 3
    mixed, targets = ensemble_examples(raw, members, 50, (20, 70), np.random.default_rng(1))
    assert mixed.shape == (50, 70)
    assert 0 < targets.min() < targets.max() < 2


def test_parts_are_three_to_one_to_one():
    assert part_sizes(8000) == (4800, 1600, 1600)
    assert part_sizes(10000) == (6000, 2000, 2000)


def test_networks_of_the_paper():
    fits = fits_of(Oxygen(), ("0K", "15ps"))
    main = [p for p in fits if p.purpose == "main"]
    assert {(p.task, p.dense, p.examples, p.learning_rate) for p in main} == {
        ("classifier", (8, 6), 8000, 0.01), ("regressor", (8, 6), 10000, 0.001),
    }  # fmt: skip
    assert {p.tested for p in main if p.split == "snapshot"} == {"0K", "15ps"}
    assert not [p for p in fits_of(Oxygen(), ("0K",)) if p.split == "snapshot"]


def test_networks_of_several_purposes_are_trained_once():
    """A point of a learning curve that is a main network as well."""
    raw, settings = _raw(), make_settings(oxygen={**QUICK, "tried_layers": [[8, 6], [4]]}).oxygen
    keys = fit_keys(raw, settings, 1)
    main = next(f for f in keys if f.purpose == "main" and f.task == "classifier")
    same = [f for f in keys if replace(f, purpose="main") == main]
    assert len(same) > 1
    assert {keys[fit] for fit in same} == {keys[main]}
    assert len(set(keys.values())) == len({replace(fit, purpose="") for fit in keys})


def test_other_code_makes_all_networks_anew(monkeypatch):
    raw, settings = _raw(), make_settings(oxygen=QUICK).oxygen
    before = fit_keys(raw, settings, 1)
    assert fit_keys(raw, settings, 1) == before
    monkeypatch.setattr(training, "fingerprint", lambda *_: "other code")
    after = fit_keys(raw, settings, 1)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())


def test_classes_and_means_that_spectra_tell_are_learnt():
    raw, settings = _raw(), make_settings(oxygen=QUICK).oxygen
    fit = Fit("classifier", "main", "raw", "", 0, (8, 6), 300, 0.01)
    entry = train_and_test(raw, settings, 1, fit)
    assert entry["scores"]["test"] > 0.9 > entry["baseline"]
    assert entry["single"] > 0.9
    assert sum(map(sum, entry["confusion"])) == 60
    assert entry == train_and_test(raw, settings, 1, fit)  # the same each time
    fit = Fit("regressor", "main", "raw", "", 0, (8, 6), 300, 0.01)
    many = settings.model_copy(
        update={"regressor": settings.regressor.model_copy(update={"epochs": 150, "batch": 32})}
    )
    entry = train_and_test(raw, many, 1, fit)
    assert entry["scores"]["test"] < 0.5 * entry["baseline"]
    assert len(entry["history"]) == 150


def test_too_few_spectra_for_a_split_are_named(tmp_path, capsys):
    raw = _raw(4, ("0", "1"))
    settings = make_settings(oxygen=QUICK).oxygen
    for task in ("classifier", "regressor"):
        with pytest.raises(XascoordError, match="split raw leaves no raw spectrum for validation"):
            train_and_test(raw, settings, 1, Fit(task, "main", "raw", "", 0, (8, 6), 300, 0.01))
    _snapshot(tmp_path / "in", "a")
    alone = make_settings(oxygen={**QUICK, "folder": str(tmp_path / "in"), "splits": ["snapshot"]})
    import_oxygen(alone, tmp_path / "s", tmp_path / "r")
    with pytest.raises(XascoordError, match="none of them is possible"):
        train_oxygen(alone, tmp_path / "s", tmp_path / "n", tmp_path / "j", 1)
    assert "split snapshot left out" in capsys.readouterr().out


@pytest.mark.slow
def test_from_files_to_tables_and_figures(tmp_path):
    for name, shift in (("a", 0.0), ("b", 0.1), ("c", 0.2)):
        _snapshot(tmp_path / "in", name, shift)
    settings = make_settings(oxygen={**QUICK, "folder": str(tmp_path / "in")})
    spectra, networks = tmp_path / "s.parquet", tmp_path / "n.jsonl"
    import_oxygen(settings, spectra, tmp_path / "r.parquet")
    train_oxygen(settings, spectra, networks, tmp_path / "j", 2)
    text = networks.read_text()
    train_oxygen(settings, spectra, networks, tmp_path / "j1", 1)  # one process, the same bytes
    assert networks.read_text() == text
    assert not (tmp_path / "j/networks.jsonl").exists()  # what is asked for again is done again
    summarise_oxygen(settings, spectra, networks, tmp_path / "out")
    summary = pd.read_csv(tmp_path / "out/summary.csv")
    assert len(summary) == 2 * (2 + 3)
    assert set(summary["split"]) == {"examples", "raw", "snapshot"}
    published = summary.set_index(["task", "split"])["published"]
    assert published["classifier", "examples"].tolist() == [0.987]
    assert json.loads((tmp_path / "out/metrics.json").read_text())["classifier"]["snapshot b"] > 0
    for name in ("spectra", "learning_curves", "parity"):
        assert (tmp_path / f"out/{name}.png").read_bytes()[:4] == b"\x89PNG"
    networks.write_text("{}\n")
    with pytest.raises(XascoordError, match="train them again"):
        summarise_oxygen(settings, spectra, networks, tmp_path / "out")


def test_the_published_snapshots(shared):
    """Classes of the 98 oxygens; the spectra of each snapshot fit its structure."""
    rows, rejected = read_snapshots(shared / "o_k_edge", Oxygen())
    assert (len(rows), len(rejected)) == (98, 0)
    counts = {
        name: [sum(r["environment"] == c and r["snapshot"] == name for r in rows)
               for c in environment_names(Oxygen())]
        for name in ("0K", "15ps")
    }  # fmt: skip
    assert counts == {"0K": [9, 17, 16, 6, 1, 0], "15ps": [6, 17, 16, 7, 1, 2]}
    energy, table = read_columns(shared / "o_k_edge/0K_Combo_O_all.dat")
    assert table.shape == (len(energy), 49)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"oxygen": {"classifier": {"averaged": [5, 2]}}}, "averaged"),
        ({"oxygen": {"window": [3.0, 1.0]}}, "must lie above"),
        ({"geometries": {"pre_edge": 60.0}}, "narrower than the grid"),
        ({"geometries": {"symbols": ["T:4", "T:4"]}}, "only once"),
        ({"geometries": {"symbols": ["tetrahedral", "O:6"]}}, "symbols"),
    ],
)
def test_impossible_settings_are_named(section, words):
    with pytest.raises(SettingsError, match=words):
        make_settings(**section)
