from .answer import Answer as Answer
from .predictor import Predictor as Predictor
