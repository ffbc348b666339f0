"""PyTorch networks on spectra, and one that behaves as a scikit-learn classifier.

PyTorch is imported when a network is fitted, not before.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
