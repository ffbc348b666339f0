"""Saved models: one bundle for each element and classifier, and its model card.

A bundle is a skops file: a zip archive of arrays and a description, never a pickle, which holds a
``record.json`` as well: what the models are, learnt from what, how good, and what a spectrum must
be like. The same models give the same bytes.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from xascoord.classifiers import TaskModel
from xascoord.errors import BundleError
from xascoord.settings import Settings

FORMAT = 1
_RECORD = "record.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of all members: a time would change the bytes
_LIBRARIES = ("xascoord", "scikit-learn", "skops", "numpy", "torch")
# skops knows the public classes of scikit-learn; these are the others that a bundle may hold.
_TRUSTED = (
    "sklearn.tree._tree.Tree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "xascoord.networks.NetworkClassifier",
)


@dataclass(frozen=True)
class Bundle:
    """Models of all tasks of one element by one classifier, and their record."""

    record: dict[str, Any]
    models: dict[str, TaskModel]

    def temperature(self, task: str) -> float:
        """Temperature of the scores of a task."""
        return float(self.record["tasks"][task]["temperature"])


def library_versions() -> dict[str, str]:
    """Versions that models depend on; the part behind ``+`` names the build only."""
    return {name: version(name).partition("+")[0] for name in _LIBRARIES}


def contract(settings: Settings) -> dict[str, Any]:
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
    import skops.io

    whole = {"format": FORMAT, "versions": library_versions(), **record}
    estimators = {
        task: {"classes": list(model.classes), "estimator": model.estimator}
        for task, model in models.items()
    }
    data = _repeatable(skops.io.dumps(estimators), json.dumps(whole, indent=1, sort_keys=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _repeatable(data: bytes, record: str) -> bytes:
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
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        texts = {_RECORD: record.encode(), "schema.json": schema.encode()}
        for name, content in [*texts.items(), *sorted(members.items())]:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def read_record(path: Path) -> dict[str, Any]:
    """The record of a bundle, without loading a model.

    Raises
    ------
    BundleError
        If the file is missing, no bundle, or of another format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            record: dict[str, Any] = json.loads(archive.read(_RECORD))
    except FileNotFoundError:
        raise BundleError(f"{path}: no such bundle; train the models first") from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: not a bundle of models ({error})") from None
    if record.get("format") != FORMAT:
        raise BundleError(
            f"{path}: format {record.get('format')}, this version reads {FORMAT}; train anew"
        )
    return record


def load_bundle(path: Path, settings: Settings | None = None) -> Bundle:
    """Read a bundle.

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
        library, or holds types that are not those of our models.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    record = read_record(path)
    _check_versions(path, record)
    if settings is not None:
        _check_contract(path, record, contract(settings))
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(_TRUSTED))
        if unknown:
            raise BundleError(f"{path}: holds types that no model has: {', '.join(unknown)}")
        content = skops.io.load(path, trusted=list(_TRUSTED))
        models = {
            task: TaskModel(tuple(part["classes"]), part["estimator"])
            for task, part in content.items()
        }
    except BundleError:
        raise
    except UntrustedTypesFoundException as error:
        raise BundleError(f"{path}: {error}") from None
    except Exception as error:  # whatever damaged content makes the reader raise
        raise BundleError(f"{path}: damaged ({type(error).__name__}: {error})") from None
    if models.keys() != record["tasks"].keys():
        raise BundleError(f"{path}: record and models do not belong together")
    return Bundle(record, models)


def _check_versions(path: Path, record: dict[str, Any]) -> None:
    here = library_versions()
    for name, written in record["versions"].items():
        if name in here and written.split(".")[0] != here[name].split(".")[0]:
            raise BundleError(
                f"{path}: written with {name} {written}, here is {here[name]}; "
                "install that version or train anew"
            )


def _check_contract(path: Path, record: dict[str, Any], wanted: dict[str, Any]) -> None:
    for section, values in wanted.items():
        for name, value in values.items():
            found = record["contract"][section].get(name)
            if found != value:
                raise BundleError(
                    f"{path}: trained with {section}.{name} = {found}, the settings say {value}; "
                    "use the models' own settings or train anew"
                )


def model_card(record: Mapping[str, Any]) -> str:
    """A model card in Markdown, from the record of a bundle alone."""
    window = record["contract"]["window"]
    data = record["data"]
    lines = [
        f"# {record['element']}: coordination environment by {record['classifier']}",
        "",
        f"Predicts from a K-edge XANES of {record['element']} in an oxide the ranking of "
        "coordination numbers, then of the motifs of each.",
        "",
        "## Input",
        "",
        f"mu from {window['lower']:+g} to {window['upper']:+g} eV about "
        f"{window['reference']}, {window['points']} points, divided by the maximum. "
        "Energy reference (the same for computed and measured spectra): "
        + ", ".join(f"{k} {v}" for k, v in record["contract"]["edge_energy"].items())
        + ".",
        "",
        "## Training data",
        "",
        f"{data['site']} site-specific and {data['averaged']} site-averaged spectra of "
        f"{data['materials']} materials, {data['copies']} distorted copies; sources: "
        f"{', '.join(data['sources'])}; hash `{data['hash']}`. Label thresholds: "
        f"{record['thresholds'][0]} (CN), {record['thresholds'][1]} (motifs); labels of fewer than "
        f"{record['min_samples']} spectra are not learnt.",
        "",
        "| task | labels | spectra | temperature | hyper-parameters |",
        "|---|---|---|---|---|",
        *(
            f"| {task} | {len(part['classes'])} | {part['spectra']} | {part['temperature']} | "
            f"{', '.join(f'{k} {v}' for k, v in part['parameters'].items())} |"
            for task, part in record["tasks"].items()
        ),
        "",
        "## Cross-validation",
        "",
        f"{record['folds']} folds, seed {record['seed']}. Scope kept: without labels too rare to "
        "learn; all: these count as wrong. Intervals: 95 %, bootstrap over materials.",
        "",
        "| split | scope | spectra | top-1 | exact | Jaccard | baseline top-1 |",
        "|---|---|---|---|---|---|---|",
        *(_metric_line(row) for row in record["metrics"]),
        "",
        "## Limits",
        "",
        "Learnt from computed spectra of ordered crystals; other absorbers, edges, amorphous "
        "materials or windows are out of its reach. Probabilities are calibrated on held-out "
        "computed spectra.",
        "",
        "Versions: " + ", ".join(f"{k} {v}" for k, v in record["versions"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _metric_line(row: Mapping[str, Any]) -> str:
    def of(name: str) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return f"{row[name]:.3f}" + (f" ({low:.3f}-{high:.3f})" if low != "" else "")

    baseline = row["baseline_top1"]
    return (
        f"| {row['split']} | {row['scope']} | {row['spectra']} | {of('top1')} | {of('exact')} | "
        f"{of('jaccard')} | {baseline if baseline == '' else format(baseline, '.3f')} |"
    )
