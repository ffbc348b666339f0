from .averaging import average_sites as average_sites
from .checks import check_spectrum as check_spectrum
from .distortion import Distortion as Distortion
from .distortion import distort as distort
from .edge_energy import find_e0 as find_e0
from .edge_energy import find_onset as find_onset
from .window import cut_window as cut_window
from .window import relative_grid as relative_grid
