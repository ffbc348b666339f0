"""How much of the training jobs was fits, and how much start-up, reading, evaluating, saving.

Reads the logs and benchmark files of a finished run. Run from the project's folder:

    .venv/bin/python benchmarks/model_costs.py
"""

import csv
import re
from collections import defaultdict
from pathlib import Path

LINE = re.compile(r"fits ([\d.]+) s of ([\d.]+) s wall on (\d+) processes")


def main() -> None:
    sums = defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for path in sorted(Path("results/benchmarks/04_models").glob("train_*.tsv")):
        element, classifier = path.stem.split("_")[1:]
        found = LINE.findall(Path(f"logs/04_models/{element}_{classifier}.log").read_text())
        fits, wall, _ = (float(number) for number in found[-1])
        with path.open(newline="") as handle:
            seconds = float(next(csv.DictReader(handle, delimiter="\t"))["s"])
        for name in (classifier, "all"):
            total = sums[name]
            for i, value in enumerate((1, fits, wall, seconds)):
                total[i] += value
    if not sums:
        raise SystemExit("no training jobs found; run snakemake first")
    print("classifier  jobs   s in all  s a job  share of fits, rest of the work, start-up")
    for name, (jobs, fits, wall, seconds) in sums.items():
        print(f"{name:10} {jobs:5} {seconds:10.1f} {seconds / jobs:8.1f}  {fits / seconds:.3f}, "
              f"{(wall - fits) / seconds:.3f}, {1 - wall / seconds:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
