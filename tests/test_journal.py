import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from xascoord.core.errors import XascoordError
from xascoord.jobs.journal import Journal
from xascoord.jobs.resume import results, run_remaining


def test_entries_survive_and_are_not_repeated(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.add("a", value=1)
        journal.extend([{"key": "b", "value": 3}, {"key": "a", "value": 2}])
    with Journal(tmp_path / "j.jsonl") as journal:
        assert journal.keys == {"a", "b"}
        assert [entry["value"] for entry in journal.entries()] == [2, 3]  # the later "a"
        assert [entry["key"] for entry in journal.entries(["b", "c"])] == ["b"]


def test_damage_in_the_middle_is_not_cut_off(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.extend([{"key": str(number)} for number in range(9)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"broken\n", *lines[4:]]))
    with pytest.raises(XascoordError, match="line 4"):
        Journal(path)
    assert len(path.read_bytes().splitlines()) == 9


@pytest.mark.parametrize("torn", ['{"key": "c", "val', '{"key": "c"}', "\x00\x00", '{"no": 1}\n'])
def test_a_torn_tail_is_cut_off(tmp_path, torn):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.add("a")
    with path.open("a") as handle:
        handle.write(torn)
    with Journal(path) as journal:
        assert journal.keys == {"a"}
        journal.add("c", value=1)
    assert [entry["key"] for entry in Journal(path).entries()] == ["a", "c"]


def test_two_writers_are_refused(tmp_path):
    with Journal(tmp_path / "j.jsonl"), pytest.raises(XascoordError, match="another run"):
        Journal(tmp_path / "j.jsonl", wait=False)


WRITER = """
import sys, pathlib
from xascoord.jobs.journal import Journal
with Journal(pathlib.Path(sys.argv[1])) as journal:
    for number in range(2000):
        if str(number) not in journal:
            journal.add(str(number), data="x" * 3000)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_dash_nine_loses_and_repeats_nothing(tmp_path, seed):
    path = tmp_path / "j.jsonl"
    wait = random.Random(seed)
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        while not path.exists() or path.stat().st_size == 0:
            time.sleep(0.01)
        time.sleep(wait.uniform(0.02, 0.2))
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    subprocess.run([sys.executable, "-c", WRITER, str(path)], check=True)
    keys = [json.loads(line)["key"] for line in path.read_bytes().splitlines()]
    assert keys == [str(number) for number in range(2000)]  # in the file: each once, in order


def test_tasks_of_one_key_are_done_once(tmp_path):
    calls = []

    def work(task):
        calls.append(task)
        return {"value": task.upper()}

    keys = {"a": "1", "b": "2", "c": "1"}
    with Journal(tmp_path / "j") as journal:
        assert list(run_remaining(keys, work, journal, 1)) == [(0, 2), (1, 2), (2, 2)]
        assert calls == ["a", "b"]
        assert [entry["value"] for entry in results(journal, keys).values()] == ["A", "B", "A"]


SLOW_FIRST = """
import sys, time
from pathlib import Path
from xascoord.jobs import resume
from xascoord.jobs.journal import Journal
from xascoord.labels import assign
from xascoord.structures.sites import SiteTask

def work(number):
    time.sleep(600 if number == 0 else 0)
    return {"value": number}

def score(chunk):
    time.sleep(600 if chunk[0][0] == "0" else 0)
    return [{"key": key} for key, _, _ in chunk]

if __name__ == "__main__":
    resume._SECONDS_BETWEEN_WRITES, assign._CHUNK, assign.score_sites = 0, 1, score
    with Journal(Path(sys.argv[1])) as journal:
        if sys.argv[2] == "pieces":
            steps = resume.run_remaining({n: str(n) for n in range(9)}, work, journal, 2)
        else:
            tasks = [SiteTask(str(n), "a", n) for n in range(9)]
            steps = assign.compute_sites(tasks, [{"structure_id": "a"}], journal, 2)
        for _ in steps:
            pass
"""


@pytest.mark.parametrize("what", ["pieces", "sites"])
def test_results_behind_a_slow_one_are_kept_as_they_come(tmp_path, what):
    path, script = tmp_path / "j.jsonl", tmp_path / "script.py"
    script.write_text(SLOW_FIRST)
    process = subprocess.Popen([sys.executable, "-W", "ignore", str(script), str(path), what])
    end = time.monotonic() + 60
    try:
        while process.poll() is None and time.monotonic() < end:
            if path.exists() and path.read_bytes().count(b"\n") == 8:
                break
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    with Journal(path) as journal:
        assert journal.keys == {str(number) for number in range(1, 9)}


def test_a_journal_is_removed_while_it_is_held(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.add("k1")
        with pytest.raises(XascoordError, match="another run"):
            Journal(path, wait=False)
        journal.remove()
    assert not path.exists()
    with Journal(path) as journal:
        assert journal.keys == set()
