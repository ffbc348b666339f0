"""Which files of a folder are read, of what column mu is, and why the others are not.

    .venv/bin/python benchmarks/measured_files.py FOLDER

prints a line a file: how many spectra, the channel and its formula, or the reason.
"""

import argparse
import sys
import warnings
from pathlib import Path

from xascoord.core.errors import XascoordError
from xascoord.measured import read_measurements
from xascoord.measured.read import why_no_spectrum


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    warnings.simplefilter("ignore")
    files = read = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name, files = path.relative_to(folder), files + 1
        try:
            found = read_measurements(path)
        except XascoordError as error:
            kind = "skipped" if why_no_spectrum(path) else "refused"
            print(f"{name}: {kind}: {str(error).removeprefix(f'{path}: ')}")
            continue
        read += 1
        how = next((note for note in found[0].notes if note.startswith("mu ")), "")
        print(f"{name}: {len(found)} spectra, {found[0].channel}, {how}")
    print(f"{read} of {files} files read")
    return 0


if __name__ == "__main__":
    sys.exit(main())
