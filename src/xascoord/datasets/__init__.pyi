from .build import Datasets as Datasets
from .build import build_datasets as build_datasets
