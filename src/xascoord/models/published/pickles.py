"""Read a joblib pickle of an old scikit-learn as plain data; nothing that it names is run.

A pickle is a program: loading it calls whatever it names. Here a name is only a name: `Named`
cannot be called, and what the pickle says is made of it is written down as `Made`. Names outside
`NAMES` and instructions outside `_INSTRUCTIONS` are refused, so what a forest does not need (calls
of other things, persistent ids, extensions, buffers) is not there to be misused. Arrays follow
joblib's layout: their bytes stand in the stream behind the object that describes them, and those of
objects as a pickle of their own.
"""

from __future__ import annotations

import io
import math
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xascoord.core.errors import XascoordError

FOREST = "sklearn.ensemble.forest.RandomForestClassifier"
CLASSIFIER = "sklearn.tree.tree.DecisionTreeClassifier"
TREE = "sklearn.tree._tree.Tree"
_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
_OBJECTS = "numpy.core.multiarray._reconstruct"
_DTYPE = "numpy.dtype"
NAMES = frozenset(
    {
        FOREST, CLASSIFIER, TREE, _ARRAY, _OBJECTS, _DTYPE, "numpy.ndarray", "_codecs.encode",
        "numpy.core.multiarray.scalar",
    }
)  # fmt: skip

# A node of a tree, as scikit-learn 0.21 stores it.
NODE_FIELDS = {
    "left_child": "i8", "right_child": "i8", "feature": "i8", "threshold": "f8", "impurity": "f8",
    "n_node_samples": "i8", "weighted_n_node_samples": "f8",
}  # fmt: skip
NODE = np.dtype([(name, f"<{code}") for name, code in NODE_FIELDS.items()])

_LARGEST_FILE = 64 * 2**20  # bytes; of 117 published files the largest has 1.9 MB
_LARGEST = 512 * 2**20  # bytes when unpacked; the largest has 25 MB, that of Li may have more
_INSTRUCTIONS = (
    "PROTO", "GLOBAL", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "MARK", "NONE", "NEWTRUE",
    "NEWFALSE", "BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "SHORT_BINBYTES",
    "EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE", "EMPTY_LIST", "APPEND", "APPENDS",
    "EMPTY_DICT", "STOP",
)  # fmt: skip
_CODES = tuple(getattr(pickle, name)[0] for name in _INSTRUCTIONS)
# The reader that is written in Python: the other one cannot be told which instructions to refuse.
_PYTHON: Any = pickle._Unpickler


@dataclass(frozen=True)
class Named:
    """The name of a class or a function in a pickle; it cannot be called."""

    name: str


@dataclass(eq=False, repr=False)
class Made:
    """What a pickle says is made of something named; nothing was called.

    Attributes
    ----------
    name
        Of the class or function.
    arguments
        That it would have been called with.
    state
        That the result would have been given, or None.
    """

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


class _Refused(Exception):
    """Why a pickle is not read."""


def read_pickle(path: Path) -> Made:
    """What a zlib-compressed joblib pickle describes.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    XascoordError
        If the file is missing, too large, damaged, or says to use anything that a forest does not
        need.
    """
    try:
        stream = io.BytesIO(_unpacked(path))
        found = _Reader(stream, arrays=True).load()
        if stream.read(1):
            raise _Refused("bytes after its end")
    except _Refused as error:
        raise XascoordError(f"{path}: refused: {error}") from None
    except Exception as error:  # whatever damaged content makes the reader raise
        raise XascoordError(f"{path}: not a readable pickle ({type(error).__name__})") from None
    if not isinstance(found, Made):
        raise XascoordError(f"{path}: holds no model")
    return found


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as handle:
        packed = handle.read(_LARGEST_FILE + 1)
    if len(packed) > _LARGEST_FILE:
        raise _Refused(f"larger than {_LARGEST_FILE} bytes")
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(packed, _LARGEST + 1)
    if len(data) > _LARGEST:
        raise _Refused(f"larger than {_LARGEST} bytes when unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise _Refused("its compressed stream is cut off or has something behind its end")
    return data


class _Reader(_PYTHON):  # type: ignore[misc]
    """Follow the instructions of a pickle without calling anything.

    Parameters
    ----------
    stream
        Positioned at its start; left behind its end.
    arrays
        Whether arrays may stand in it.
    """

    def __init__(self, stream: io.BytesIO, arrays: bool) -> None:
        super().__init__(stream)
        self._stream = stream
        self._arrays = arrays

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in NAMES:
            raise _Refused(f"it names {full[:100]!r}, which no forest needs")
        return Named(full)

    def _make(self) -> None:
        arguments = self.stack.pop()
        what = self.stack[-1]
        if not isinstance(what, Named) or not isinstance(arguments, tuple):
            raise _Refused("it calls something that is not a class or a function")
        self.stack[-1] = Made(what.name, arguments)

    def _build(self) -> None:
        state = self.stack.pop()
        made = self.stack[-1]
        if not isinstance(made, Made):
            raise _Refused("it changes something that it did not make")
        # The bases of a class store their part first: the last state is the whole.
        made.state = state
        if made.name == _ARRAY:
            if not self._arrays:
                raise _Refused("an array inside an array")
            self.stack[-1] = _read_array(state, self._stream)

    def _set_items(self) -> None:
        items = self.pop_mark()
        self._fill(items)

    def _set_item(self) -> None:
        value = self.stack.pop()
        self._fill([self.stack.pop(), value])

    def _fill(self, items: list[Any]) -> None:
        target = self.stack[-1]
        # Other keys could take for ever to hash.
        if type(target) is not dict or not all(type(key) is str for key in items[::2]):
            raise _Refused("a dictionary with keys that are not texts")
        target.update(zip(items[::2], items[1::2], strict=True))

    def _refuse(self) -> None:
        raise _Refused("it holds an instruction that no forest needs")

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **dict.fromkeys(range(256), _refuse),
        **{code: _PYTHON.dispatch[code] for code in _CODES},
        pickle.REDUCE[0]: _make,
        pickle.NEWOBJ[0]: _make,
        pickle.BUILD[0]: _build,
        pickle.SETITEM[0]: _set_item,
        pickle.SETITEMS[0]: _set_items,
    }


def _read_array(state: Any, stream: io.BytesIO) -> Any:
    """The array that joblib's description announces."""
    fields = {"subclass", "shape", "order", "dtype", "allow_mmap"}
    if not isinstance(state, dict) or set(state) != fields or state["order"] not in ("C", "F"):
        raise _Refused("an array of another version of joblib")
    shape = state["shape"]
    if (
        not isinstance(shape, tuple)
        or len(shape) > 3
        or not all(type(n) is int and n >= 0 for n in shape)
    ):
        raise _Refused("an array of an impossible shape")
    dtype = _dtype_of(state["dtype"])
    if dtype is None:
        return _texts(_Reader(stream, arrays=False).load(), shape)
    size = math.prod(shape) * dtype.itemsize
    data = stream.read(min(size, _LARGEST))
    if len(data) != size:
        raise _Refused("an array that is cut off")
    return np.frombuffer(data, dtype).reshape(shape, order=state["order"])


def _dtype_of(made: Any) -> np.dtype[Any] | None:
    """The type of the numbers of an array: int64, float64 or a node; None: objects."""
    if isinstance(made, Made) and made.name == _DTYPE and made.arguments[1:] == (0, 1):
        code, state = made.arguments[0], made.state
        if code == "O8":
            return None
        if isinstance(state, tuple) and len(state) >= 7:
            if code in ("i8", "f8") and state[1] == "<":
                return np.dtype(f"<{code}")
            if code == f"V{NODE.itemsize}" and _is_node(state):
                return NODE
    raise _Refused("an array of numbers of an unknown type")


def _is_node(state: tuple[Any, ...]) -> bool:
    names, fields = state[3], state[4]
    if names != tuple(NODE_FIELDS) or not isinstance(fields, dict) or set(fields) != set(names):
        return False
    return all(
        isinstance(fields[name], tuple)
        and len(fields[name]) == 2
        and _dtype_of(fields[name][0]) == NODE[name]
        and fields[name][1] == 8 * i
        for i, name in enumerate(names)
    )


def _texts(made: Any, shape: tuple[int, ...]) -> tuple[str, ...]:
    """The texts of an array of objects."""
    state = made.state if isinstance(made, Made) and made.name == _OBJECTS else None
    values = state[-1] if isinstance(state, tuple) and len(state) == 5 else None
    if type(values) is not list or not all(type(v) is str for v in values):
        raise _Refused("an array of objects that are not texts")
    if shape != (len(values),):
        raise _Refused("an array of texts of another length than it says")
    return tuple(values)
