"""The thresholds in force, as the calibration wrote them."""

from __future__ import annotations

import json
from pathlib import Path

from xascoord.core.errors import XascoordError


def read_thresholds(path: Path) -> tuple[float, float]:
    """The thresholds in force.

    Raises
    ------
    XascoordError
        If the file is missing or does not hold them.
    """
    try:
        record = json.loads(path.read_text())
        return float(record["cn_threshold"]), float(record["motif_threshold"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise XascoordError(f"{path}: no thresholds in it ({error}); run the calibration") from None
