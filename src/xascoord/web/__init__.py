"""The page in a browser: files dropped, answers with pictures, what the models are.

It asks the rooms below and draws; nothing of a visitor is kept but in the visitor's own tab.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
