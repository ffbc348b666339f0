from .calibration import calibrate as calibrate
from .ranking import motif_label as motif_label
from .ranking import number_label as number_label
from .tables import label_element as label_element
