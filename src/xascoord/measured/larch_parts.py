"""What is used of larch, without the rest of it.

``import larch.io`` and ``import larch.xafs`` load readers of every instrument, fit models and
plotting, which takes most of the time of one prediction. The modules used here stand on their own:
their packages are entered without running what those import. With a version of larch where that
fails, larch is imported as a whole.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGES = ("larch.math", "larch.xafs", "larch.io")


def _parts() -> tuple[Any, ...]:
    """The functions, from their own modules."""
    larch = import_module("larch")
    entered = [name for name in _PACKAGES if name not in sys.modules]
    folder = Path(str(larch.__file__)).parent
    try:
        for name in entered:
            package = ModuleType(name)
            package.__path__ = [str(folder / name.rpartition(".")[2])]
            sys.modules[name] = package
        if "larch.math" in entered:
            utils = vars(import_module("larch.math.utils"))
            vars(sys.modules["larch.math"]).update(
                {name: value for name, value in utils.items() if not name.startswith("_")}
            )
        edge, mback = import_module("larch.xafs.pre_edge"), import_module("larch.xafs.mback")
        columns, xdi = import_module("larch.io.columnfile"), import_module("larch.io.xdi")
    finally:
        # Whoever imports larch later gets the whole of it.
        for name in entered:
            sys.modules.pop(name, None)
    return larch.Group, columns.read_ascii, xdi.read_xdi, mback.mback_norm, edge.find_e0


def _whole() -> tuple[Any, ...]:
    from larch import Group
    from larch.io import read_ascii, read_xdi
    from larch.xafs import find_e0, mback_norm

    return Group, read_ascii, read_xdi, mback_norm, find_e0


try:
    _found = _parts()
except (ImportError, AttributeError):  # another version of larch
    _found = _whole()


Group, read_ascii, read_xdi, mback_norm, find_larch_e0 = _found


def read_athena(path: str, **options: Any) -> Any:
    """Groups of an Athena project; only this reader needs all of larch."""
    from larch.io import read_athena as read

    return read(path, **options)


__all__ = ["Group", "find_larch_e0", "mback_norm", "read_ascii", "read_athena", "read_xdi"]
