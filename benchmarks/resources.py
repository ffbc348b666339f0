"""What the jobs of a finished run used, against what their rules ask for.

Reads the benchmark files that Snakemake wrote, and memory and time of profiles/default. Memory is
asked for with room to spare (a ratio well above 1), as real data sets are larger than the embedded
ones; a job that needs more is sent again with twice the memory. Run from the project's folder:

    .venv/bin/python benchmarks/resources.py
"""

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

import yaml


def asked() -> dict[str, tuple[str, int, int]]:
    """Benchmark pattern, memory (MB) and time (min) of each rule at its first try."""
    profile = yaml.safe_load(Path("profiles/default/config.yaml").read_text())
    table = profile["set-resources"]
    rules = {}
    for path in sorted(Path("workflow/rules").glob("[0-9]*.smk")):
        for text in path.read_text().split("\nrule ")[1:]:
            name = text.partition(":")[0]
            found = re.search(r'benchmark:\s+"([^"]+)"', text)
            if found:
                memory, runtime = (_first(table[name][key]) for key in ("mem_mb", "runtime"))
                rules[name] = (found[1], memory, runtime)
            elif "benchmark:" in text:
                raise SystemExit(f"{path}: {name}: its benchmark is not understood")
    return rules


def _first(value: int | str) -> int:
    """What a number, or an expression of the attempt, is at the first one."""
    numbers = re.findall(r"\d+", str(value))
    return int(numbers[0])


def files_of(pattern: str) -> set[Path]:
    """What a rule's jobs have written."""
    return set(Path().glob(re.sub(r"\{\w+\}", "*", pattern)))


def used(pattern: str) -> tuple[int, float, float]:
    """Jobs, largest memory (MB) and longest time (s) of a rule."""
    rows = []
    for path in files_of(pattern):
        with path.open(newline="") as handle:
            rows += list(csv.DictReader(handle, delimiter="\t"))
    memory = [float(row["max_rss"]) for row in rows if row["max_rss"] not in ("-", "NA")]
    return len(rows), max(memory, default=0.0), max((float(row["s"]) for row in rows), default=0.0)


def main() -> int:
    """Print one line a rule; exit code 1 if a job used more than its rule asks for."""
    too_little = defaultdict(list)
    rules = asked()
    seen = set[Path]().union(*(files_of(pattern) for pattern, _, _ in rules.values()))
    if unknown := sorted(set(Path("results/benchmarks").rglob("*.tsv")) - seen):
        raise SystemExit(f"of no rule: {', '.join(map(str, unknown))}")
    print(f"{'rule':28} {'jobs':>4} {'MB used':>8} {'asked':>6} {'ratio':>6}"
          f" {'s used':>8} {'asked':>7} {'ratio':>6}")  # fmt: skip
    for rule, (pattern, memory, runtime) in rules.items():
        jobs, most, longest = used(pattern)
        if not jobs:
            continue
        room, time = memory / max(most, 1), 60 * runtime / max(longest, 0.1)
        print(f"{rule:28} {jobs:4} {most:8.0f} {memory:6} {room:6.1f}"
              f" {longest:8.1f} {60 * runtime:7} {time:6.0f}")  # fmt: skip
        if room < 1 or time < 1:
            too_little[rule].append(room)
    if too_little:
        print("Too little asked for:", ", ".join(too_little))
    return bool(too_little)


if __name__ == "__main__":
    sys.exit(main())
