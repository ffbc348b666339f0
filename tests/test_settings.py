import json

import pytest
import yaml

from conftest import make_settings
from xascoord.core.errors import SettingsError
from xascoord.settings.paths import check_paths
from xascoord.settings.tree import Settings, json_schema, load_settings


def test_params_yaml_states_every_default(root):
    """But for the rare labels of the small embedded data."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    stated = load_settings(root / "params.yaml").model_dump()
    assert stated["labels"].pop("min_samples") < 30
    defaults = Settings().model_dump()
    assert defaults["labels"].pop("min_samples") == 30
    assert stated == defaults
    full = Settings().model_dump(mode="json")
    for section, content in full.items():
        assert section in values
        if isinstance(content, dict):
            assert values[section].keys() == content.keys()


def test_committed_schema_is_the_generated_one(root):
    committed = json.loads((root / "workflow/schemas/params.schema.json").read_text())
    assert committed == json_schema()


@pytest.mark.parametrize(
    ("values", "field", "hint"),
    [
        ({"windw": {}}, "windw", "no such setting"),
        ({"window": {"lowr": -5}}, "window.lowr", "did you mean 'lower'?"),
        ({"lables": {}}, "lables", "did you mean 'labels'?"),
        ({"models": {"classifiers": "knn"}}, "models.classifiers", "must be a list"),
        ({"window": {"points": "many"}}, "window.points", "integer"),
        ({"window": {"lower": 45.0, "upper": -5.0}}, "window", "upper must lie above lower"),
        ({"elements": []}, "elements", "at least 1"),
        ({"elements": ["Cu", "Xx"]}, "yaml: elements: 'Xx': ", "'Li'"),
        ({"elements": ["Cu", "Cu"]}, "", "only once"),
        ({"sources": ["feff"]}, "", "feff.path"),
        ({"sources": ["xasdb_archive"]}, "", "xasdb_archive.path"),
        ({"seed": -1}, "seed", "greater than or equal to 0"),
        ({"augmentation": {"stretch": 50.0}}, "", "smaller than the window"),
        ({"models": {"classifiers": ["svm"]}}, "yaml: models.classifiers: 'svm': ", "'svc'"),
        ({"models": {"splits": ["random", "random"]}}, "models", "only once"),
        ({"models": {"grids": {"trees": [0]}}}, "yaml: models.grids.trees: 0: ", "greater than"),
        ({"edge_energy": {"step_range": [9.0]}}, "edge_energy.step_range", "one more entry"),
        ({"edge_energy": {"step_range": [9.0, "x"]}}, "step_range: 'x': ", "number"),
        ({"models": {"grids": {"C": []}}}, "models.grids.C", "at least 1"),
        ({"models": {"grids": {"n_neighbors": [10, 10]}}}, "models.grids", "only once"),
        ({"models": {"folds": 1}}, "models.folds", "greater than or equal to 2"),
        ({"models": {"classifiers": ["knn"]}}, "", "forest is not among models.classifiers"),
        ({"quality": {"min_points": None}}, "quality.min_points", "integer"),
    ],
)
def test_wrong_settings_name_file_field_and_remedy(tmp_path, values, field, hint):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    message = str(caught.value)
    assert "mine.yaml" in message
    assert field in message
    assert hint in message


def test_a_list_of_wrong_entries_is_not_called_empty(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("elements: [Xx]")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert len(str(caught.value).splitlines()) == 2  # it, and where all settings stand


def test_where_all_settings_stand_is_said_once_and_last(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("lables: {}\nseed: -1\nelements: [Xx]")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    *lines, last = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert f"{path}: lables: no such setting; did you mean 'labels'?" in lines
    assert "params.schema.json" in last
    assert "params.schema.json" not in "".join(lines)


@pytest.mark.parametrize("text", ["a: [1", "- 1\n- 2\n", "\tseed: 1"])
def test_unreadable_settings_are_one_clear_error(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="params.yaml"):
        load_settings(path)


def test_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(SettingsError, match="run from the project folder"):
        load_settings(tmp_path / "params.yaml")


def test_settings_never_change():
    with pytest.raises(Exception, match="frozen"):
        make_settings().window.lower = 0.0


@pytest.mark.parametrize(
    ("sections", "name"),
    [
        ({"validation": {"folder": "data/external/xasdatalibary"}}, "validation.folder"),
        ({"sources": ["feff"], "feff": {"path": "data/external/omnixas_cuu"}}, "feff.path"),
        ({"sources": ["xasdb_archive"], "xasdb_archive": {"path": "gone.json"}},
         "xasdb_archive.path"),
        ({"demo": {"folder": "data/dmo"}}, "demo.folder"),
        ({"sources": ["crystals"], "crystals": {"packed": "data/crystal"}}, "crystals.packed"),
        ({"validation": {"manifest": "data/experiment.csv"}}, "validation.manifest"),
    ],
)  # fmt: skip
def test_a_path_that_is_not_there_is_named(root, sections, name):
    settings = make_settings(**sections)
    with pytest.raises(SettingsError, match=rf"params.yaml: {name}: '.*' does not exist"):
        check_paths(settings, "params.yaml", root)
    check_paths(make_settings(), "params.yaml", root)


LAUGHS = "a0: &a0 [ha, ha]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
HOSTILE = {
    "billion laughs": (LAUGHS, "more than 20,000 values"),
    "laughs in merged keys": (LAUGHS + "<<: {seed: *a11}\n", "more than 20,000 values"),
    "itself": ("seed: &a [*a]\n", "within itself"),
    "itself merged": ("seed: &a {<<: *a}\n", "within itself"),
    "deep list": ("seed: " + "[" * 100_000 + "]" * 100_000, "nest"),
    "deep mapping": ("".join(" " * i + "a:\n" for i in range(900)), "deeper than 30"),
    "many digits": ("seed: " + "9" * 5_000, "digits"),
    "many hexadecimal digits": ("seed: 0x" + "f" * 5_000, "more than 63 bits"),
    "digits of a float": ("window: {lower: 0x" + "f" * 5_000 + "}", "more than 63 bits"),
    "a date that is none": ("seed: 2020-99-99", "params.yaml"),
    "python": ("seed: !!python/object/apply:os.system [ls]", "params.yaml"),
    "long": ("# " + "a" * 2_000_000, "larger than settings"),
    "zeros": ("\0" * 10, "params.yaml"),
    "a key that is a list": ("? [a, b]\n: 1\n", "params.yaml"),
    "a key that is a number": ("1: 2\n", "1: Keys should be strings"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_settings_are_one_clear_error(tmp_path, name):
    text, words = HOSTILE[name]
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert words in str(caught.value)
    assert "params.yaml" in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_anchors_may_be_used(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("models:\n  mlp: &a {hidden: &h [9, 8]}\n  cnn: {dense: *h}\n")
    assert load_settings(path).models.cnn.dense == (9, 8)


def test_settings_given_as_text_may_be_hostile_too():
    for text in ('{"seed": ' + "[" * 100_000, '{"seed": ' + "9" * 5000 + "}"):
        with pytest.raises(SettingsError, match="--settings"):
            load_settings(None, text)


def test_a_pipe_is_no_settings_file(tmp_path):
    import os

    os.mkfifo(tmp_path / "params.yaml")
    with pytest.raises(SettingsError, match="not a regular file"):
        load_settings(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    "sections",
    [
        {"edge_energy": {"step_range": [45.0, 15.0]}},
        {"window": {"lower": float("nan")}},
        {"averaging": {"energy_step": float("inf")}},
        {"demo": {"switch_on": [1.0, 1.0]}},
        {"demo": {"coordination_numbers": {"alkalii": [3]}}},
    ],
)
def test_absurd_settings_are_refused(sections):
    with pytest.raises(SettingsError):
        make_settings(**sections)
