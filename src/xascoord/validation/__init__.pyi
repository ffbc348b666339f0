from .evaluate import evaluate as evaluate
from .manifest import read_manifest as read_manifest
