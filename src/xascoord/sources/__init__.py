"""Stage 01: every source of spectra into the same typed tables.

With a table of what was rejected and why. One module or folder a source.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
