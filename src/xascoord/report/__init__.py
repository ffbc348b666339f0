"""Stage 07: the run on one page, its settings and versions.

Reads the tables of the other stages, computes nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
