from .measurement import Measurement as Measurement
from .prepare import normalise_measurement as normalise_measurement
from .prepare import read_and_normalise as read_and_normalise
from .read import read_measurements as read_measurements
from .spectrum import NormalisedSpectrum as NormalisedSpectrum
from .spectrum import Options as Options
from .spectrum import Refusal as Refusal
