"""The commands as a person meets them."""

import json
import os
import subprocess
import sys

import pytest


def _run(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "xascoord", *arguments], capture_output=True, text=True, cwd=cwd,
        env={**os.environ, "COLUMNS": "100", **environment}, timeout=120,
    )  # fmt: skip


def test_help_teaches():
    result = _run("--help")
    assert result.returncode == 0
    for word in ("spectra", "datasets", "download", "fetch", "snakemake --cores 2"):
        assert word in result.stdout
    assert "Example" in _run("spectra", "--help").stdout


def test_check_prints_all_settings(root):
    settings = json.loads(_run("check", cwd=root).stdout)
    assert settings["window"] == {
        "reference": "e0", "lower": -5.0, "upper": 45.0, "points": 200, "normalise": "maximum",
    }  # fmt: skip


GONE = '{"feff": {"path": "gone"}, "sources": ["feff"]}'


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["check", "--params", "missing.yaml"], "missing.yaml"),
        (["check", "--settings", '{"seed": "x"}'], "seed"),
        (["check", "--settings", "{broken"], "--settings"),
        (["spectra", "nowhere", "--out", "out"], "nowhere"),
        (["spectra", "feff", "--out", "out", "--settings", GONE], "gone does not exist"),
        (
            [
                "datasets",
                "Xx",
                "--spectra",
                "a",
                "--site",
                "b",
                "--averaged",
                "c",
                "--rejections",
                "d",
            ],
            "Xx",
        ),
        (["fetch", "nothing"], "nothing"),
        (["fetch", "xasdb_archive"], "not in a git repository"),
        (["download", "--record", "r"], "MP_API_KEY"),
    ],
)
def test_mistakes_are_one_message_and_no_traceback(root, tmp_path, command, message):
    result = _run(*command, cwd=root, MP_API_KEY="")
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    assert result.stderr.startswith("xascoord: error:")
