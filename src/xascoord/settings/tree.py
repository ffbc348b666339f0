"""Every scientific setting, in one tree that also generates the schema of ``params.yaml``.

Defaults are those of Zheng et al., Patterns 1, 100013 (2020) ("Patterns"), where it has one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import SettingsError
from xascoord.core.origin import PUBLISHED
from xascoord.settings.base import Section
from xascoord.settings.feff import Crystals, Feff
from xascoord.settings.labels import Labels
from xascoord.settings.limits import Limits
from xascoord.settings.models import Augmentation, Importance, Models, Prediction, Validation
from xascoord.settings.networks import ElementName, Geometries, Oxygen
from xascoord.settings.sources import (
    Demo,
    Embedded,
    MaterialsProject,
    Omnixas,
    Quality,
    SourceName,
    XasdbArchive,
)
from xascoord.settings.spectra import Averaging, EdgeEnergy, Window
from xascoord.settings.yaml_text import read_yaml

PARAMS_FILE = Path("params.yaml")
_WHERE_ALL_STAND = "All settings and what they may be: workflow/schemas/params.schema.json"


class Settings(Section):
    """The whole of ``params.yaml``."""

    seed: int = Field(20200413, ge=0, description="Seed of everything random.")
    elements: tuple[ElementName, ...] = Field(
        ELEMENTS, min_length=1, description="Absorbers to work on."
    )
    sources: tuple[SourceName, ...] = Field(
        ("embedded",),
        min_length=1,
        description="Sources of spectra; of a duplicate the first wins.",
    )
    embedded: Embedded = Embedded()
    demo: Demo = Demo()
    feff: Feff = Feff()
    crystals: Crystals = Crystals()
    omnixas: Omnixas = Omnixas()
    xasdb_archive: XasdbArchive = XasdbArchive()
    materials_project: MaterialsProject = MaterialsProject()
    limits: Limits = Limits()
    quality: Quality = Quality()
    edge_energy: EdgeEnergy = EdgeEnergy()
    window: Window = Window()
    averaging: Averaging = Averaging()
    labels: Labels = Labels()
    augmentation: Augmentation = Augmentation()
    models: Models = Models()
    importance: Importance = Importance()
    validation: Validation = Validation()
    prediction: Prediction = Prediction()
    geometries: Geometries = Geometries()
    oxygen: Oxygen = Oxygen()

    @model_validator(mode="after")
    def _each_once(self) -> Settings:
        for name in ("elements", "sources"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: each entry may stand only once")
        return self


class WholeSettings(Settings):
    """Settings of a file: their sections must fit together, which those of one job need not."""

    @model_validator(mode="after")
    def _consistent(self) -> WholeSettings:
        if self.augmentation.stretch >= self.window.upper - self.window.lower:
            raise ValueError("augmentation.stretch: must be smaller than the window")
        if self.window.reference not in ("e0", "onset") or self.window.normalise != "maximum":
            raise ValueError(
                "window: the steepest point, the tabulated edge and the range are those of "
                "published models; a run has reference e0 or onset, and normalise maximum"
            )
        if "feff" in self.sources and not (self.feff.path or self.feff.run.structures):
            raise ValueError("feff.path: name the folder or archive that the feff source reads")
        if self.crystals.preset not in self.feff.run.presets:
            raise ValueError(f"crystals.preset: no {self.crystals.preset!r} in feff.run.presets")
        if "omnixas" in self.sources and not self.omnixas.path:
            raise ValueError("omnixas.path: name the folder or archive that the source reads")
        if "xasdb_archive" in self.sources and not self.xasdb_archive.path:
            raise ValueError(
                "xasdb_archive.path: name the dump that the xasdb_archive source reads"
            )
        if self.prediction.classifier not in (*self.models.classifiers, PUBLISHED):
            raise ValueError(
                f"prediction.classifier: {self.prediction.classifier} is not among "
                "models.classifiers"
            )
        return self


def parse_settings(
    values: dict[str, Any], origin: str, model: type[Settings] = WholeSettings
) -> Settings:
    """Check a settings dictionary.

    Parameters
    ----------
    values
        Nested settings as read from YAML or JSON.
    origin
        Name of the file the values came from, for messages.
    model
        ``Settings`` for a part of them, whose sections need not fit together.

    Raises
    ------
    SettingsError
        Naming the file, each wrong field, what is wrong and the remedy.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_explain(p, origin, model) for p in error.errors() if not _says_nothing(p)]
        raise SettingsError("\n".join([*lines, _WHERE_ALL_STAND])) from None


def _says_nothing(problem: Any) -> bool:
    """Whether it says that a list is too short for entries that were refused: they are named."""
    return problem["type"] == "too_short" and bool(problem.get("input"))


def _explain(problem: Any, origin: str, model: type[Settings]) -> str:
    location = list(problem["loc"])
    # (A number may also be a key, where a name should stand.)
    in_list = location != [] and isinstance(location[-1], int) and problem["type"] != "invalid_key"
    while in_list and isinstance(location[-1], int):
        location.pop()  # an entry of a list is named by its value: nobody counts from 0
    field = ".".join(map(str, location)) or "(top level)"
    kind = "missing_entry" if in_list and problem["type"] == "missing" else problem["type"]
    remedy = {
        "extra_forbidden": "no such setting; " + _likely(location, model),
        "missing": "set it",
        "missing_entry": "needs one more entry",
        "tuple_type": "must be a list, in [ ]",
    }.get(kind, problem["msg"].removeprefix("Value error, "))
    if kind == "extra_forbidden" or field == "(top level)":
        return f"{origin}: {field}: {remedy}"
    given = _shown(problem.get("input"))
    if in_list and kind != "missing_entry":
        return f"{origin}: {field}: {given}: {remedy}"
    return f"{origin}: {field}: {remedy} (got {given})"


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.80}"
    except ValueError:  # more digits than Python writes
        return "a number too long to show"


def _likely(location: Sequence[Any], model: type[BaseModel]) -> str:
    """What may have been meant by a name that is not there."""
    for part in location[:-1]:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return "remove it or correct its name"
        model = inner
    near = get_close_matches(str(*location[-1:]), model.model_fields, 1)
    return f"did you mean {near[0]!r}?" if near else "remove it or correct its name"


def load_settings(path: Path, text: str | None = None) -> Settings:
    """Read ``params.yaml``, or take settings given as JSON text instead.

    Parameters
    ----------
    path
        The file; not read where there is a text, so that a job does what it was told even if
        somebody edits the file meanwhile.
    text
        JSON object of some sections; the others have their defaults.

    Raises
    ------
    SettingsError
        If the file is missing, is not YAML, or does not fit the schema.
    """
    if text is not None:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingsError(f"--settings: not a JSON object ({error})") from None
        if not isinstance(values, dict):
            raise SettingsError(f"--settings: must be a JSON object, not {text[:40]}")
        return parse_settings(values, "--settings", Settings)
    return parse_settings(read_yaml(path), str(path))


def load_or_default(path: Path) -> Settings:
    """Read the settings, or take the defaults where the usual file is not there.

    Commands for one file work in any folder; a file that was named must be there.
    """
    return load_settings(path) if path.exists() or path != PARAMS_FILE else Settings()


def json_schema() -> dict[str, Any]:
    """The JSON schema of ``params.yaml``, generated from this module."""
    schema = WholeSettings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
