"""Stage 04: classifiers of each element, cross-validated by material, saved as bundles.

The CN step comes first, then a motif step for each coordination number.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
