"""Mutated inputs of every reader, and what came of them; a reader that fails says on what.

By hand, for longer than the tests do (``--readers XDI POSCAR`` for some of them); the slowest and
the largest input of each reader are written to a folder, where one is given:

    .venv/bin/python benchmarks/fuzzing.py --number 20000 --keep worst_inputs
"""

import argparse
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fuzzing import HEADER, READERS, Tally, run_reader


def keep(tally: Tally, name: str, folder: Path | None) -> None:
    """Write the worst inputs of a reader to files of their own."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    suffix = Path(READERS[name].file).suffix
    for figure, content in tally.worst.items():
        (folder / f"{name.replace(' ', '_')}-{figure}{suffix}").write_bytes(content)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="inputs of each reader")
    parser.add_argument("--readers", nargs="*", choices=READERS, default=list(READERS))
    parser.add_argument("--keep", type=Path, help="folder for the worst inputs")
    given = parser.parse_args()
    failed = 0
    print(HEADER, flush=True)
    for name in given.readers:
        with TemporaryDirectory() as folder:
            try:
                tally = run_reader(name, Path(folder), given.number)
                print(tally.row(name), flush=True)
                keep(tally, name, given.keep)
            except Exception:
                failed += 1
                print(f"{name}: failed", flush=True)
                traceback.print_exc()
    return failed


if __name__ == "__main__":
    sys.exit(main())
