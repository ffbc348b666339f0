"""Stage 08, beside the main chain: networks that tell T4, S5 and O6 sites apart.

Carbone et al., Phys. Rev. Materials 3, 033604 (2019).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
