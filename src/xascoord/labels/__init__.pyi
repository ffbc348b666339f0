from .calibration import calibrate as calibrate
from .ranking import cn_label as cn_label
from .ranking import motif_label as motif_label
from .tables import label_element as label_element
