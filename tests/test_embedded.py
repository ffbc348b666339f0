"""The embedded spectra: full multiple scattering where there is enough of it, else paths."""

from collections import Counter

import pytest

from conftest import make_settings
from project import ROOT
from xascoord.core.elements import ELEMENTS
from xascoord.core.engines import engine_of, is_balanced
from xascoord.sources.account import opening
from xascoord.sources.collect import SpectraWriter, Spectrum
from xascoord.sources.embedded import read_both


@pytest.fixture(scope="module")
def embedded():
    settings = make_settings(
        embedded={"folder": str(ROOT / "data/crystals")}, demo={"folder": str(ROOT / "data/demo")}
    )
    return list(read_both(settings))


def test_each_element_is_of_one_kind_and_has_enough(embedded):
    kinds, counts = {}, Counter()
    for one, _ in embedded:
        if isinstance(one, Spectrum):
            kinds.setdefault(one.absorber, set()).add(one.key.split("/")[0])
            counts[one.absorber] += 1
    assert set(kinds) == set(ELEMENTS)
    assert all(len(found) == 1 for found in kinds.values())
    assert kinds["Fe"] == {"feff10"}
    assert min(counts.values()) >= 30


def test_every_site_is_of_its_structure(embedded):
    """Each crystal keeps a name of its own: a site is the absorber of the crystal it names."""
    structures = {}
    for one, structure in embedded:
        if not isinstance(one, Spectrum):
            continue
        known = structures.setdefault(structure["structure_id"], structure)
        assert known["species"] == structure["species"]
        assert structure["species"][one.site_index] == one.absorber
        assert one.key.startswith(structure["structure_id"].removeprefix("embedded:"))
    assert len(structures) > 2000


def test_names_tell_what_computed_a_spectrum(embedded):
    said = {engine_of(f"embedded:{one.key}") for one, _ in embedded if isinstance(one, Spectrum)}
    assert said == {"full multiple scattering (FEFF10)",
                    "path expansions (FEFF8L), poor near the edge"}  # fmt: skip
    assert engine_of("omnixas:mp-1/Ti/0").endswith("OmniXAS)")
    assert engine_of("else") == "unknown"
    assert is_balanced("embedded:paths/a/0")
    assert not is_balanced("omnixas:mp-1/Ti/0")


def test_an_element_with_too_few_runs_has_its_paths(embedded):
    settings = make_settings(
        embedded={"folder": str(ROOT / "data/crystals"), "least_sites": 10_000},
        demo={"folder": str(ROOT / "data/demo")},
    )
    found = list(read_both(settings))
    keys = [one.key for one, _ in found if isinstance(one, Spectrum)]
    assert keys
    assert all(key.startswith("paths/") for key in keys)
    writer = SpectraWriter("embedded", ELEMENTS)
    for _ in writer.consume(opening(found)):
        pass
    assert sum(writer.accepted.values()) == len(keys)
