"""Commands for people, Snakemake and DVC alike."""

from __future__ import annotations

import logging
import signal

from xascoord.cli import (
    datasets,
    geometries,
    importance,
    labels,
    models,
    oxygen,
    references,
    report,
    serve,
    settings,
    sources,
    spectrum,
    validation,
    workflow,
)
from xascoord.cli.app import app

# The order of the help: for one spectrum, for a project, then the stages.
for command in (
    spectrum.predict,
    spectrum.validate,
    serve.serve,
    spectrum.simulate,
    settings.check,
    sources.fetch,
):
    app.command()(command)
app.command()(settings.version)
app.command(hidden=True)(settings.schema)
for name, module in {
    "sources": sources, "datasets": datasets, "labels": labels, "models": models,
    "importance": importance, "validation": validation, "report": report,
    "geometries": geometries, "oxygen": oxygen, "references": references, "workflow": workflow,
}.items():  # fmt: skip
    app.add_typer(module.commands, name=name)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point: errors a user can act on are one message and exit code 2."""
    import warnings

    # Batch systems end jobs by SIGTERM: stop as for Ctrl-C, so that programs are ended and what is
    # complete is kept.
    signal.signal(signal.SIGTERM, _interrupt)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    # pymatgen and spglib warn about their own future on every structure, larch's normalisation of
    # ranges without points (by numpy too), for which the package has words of its own.
    warnings.filterwarnings("ignore", module=r"(pymatgen|spglib|monty|emmet|mp_api|larch)\b.*")
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"numpy\._core\._methods")
    app()
