"""Commands about settings and version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import settings_of


def check(ctx: typer.Context) -> None:
    """Check the settings and print them with all defaults filled in."""
    print(json.dumps(settings_of(ctx).model_dump(mode="json"), indent=1))


def schema(out: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write the JSON schema that validates params.yaml (for maintainers)."""
    from xascoord.settings.tree import json_schema

    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")


def version() -> None:
    """Print the version."""
    from xascoord import __version__

    print(__version__)
