from .library import Reference as Reference
from .library import embedded_references as embedded_references
from .library import load_references as load_references
