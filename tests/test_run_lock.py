"""Two runs in one folder: who waits for whom does not hang on the clock."""

import subprocess
import sys

HOLDER = """
import sys
from pathlib import Path
from xascoord.workflow.run_lock import hold_folder
print(hold_folder(Path(sys.argv[1]), wait=True), flush=True)
sys.stdin.read()
"""


def test_a_second_run_waits_until_the_first_has_ended(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as first:
        assert first.stdout.readline() == "True\n"
        with subprocess.Popen(command, text=True, **pipes) as second:
            assert "waiting for it" in second.stderr.readline()
            assert second.poll() is None
            first.kill()  # as a run that was killed
            assert second.stdout.readline() == "True\n"
            second.stdin.close()
            assert second.wait(timeout=30) == 0
