from .tree import Settings as Settings
from .tree import json_schema as json_schema
from .tree import load_settings as load_settings
from .tree import parse_settings as parse_settings
