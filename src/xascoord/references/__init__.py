"""Measured spectra of known compounds: a library that comes with the package, and the user's own.

What surrounds the absorber in them is known from the structures of the compounds.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
