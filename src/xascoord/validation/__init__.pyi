from .evaluate import judge as judge
from .manifest import read_manifest as read_manifest
