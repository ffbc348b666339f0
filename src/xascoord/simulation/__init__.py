"""Computed spectra of one crystal, site by site, beside a measurement.

``xascoord simulate``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
