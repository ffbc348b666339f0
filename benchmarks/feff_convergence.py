"""How far a spectrum is from its end when the self-consistency is stopped early.

    .venv/bin/python benchmarks/feff_convergence.py

Runs published structures of data/compounds.csv with the preset 'fast' (FMS 5 angstrom), ended
after 3, 5, 8, 12 and 15 iterations, against 40, and prints against the drift of the Fermi level
over the last three iterations and the last charge distance: by how much e0 and the window about
it differ.
"""

from __future__ import annotations

import argparse
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np

from xascoord.settings.feff import FAST
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.sources.feff.engines import feff10_commands
from xascoord.sources.feff.inputs import xanes_input
from xascoord.sources.feff.run import run_feff
from xascoord.sources.feff.xmu import parse_xmu
from xascoord.spectra.edge_energy import find_e0
from xascoord.spectra.window import cut_window
from xascoord.structures.compounds import read_compounds

COMPOUNDS = (
    "Fe2O3", "Cr2O3", "MnO", "FeO", "CuO", "Mn3O4", "Fe3O4", "MnO2", "V2O5", "NiO", "ZnO", "SrTiO3",
)  # fmt: skip
ITERATIONS = (40, 3, 5, 8, 12, 15)


def window(text: str) -> tuple[float, np.ndarray]:
    """Its e0 and the window of the models."""
    xmu = parse_xmu(text)
    zero = find_e0(xmu.energy, xmu.mu, EdgeEnergy())
    return zero, cut_window(xmu.energy, xmu.mu, zero, Window())[0]


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/feff_convergence.jsonl")
    )
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    known = {(row["compound"], row["iterations"]) for row in rows}
    structures = read_compounds(Path("data/compounds.csv"))
    for name in COMPOUNDS:
        crystal = structures[name].get_primitive_structure()
        element = re.match("[A-Z][a-z]?", name).group()
        site = next(i for i, s in enumerate(crystal) if s.specie.symbol == element)
        for iterations in ITERATIONS:
            if (name, iterations) in known:
                continue
            for attempt in range(len(FAST.mixings)):
                same = (iterations,) * len(FAST.mixings)
                preset = FAST.model_copy(update={"iterations": same, "fms_radius": 5.0})
                text = xanes_input(crystal, site, preset, attempt)
                outcome = run_feff(text, feff10_commands(), 3600.0, Path("/tmp"))
                if outcome.xmu:
                    break
            row = {"compound": name, "iterations": iterations, "mixing": FAST.mixings[attempt],
                   "reason": outcome.reason, "xmu": outcome.xmu, "cpu": outcome.cpu}  # fmt: skip
            if outcome.scf:
                row |= {"drift": outcome.scf.fermi_drift, "charge": outcome.scf.charge_distance,
                        "done": len(outcome.scf.fermi_levels)}  # fmt: skip
            rows.append(row)
            with out.open("a") as handle:
                handle.write(json.dumps(row) + "\n")
    ends = {r["compound"]: window(r["xmu"]) for r in rows if r["iterations"] == 40 and r["xmu"]}
    print("compound  iterations  mixing  Fermi drift eV  charge distance  e0 off eV  "
          "window off (largest)  r")  # fmt: skip
    found = []
    for row in sorted(rows, key=lambda row: row.get("drift", 99)):
        if row["xmu"] and row["iterations"] != 40 and row["compound"] in ends:
            zero, features = window(row["xmu"])
            end, target = ends[row["compound"]]
            off = float(np.abs(features - target).max())
            found.append((row["drift"], row["charge"], abs(zero - end), off))
            print(f"{row['compound']:8} {row['done']:8} {row['mixing']:10} {row['drift']:14.3f} "
                  f"{row['charge']:15.4f} {zero - end:12.3f} {off:14.4f} "
                  f"{np.corrcoef(features, target)[0, 1]:14.5f}")  # fmt: skip
    drifts, charges = (0.0, 0.02, 0.1, 0.3, 1.0, 9.0), (0.0, 0.003, 0.01, 0.03, 0.1, 9.0)
    for name, column, bounds in (("Fermi drift", 0, drifts), ("charge distance", 1, charges)):
        for low, high in pairwise(bounds):
            mine = [f for f in found if low <= f[column] < high]
            print(f"{name} {low:g} to {high:g}: {len(mine)} runs, e0 off by up to "
                  f"{max((f[2] for f in mine), default=0):.3f} eV, windows by up to "
                  f"{max((f[3] for f in mine), default=0):.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
