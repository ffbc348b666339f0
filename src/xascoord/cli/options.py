"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xascoord.core.elements import ELEMENTS


def check_element(value: str | None) -> str | None:
    """An absorber as it was given to a command; None where an option was not.

    Parameters
    ----------
    value
        Symbol of the element.

    Raises
    ------
    typer.BadParameter
        If it is none of the absorbers.
    """
    if value is not None and value not in ELEMENTS:
        raise typer.BadParameter(f"no element {value!r}; there are {' '.join(ELEMENTS)}")
    return value


Element = Annotated[str, typer.Argument(help="Absorber, e.g. Cu.", callback=check_element)]


def _classifier(value: str) -> str:
    from xascoord.settings.models import CLASSIFIERS

    if value not in CLASSIFIERS:
        raise typer.BadParameter(f"no classifier {value!r}; there are {' '.join(CLASSIFIERS)}")
    return value


Classifier = Annotated[
    str, typer.Argument(help="knn, forest, mlp, svc or cnn.", callback=_classifier)
]
Sources = Annotated[
    list[Path], typer.Option("--spectra", help="Folder of a source; by precedence.")
]
Datasets = Annotated[Path, typer.Option(help="Folder of the data sets.")]
OrderParameters = Annotated[Path, typer.Option(help="Folder of the order parameters.")]
Labels = Annotated[Path, typer.Option(help="Folder of the ranking labels.")]
Thresholds = Annotated[Path, typer.Option(help="JSON file of the labels' thresholds.")]
Search = Annotated[
    Path | None, typer.Option(help="Table of 'models search', instead of the settings.")
]
Out = Annotated[Path, typer.Option(help="File or folder to write.")]
Rejections = Annotated[Path, typer.Option(help="Table of what was left out, and why.")]
Workers = Annotated[int, typer.Option(min=1, help="Calculations at a time.")]
Raw = Annotated[
    Path, typer.Option(help="Folder of journals of long work, from which a killed command goes on.")
]
Models = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the models.",
        envvar="XASCOORD_MODELS",
        show_default="those of a run here, and the released",
    ),
]
Origin = Annotated[
    str | None,
    typer.Option(help="Models of this origin only, e.g. embedded, omnixas or published."),
]
Asked = Annotated[
    str | None,
    typer.Option(
        help="knn, forest, mlp, svc, cnn, or published: the forests of Zheng et al. (2020).",
        show_default="forest",
    ),
]

# Where the workflow puts things: defaults of the commands when they are called by hand.
DATASETS = Path("data/02_datasets")
ORDER_PARAMETERS = Path("data/03_labels/order_parameters")
LABELS = Path("data/03_labels/labels")
THRESHOLDS = Path("results/03_labels/thresholds.json")
PREDICTIONS = Path("data/04_models/predictions")
BUNDLES = Path("data/04_models/bundles")
PUBLISHED = Path("data/04_models/published")
POOLED = Path("data/04_models/pooled")
RAW = Path("data/raw")
