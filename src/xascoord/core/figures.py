"""Figures without a display, the same bytes for the same data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xascoord.core.files import replacing


def new_figure(width: float, height: float) -> Any:
    """An empty figure of this size in inches, drawn without a display."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Save without a date, so that the same data give the same bytes."""
    with replacing(path) as temporary:
        kind = path.suffix.removeprefix(".")
        figure.savefig(temporary, format=kind, dpi=120, metadata={"Software": None})
