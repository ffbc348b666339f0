from .bundles import load_bundle as load_bundle
from .bundles import save_bundle as save_bundle
from .cross_validation import cross_validate as cross_validate
from .data import ElementData as ElementData
from .metrics import metric_rows as metric_rows
