"""The embedded demonstration spectra: path expansions of prototype oxides.

They run the chain anywhere and are no basis for science.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
