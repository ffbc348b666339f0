"""Readers answer, reject or say what is wrong, whatever has become of their input."""

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzing import HEADER, LONGEST, MOST_MEMORY, READERS, run_reader


def _fuzz(name, folder, number, capsys):
    tally = run_reader(name, folder, number)
    with capsys.disabled():
        print(f"\n{HEADER}\n{tally.row(name)}")
    assert sum(tally.outcomes.values()) >= 0.9 * number
    assert set(tally.outcomes) <= {"answer", "rejection", "error"}
    assert len(tally.outcomes) > 1
    assert tally.slowest < LONGEST
    assert tally.memory < MOST_MEMORY


@pytest.mark.parametrize("name", READERS)
def test_mutated_inputs(tmp_path, name, capsys):
    _fuzz(name, tmp_path, 30, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_mutated_inputs(tmp_path, name, capsys):
    """The same, more of them: XASCOORD_FUZZ=20000 for as many."""
    _fuzz(name, tmp_path, int(os.environ.get("XASCOORD_FUZZ", "200")), capsys)


@settings(max_examples=1)
@given(st.just(0.3))
def test_an_example_may_take_its_time(seconds):
    """On a slow machine 0.2 s, the default of hypothesis, are soon over."""
    time.sleep(seconds)
