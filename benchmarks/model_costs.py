"""Share of the time of the training jobs that was not spent in fits.

Reads the logs and Snakemake's benchmarks of the last run: ``benchmarks/model_costs.py``.
"""

import re
from pathlib import Path

import pandas as pd

LINE = re.compile(r"(\w+): fits ([\d.]+) s of ([\d.]+) s wall on (\d+) processes")


def main() -> None:
    fits = seconds = own = 0.0
    jobs = 0
    for path in sorted(Path("results/benchmarks/04_models").glob("train_*.tsv")):
        log = Path("logs/04_models") / path.with_suffix(".log").name
        found = LINE.findall(log.read_text())
        if not found:
            print(f"{log}: no fits in this run")
            continue
        _, fitted, wall, processes = found[-1]
        jobs += 1
        fits += float(fitted) / int(processes)
        own += float(wall)
        seconds += float(pd.read_csv(path, sep="\t")["s"].iloc[0])
    if not jobs:
        raise SystemExit("no training jobs found; run snakemake first")
    print(f"jobs {jobs}, wall {seconds:.1f} s in all, {seconds / jobs:.1f} s each")
    print(f"fits (by process) {fits:.1f} s, share {fits / seconds:.3f}")
    print(f"start-up of the commands {1 - own / seconds:.3f}")
    print(f"reading, judging, saving {(own - fits) / seconds:.3f}")


if __name__ == "__main__":
    main()
