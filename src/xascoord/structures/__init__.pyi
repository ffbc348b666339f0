from .matching import match_orbits as match_orbits
from .polyhedra import site_geometry as site_geometry
from .symmetry import equivalent_sites as equivalent_sites
from .symmetry import structure_from_row as structure_from_row
from .symmetry import structure_row as structure_row
