"""What is used of larch, imported in one place."""

from __future__ import annotations

from larch import Group
from larch.io import read_ascii, read_athena, read_xdi
from larch.xafs.mback import mback_norm
from larch.xafs.pre_edge import find_e0 as find_larch_e0

__all__ = ["Group", "find_larch_e0", "mback_norm", "read_ascii", "read_athena", "read_xdi"]
