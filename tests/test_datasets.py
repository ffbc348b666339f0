import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from conftest import (
    PAPER_EDGE,
    PAPER_WINDOW,
    copper_orbits,
    edge_spectrum,
    make_settings,
    rutile,
    spinel,
    xmu_text,
)
from corrupt import CU
from xascoord.core.errors import AccountingError, StructureError, XascoordError
from xascoord.core.files import write_csv
from xascoord.core.rejections import Reason, Rejection
from xascoord.core.schemas import DATASET, REJECTIONS, SCHEMA_VERSION, SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows, read_table, to_table, write_rows
from xascoord.datasets import build
from xascoord.datasets.build import build_datasets
from xascoord.datasets.stage import summarise_datasets
from xascoord.sources.account import opening
from xascoord.sources.collect import SpectraWriter, Spectrum, spectrum_row
from xascoord.sources.feff.cluster import boxed_cluster
from xascoord.sources.stage import import_source
from xascoord.spectra.averaging import average_sites
from xascoord.structures.matching import match_orbits
from xascoord.structures.symmetry import equivalent_sites, structure_row


def _row(structure, site, source="feff", material="m", e0=CU, kind="site", element="Cu", name=None):
    identity = f"{source}:{name or material}"
    row = structure_row(structure, identity, material, source, 0.01)
    energy, mu = edge_spectrum(e0)
    finding = Spectrum(
        f"{name or material}/{element}/{site}", material, element, kind, site, energy, mu
    )
    return spectrum_row(source, finding, row), row


def _build(pairs, **sections):
    sections = {"sources": ["feff", "xasdb_archive"], "feff": {"path": "x"},
                "xasdb_archive": {"path": "x"}} | sections  # fmt: skip
    return build_datasets(
        "Cu", [s for s, _ in pairs], [t for _, t in pairs], make_settings(**sections)
    )


def test_average_needs_every_inequivalent_site():
    first, second = copper_orbits(spinel())
    whole = _build([_row(spinel(), first), _row(spinel(), second, e0=CU + 2)])
    assert len(whole.site) == 2
    (mean,) = whole.averaged
    assert (mean["kind"], mean["multiplicity"], mean["site_index"]) == ("averaged", 6, -1)
    by_site = {row["site_index"]: row for row in whole.site}
    weights = [by_site[first]["multiplicity"], by_site[second]["multiplicity"]]
    assert sorted(weights) == [2, 4]
    expected = np.average([by_site[first]["e0"], by_site[second]["e0"]], weights=weights)
    assert mean["e0"] == pytest.approx(expected, abs=0.2)

    part = _build([_row(spinel(), first)])
    assert part.averaged == []
    assert [(r["reason"], r["kind"]) for r in part.rejections] == [("missing_site", "averaged")]


def test_why_there_is_no_average_is_short():
    """A cluster out of a feff.inp has no other sites that could have been computed."""
    species = ["Cu"] * 12 + ["O"]
    row = boxed_cluster("feff:a", "a", "feff", species, np.arange(39.0).reshape(13, 3))
    crystal = {**row, "formula": "Cu12O"}
    spectrum = Spectrum("a/Cu/0", "a", "Cu", "site", 0, *edge_spectrum(CU))
    for structure, detail in (
        (row, "one site of a cluster"),
        (crystal, "site 1, 2, 3, 4, 5 and 6"),
    ):
        built = _build([(spectrum_row("feff", spectrum, structure), structure)])
        (rejection,) = built.rejections
        assert rejection["reason"] == Reason.MISSING_SITE
        assert detail in rejection["detail"]


def test_the_same_site_of_two_sources_is_kept_once():
    """The archive's cell is a reordered supercell of FEFF's."""
    from pymatgen.core import Structure

    other = rutile("Cu") * (1, 1, 2)
    other = Structure.from_sites(list(reversed(other)))
    site = copper_orbits(other)[0]
    built = _build([_row(rutile("Cu"), 0), _row(other, site, source="xasdb_archive")])
    assert [row["source"] for row in built.site] == ["feff"]
    assert [r["reason"] for r in built.rejections if r["kind"] == "site"] == ["duplicate"]
    swapped = _build(
        [_row(rutile("Cu"), 0), _row(other, site, source="xasdb_archive")],
        sources=["xasdb_archive", "feff"],
    )
    assert [row["source"] for row in swapped.site] == ["xasdb_archive"]


def test_orbits_are_matched_not_indices():
    one, two = spinel(), spinel()
    two = type(two).from_sites([two[i] for i in (5, 3, 0, 4, 1, 2, *range(6, 14))])
    first = structure_row(one, "a", "m", "feff", 0.01)
    second = structure_row(two, "b", "m", "xasdb_archive", 0.01)
    mapping = match_orbits(first, second)
    for orbit, other in mapping.items():
        assert second["equivalent_to"].count(orbit) == first["equivalent_to"].count(other)
        assert second["species"][orbit] == first["species"][other]
    assert len(mapping) == len(set(first["equivalent_to"]))


def test_other_crystals_of_one_material_both_stay():
    stretched = rutile("Cu")
    stretched.apply_strain(0.2)
    built = _build([_row(rutile("Cu"), 0), _row(stretched, 0, source="xasdb_archive")])
    assert len(built.site) == 2


def test_own_averages_come_before_given_ones():
    pairs = [_row(rutile("Cu"), 0), _row(rutile("Cu"), -1, source="xasdb_archive", kind="averaged")]
    built = _build(pairs)
    assert [row["source"] for row in built.averaged] == ["feff"]
    assert [r["reason"] for r in built.rejections] == ["duplicate"]
    alone = _build(pairs[1:])
    assert [row["source"] for row in alone.averaged] == ["xasdb_archive"]


def test_windows_that_are_not_covered_are_rejected():
    pair = _row(rutile("Cu"), 0)
    pair[0]["energy"], pair[0]["mu"] = (a.tolist() for a in edge_spectrum(CU, span=(-2.5, 80.0)))
    built = _build([pair])
    assert built.site == built.averaged == []
    assert [r["reason"] for r in built.rejections] == ["window_not_covered"] * 2


def test_a_spectrum_that_starts_within_the_window_has_a_tail_or_is_rejected():
    """In the paper's window it is covered."""
    pair = _row(rutile("Cu"), 0)
    pair[0]["energy"], pair[0]["mu"] = (a.tolist() for a in edge_spectrum(CU, span=(-7.0, 80.0)))
    (row,) = _build([pair]).site
    grid = np.linspace(-10, 30, 161)
    below = row["e0"] + grid < row["energy"][0]
    products = np.array(row["features"])[below] * grid[below]
    assert 8 <= below.sum() <= 14
    np.testing.assert_allclose(products, products[0])
    assert _build([pair], window={"tail": 0.0}).site == []
    paper = {"window": PAPER_WINDOW.model_dump(), "edge_energy": PAPER_EDGE.model_dump()}
    assert len(_build([pair], **paper).site[0]["features"]) == 200


def test_the_preprints_window():
    preprint = PAPER_WINDOW.model_dump() | {"reference": "onset", "lower": 0.0}
    built = _build([_row(rutile("Cu"), 0)], window=preprint, edge_energy=PAPER_EDGE.model_dump())
    (row,) = built.site
    assert row["onset"] < row["e0"]
    assert len(row["features"]) == 200
    start = np.interp(row["onset"], row["energy"], row["mu"]) / row["scale"]
    assert row["features"][0] == pytest.approx(start)


@hypothesis_settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["feff", "xasdb_archive"]),
                          st.floats(-40, 40)), max_size=8))  # fmt: skip
def test_every_spectrum_is_somewhere_whatever_comes(sites):
    """Counts in = counts out + counts rejected, and the order of the input does not matter."""
    crystal, pairs = spinel(), {}
    for site, source, cut in sites:
        spectrum, row = _row(crystal, site, source=source)
        energy, mu = edge_spectrum(CU, span=(-15.0, 60.0 + cut))
        spectrum["energy"], spectrum["mu"] = energy.tolist(), mu.tolist()
        pairs[spectrum["spectrum_id"]] = (spectrum, row)
    built = _build(list(pairs.values()))
    of_sites = [r for r in built.rejections if r["kind"] == "site"]
    assert len(built.site) + len(of_sites) == len(pairs)
    assert built == _build(list(pairs.values())[::-1])


@pytest.mark.parametrize(
    ("broken", "message"),
    [("partial", "partially occupied"), ("overlapping", "space group not found")],
)
def test_impossible_structures_are_refused(broken, message):
    crystal = rutile("Cu")
    if broken == "partial":
        crystal[0] = {"Cu": 0.5, "Ni": 0.5}
    else:
        crystal.append("O", crystal[2].frac_coords)
    with pytest.raises(StructureError, match=message):
        equivalent_sites(crystal, 0.01)


def test_tables_are_typed_and_the_same_bytes(tmp_path):
    built = _build([_row(rutile("Cu"), 0)])
    for name in ("a", "b"):
        write_rows(tmp_path / name, built.site, DATASET)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_table(tmp_path / "a", DATASET).schema == DATASET
    with pytest.raises(XascoordError, match="onset"):
        to_table([{k: v for k, v in built.site[0].items() if k != "onset"}], DATASET)
    (tmp_path / "c").write_text("no parquet")
    with pytest.raises(XascoordError, match="not a readable Parquet"):
        read_table(tmp_path / "c", DATASET)
    with pytest.raises(XascoordError, match="run the stage"):
        read_table(tmp_path / "d", DATASET)


def _found(numbers):
    structure = structure_row(rutile("Cu"), "feff:m", "m", "feff", 0.01)
    energy, mu = edge_spectrum(CU)
    for number in numbers:
        yield Spectrum(f"m/{number}", "m", "Cu", "site", 0, energy, mu), structure
    yield Spectrum("n/0", "n", "Fe", "site", 0, energy, mu), structure


def test_a_writer_spills_and_keeps_everything(tmp_path):
    writer = SpectraWriter("feff", ["Cu", "Ti"], tmp_path, spill=3)
    assert len(list(writer.consume(opening(_found([*range(8), 2]))))) == 10
    counts = {row["absorber"]: row for row in writer.finish()}
    assert counts["Cu"] == {
        "source": "feff",
        "absorber": "Cu",
        "found": 9,
        "accepted": 8,
        "rejected": 1,
    }
    assert [r.reason for r in writer.rejections] == [Reason.DUPLICATE, Reason.OTHER_ELEMENT]
    from xascoord.core.schemas import SPECTRA, STRUCTURES

    assert read_table(tmp_path / "spectra/Cu.parquet", SPECTRA).num_rows == 8
    assert read_table(tmp_path / "structures/Cu.parquet", STRUCTURES).num_rows == 1
    assert read_table(tmp_path / "spectra/Ti.parquet", SPECTRA).num_rows == 0


@pytest.mark.parametrize("folder", [True, False])
def test_a_spectrum_that_gets_lost_on_the_way_is_noticed(tmp_path, monkeypatch, folder):
    """What came in is counted apart from what stands in the tables."""
    writer = SpectraWriter("feff", ["Cu"], tmp_path if folder else None, spill=3)
    real = SpectraWriter.accept

    def forgetful(self, spectrum, structure):
        if spectrum.key != "m/4":
            real(self, spectrum, structure)

    monkeypatch.setattr(SpectraWriter, "accept", forgetful)
    list(writer.consume(opening(_found(range(8)))))
    with pytest.raises(AccountingError, match="9 spectra came in, 7 stand in the tables, 1 are"):
        writer.finish()
    assert not (tmp_path / "counts.csv").exists()


def test_a_document_that_a_reader_drops_is_noticed(tmp_path):
    """What a reader opened is counted apart from what came of it."""

    def read(drop):
        for number, found in enumerate(opening(_found(range(8)))):
            if number != drop:
                yield found

    writer = SpectraWriter("feff", ["Cu"], tmp_path)
    list(writer.consume(read(None)))
    assert sum(row["found"] for row in writer.finish()) == 9
    writer = SpectraWriter("feff", ["Cu"], tmp_path)
    list(writer.consume(read(4)))
    with pytest.raises(AccountingError, match="9 documents were opened, 8 spectra and rejections"):
        writer.finish()


def test_a_spectrum_that_a_data_set_loses_is_noticed(monkeypatch):
    real, (first, second) = build._windowed, copper_orbits(spinel())

    def forgetful(rows, settings):
        done, rejected = real(rows, settings)
        return [row for row in done if row["site_index"] != second], rejected

    monkeypatch.setattr(build, "_windowed", forgetful)
    sites = [_row(spinel(), site) for site in (first, second)]
    words = f"do not add up for 1 spectra, first feff:m/Cu/{second}"
    with pytest.raises(AccountingError, match=words):
        _build(sites)


@pytest.mark.parametrize(
    ("found", "kept", "words"),
    [
        (4, 2, r"Cu: 4 found, 2 accepted, 1 rejected"),
        (3, 1, r"Cu: 2 site spectra, 1 in the data set"),
    ],
)
def test_the_summary_of_data_sets_counts_again(tmp_path, found, kept, words):
    """A source found three spectra and rejected one; both others have to be in the data set."""
    sites = [_row(spinel(), site) for site in copper_orbits(spinel())]
    source, datasets = tmp_path / "feff", tmp_path / "datasets"
    write_rows(source / "spectra/Cu.parquet", [row for row, _ in sites], SPECTRA)
    rejection = Rejection("m/x", Reason.NOT_A_NUMBER, "", "Cu").row("spectra", "feff")
    write_csv(source / "rejections.csv", [rejection], REJECTIONS.names)
    counts = {"absorber": "Cu", "found": found}
    write_csv(source / "counts.csv", [counts], list(counts))
    built = _build(sites)
    write_rows(datasets / "site/Cu.parquet", built.site[:kept], DATASET)
    write_rows(datasets / "averaged/Cu.parquet", built.averaged, DATASET)
    write_rows(datasets / "rejections/Cu.parquet", built.rejections, REJECTIONS)
    with pytest.raises(AccountingError, match=words):
        summarise_datasets(make_settings(elements=["Cu"]), [source], datasets, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_tables_say_their_version(tmp_path):
    path = tmp_path / "t.parquet"
    write_rows(path, [], SPECTRA)
    assert pq.read_metadata(path).metadata[b"xascoord_schema"].decode() == SCHEMA_VERSION
    pq.write_table(pq.read_table(path).replace_schema_metadata({"xascoord_schema": "1"}), path)
    with pytest.raises(XascoordError, match="version 1.*rerun"):
        read_rows(path, SPECTRA)


def test_run_folders_of_one_material_share_it(tmp_path):
    from xascoord.settings.feff import FAST
    from xascoord.sources.feff.inputs import xanes_input

    for material, crystal in (("mp-1", rutile("Cu")), ("mp-aaaaaadw", spinel())):
        for site in copper_orbits(crystal):
            folder = tmp_path / "runs" / material / f"{site:03d}_Cu"
            folder.mkdir(parents=True)
            (folder / "feff.inp").write_text(xanes_input(crystal, site, FAST))
            (folder / "xmu.dat").write_text(xmu_text(*edge_spectrum(CU)))
            crystal.to(filename=str(folder / "POSCAR"), fmt="poscar")
    settings = make_settings(
        sources=["feff"], elements=["Cu"], feff={"path": str(tmp_path / "runs")}
    )
    import_source("feff", settings, tmp_path / "out", tmp_path)
    rows = read_rows(tmp_path / "out/spectra/Cu.parquet", SPECTRA)
    structures = read_rows(tmp_path / "out/structures/Cu.parquet", STRUCTURES)
    assert sorted(r["material"] for r in rows) == ["mp-1", "mp-100", "mp-100"]
    built = _build(
        [(r, s) for r in rows for s in structures if r["structure_id"] == s["structure_id"]]
    )
    assert sorted(r["material"] for r in built.averaged) == ["mp-1", "mp-100"]


def test_a_second_source_does_not_destroy_an_average():
    first, second = copper_orbits(spinel())
    archive = [_row(spinel(), site, source="xasdb_archive") for site in (first, second)]
    built = _build([_row(spinel(), first), *archive])
    assert len(built.site) == 2
    assert [row["source"] for row in built.averaged] == ["xasdb_archive"]


def test_a_given_average_stays_where_the_computed_one_fails():
    site = _row(rutile("Cu"), 0)
    site[0]["energy"], site[0]["mu"] = (a.tolist() for a in edge_spectrum(CU, span=(-2.5, 80.0)))
    given = _row(rutile("Cu"), -1, source="xasdb_archive", kind="averaged")
    assert [r["source"] for r in _build([site, given]).averaged] == ["xasdb_archive"]


def test_sites_without_common_energies_are_rejected_not_fatal():
    first, second = copper_orbits(spinel())
    pairs = [_row(spinel(), first), _row(spinel(), second)]
    for (spectrum, _), span in zip(pairs, [(-95.0, -5.0), (-4.9, 80.0)], strict=True):
        spectrum["energy"], spectrum["mu"] = (a.tolist() for a in edge_spectrum(CU, span=span))
    reasons = {r["reason"] for r in _build(pairs).rejections if r["kind"] == "averaged"}
    assert reasons == {"window_not_covered"}
    with pytest.raises(ValueError, match="in common"):
        average_sites([edge_spectrum(100), edge_spectrum(900)], [1, 1], 0.2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_structures_that_would_end_the_process_are_refused(value):
    from pymatgen.core import Lattice, Structure

    positions = Structure(Lattice.cubic(4), ["Cu", "O"], [[value, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(StructureError, match="finite"):
        equivalent_sites(positions, 0.01)
