"""Captions of the report say what is in their table or figure."""

import csv
import re
from pathlib import Path

import pytest

from conftest import ROOT
from xascoord.core.elements import GROUPS
from xascoord.importance.drop import DROPPED
from xascoord.importance.stage import summarise_importance
from xascoord.labels.stage import calibrate_thresholds, summarise_labels
from xascoord.models.stage import summarise_models
from xascoord.models.tables import OVERALL
from xascoord.settings.tree import load_settings
from xascoord.spectra.regions import REGIONS
from xascoord.validation.cases import TRAINING_SETS
from xascoord.validation.stage import summarise_validation

CAPTIONS = ROOT / "workflow/report"


def caption(name):
    return (CAPTIONS / f"{name}.rst").read_text()


def test_every_reported_result_has_its_caption_and_no_other_is_there():
    named = set()
    for path in (ROOT / "workflow/rules").glob("0*.smk"):
        text = path.read_text()
        named |= set(re.findall(r'caption="../report/(.*).rst"', text))
        for words in re.findall(r"reported\(([^()]*)\)", text):
            stage, _, *names = re.findall(r'"([^"]+)"', words)
            named |= {f"{stage}/{name.replace('{element}', 'element')}" for name in names}
    there = {path.relative_to(CAPTIONS).as_posix().removesuffix(".rst")
             for path in CAPTIONS.rglob("*.*.rst")}  # fmt: skip
    assert len(named) > 50
    assert there == named
    assert all(caption(name).strip().endswith(".") for name in named)


@pytest.mark.slow
def test_captions_of_tables_name_what_is_in_them(finished):
    """Words in italics are columns or values."""
    checked = 0
    for path in sorted(CAPTIONS.rglob("*.csv.rst")):
        name = path.relative_to(CAPTIONS).as_posix().removesuffix(".rst")
        words = re.findall(r"(?<!\*)\*(\w+)\*(?!\*)", path.read_text())
        if not words or not (finished / "results" / name).exists():
            continue
        with (finished / "results" / name).open(newline="") as handle:
            rows = list(csv.reader(handle))
        held = {cell for row in rows for cell in row}
        # The slice learns from one split only.
        assert set(words) - {"random"} <= held, name
        checked += 1
    assert checked >= 3


@pytest.fixture
def figures(finished, tmp_path, monkeypatch):
    """Every figure of the stages 03 to 06, not as a file but to be looked at, by its name."""
    monkeypatch.chdir(finished)
    drawn = {}

    def keep(figure, path):
        drawn[path.relative_to(tmp_path).as_posix()] = figure

    for room in ("labels", "models", "importance", "validation"):
        monkeypatch.setattr(f"xascoord.{room}.figures.save_figure", keep)
    monkeypatch.setattr("xascoord.models.reliability_figure.save_figure", keep)
    settings, data = load_settings(Path("params.yaml")), Path("data")
    out = {stage: tmp_path / stage
           for stage in ("03_labels", "04_models", "05_importance", "06_validation")}  # fmt: skip
    calibrate_thresholds(
        settings, data / "03_labels/order_parameters", tmp_path / "curves.csv",
        tmp_path / "calibrated.json", out["03_labels"] / "calibration.png",
    )  # fmt: skip
    summarise_labels(settings, data / "03_labels/labels", data / "03_labels/rejections",
                     Path("results/03_labels/thresholds.json"), out["03_labels"])  # fmt: skip
    summarise_models(settings, data / "04_models/predictions", out["04_models"])
    summarise_importance(settings, data / "05_importance", data / "02_datasets",
                         data / "03_labels/labels", out["05_importance"])  # fmt: skip
    summarise_validation(settings, data / "06_validation", out["06_validation"])
    return settings, drawn


def _ticks(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def _titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_visible()]


@pytest.mark.slow
def test_captions_of_figures_say_what_they_show(figures):
    settings, drawn = figures
    elements, split = list(settings.elements), settings.models.main_split
    groups = {name.replace("_", "\n") for name in (*GROUPS, OVERALL)}

    def shows(name, phrase, what):
        assert phrase in caption(name), name
        assert what, f"{name}: {phrase}"

    bars = drawn["03_labels/labels.png"].axes[0]
    shows("03_labels/labels.png", "Share of the CN ranking labels", "share" in bars.get_ylabel())
    shows("03_labels/labels.png", "of each element", _ticks(bars) == elements)
    upper, *_ = drawn["03_labels/calibration.png"].axes
    names = [text.get_text() for text in upper.get_legend().get_texts()]
    shows("03_labels/calibration.png", "both data sets", {"site-specific", "site-averaged"}
          <= set(names))  # fmt: skip
    joint = [figure for name, figure in drawn.items() if name.startswith("03_labels/joint_")]
    titles = [figure.get_suptitle() for figure in joint]
    shows("03_labels/joint.png", "of a group of elements", titles and all(
        title.partition(":")[0].replace(" ", "_") in GROUPS for title in titles))  # fmt: skip

    for name in ("accuracy", "jaccard"):
        axes = drawn[f"04_models/{name}.png"].axes[0]
        shows(f"04_models/{name}.png", "by group of elements", set(_ticks(axes)) <= groups)
        shows(f"04_models/{name}.png", "split", f"({split} folds)" in axes.get_title())
    shows("04_models/confusion.png", "element by element",
          _titles(drawn["04_models/confusion.png"]) == [*elements, OVERALL])  # fmt: skip
    for name, words in (("entropy", "entropy of the labels"), ("size", "number of spectra")):
        axes = drawn[f"04_models/accuracy_{name}.png"].axes[0]
        shows(f"04_models/accuracy_{name}.png", words,
              {"entropy": "entropy", "size": "spectra"}[name] in axes.get_xlabel())  # fmt: skip
    curve, _ = drawn["04_models/training_sets.png"].axes
    shows("04_models/training_sets.png", "share of the materials", "share" in curve.get_xlabel())

    heat = drawn["05_importance/heat_map.png"].axes[0]
    shows("05_importance/heat_map.png", "over the largest of the element",
          heat.images[0].get_array().max(axis=1).tolist() == [1.0] * len(elements))  # fmt: skip
    shows("05_importance/heat_map.png", "when a region is dropped",
          len(_ticks(heat)) % len(DROPPED) == 0)  # fmt: skip
    shows("05_importance/examples.png", "For each region",
          len(drawn["05_importance/examples.png"].axes) == len(REGIONS))  # fmt: skip

    sets = drawn["06_validation/training_sets.png"].axes[0]
    shows("06_validation/training_sets.png", "four training sets",
          len(_ticks(sets)) == len(TRAINING_SETS) == 4)  # fmt: skip
    labels = " ".join(axes.get_xlabel() for axes in drawn["06_validation/robustness.png"].axes)
    shows("06_validation/robustness.png", "broadening, noise and errors of e0",
          all(word in labels for word in ("resolution", "noise", "e0")))  # fmt: skip
