from .chunks import run_chunk as run_chunk
from .output import read_feff as read_feff
from .plan import read_plan as read_plan
from .plan import write_plan as write_plan
from .xmu import Xmu as Xmu
from .xmu import parse_xmu as parse_xmu
