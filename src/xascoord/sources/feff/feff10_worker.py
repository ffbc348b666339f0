"""One FEFF10 calculation in the current folder; ``run_feff`` starts it as a program of its own.

FEFF10 comes as the PyPI package ``feff10-rs``. Each of its stages is a process of its own; they
inherit the stack limit that is raised here, as large clusters need more than the usual 8 MB.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Those a K-edge XANES needs; the others start only to find nothing to do.
STAGES = (
    "rdinp", "atomic", "pot", "screen", "xsph", "fms", "mkgtr", "path", "genfmt", "ff2x",
)  # fmt: skip
CPU_FILE = "cpu_seconds"
_LEAST_STACK = 64 << 20  # bytes


def main() -> int:
    """Run ``feff.inp`` of the current folder; 0 where FEFF came to its end."""
    _raise_stack_limit()
    import feff10

    stages = [feff10.Stage.from_name(name) for name in STAGES]
    try:
        given = feff10.FeffInput.from_file("feff.inp")
        feff10.FeffPipeline(feff10.FeffConfig(".", given, stages=stages)).run()
    except feff10.FeffError as error:
        print(f"feff10: {error}", file=sys.stderr)
        return 1
    finally:
        _note_cpu_time()
    return 0


def _raise_stack_limit() -> None:
    try:
        import resource
    except ImportError:  # Windows, where the limit is part of the program
        return
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < _LEAST_STACK:
        # Should FEFF die of it, this line tells why.
        print(f"stack limit of this machine: {hard >> 20} MB (ulimit -Hs)", flush=True)


def _note_cpu_time() -> None:
    """CPU-seconds of this process and of the stages, for the journal."""
    used = os.times()
    total = used.user + used.system + used.children_user + used.children_system
    Path(CPU_FILE).write_text(f"{total:.1f}")


if __name__ == "__main__":
    sys.exit(main())
