"""Stage 05: what each region of the spectrum is worth.

It is dropped, and the classifier learns anew (Patterns, Fig. 4).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
