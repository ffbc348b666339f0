"""What cheaper FEFF10 runs cost in likeness to the shared FEFF 9 spectra (SCF 7 A, FMS 9 A).

    .venv/bin/python benchmarks/feff_presets.py ../shared/spectra/feff_cu_oxides.tar.gz --sites 30

Draws sites by a seed (one a crystal, cells of up to 40 atoms), computes each with every choice of
radii and l_max and prints, per choice: CPU-seconds, correlation with the FEFF 9 spectrum from -5
to 45 eV about its e0 at the computed energies as they are and at the best shift, and that shift.
Resumes: finished runs stand in the file of --out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from xascoord.settings.feff import FAST
from xascoord.settings.spectra import EdgeEnergy
from xascoord.sources.feff.feff10_worker import STAGES
from xascoord.sources.feff.inputs import xanes_input
from xascoord.sources.feff.output import read_poscar
from xascoord.sources.feff.run import ENVIRONMENT
from xascoord.sources.feff.xmu import parse_xmu
from xascoord.spectra.edge_energy import find_e0

SCF = {3.5: [(5.0, 2), (5.5, 2), (6.0, 2), (6.5, 2), (5.0, 3), (6.0, 3)],
       4.0: [(5.0, 2), (6.0, 2)], 4.5: [(5.0, 2), (6.0, 2), (6.5, 2)]}  # fmt: skip
AFTER_POT = STAGES[STAGES.index("screen") :]


def run(folder: Path, stages: tuple[str, ...]) -> float:
    """CPU-seconds of some stages in a folder."""
    code = (
        "import sys, resource, feff10; import xascoord.sources.feff.feff10_worker as w; "
        "w.STAGES = tuple(sys.argv[1:]); code = w.main(); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "open('cpu', 'w').write(str(used.ru_utime + used.ru_stime)); sys.exit(code)"
    )
    with (folder / "log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-c", code, *stages], cwd=folder, env={**os.environ, **ENVIRONMENT},
            stdout=log, stderr=log, check=True,
        )  # fmt: skip
    return float((folder / "cpu").read_text())


def likeness(xmu: str, reference: str) -> tuple[float, float, float]:
    """Correlation as computed, at the best shift, and that shift in eV."""
    ours, theirs = parse_xmu(xmu), parse_xmu(reference)
    zero = find_e0(theirs.energy, theirs.mu, EdgeEnergy())
    grid = zero + np.linspace(-5, 45, 200)
    target = np.interp(grid, theirs.energy, theirs.mu)
    values = {
        round(float(shift), 2): float(
            np.corrcoef(np.interp(grid + shift, ours.energy, ours.mu), target)[0, 1]
        )
        for shift in np.arange(-8, 8.01, 0.1)
    }
    best = max(values, key=lambda shift: values[shift])
    return values[0.0], values[best], best


def sample(archive: Path, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Name, POSCAR and xmu.dat of some sites."""
    poscars: dict[str, str] = {}
    spectra: dict[str, list[tuple[str, str]]] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = Path(member.name).parts
            if parts[-1] == "POSCAR":
                poscars[parts[-2]] = tar.extractfile(member).read().decode()
            elif parts[-1] == "xmu.dat":
                text = tar.extractfile(member).read().decode()
                spectra.setdefault(parts[-4], []).append((parts[-2], text))
    names = sorted(spectra)
    random.Random(seed).shuffle(names)
    chosen = []
    for name in names:
        if len(chosen) < count and len(read_poscar(poscars[name])) <= 40:
            folder, text = sorted(spectra[name])[0]
            chosen.append((f"{name}/{folder}", poscars[name], text))
    return chosen


def main() -> None:
    """Compute what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--sites", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scf", type=float, nargs="*", default=list(SCF))
    parser.add_argument("--fms", type=float, nargs="*", help="only these radii")
    parser.add_argument("--l-max", type=int, nargs="*", help="only these")
    parser.add_argument("--core-hole", default="FSR")
    parser.add_argument("--part", default="0/1", help="share of the sites, e.g. 0/2")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/feff_presets.jsonl"))
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    known = set()
    if arguments.out.exists():
        known = {json.loads(line)["key"] for line in arguments.out.read_text().splitlines()}
    part, parts = (int(number) for number in arguments.part.split("/"))
    for name, poscar, reference in sample(arguments.archive, arguments.sites, arguments.seed)[
        part::parts
    ]:
        crystal, site = read_poscar(poscar), int(name.split("/")[1].split("_")[0])
        for scf in arguments.scf:
            with TemporaryDirectory() as scratch:
                pot_cpu = {}
                for fms, l_max in SCF[scf]:
                    key = f"{name} {arguments.core_hole} {scf} {fms} {l_max}"
                    if key in known or fms not in (arguments.fms or [fms]):
                        continue
                    if l_max not in (arguments.l_max or [l_max]):
                        continue
                    preset = FAST.model_copy(
                        update={"scf_radius": scf, "fms_radius": fms, "l_max": l_max,
                                "core_hole": arguments.core_hole}
                    )  # fmt: skip
                    folder = Path(scratch, str(l_max))
                    folder.mkdir(exist_ok=True)
                    row = {"key": key, "scf": scf, "fms": fms, "l_max": l_max, "site": name,
                           "core_hole": arguments.core_hole}  # fmt: skip
                    try:
                        text = xanes_input(crystal, site, preset)
                        (folder / "feff.inp").write_text(text)
                        started = time.time()
                        if l_max not in pot_cpu:
                            pot_cpu[l_max] = run(folder, STAGES[: STAGES.index("screen")])
                        else:
                            run(folder, ("rdinp",))
                        cpu = run(folder, AFTER_POT) + pot_cpu[l_max]
                        zero, best, shift = likeness((folder / "xmu.dat").read_text(), reference)
                        convergence = (folder / "convergence.scf").read_text().split("\n")
                        row |= {"cpu": cpu, "r": zero, "r_best": best, "shift": shift,
                                "scf_log": convergence[-2] or convergence[-3],
                                "wall": time.time() - started}  # fmt: skip
                    except (subprocess.CalledProcessError, OSError) as error:
                        row["failed"] = str(error)[:200]
                    with arguments.out.open("a") as handle:
                        handle.write(json.dumps(row) + "\n")
    report(arguments.out)


def report(path: Path) -> None:
    """Print the table of the finished runs, over the sites that every choice has."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    choices = sorted({(r["core_hole"], r["scf"], r["fms"], r["l_max"]) for r in rows})
    print("core hole  SCF  FMS  l_max  sites  failed  CPU s   r (median, least)   r at best shift"
          "   shift eV (median, farthest)")  # fmt: skip
    for choice in choices:
        mine = [r for r in rows if (r["core_hole"], r["scf"], r["fms"], r["l_max"]) == choice]
        good = [r for r in mine if "failed" not in r]
        if not good:
            continue
        r, best = [np.array([row[n] for row in good]) for n in ("r", "r_best")]
        shift = np.array([row["shift"] for row in good])
        print(f"{choice[0]:9} {choice[1]:4} {choice[2]:4} {choice[3]:6} {len(good):6} "
              f"{len(mine) - len(good):7} {np.mean([x['cpu'] for x in good]):6.1f}   "
              f"{np.median(r):.4f}, {r.min():.4f}   {np.median(best):.4f}, {best.min():.4f}   "
              f"{np.median(shift):+.2f}, {shift[np.abs(shift).argmax()]:+.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
