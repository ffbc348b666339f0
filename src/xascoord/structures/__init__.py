"""Crystals: symmetry, coordination shells, order parameters, polyhedra, bond valence.

Pure functions on pymatgen structures and on rows of the table of structures.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
