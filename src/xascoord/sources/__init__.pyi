from .collect import Finding as Finding
from .collect import Harvest as Harvest
from .stage import SOURCES as SOURCES
from .stage import import_source as import_source
