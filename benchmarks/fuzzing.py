"""Mutated inputs of every reader, and what came of them; a reader that fails says on what.

By hand, for longer than the tests do (``--readers XDI POSCAR`` for some of them):

    .venv/bin/python benchmarks/fuzzing.py --number 20000
"""

import argparse
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fuzzing import HEADER, READERS, run_reader


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="inputs of each reader")
    parser.add_argument("--readers", nargs="*", choices=READERS, default=list(READERS))
    given = parser.parse_args()
    failed = 0
    print(HEADER, flush=True)
    for name in given.readers:
        with TemporaryDirectory() as folder:
            try:
                print(run_reader(name, Path(folder), given.number).row(name), flush=True)
            except Exception:
                failed += 1
                print(f"{name}: failed", flush=True)
                traceback.print_exc()
    return failed


if __name__ == "__main__":
    sys.exit(main())
