"""The record of a bundle: what its models are, learnt from what, how good.

It comes from a file that anybody may have made or damaged: every field that a prediction, a card
or a figure uses is checked here, once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from xascoord.core.coordination import (
    CN_TASK,
    COORDINATION_NUMBERS,
    MOTIFS_OF,
    motif_task,
    tasks_of,
)
from xascoord.core.elements import GROUP_OF, POOLS, group_of
from xascoord.core.errors import BundleError
from xascoord.core.rankings import MOTIF_SEPARATOR
from xascoord.settings.models import ClassifierName
from xascoord.settings.spectra import EdgeEnergy, Window

FORMAT = 1


def _known(element: str) -> str:
    if element not in GROUP_OF:
        raise ValueError("no element that there are models of")
    return element


def _known_pool(name: str) -> str:
    if name not in POOLS:
        raise ValueError("no pool that there are models of")
    return name


class _Part(BaseModel):
    """Of the record; it may hold more than is asked for."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)


class TaskRecord(_Part):
    """What the record says of one task."""

    classes: list[str]
    spectra: Annotated[int, Field(ge=0)]
    temperature: Annotated[float, Field(gt=0)]
    parameters: dict[str, Any]


class InputSpec(_Part):
    """What a spectrum has to be brought to."""

    window: Window
    edge_energy: EdgeEnergy


class DataRecord(_Part):
    """What was learnt from."""

    hash: str
    site: int
    averaged: int
    materials: int
    copies: int
    sources: list[str]
    engines: list[str] = []


Share = float | Literal[""]


class MetricRecord(_Part):
    """A row of the card's table; "" where there is nothing to count."""

    split: str
    scope: str
    spectra: int
    baseline_top1: Share
    top1: Share
    top1_low: Share
    top1_high: Share
    exact: Share
    exact_low: Share
    exact_high: Share
    jaccard: Share
    jaccard_low: Share
    jaccard_high: Share
    decided_cn: Share = ""  # older records have none
    decided_cn_low: Share = ""
    decided_cn_high: Share = ""
    decided_environment: Share = ""
    decided_environment_low: Share = ""
    decided_environment_high: Share = ""


class OriginRecord(_Part):
    """Which version of the project made it."""

    commit: str | None = None
    clean: bool | None = None


class PublishedTask(_Part):
    """Which published file a model was."""

    file: str
    splits_on_first_points: list[int]


class PublishedPart(_Part):
    """Whose models somebody else's are, and on what terms."""

    citation: str
    url: str
    path: str
    commit: str
    licence: str
    copyright: str
    tasks: dict[str, PublishedTask]


class LearntRecord(_Part):
    """How many spectra of one element a pool learnt from."""

    site: Annotated[int, Field(ge=0)]
    averaged: Annotated[int, Field(ge=0)]


class _AnyRecord(_Part):
    """What every record must hold for a bundle to be used."""

    classifier: ClassifierName
    input_spec: InputSpec
    versions: dict[str, str]
    tasks: dict[str, TaskRecord]

    @model_validator(mode="after")
    def _labels_are_the_tasks(self) -> Self:
        names = {motif_task(n): n for n in MOTIFS_OF}
        for task, part in self.tasks.items():
            check_labels(part.classes, names.get(task))
        return self


class PublishedRecord(_AnyRecord):
    """Of models that somebody else published; no more is known of how they were learnt."""

    element: Annotated[str, AfterValidator(_known)]
    published: PublishedPart

    @model_validator(mode="after")
    def _tasks_are_there(self) -> Self:
        wanted = set(tasks_of(GROUP_OF[self.element]))
        known = {CN_TASK, *map(motif_task, MOTIFS_OF)}
        if not wanted <= set(self.tasks) <= known or not set(self.published.tasks) <= known:
            raise ValueError(f"tasks: must be {', '.join(sorted(wanted))}, or of other motifs too")
        for task in self.published.tasks:
            if task not in self.tasks or "trees" not in self.tasks[task].parameters:
                raise ValueError(f"tasks: says nothing of the trees of {task}")
        return self


class _TrainedRecord(_AnyRecord):
    """Of models that were trained here."""

    novelty: dict[str, Annotated[float, Field(ge=0)]]
    thresholds: Annotated[list[float], Field(min_length=2, max_length=2)]
    min_samples: int
    folds: int
    seed: int
    split: str
    searched: bool
    data: DataRecord
    metrics: list[MetricRecord]
    origin: OriginRecord | None = None

    def _check_tasks(self, group: str) -> None:
        names = tasks_of(group)
        if set(self.tasks) != set(names):
            raise ValueError(f"tasks: must be {', '.join(names)}")


class Record(_TrainedRecord):
    """Of models of one element."""

    element: Annotated[str, AfterValidator(_known)]

    @model_validator(mode="after")
    def _tasks_are_the_elements(self) -> Self:
        self._check_tasks(group_of(self.element))
        return self


class PooledRecord(_TrainedRecord):
    """Of models that several elements learnt together, which answer for all of a pool."""

    pool: Annotated[str, AfterValidator(_known_pool)]
    learnt: Annotated[dict[str, LearntRecord], Field(min_length=1)]

    @model_validator(mode="after")
    def _elements_are_the_pools(self) -> Self:
        if not set(self.learnt) <= set(POOLS[self.pool]):
            raise ValueError(f"learnt: elements that are not of {self.pool}")
        self._check_tasks(group_of(self.pool))
        return self


def check_labels(labels: list[str], number: int | None) -> None:
    """Look whether labels are ranking labels of a task.

    Parameters
    ----------
    labels
        Of the task; each once, sorted. An empty one says that nothing reaches the threshold.
    number
        Coordination number of a motif step; None for the CN step.

    Raises
    ------
    ValueError
        Naming the label that is none.
    """
    if number is None:
        known, separator = {f"CN_{n}" for n in COORDINATION_NUMBERS}, "-"
    else:
        known, separator = set(MOTIFS_OF[number]), MOTIF_SEPARATOR
    for label in labels:
        parts = label.split(separator) if label else []
        if not known.issuperset(parts) or len(set(parts)) < len(parts):
            raise ValueError(f"tasks: {label[:60]!r} is no ranking label")
    if labels != sorted(set(labels)):
        raise ValueError("tasks: labels are not sorted, or one stands twice")


def parse_record(path: Path, data: bytes) -> dict[str, Any]:
    """The record of a bundle, checked.

    Parameters
    ----------
    path
        Of the bundle, for messages.
    data
        JSON text of the record.

    Raises
    ------
    BundleError
        Naming the file and the fields that are wrong.
    """
    try:
        record: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: not a bundle of models ({error})") from None
    found = record.get("format") if isinstance(record, dict) else None
    if found != FORMAT:
        raise BundleError(f"{path}: format {found}, this version reads {FORMAT}; train anew")
    try:
        kinds: dict[str, type[_AnyRecord]] = {"published": PublishedRecord, "pool": PooledRecord}
        kind = next((model for name, model in kinds.items() if name in record), Record)
        kind.model_validate_json(data, strict=True)
    except ValidationError as error:
        fields = {_place(problem) for problem in error.errors()}
        raise BundleError(f"{path}: its record is damaged: {'; '.join(sorted(fields))}") from None
    # Bundles of before there were tails learnt windows that were covered.
    record["input_spec"]["window"].setdefault("tail", 0.0)
    return dict(record)


def _place(problem: Any) -> str:
    """Which field it is; what is wrong where several belong together."""
    field = ".".join(map(str, problem["loc"]))
    return field or str(problem["msg"]).removeprefix("Value error, ")
