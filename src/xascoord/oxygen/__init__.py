"""Stage 09, beside the main chain: networks that count metal atoms about oxygen.

From O K-edge spectra of Li3FeO3.5.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
