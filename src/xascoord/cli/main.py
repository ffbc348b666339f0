"""Commands for people, Snakemake and DVC alike."""

from __future__ import annotations

import logging
import signal
import sys

from xascoord.cli import data, models, networks, run  # noqa: F401 - their commands, in this order
from xascoord.cli.app import app
from xascoord.core.errors import XascoordError


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point: errors a user can act on are one message and exit code 2."""
    import warnings

    # Batch systems end jobs by SIGTERM: stop as for Ctrl-C, so that programs are ended and what is
    # complete is kept.
    signal.signal(signal.SIGTERM, _interrupt)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    # pymatgen and spglib warn about their own future on every structure.
    warnings.filterwarnings("ignore", module=r"(pymatgen|spglib|monty|emmet|mp_api)\b.*")
    try:
        app(standalone_mode=True)
    except XascoordError as error:
        print(f"xascoord: error: {error}", file=sys.stderr)
        sys.exit(2)
