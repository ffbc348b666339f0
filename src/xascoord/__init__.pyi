from .prediction import Predictor as Predictor
from .settings import load_settings as load_settings

__version__: str
