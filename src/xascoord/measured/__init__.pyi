from .normalise import ModelInput as ModelInput
from .prepare import read_and_prepare as read_and_prepare
from .read import Measurement as Measurement
from .read import read_measurements as read_measurements
