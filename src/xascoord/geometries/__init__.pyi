from .stage import label_geometries as label_geometries
from .stage import summarise_geometries as summarise_geometries
from .stage import train_geometries as train_geometries
