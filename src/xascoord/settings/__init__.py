"""The tree of scientific settings, one file a stage.

It also generates the schema of ``params.yaml``; nothing here reads data.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
