"""The commands as a person meets them."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from xascoord.cli.main import app
from xascoord.jobs.progress import counted, show_progress

GROUPS = ["sources", "datasets", "labels", "models", "importance", "validation", "report",
          "geometries", "oxygen", "workflow"]  # fmt: skip


def _run(*arguments, **environment):
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100", **environment})


def test_help_teaches_the_order_of_work():
    text = _run("--help").output
    assert "snakemake --cores 2" in text
    table = text[text.index("Commands") :]
    places = [table.index(f" {name} ") for name in GROUPS]
    assert places == sorted(places)
    for group in GROUPS:
        assert _run(group, "--help").exit_code == 0
    assert "Example" in _run("sources", "import", "--help").output


def test_help_and_documentation_name_the_same_time_of_the_demonstration_spectra(root):
    said = " ".join(_run("sources", "compute-demo", "--help").output.split())
    time = said.partition("anew with FEFF8L (")[2].partition(")")[0]
    assert "hour" in time or "minute" in time
    (row,) = [line for line in (root / "docs/sources.md").read_text().splitlines()
              if "compute_demo` computes" in line]  # fmt: skip
    assert f"computes them anew (about {time} on 2 cores)" in row


def test_help_says_what_the_table_of_predictions_has():
    text = " ".join(_run("predict", "--help").output.replace("│", " ").split())
    for words in ("every column (numbers and their probabilities, set, kind", "JSON with --json",
                  "--verbose", "--normalisation"):  # fmt: skip
        assert words in text


def test_check_says_that_all_is_well_and_shows_the_settings_if_asked(root, monkeypatch):
    monkeypatch.chdir(root)
    result = _run("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "params.yaml: OK, all values fit and what they name is there\n"
    settings = json.loads(_run("check", "--show").stdout)
    assert settings["window"] == {
        "reference": "e0", "lower": -10.0, "upper": 30.0, "points": 161, "tail": 7.0,
        "normalise": "maximum",
    }  # fmt: skip
    assert settings["edge_energy"]["step_range"] == [9.0, 14.0]


def test_check_says_that_a_download_needs_a_key(root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.delenv("MP_API_KEY", raising=False)
    given = '{"sources": ["materials_project"]}'
    result = CliRunner().invoke(app, ["--settings", given, "check"])
    assert result.exit_code == 0
    assert "MP_API_KEY is not set" in result.stderr


def test_the_version_as_command_and_option():
    """The option stands before all else: wrong settings and commands do not matter to it."""
    for given in (["version"], ["--version"], ["--params", "none.yaml", "--version", "nothing"]):
        result = _run(*given)
        assert (result.exit_code, result.output) == (0, f"{version('xascoord')}\n")


def test_progress_of_an_unknown_number(capsys):
    show_progress(counted(range(60)), "spectra")
    told = capsys.readouterr().err.splitlines()
    assert told == ["spectra: 50", "spectra: 60 of 60, done"]


def test_settings_that_are_handed_over_are_all_there_is(tmp_path, monkeypatch):
    """A job does what it was told, whatever params.yaml has become meanwhile."""
    (tmp_path / "params.yaml").write_text("broken: {")
    monkeypatch.chdir(tmp_path)
    given = '{"labels": {"cn_threshold": 0.3}}'
    assert _run("--settings", given, "labels", "thresholds", "--out", "t.json").exit_code == 0
    assert json.loads((tmp_path / "t.json").read_text())["cn_threshold"] == 0.3


GONE = '{"feff": {"path": "gone"}, "sources": ["feff"]}'


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["--params", "missing.yaml", "check"], "missing.yaml"),
        (["--params", "none.yaml", "predict", "a.xdi"], "none.yaml"),
        (["--settings", '{"seed": "x"}', "check"], "seed"),
        (["--settings", "{broken", "check"], "--settings"),
        (["sources", "import", "nowhere", "--out", "out"], "nowhere"),
        (["--settings", GONE, "sources", "import", "feff", "--out", "out"], "gone does not exist"),
        (["fetch", "nothing"], "nothing"),
        (["fetch", "xasdb_archive"], "not in a git repository"),
        (["sources", "download", "--record", "r"], "MP_API_KEY"),
    ],
)
def test_mistakes_are_one_message_and_no_traceback(root, monkeypatch, command, message):
    monkeypatch.chdir(root)
    result = _run(*command, MP_API_KEY="")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("xascoord: error:")


@pytest.mark.parametrize("command", [["datasets", "build"], ["models", "baseline"],
                                     ["labels", "assign"]])  # fmt: skip
def test_unknown_elements_are_named(command):
    result = _run(*command, "Xx")
    assert result.exit_code == 2
    assert "no element 'Xx'" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["import", "demo", "--out", "out"],
        ["download", "--record", "record.json"],
        ["choose-crystals", "--out", "out"],
        ["run-feff", "plan", "--journals", "journals"],
    ],
)
def test_unknown_elements_of_options_are_named_before_anything_is_done(
    root, tmp_path, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    given = ["--params", str(root / "params.yaml"), "sources", *command]
    result = _run(*given, "--element", "Xx", MP_API_KEY="")
    assert result.exit_code == 2
    assert "no element 'Xx'" in result.stderr
    assert not list(tmp_path.iterdir())


def test_unknown_classifiers_are_named():
    result = _run("models", "train", "Cu", "oracle")
    assert result.exit_code == 2
    assert "no classifier 'oracle'" in result.stderr


def test_the_program_itself():
    result = subprocess.run(
        [sys.executable, "-m", "xascoord", "--settings", "[]", "check"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.startswith("xascoord: error:")
    assert "Traceback" not in result.stderr
