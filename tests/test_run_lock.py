"""Two runs in one folder: who waits for whom does not hang on the clock."""

import subprocess
import sys

HOLDER = """
import sys
from pathlib import Path
from xascoord.workflow.run_lock import hold_folder
folder = Path(sys.argv[1])
hold_folder(folder, wait=True)
print("alone" if (folder / "ended").exists() else "first", flush=True)
sys.stdin.read()
(folder / "ended").touch()
"""


def test_a_second_run_waits_until_the_first_has_ended(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as first:
        assert first.stdout.readline() == "first\n"
        with subprocess.Popen(command, text=True, **pipes) as second:
            assert "waiting for it" in second.stderr.readline()
            first.stdin.close()
            assert second.stdout.readline() == "alone\n"
            second.stdin.close()
