"""Measured files: read, cleaned, normalised.

The only room that knows formats of beamlines.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
