"""Jobs that are killed at random moments end in the bytes of an undisturbed run."""

import random

import pytest

from interrupted_jobs import JOBS, interrupt


@pytest.mark.kill
@pytest.mark.parametrize("name", JOBS)
def test_a_killed_job_ends_in_the_same_bytes(name, tmp_path):
    found = interrupt(name, tmp_path, 3, random.Random(5))
    assert found.kills == 3
    assert found.files > 2
    assert found.different == ()
