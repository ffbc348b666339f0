"""Commands about settings and version."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from xascoord.cli.app import Given


def check(
    ctx: typer.Context,
    show: Annotated[bool, typer.Option("--show", help="Print all of them, as JSON.")] = False,
) -> None:
    """Check the settings, and that what they name is there."""
    from xascoord.settings.paths import check_paths

    given: Given = ctx.obj
    settings = given.load()
    origin = "--settings" if given.text is not None else str(given.params)
    check_paths(settings, origin)
    if show:
        print(json.dumps(settings.model_dump(mode="json"), indent=1))
    if "materials_project" in settings.sources and not os.environ.get("MP_API_KEY"):
        print("MP_API_KEY is not set: a download from the Materials Project needs it",
              file=sys.stderr)  # fmt: skip
    print(f"{origin}: OK, all values fit and what they name is there", file=sys.stderr)


def schema(out: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write the JSON schema that validates params.yaml (for maintainers)."""
    from xascoord.core.files import write_text
    from xascoord.settings.tree import json_schema

    write_text(out, json.dumps(json_schema(), indent=2) + "\n")


def version() -> None:
    """Print the version."""
    from xascoord import __version__

    print(__version__)
