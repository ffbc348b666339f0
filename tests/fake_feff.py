"""A program in FEFF's place, with the faults that a run may have."""

import stat
import sys
from pathlib import Path

from conftest import edge_spectrum, xmu_text
from corrupt import CU

FAKE = """#!{python}
import pathlib, sys, time
text = pathlib.Path("feff.inp").read_text()
pathlib.Path("{calls}").open("a").write("x\\n")
if "PLEASE HANG" in text:
    time.sleep(60)
if "PLEASE CRASH" in text:
    print("potential blew up"); sys.exit(3)
if "PLEASE WRITE NOTHING" in text:
    sys.exit(0)
if "PLEASE FILL THE DISK" in text:
    print("write error: No space left on device"); sys.exit(1)
if "PLEASE BE KILLED" in text:
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
if "PLEASE DRIFT" in text:
    levels = [-5.0, -6.0, -4.0]
else:
    levels = [-5.0, -5.01, -5.0]
steps = "".join(f"New Fermi level:    mu= {{v:7.3f}} eV  Charge distance=  0.01\\n" for v in levels)
pathlib.Path("log1.dat").write_text(steps)
time.sleep({pause})
pathlib.Path("xmu.dat").write_text(pathlib.Path("{xmu}").read_text())
"""


def fake_feff(folder: Path, pause: float = 0.03) -> tuple[Path, Path]:
    """Write the program; returns it, and the file in which it notes each call."""
    xmu, calls, program = (folder / name for name in ("good_xmu", "calls", "feff"))
    xmu.write_text(xmu_text(*edge_spectrum(CU)))
    calls.touch()
    program.write_text(FAKE.format(python=sys.executable, calls=calls, pause=pause, xmu=xmu))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, calls
