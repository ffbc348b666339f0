"""What the jobs of a finished run used, against what their rules ask for.

Reads the benchmark files that Snakemake wrote and the memory and time of workflow/rules. Memory is
asked for with room to spare (a ratio well above 1), as real data sets are larger than the embedded
ones; a job that needs more is sent again with twice the memory. Run from the project's folder:

    .venv/bin/python benchmarks/resources.py
"""

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path


def asked() -> dict[str, tuple[str, int, int]]:
    """Benchmark pattern, memory (MB) and time (min) of each rule."""
    rules = {}
    for path in sorted(Path("workflow/rules").glob("[0-9]*.smk")):
        for text in path.read_text().split("\nrule ")[1:]:
            found = [
                re.search(pattern, text)
                for pattern in (
                    r'benchmark:\s+"([^"]+)"',
                    r"mem_mb=memory\((\d+)\)",
                    r"runtime=minutes\((\d+)\)",
                )
            ]
            if all(found):
                pattern, memory, runtime = (match[1] for match in found)
                rules[text.partition(":")[0]] = (pattern, int(memory), int(runtime))
    return rules


def used(pattern: str) -> tuple[int, float, float]:
    """Jobs, largest memory (MB) and longest time (s) of a rule."""
    rows = []
    for path in Path().glob(pattern.replace("{element}", "[A-Z]*")):
        with path.open(newline="") as handle:
            rows += list(csv.DictReader(handle, delimiter="\t"))
    memory = [float(row["max_rss"]) for row in rows if row["max_rss"] not in ("-", "NA")]
    return len(rows), max(memory, default=0.0), max((float(row["s"]) for row in rows), default=0.0)


def main() -> int:
    """Print one line a rule; exit code 1 if a job used more than its rule asks for."""
    too_little = defaultdict(list)
    print(f"{'rule':28} {'jobs':>4} {'MB used':>8} {'asked':>6} {'ratio':>6}"
          f" {'s used':>8} {'asked':>7} {'ratio':>6}")  # fmt: skip
    for rule, (pattern, memory, runtime) in asked().items():
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
