"""Commands of stage 02: data sets of an element."""

from __future__ import annotations

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import DATASETS, Datasets, Element, Out, Sources

commands = group("02: site-specific and site-averaged data sets of an element.")


@commands.command()
def build(ctx: typer.Context, element: Element, spectra: Sources, out: Out = DATASETS) -> None:
    """Build the site-specific and the site-averaged data set of one element.

    Example: `xascoord datasets build Cu --spectra data/01_spectra/demo`
    """
    from xascoord.datasets.stage import make_datasets

    make_datasets(element, spectra, settings_of(ctx), out)


@commands.command()
def summarise(
    ctx: typer.Context, spectra: Sources, out: Out, datasets: Datasets = DATASETS
) -> None:
    """Counts and rejections of all elements, as tables and figures."""
    from xascoord.datasets.stage import summarise_datasets

    summarise_datasets(settings_of(ctx), spectra, datasets, out)
