from .chunks import read_plan as read_plan
from .chunks import run_chunk as run_chunk
from .chunks import write_plan as write_plan
from .output import read_feff as read_feff
from .xmu import Xmu as Xmu
from .xmu import parse_xmu as parse_xmu
