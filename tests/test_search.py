import csv

import pytest

from conftest import make_settings
from model_data import made_up_element
from xascoord.core.errors import XascoordError
from xascoord.core.files import write_csv
from xascoord.jobs.journal import Journal
from xascoord.models import search as module
from xascoord.models import stage
from xascoord.models.cross_validation import parameters_of
from xascoord.models.element import ElementFiles, make_folds
from xascoord.models.search import COLUMNS, grid_points, read_choice, search_grids, search_rows

SMALL = {
    "classifiers": ["forest", "svc"],
    "search": True,
    "grids": {"trees": [2, 10], "C": [0.001, 100.0], "gamma": ["scale"]},
}


def _search(path, data, settings):
    with Journal(path) as journal:
        steps = list(search_grids(data, make_folds(data, settings), settings, journal, 1))
        return search_rows(data, settings, journal), steps


def test_search_tries_everything_and_chooses_the_best(tmp_path):
    data, settings = made_up_element(), make_settings(models=SMALL)
    rows, steps = _search(tmp_path / "j.jsonl", data, settings)
    # two candidates of two classifiers for the two tasks that have something to learn
    assert len(rows) == 2 * 2 * 2
    assert steps[-1] == (len(rows) * 5, len(grid_points(data, settings)))
    for classifier in ("forest", "svc"):
        for task in ("CN", "CN_6 motifs"):
            mine = [r for r in rows if (r["classifier"], r["task"]) == (classifier, task)]
            best = [r for r in mine if r["chosen"]]
            assert len(best) == 1
            assert best[0]["accuracy"] == max(r["accuracy"] for r in mine)
            assert {r["spectra"] for r in mine} == {int(data.kept[task].sum())}
    bad = next(r for r in rows if r["task"] == "CN" and '"C": 0.001' in r["parameters"])
    assert not bad["chosen"]
    write_csv(tmp_path / "s.csv", rows, COLUMNS)
    chosen = read_choice(tmp_path / "s.csv", data, settings)
    assert chosen["svc", "CN"]["C"] == 100.0
    parameters = parameters_of(settings, data.tasks, chosen)
    assert parameters["svc", "CN"] == chosen["svc", "CN"]
    assert parameters["svc", "CN_4 motifs"]["C"] == 100.0  # nothing to search: the default


def test_search_goes_on_where_it_was(tmp_path, monkeypatch):
    data, settings = made_up_element(), make_settings(models=SMALL)
    whole, _ = _search(tmp_path / "whole.jsonl", data, settings)
    real, calls = module.evaluate_point, []

    def failing(*arguments):
        if len(calls) == 5:
            raise KeyboardInterrupt
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(module, "evaluate_point", failing)
    with pytest.raises(KeyboardInterrupt):
        _search(tmp_path / "j.jsonl", data, settings)
    monkeypatch.setattr(module, "evaluate_point", real)
    rows, steps = _search(tmp_path / "j.jsonl", data, settings)
    assert steps[0][0] == 5
    assert rows == whole


def test_a_search_by_other_code_is_done_anew(tmp_path, monkeypatch):
    """And one that ended well is done again when it is asked for again."""
    data, settings = made_up_element(), make_settings(models={**SMALL, "classifiers": ["forest"]})
    before = module._keys(data, settings)
    monkeypatch.setattr(stage, "read_element", lambda *_: (data, []))
    files, out = ElementFiles("Ti", tmp_path, tmp_path), tmp_path / "Ti.csv"
    calls, real = [], module.evaluate_point

    def counted(*arguments):
        calls.append(arguments[-1])
        return real(*arguments)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "evaluate_point", counted)
    with monkeypatch.context() as patched:
        patched.setattr(stage, "write_csv", interrupted)
        for other in (False, False, True):
            if other:
                patched.setattr(module, "fingerprint", lambda *_, **__: "other code")
                module._code.cache_clear()
            with pytest.raises(KeyboardInterrupt):
                stage.search_element(files, settings, out, tmp_path, 1)
        assert len(calls) == 2 * len(before)  # not at the second time
        assert not set(module._keys(data, settings).values()) & set(before.values())
    module._code.cache_clear()
    for expected in (0, len(before)):
        calls.clear()
        stage.search_element(files, settings, out, tmp_path, 1)
        assert len(calls) == expected
        assert not (tmp_path / "Ti.jsonl").exists()


def test_networks_are_code_of_the_cnn_alone(monkeypatch):
    module._code.cache_clear()
    found = []
    monkeypatch.setattr(module, "fingerprint", lambda *a, **k: found.append((a, k)) or "code")
    for classifier in ("forest", "cnn"):
        module._code(classifier)
    module._code.cache_clear()
    entry = ("models.search:evaluate_point",)
    assert found == [(entry, {"without": "networks"}), (entry, {"without": None})]


def test_no_search_table_is_a_clear_error(tmp_path):
    data, settings = made_up_element(), make_settings(models=SMALL)
    with pytest.raises(XascoordError, match="no result of a search"):
        read_choice(tmp_path / "none.csv", data, settings)
    with (tmp_path / "bad.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerow(
            {**dict.fromkeys(COLUMNS, ""), "chosen": "True", "element": "Ti", "parameters": "{"}
        )
    with pytest.raises(XascoordError, match=r"bad\.csv"):
        read_choice(tmp_path / "bad.csv", data, settings)
