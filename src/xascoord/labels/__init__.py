"""Stage 03: order parameters, thresholds and ranking labels of every spectrum.

The thresholds are the paper's, or calibrated.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
