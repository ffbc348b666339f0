from .stage import import_oxygen as import_oxygen
from .stage import summarise_oxygen as summarise_oxygen
from .stage import train_oxygen as train_oxygen
