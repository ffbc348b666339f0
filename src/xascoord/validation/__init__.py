"""Stage 06: the models on measured spectra of known compounds, or on degraded computed ones.

Patterns, Table 1 and Fig. S8.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
