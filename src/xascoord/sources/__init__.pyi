from .collect import SpectraWriter as SpectraWriter
from .collect import Spectrum as Spectrum
from .stage import SOURCES as SOURCES
from .stage import import_source as import_source
