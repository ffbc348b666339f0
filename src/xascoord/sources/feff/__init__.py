"""FEFF: output that is there, inputs, engines, runs in chunks, self-consistency.

A run that this machine could not do is never recorded as one that a crystal cannot do.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
