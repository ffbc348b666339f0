"""Commands of stage 09: metal atoms about oxygen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import RAW, Out, Raw, Rejections, Workers

commands = group("09: metal atoms about oxygen, from its K edge.")
Spectra = Annotated[Path, typer.Option(help="Parquet file of the O K-edge spectra.")]


@commands.command("import")
def import_(ctx: typer.Context, out: Out, rejections: Rejections) -> None:
    """Read O K-edge spectra of snapshots or FEFF output; count the metal atoms about each O."""
    from xascoord.oxygen.stage import import_oxygen

    import_oxygen(settings_of(ctx), out, rejections)


@commands.command()
def train(
    ctx: typer.Context, spectra: Spectra, out: Out, workers: Workers = 1, raw: Raw = RAW
) -> None:
    """Train and test the oxygen networks in every split; resumes."""
    from xascoord.oxygen.stage import train_oxygen

    train_oxygen(settings_of(ctx), spectra, out, raw / "oxygen_networks", workers)


@commands.command()
def summarise(
    ctx: typer.Context,
    spectra: Spectra,
    networks: Annotated[Path, typer.Option(help="JSON lines: one network each.")],
    out: Out,
) -> None:
    """Tables and figures of the oxygen networks, beside the published figures."""
    from xascoord.oxygen.stage import summarise_oxygen

    summarise_oxygen(settings_of(ctx), spectra, networks, out)
