"""Models that come with the package: whole, small, and what the workflow makes."""

import csv
import shutil
import zipfile

import pytest
import yaml

from model_data import copper_edge
from project import ROOT, make_project, run, set_params, snakemake
from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import BundleError
from xascoord.models.bundles import load_bundle, read_record
from xascoord.models.card import model_card
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.store import RELEASED, TABLE, entry_of

# Path expansions only, and the largest models of all: a run makes them.
WITHOUT = {"Li", "Na", "K", "Rb"}


def test_the_elements_have_models_and_they_are_small():
    found = {path.parent.name for path in RELEASED.glob("*/*/forest.skops")}
    assert found == set(ELEMENTS) - WITHOUT
    size = sum(path.stat().st_size for path in RELEASED.rglob("*") if path.is_file())
    assert size < 20e6


@pytest.mark.parametrize("origin", ["embedded", "omnixas"])
def test_they_load_and_say_what_they_are(origin):
    for path in sorted(RELEASED.glob(f"{origin}/*/forest.skops")):
        bundle = load_bundle(path)
        assert bundle.record["element"] == path.parent.name
        # Copper of OmniXAS was published by itself, in Lightshow's layout.
        copper = origin == "omnixas" and path.parent.name == "Cu"
        assert bundle.record["data"]["sources"] == ["feff" if copper else origin]
        assert bundle.record["origin"]["commit"]
        assert set(bundle.record["conformal"]) == {"0.01", "0.05", "0.1", "0.2"}


def test_the_table_of_origins_is_of_these_models():
    with (RELEASED / TABLE).open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["origin"] for row in rows} == {"embedded", "omnixas"}
    for row in rows:
        record = read_record(RELEASED / row["origin"] / row["element"] / "forest.skops")
        assert int(row["sites"]) == record["data"]["site"]
        assert int(row["cn_right"]) <= int(row["samples"])


def test_their_cards_say_what_computed_the_spectra_and_how_often_they_are_right():
    """In the file, and as the command prints it."""
    with (RELEASED / TABLE).open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        path = RELEASED / row["origin"] / row["element"] / "forest.skops"
        card = path.with_suffix(".md").read_text()
        assert card == model_card(read_record(path), entry_of(path).known())
        assert f"Computed by: {row['engines']}." in card
        right = f"was right in {row['cn_right']} of {row['samples']} samples"
        assert (right if row["samples"] != "0" else "No measured spectrum") in card
    printed = run(RELEASED, "xascoord", "models", "card", f"{row['origin']}/{row['element']}/"
                  "forest.skops")  # fmt: skip
    assert printed == card


def test_a_clone_predicts_at_once(tmp_path, monkeypatch):
    """Without a run, and in a folder that has nothing to do with the project."""
    monkeypatch.chdir(tmp_path)
    predictor = Predictor()
    assert set(predictor.elements) == set(ELEMENTS) - WITHOUT
    with pytest.raises(BundleError, match="no models of K; a run here"):
        predictor.predict_arrays(*copper_edge(0, 3, e0=3608.0), "K")
    answer = predictor.predict_arrays(*copper_edge(0, 3), "Cu")
    assert answer.alternatives
    assert "learnt from" in answer.text(verbose=True)
    assert answer.references[0].reference.element == "Cu"
    assert predictor.entry("Co").origin == "omnixas"


def test_answers_of_path_expansions_are_doubted():
    energy, mu = copper_edge(0, 3, e0=4492.0)
    answer = Predictor(RELEASED).predict_arrays(energy, mu, "Sc")
    assert "path expansions" in answer.warnings[0]


@pytest.mark.slow
def test_they_are_what_the_workflow_makes(tmp_path):
    """All of a bundle but its record, which names the commit and the machine's libraries."""
    folder = make_project(tmp_path / "project")
    shutil.rmtree(folder / "data/crystals")
    shutil.copytree(ROOT / "data/crystals", folder / "data/crystals")
    models = yaml.safe_load((ROOT / "params.yaml").read_text())["models"]
    set_params(folder, elements=["Cr"], models=models)
    target = "data/04_models/bundles/Cr/forest.skops"
    snakemake(folder, target)
    assert _models(folder / target) == _models(RELEASED / "embedded/Cr/forest.skops")
    reference = "reference.parquet"
    assert (folder / target).with_name(reference).read_bytes() == (
        RELEASED / "embedded/Cr" / reference
    ).read_bytes()


def _models(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "record.json"}
