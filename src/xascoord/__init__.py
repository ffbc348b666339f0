"""Coordination environments from X-ray absorption near-edge spectra (XANES)."""

from importlib.metadata import version

import lazy_loader

__version__ = version("xascoord")
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
