"""The command that shows the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import Given
from xascoord.cli.options import Models, Origin
from xascoord.core.errors import XascoordError

CRYSTALS = Path("data/crystals/plan")


def serve(
    ctx: typer.Context,
    models: Models = None,
    origin: Origin = None,
    host: Annotated[
        str,
        typer.Option(help="Where to listen; 0.0.0.0 lets other machines of the network in."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 takes any that is free.")
    ] = 8050,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser at the page.")
    ] = True,
    crystals: Annotated[
        Path, typer.Option(help="Folder of the structures behind computed spectra.")
    ] = CRYSTALS,
) -> None:
    """Show a page where spectra are dropped and answered: no command line, no internet.

    It draws each spectrum with its normalisation, the ranked environments and the nearest computed
    crystal, lets e0 and the other choices be changed by hand, lists many files, and says what the
    models are. Nothing leaves this machine and nothing is kept: files stay in the browser's tab.

    `xascoord serve` opens a browser at http://127.0.0.1:8050. Others:

    `xascoord serve --models data/04_models --port 0 --no-browser`

    From another machine, without opening this one to a network:
    `ssh -L 8050:127.0.0.1:8050 BEAMLINE`, then http://127.0.0.1:8050 there.
    """
    try:
        from xascoord.web.server import serve as show
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(("dash", "flask")):
            raise
        raise XascoordError(
            f"the page needs {error.name}, which is not installed; pip install 'xascoord[web]'"
        ) from None
    given: Given = ctx.obj
    settings = given.load_or_default()
    show(models, settings.prediction, origin, settings.limits, crystals, host, port, browser)
