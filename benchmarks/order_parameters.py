"""Time of the order parameters per site, against matminer's plain featurizer, in one run.

    .venv/bin/python benchmarks/order_parameters.py data/01_spectra/feff Cu --sites 1000

Prints CPU times per site, their ratio, the largest difference and every site that differs by
more than 1e-6. The folder is that of a source whose spectra are imported.
"""

from __future__ import annotations

import argparse
import random
import time
import warnings
from pathlib import Path

import numpy as np

from xascoord.core.schemas import SPECTRA, STRUCTURES
from xascoord.core.tables import read_rows, read_table
from xascoord.structures.order_parameters import (
    NoShellError,
    order_parameters,
    reference_order_parameters,
)
from xascoord.structures.symmetry import structure_from_row


def _plain(site: tuple[object, int]) -> tuple[np.ndarray, np.ndarray]:
    try:
        return reference_order_parameters(*site)
    except NoShellError:  # zero everywhere, as the fast way has it
        return np.zeros(12), np.zeros(25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("element")
    parser.add_argument("--sites", type=int, default=1000)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    folder, element = arguments.source, arguments.element
    rows = read_rows(folder / f"structures/{element}.parquet", STRUCTURES)
    structures = {row["structure_id"]: structure_from_row(row) for row in rows}
    table = read_table(folder / f"spectra/{element}.parquet", SPECTRA)
    spectra = table.select(["structure_id", "site_index"]).to_pylist()
    spectra = [s for s in spectra if s["site_index"] >= 0]
    random.Random(0).shuffle(spectra)
    spectra = spectra[: arguments.sites]
    sites = [(structures[s["structure_id"]], s["site_index"]) for s in spectra]
    order_parameters(sites[:5])  # imports and tables
    reference_order_parameters(*sites[0])

    started = time.process_time()
    numbers, motifs, failures = order_parameters(sites)
    fast = (time.process_time() - started) / len(sites)
    started = time.process_time()
    reference = [_plain(site) for site in sites]
    plain = (time.process_time() - started) / len(sites)
    differences = np.maximum(
        np.abs(numbers - [r[0] for r in reference]).max(axis=1),
        np.abs(motifs - [r[1] for r in reference]).max(axis=1),
    )
    print(f"{len(sites)} sites, {len(failures)} failures")
    print(f"fast  {1e3 * fast:8.3f} ms a site (CPU)")
    print(f"plain {1e3 * plain:8.3f} ms a site (CPU)")
    print(f"ratio {plain / fast:8.2f}")
    print(f"largest difference {differences.max():.2e}")
    for index, why in failures.items():
        print("no shell:", spectra[index], why)
    for index in np.flatnonzero(differences > 1e-6):
        print("differs:", spectra[index], f"{differences[index]:.2e}")


if __name__ == "__main__":
    main()
