"""Tetrahedral, square pyramidal and octahedral sites, and the networks for them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from conftest import make_settings, rutile, spinel
from xascoord.core.errors import AccountingError, XascoordError
from xascoord.core.schemas import GEOMETRIES, REJECTIONS, SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows, write_rows
from xascoord.geometries import stage, training
from xascoord.geometries.data import (
    clean,
    element_grid,
    first_of_duplicates,
    geometry_data,
    on_grid,
    standardise,
)
from xascoord.geometries.figures import principal_components
from xascoord.geometries.stage import label_geometries, train_geometries
from xascoord.geometries.tables import f1_row, loss_rows, read_published
from xascoord.geometries.training import (
    Fit,
    class_f1,
    fits_of,
    network,
    region_points,
    summarise_scores,
    train_and_test,
    training_spectra,
)
from xascoord.settings.networks import Geometries
from xascoord.structures.polyhedra import neighbour_vectors, site_geometry
from xascoord.structures.symmetry import structure_row

NUMBERS = frozenset({4, 5, 6})
EIGHT = {"epochs": 8, "folds": 3, "learning_rate": 0.003, "dropout": 0.0}


def _boxed(vectors):
    """A copper atom with oxygens at these places, alone in a large box."""
    from pymatgen.core import Lattice, Structure

    coords = np.array([[0.0, 0, 0], *vectors]) + 10
    return Structure(
        Lattice.cubic(20), ["Cu"] + ["O"] * len(vectors), coords, coords_are_cartesian=True
    )


PYRAMID = [[1.9, 0, 0], [-1.9, 0, 0], [0, 1.9, 0], [0, -1.9, 0], [0, 0, 2.1]]


@pytest.mark.parametrize(
    ("structure", "site", "symbol", "number"),
    [
        (rutile(), 0, "O:6", 6),
        (spinel(), 0, "T:4", 4),
        (spinel(), 2, "O:6", 6),
        (_boxed(PYRAMID), 0, "S:5", 5),
        (_boxed(PYRAMID[:4]), 0, "S:4", 4),  # four neighbours, but no tetrahedron
        (_boxed([*PYRAMID, [0, 0, -2.5]]), 0, "S:5", 5),  # the sixth is beyond 1.2 x 1.9
        (_boxed(PYRAMID[:2]), 0, "", 2),
        (_boxed([]), 0, "", 0),
    ],
)
def test_sites_of_known_geometry(structure, site, symbol, number):
    found = site_geometry(structure, site, 1.2, NUMBERS)
    assert (found.symbol, found.neighbours) == (symbol, number)
    if symbol and structure[0].specie.symbol != "Ti":
        assert found.measure < 3


def test_an_ideal_polyhedron_has_no_measure():
    found = site_geometry(spinel(), 0, 1.2, NUMBERS)
    assert found.measure == pytest.approx(0, abs=1e-3)


def test_neighbours_farther_than_the_first_search_are_found():
    assert len(neighbour_vectors(_boxed([[4.0, 0, 0], [0, 4.5, 0]]), 0, 1.2)) == 2


def _row(index, energy, mu, symbol="O:6", **values):
    return {
        "spectrum_id": f"s{index:03d}", "material": f"m{index // 2}", "structure_id": f"c{index}",
        "group": f"m{index // 2}",
        "absorber": "Cu", "kind": "site", "site_index": 0, "multiplicity": 1, "source": "demo",
        "energy": list(energy), "mu": list(mu), "symbol": symbol, "neighbours": int(symbol[2:]),
        "measure": 0.1, **values,
    }  # fmt: skip


def _rows(count, symbols=("T:4", "S:5", "O:6"), seed=0):
    """Spectra whose white line tells the class, no two alike."""
    rng = np.random.default_rng(seed)
    energy = np.arange(8980.0, 9060.0, 0.5)
    rows = []
    for i in range(count):
        kind = i % len(symbols)
        step = 0.5 + np.arctan((energy - 8990) / 1.5) / np.pi
        line = (0.3 + 0.5 * kind) * np.exp(-(((energy - 8995 - 3 * kind) / 3) ** 2))
        wave = 0.2 * np.sin((energy - 8990) / (1.5 + 4 * rng.random()) + 6 * rng.random())
        rows.append(_row(i, energy, step * (1 + line + wave), symbols[kind]))
    return rows


def test_cleaning_says_what_it_takes_out_and_why():
    rows = _rows(60)
    extra = [
        {**rows[0], "spectrum_id": "twin", "structure_id": "other"},
        {**rows[1], "spectrum_id": "zz_equivalent"},
        {**rows[2], "spectrum_id": "square", "symbol": "S:4"},
        {**rows[3], "spectrum_id": "few", "symbol": "", "neighbours": 2},
    ]
    late = np.arange(8999.0, 9060.0, 0.5)
    extra.append(_row(900, late, np.linspace(0.5, 1, len(late))))
    everything = [*rows, *extra]
    orbits = [(row["structure_id"], 0) for row in everything]
    kept, rejected = clean(
        "Cu", everything, orbits, Geometries(coverage=0.95, duplicate_difference=0.001)
    )
    assert len(kept) + len(rejected) == len(everything)
    reasons = {row["item"]: row["reason"] for row in rejected}
    assert reasons == {
        "twin": "duplicate", "zz_equivalent": "equivalent_site", "square": "other_geometry",
        "few": "other_geometry", "s900": "window_not_covered",
    }  # fmt: skip
    assert all(max(row["features"]) == pytest.approx(1) for row in kept)
    with pytest.raises(XascoordError, match=r"geometries\.points"):
        clean("Cu", everything, orbits, Geometries(points=900))


@given(arrays(float, (9, 5), elements=st.floats(0, 1)), st.floats(0.01, 0.5))
def test_what_is_kept_differs_and_what_is_not_is_like_something_kept(features, difference):
    firsts = first_of_duplicates(features, difference)
    kept = np.flatnonzero(firsts == np.arange(len(features)))
    for i in kept:
        for j in kept[kept < i]:
            assert np.abs(features[i] - features[j]).mean() >= difference
    for i, first in enumerate(firsts):
        assert first in kept
        assert first <= i
        assert first == i or np.abs(features[i] - features[first]).mean() < difference


def test_a_shifted_spectrum_is_the_spectrum_moved():
    energy = np.arange(0.0, 100.0, 0.25)
    mu = 1 / (1 + np.exp(-(energy - 40))) + 0.2 * np.exp(-((energy - 45) ** 2) / 8)
    grid = np.arange(20.0, 70.0, 0.5)
    moved = on_grid(energy, mu, grid, 2.0)
    assert moved[4:] == pytest.approx(on_grid(energy, mu, grid)[:-4], abs=1e-9)
    assert moved.max() == pytest.approx(1, abs=1e-6)
    outside = on_grid(energy, mu, np.arange(-5.0, 45.0, 0.5))  # begins before the spectrum
    assert outside[:10] == pytest.approx(np.full(10, outside[10]))


def test_the_grid_begins_where_the_wanted_share_is_covered():
    starts = np.arange(100.0)
    grid = element_grid(starts, Geometries(coverage=0.9))
    assert (starts <= grid[0]).mean() >= 0.9
    assert len(grid) == 100
    assert grid[1] - grid[0] == 0.5


@pytest.mark.parametrize("how", ["spectrum", "point"])
def test_standardised_spectra(how):
    rng = np.random.default_rng(0)
    learnt, (tested,) = standardise(rng.random((20, 7)), [rng.random((3, 7))], how)
    axis = 1 if how == "spectrum" else 0
    assert learnt.mean(axis=axis) == pytest.approx(0, abs=1e-12)
    assert learnt.std(axis=axis) == pytest.approx(1)
    assert tested.shape == (3, 7)
    flat, _ = standardise(np.ones((4, 7)), [], how)
    assert (flat == 0).all()


def _cleaned(count=60, **values):
    rows = _rows(count)
    orbits = [(row["structure_id"], 0) for row in rows]
    kept, _ = clean("Cu", rows, orbits, Geometries(duplicate_difference=0.001))
    return kept


def test_rare_classes_are_not_learnt():
    kept = _cleaned(60)
    rare = [row for row in kept if row["symbol"] != "S:5"] + [
        row for row in kept if row["symbol"] == "S:5"
    ][:3]
    data = geometry_data("Cu", rare, Geometries(folds=4))
    assert data.symbols == ("T:4", "O:6")
    assert set(data.labels) == {0, 1}
    with_two = [{"T:4": 0.9, "O:6": 0.7}, {"T:4": 0.8, "O:6": 0.8}]
    key = ("Cu", "random", "mlp", "full", "shifted", "as it is", 0.0)
    row = f1_row(
        key, dict(enumerate(with_two)), Geometries(), 0.8, rare, {"Cu": {"mlp_full": 0.86}}
    )
    assert (row["classes"], row["spectra"]) == (2, len(data.labels))
    assert row["macro_f1"] == pytest.approx(0.8)
    assert (row["S:5"], row["published"]) == ("", "")


def test_copies_are_of_the_learnt_spectra_only():
    settings = Geometries()
    data = geometry_data("Cu", _cleaned(), settings)
    members = np.arange(0, 60, 2)
    plain, labels = training_spectra(data, members, settings, "base", 1)
    assert plain == pytest.approx(data.features(members))
    shifted, five = training_spectra(data, members, settings, "shifted", 1)
    assert len(shifted) == 5 * len(members) == len(five)
    assert shifted[: len(members)] == pytest.approx(plain)
    assert shifted[len(members) : 2 * len(members)] == pytest.approx(data.features(members, -2.0))
    assert (five.reshape(5, -1) == labels).all()
    noisy, _ = training_spectra(data, members, settings, "noisy", 1)
    assert len(noisy) == len(shifted)
    assert (noisy[len(members) :] - np.tile(plain, (4, 1))).std() == pytest.approx(0.03, rel=0.05)


def test_regions_and_network_are_the_papers():
    settings = Geometries()
    grid = 8980 + 0.5 * np.arange(100)
    assert region_points(grid, settings, "full").all()
    assert region_points(grid, settings, "pre_edge").sum() == 25
    assert grid[region_points(grid, settings, "pre_edge")].max() < 8980 + 12.5
    mlp, cnn = (network(settings, name, 1) for name in ("mlp", "cnn"))
    assert (mlp.filters, cnn.filters) == ((), (8,))
    assert mlp.dense == (90, 60, 20)
    assert (mlp.dropout, mlp.epochs, mlp.batch, mlp.patience) == (0.3, 50, 32, None)
    assert len(fits_of(settings)) == 2 * 2 * 4 * 10


def test_f1_by_hand():
    """Classes 0, 1, 2: two of three 0 right, one 1 taken for 0, no 2 in the truth."""
    found = class_f1(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 2, 1, 0]), ("a", "b", "c"))
    assert found == [pytest.approx(2 / 3), pytest.approx(2 / 3), None]
    means, spreads, macro, spread = summarise_scores([[1.0, 0.5, None], [0.5, 0.5, 0.5]])
    assert means.tolist() == [0.75, 0.5, 0.5]
    assert spreads.tolist() == [0.25, 0.0, 0.0]
    assert (macro, spread) == (0.625, 0.125)


def test_loss_without_what_is_above_the_pre_edge():
    def fold(*values):
        return dict(zip(("T:4", "S:5", "O:6"), values, strict=True))

    folds = {
        (e, "random", "mlp", region, "shifted", "as it is", 0.0): {0: fold(*values)}
        for e, full, pre in (("Ti", (0.9, 0.8, 1.0), (0.8, 0.5, 0.9)),
                             ("Cu", (0.9, 0.6, 1.0), (0.5, 0.1, 0.8)))
        for region, values in (("full", full), ("pre_edge", pre))
    }  # fmt: skip
    settings = Geometries(splits=("random",), networks=("mlp",))
    rows = {row["group"]: row for row in loss_rows(folds, settings, ["Ti", "Cu"])}
    assert rows["early"]["S:5"] == pytest.approx(0.3)
    assert rows["late"]["T:4"] == pytest.approx(0.4)
    assert rows["all"]["O:6"] == pytest.approx(0.15)


def test_components_of_the_pre_edge_are_along_the_cut_axes():
    from sklearn.decomposition import PCA

    settings = Geometries(standardise="point")
    data = geometry_data("Cu", _cleaned(), settings)
    features = data.features(np.arange(60))
    points = np.arange(100) < 25
    shares, full, cut = principal_components(features, points, settings)
    scaled, _ = standardise(features, [], "point")
    axes = PCA(2, svd_solver="full").fit(scaled).components_
    for part, expected in ((full, scaled @ axes.T), (cut, scaled[:, :25] @ axes[:, :25].T)):
        assert np.abs(part).max(axis=0) == pytest.approx(1)
        for i in range(2):
            assert abs(np.corrcoef(part[:, i], expected[:, i])[0, 1]) == pytest.approx(1)
    assert np.abs(full - cut).max() > 0.1
    assert 0.3 < sum(shares) <= 1


def test_the_pre_edge_alone_tells_nothing_of_what_is_above_it():
    """Spectra that are alike below the cut, and have the same maximum above it."""
    settings = Geometries(epochs=3, folds=2, tested_shifts=(), tested_noises=(), pre_edge=10.0)
    energy = np.arange(8980.0, 9060.0, 0.5)
    rows = []
    for i in range(24):
        kind = i % 2
        mu = 0.2 + 0.001 * (energy - 8980) + 0.0001 * i
        mu[40:] += 0.5 + 0.3 * kind  # above the cut
        mu[60] = 2.0
        rows.append(_row(i, energy, mu, ("T:4", "O:6")[kind], features=[], grid_start=8980.0))
    data = geometry_data("Cu", rows, settings)
    folds = {"random": np.repeat([0, 1], 12).astype(np.int32)}
    found = train_and_test(data, folds, settings, 1, Fit("random", 0, "mlp", "pre_edge", "base"))
    assert len(set(found["probability"])) <= 2  # the same inputs but for rounding
    assert len(set(found["predicted"])) == 1


def test_other_code_labels_and_learns_anew(tmp_path, monkeypatch):
    settings = Geometries(splits=("random",), folds=2)
    data = geometry_data("Cu", _cleaned(), settings)
    folds = {"random": np.arange(60, dtype=np.int32) % 2}
    structure = structure_row(spinel(), "c1", "m1", "demo", 0.01)
    spectra = [{"structure_id": "c1", "kind": "site", "site_index": site} for site in (0, 2)]
    labelled, real = [], stage._one_site

    def counted(cutoff, numbers, site):
        labelled.append(site.task.key)
        return real(cutoff, numbers, site)

    def run():
        found = stage._geometries("Cu", settings, [structure], spectra, tmp_path, 1)
        assert [entry["symbol"] for entry in found.values()] == ["T:4", "O:6"]
        return set(training.fit_keys(data, folds, settings, 1).values())

    monkeypatch.setattr(stage, "_one_site", counted)
    keys = [run(), run()]
    assert len(labelled) == 2  # the journal has them at the second time
    for module in (stage, training):
        monkeypatch.setattr(module, "fingerprint", lambda *_: "other code")
    keys.append(run())
    assert len(set(labelled)) == len(labelled) == 4
    assert keys[0] == keys[1]
    assert not keys[1] & keys[2]


def test_published_figures(root):
    table = read_published(root / "data/carbone2019.csv")
    assert len(table) == 8
    assert sum(row["T:4"] + row["S:5"] + row["O:6"] for row in table.values()) == 18184
    assert np.mean([row["cnn_full"] for row in table.values()]) == pytest.approx(0.86, abs=0.005)
    with pytest.raises(XascoordError, match=r"none\.csv"):
        read_published(root / "none.csv")


@pytest.mark.slow
def test_from_spectra_to_predictions_and_back_after_a_kill(tmp_path, monkeypatch):
    """Sites of a real crystal are labelled; networks learn; one and two processes agree."""
    settings = make_settings(
        geometries={**EIGHT, "splits": ["random"]}, elements=["Cu"], sources=["demo", "feff"],
        feff={"path": "x"},
    )  # fmt: skip
    structure = spinel()
    row = structure_row(structure, "c1", "m1", "demo", 0.01)
    rows = _rows(2)
    columns = [name for name in SPECTRA.names if name not in ("structure_id", "site_index")]
    spectra = [
        {**{name: rows[i][name] for name in columns}, "structure_id": "c1", "site_index": site}
        for i, site in enumerate((0, 2))
    ]
    averaged = {**spectra[0], "spectrum_id": "mean", "kind": "averaged", "site_index": -1}
    folder = tmp_path / "demo"
    write_rows(folder / "spectra/Cu.parquet", [*spectra, averaged], SPECTRA)
    write_rows(folder / "structures/Cu.parquet", [row], STRUCTURES)
    # The same site from another source, of other energies: the source named first wins.
    later = {**spectra[0], "spectrum_id": "aaa", "structure_id": "d1", "source": "feff"}
    later |= {"energy": [e + 3 for e in spectra[0]["energy"]], "material": "m1"}
    for each in spectra:
        each["material"] = "m1"
    write_rows(folder / "spectra/Cu.parquet", [*spectra, averaged], SPECTRA)
    write_rows(tmp_path / "feff/spectra/Cu.parquet", [later], SPECTRA)
    other = structure_row(structure, "d1", "m1", "feff", 0.01)
    write_rows(tmp_path / "feff/structures/Cu.parquet", [other], STRUCTURES)
    out, rejected = tmp_path / "Cu.parquet", tmp_path / "rejected.parquet"
    folders = [folder, tmp_path / "feff"]
    label_geometries("Cu", settings, folders, out, rejected, tmp_path / "journals", 1)
    assert [r["symbol"] for r in read_rows(out, GEOMETRIES)] == ["T:4", "O:6"]
    assert [r["reason"] for r in read_rows(rejected, REJECTIONS)] == ["site_averaged", "duplicate"]
    with monkeypatch.context() as patched:
        patched.setattr("xascoord.geometries.stage.clean", lambda element, rows, *a: (rows[1:], []))
        with pytest.raises(AccountingError, match="4 spectra, 1 kept, 2 rejected"):
            label_geometries("Cu", settings, folders, out, rejected, tmp_path / "journals", 1)
    with pytest.raises(XascoordError, match="fewer than two"):
        train_geometries("Cu", settings, out, tmp_path / "p", tmp_path / "s", tmp_path / "j", 1)

    write_rows(out, _cleaned(60), GEOMETRIES)
    for workers in (1, 2):
        train_geometries(
            "Cu", settings, out, tmp_path / f"p{workers}", tmp_path / f"s{workers}.csv",
            tmp_path / f"j{workers}", workers,
        )  # fmt: skip
    assert (tmp_path / "p1").read_bytes() == (tmp_path / "p2").read_bytes()
    assert (tmp_path / "s1.csv").read_bytes() == (tmp_path / "s2.csv").read_bytes()
    scores = pd.read_csv(tmp_path / "s1.csv")
    plain = scores[(scores["condition"] == "as it is") & (scores["training"] == "shifted")]
    found = plain.groupby(["network", "region"])["f1"].mean()
    assert found["mlp", "full"] > 0.8
    assert found["cnn", "full"] > 0.8
    predictions = pd.read_parquet(tmp_path / "p1")
    assert (predictions.groupby(["network", "region", "training"]).size() == 60).all()
    assert not (tmp_path / "j1/Cu.jsonl").exists()  # what is asked for again is done again
    train_geometries("Cu", settings, out, tmp_path / "p3", tmp_path / "s3.csv", tmp_path / "j1", 1)
    assert (tmp_path / "p3").read_bytes() == (tmp_path / "p1").read_bytes()
