"""Saved models: one bundle for each element and classifier, and its model card.

A bundle is a skops file: a zip archive of arrays and a description, never a pickle, which holds a
``record.json`` as well: what the models are, learnt from what, how good, and what a spectrum must
be like. The same models give the same bytes.
"""

from __future__ import annotations

import io
import itertools
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xascoord.core.coordination import tasks_of
from xascoord.core.elements import group_of
from xascoord.core.errors import BundleError, LimitError
from xascoord.core.files import open_regular, read_file, read_within, write_bytes
from xascoord.models.bundle_checks import check_models
from xascoord.models.classifiers import TaskModel
from xascoord.models.ranking_classifier import RankingClassifier
from xascoord.models.records import FORMAT, parse_record
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.tree import Settings

_RECORD = "record.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of all members: a time would change the bytes
_LIBRARIES = ("xascoord", "scikit-learn", "skops", "numpy")


# The estimators that a bundle may hold, and what they hold; nothing else is read.
_TRUSTED = (
    "sklearn.dummy.DummyClassifier",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.neighbors._classification.KNeighborsClassifier",
    "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
    "sklearn.svm._classes.SVC",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.preprocessing._label.LabelBinarizer",
    "sklearn.tree._tree.Tree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "xascoord.networks.classifier.NetworkClassifier",
)


@dataclass(frozen=True)
class Bundle:
    """Models of all tasks of one element by one classifier, and their record."""

    record: dict[str, Any]
    models: dict[str, TaskModel]

    @property
    def classifier(self) -> RankingClassifier:
        """The models of the steps of the element's group, with their temperatures.

        Published forests of other steps are part of the bundle only.
        """
        tasks = tasks_of(group_of(self.record.get("element") or self.record["pool"]))
        return RankingClassifier(
            {task: self.models[task] for task in tasks},
            {task: float(self.record["tasks"][task]["temperature"]) for task in tasks},
        )


def library_versions(classifier: str) -> dict[str, str]:
    """Versions that models depend on; the part behind ``+`` names the build only.

    Raises
    ------
    BundleError
        If a library that the classifier needs is not installed.
    """
    names = (*_LIBRARIES, "torch") if classifier == "cnn" else _LIBRARIES
    try:
        return {name: version(name).partition("+")[0] for name in names}
    except PackageNotFoundError as error:
        raise BundleError(
            f"{classifier} needs {error.name}, which is not installed; pip install "
            "'xascoord[networks]'"
        ) from None


def input_spec(settings: Settings) -> dict[str, Any]:
    """What a spectrum has to be brought to: grid and energy reference."""
    return {
        "window": settings.window.model_dump(mode="json"),
        "edge_energy": settings.edge_energy.model_dump(mode="json"),
    }


def save_bundle(path: Path, record: dict[str, Any], models: Mapping[str, TaskModel]) -> None:
    """Write a bundle atomically.

    Parameters
    ----------
    path
        The ``.skops`` file.
    record
        JSON values; format and versions are added.
    models
        By task.
    """
    from skops.io import dumps, get_untrusted_types

    estimators = {
        task: {"classes": list(model.classes), "estimator": model.estimator}
        for task, model in models.items()
    }
    data = dumps(estimators)
    unknown = sorted(set(get_untrusted_types(data=data)) - set(_TRUSTED))
    if unknown:  # it could not be read again
        raise BundleError(
            f"{path}: models hold types that _TRUSTED in {__name__} does not name: "
            f"{', '.join(unknown)}"
        )
    write_bytes(path, with_record(_repeatable(data), record))


def with_record(data: bytes, record: dict[str, Any]) -> bytes:
    """A bundle's bytes with another record; format and versions are added."""
    text = json.dumps(
        {"format": FORMAT, "versions": library_versions(record["classifier"]), **record},
        indent=1,
        sort_keys=True,
    )
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = text.encode() if name == _RECORD else old.read(name)
            _add_member(new, name, content)
    return out.getvalue()


def _add_member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED, compresslevel=6)


def _repeatable(data: bytes) -> bytes:
    """The archive with its nodes numbered in order instead of by memory address, and no times."""
    numbers: dict[str, str] = {}
    fresh = itertools.count(1)

    def renumber(node: Any) -> Any:
        if isinstance(node, list):
            return [renumber(part) for part in node]
        if not isinstance(node, dict):
            return node
        found = {key: renumber(value) for key, value in node.items()}
        if "__id__" in found:
            # Whether two equal plain values are one object is chance: each is a node of its own.
            plain = found.get("__loader__") == "JsonNode"
            name = str(next(fresh)) if plain else number_of(str(found["__id__"]))
            found["__id__"] = int(name)
        if isinstance(found.get("file"), str):
            path = Path(found["file"])
            found["file"] = number_of(path.stem) + path.suffix
        return found

    def number_of(old: str) -> str:
        if old not in numbers:
            numbers[old] = str(next(fresh))
        return numbers[old]

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema = json.dumps(renumber(json.loads(archive.read("schema.json"))), indent=1)
        members = {
            number_of(Path(name).stem) + Path(name).suffix: archive.read(name)
            for name in archive.namelist()
            if name != "schema.json"
        }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        texts = {_RECORD: b"", "schema.json": schema.encode()}
        for name, content in [*texts.items(), *sorted(members.items())]:
            _add_member(archive, name, content)
    return out.getvalue()


def read_record(path: Path, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """The record of a bundle, without loading a model.

    Raises
    ------
    BundleError
        If the file is missing, no bundle, of another format, or its record is damaged.
    """
    with _reading(path), open_regular(path) as handle, zipfile.ZipFile(handle) as archive:
        return parse_record(path, _read_record(archive, limits))


def _read_record(archive: zipfile.ZipFile, limits: Limits) -> bytes:
    with archive.open(_RECORD) as member:
        return read_within(member, limits.document_bytes, "document_bytes")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever a damaged archive makes its reader raise is one message."""
    try:
        yield
    except BundleError:
        raise
    except FileNotFoundError:
        raise BundleError(f"{path}: no such bundle; train the models first") from None
    except MemoryError:
        raise
    except Exception as error:  # of zipfile and of what it unpacks by
        raise BundleError(f"{path}: not a bundle of models ({error})") from None


def load_bundle(path: Path, settings: Settings | None = None) -> Bundle:
    """Read a bundle and check the whole of it.

    Parameters
    ----------
    path
        The ``.skops`` file.
    settings
        If given, the window and the energy reference must be the bundle's own.

    Raises
    ------
    BundleError
        If the bundle is of another grid or energy reference, of another major version of a
        library, holds types that are not those of our models, or is damaged anywhere.
    """
    limits = DEFAULT_LIMITS if settings is None else settings.limits
    with _reading(path):
        data = read_file(path, limits.bundle_bytes, "bundle_bytes")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > limits.bundle_bytes:
                raise LimitError(f"unpacked, larger than limits.bundle_bytes "
                                 f"({limits.bundle_bytes:,})")  # fmt: skip
            record = parse_record(path, _read_record(archive, limits))
    _check_versions(path, record)
    if settings is not None:
        _check_input_spec(path, record, input_spec(settings))
    models = _load_models(path, data)
    if {task: tuple(part["classes"]) for task, part in record["tasks"].items()} != {
        task: model.classes for task, model in models.items()
    }:
        raise BundleError(f"{path}: record and models do not belong together")
    try:
        check_models(record["classifier"], record["input_spec"]["window"]["points"], models)
    except ValueError as error:
        raise BundleError(f"{path}: its models are damaged: {error}") from None
    return Bundle(record, models)


def import_skops() -> Any:
    """skops.io, imported as quickly as can be.

    It lists scikit-learn's estimators, for which every module of scikit-learn is imported, and
    with them the adapters to array libraries: PyTorch alone takes two seconds.
    """
    from xascoord.core.imports import without

    with without("torch", "dask", "cupy"):
        from skops import io
    return io


def _load_models(path: Path, data: bytes) -> dict[str, TaskModel]:
    """Models of all tasks, of our types only."""
    skops = import_skops()
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        unknown = sorted(set(skops.get_untrusted_types(data=data)) - set(_TRUSTED))
        if unknown:
            raise BundleError(f"{path}: holds types that no model has: {', '.join(unknown)}")
        content = skops.loads(data, trusted=list(_TRUSTED))
        return {
            task: TaskModel(tuple(part["classes"]), part["estimator"])
            for task, part in content.items()
        }
    except (BundleError, MemoryError):
        raise
    except UntrustedTypesFoundException as error:
        raise BundleError(f"{path}: {error}") from None
    except Exception as error:  # whatever damaged content makes the reader raise
        raise BundleError(f"{path}: damaged ({type(error).__name__}: {error})") from None


def _check_versions(path: Path, record: dict[str, Any]) -> None:
    for name, here in library_versions(record["classifier"]).items():
        written = record["versions"].get(name, "(unknown)")
        # Before 1.0 a minor version is a major one.
        parts = 2 if here.startswith("0.") else 1
        if written.split(".")[:parts] != here.split(".")[:parts]:
            raise BundleError(
                f"{path}: written with {name} {written}, here is {here}; "
                "install that version or train anew"
            )
        if name == "scikit-learn" and written.split(".")[:2] != here.split(".")[:2]:
            warnings.warn(
                f"{path}: written with scikit-learn {written}, here is {here}; scikit-learn "
                "promises nothing for another minor version",
                stacklevel=3,
            )


def _check_input_spec(path: Path, record: dict[str, Any], wanted: dict[str, Any]) -> None:
    for section, values in wanted.items():
        for name, value in values.items():
            found = record["input_spec"].get(section, {}).get(name)
            if found != value:
                raise BundleError(
                    f"{path}: trained with {section}.{name} = {found}, the settings say {value}; "
                    "use the models' own settings or train anew"
                )
