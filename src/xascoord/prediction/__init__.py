"""Answers for measured spectra: ranked environments, warnings, abstention.

Imports as little as one answer needs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
