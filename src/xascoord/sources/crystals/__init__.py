"""Real crystals of which this project computes spectra.

The AMCSD is read, crystals are qualified, a balanced choice is made for each element; FEFF itself
is in ``sources.feff``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
