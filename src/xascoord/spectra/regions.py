"""The pre, main and post regions of a window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from xascoord.settings.spectra import Window
from xascoord.spectra.window import relative_grid

Flags = npt.NDArray[np.bool_]
REGIONS = ("pre", "main", "post")


def region_masks(window: Window, bounds: Sequence[float]) -> dict[str, Flags]:
    """Which points of the window each region holds; together they hold each point once.

    The regions of Patterns start at the onset. So they do here if the window does
    (``window.reference: onset``); of a window about e0 they start where it does, for all elements
    alike: the core-hole width moves the onset of heavy elements out of any window.

    Parameters
    ----------
    window
        Ends and number of points of the window.
    bounds
        Upper ends of the pre and the main region above the start of the window, in eV.
    """
    above = relative_grid(window) - window.lower
    pre, main = (above < bound for bound in bounds)
    return {"pre": pre, "main": main & ~pre, "post": ~main}
