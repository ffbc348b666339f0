"""What is done to the numbers of one spectrum: e0, window, averages, distortion, checks.

Pure functions on arrays, for computed and measured spectra alike.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
