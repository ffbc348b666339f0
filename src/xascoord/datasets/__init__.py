"""Stage 02: site-specific and site-averaged data sets of each element, each site once.

Here every spectrum gets its e0 and its window.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
