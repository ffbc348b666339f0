"""Long work that may be killed: journals of finished pieces, worker processes, progress.

Knows nothing of spectra.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
