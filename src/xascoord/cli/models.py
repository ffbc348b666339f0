"""Commands of stage 04: search, training, evaluation, cards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from xascoord.cli.app import group, settings_of
from xascoord.cli.options import (
    BUNDLES,
    DATASETS,
    LABELS,
    POOLED,
    PREDICTIONS,
    PUBLISHED,
    RAW,
    THRESHOLDS,
    Classifier,
    Datasets,
    Element,
    Labels,
    Out,
    Raw,
    Search,
    Thresholds,
    Workers,
    check_element,
)
from xascoord.core.elements import POOLS


def _pool(value: str) -> str:
    if value not in POOLS:
        raise typer.BadParameter(f"no pool {value!r}; there are {' '.join(POOLS)}")
    return value


commands = group("04: classifiers of an element, fitted and evaluated.")
Predictions = Annotated[Path, typer.Option(help="Folder of held-out predictions.")]
PublishedSetting = Literal["table", "example"]
Bundles = Annotated[Path, typer.Option(help="Folder of the models, their cards and references.")]


@commands.command()
def search(
    ctx: typer.Context,
    element: Element,
    out: Out,
    datasets: Datasets = DATASETS,
    labels: Labels = LABELS,
    workers: Workers = 1,
    raw: Raw = RAW,
) -> None:
    """Try every candidate of the hyper-parameter grids for an element; resumes."""
    from xascoord.models.element import ElementFiles
    from xascoord.models.stage import search_element

    files = ElementFiles(element, datasets, labels)
    search_element(files, settings_of(ctx), out, raw / "search", workers)


@commands.command()
def baseline(
    ctx: typer.Context,
    element: Element,
    datasets: Datasets = DATASETS,
    labels: Labels = LABELS,
    predictions: Predictions = PREDICTIONS,
    bundles: Bundles = BUNDLES,
) -> None:
    """Evaluate the constant guess of an element; keep the spectra that answers compare with."""
    from xascoord.models.element import ElementFiles
    from xascoord.models.stage import train_baseline

    train_baseline(
        ElementFiles(element, datasets, labels), settings_of(ctx),
        predictions / element / "baseline.parquet", bundles / element / "reference.parquet",
    )  # fmt: skip


@commands.command()
def train(
    ctx: typer.Context,
    element: Element,
    classifier: Classifier,
    datasets: Datasets = DATASETS,
    labels: Labels = LABELS,
    thresholds: Thresholds = THRESHOLDS,
    predictions: Predictions = PREDICTIONS,
    bundles: Bundles = BUNDLES,
    search: Search = None,
    workers: Workers = 1,
) -> None:
    """Cross-validate a classifier of an element, fit it to all spectra and save it.

    Example: `xascoord models baseline Cu && xascoord models train Cu forest`
    """
    from xascoord.labels.thresholds import read_thresholds
    from xascoord.models.element import ElementFiles
    from xascoord.models.stage import train_classifier

    train_classifier(
        ElementFiles(element, datasets, labels, search), classifier, settings_of(ctx),
        read_thresholds(thresholds), predictions / element / "baseline.parquet",
        predictions / element / f"{classifier}.parquet",
        bundles / element / f"{classifier}.skops", workers,
    )  # fmt: skip


@commands.command()
def summarise(ctx: typer.Context, out: Out, predictions: Predictions = PREDICTIONS) -> None:
    """Metrics, losses and figures of all elements."""
    from xascoord.models.stage import summarise_models

    summarise_models(settings_of(ctx), predictions, out)


@commands.command()
def train_pooled(
    ctx: typer.Context,
    pool: Annotated[str, typer.Argument(help="One of the pools below.", callback=_pool)],
    datasets: Datasets = DATASETS,
    labels: Labels = LABELS,
    thresholds: Thresholds = THRESHOLDS,
    predictions: Predictions = PREDICTIONS,
    out: Annotated[Path, typer.Option(help="Folder of the pools' models.")] = POOLED,
    workers: Workers = 1,
) -> None:
    """Learn the elements of a pool together by a forest, judge it, also by leaving elements out.

    For elements with few spectra: windows are relative to e0, so that spectra of like absorbers are
    examples for each other. Pools: alkali, alkaline_earth, metalloid, 3d_metal, 4d_metal,
    post_transition_metal. The models answer for every element of the pool where origin pooled is
    asked for; those of full multiple scattering learn without path expansions where there are two.

    Example: `xascoord models train-pooled 3d_metal && xascoord predict V2O5.xdi --origin pooled`
    """
    from xascoord.labels.thresholds import read_thresholds
    from xascoord.models.pools import train_pool

    train_pool(
        pool, datasets, labels, settings_of(ctx), read_thresholds(thresholds),
        predictions / pool / "forest.parquet", out / pool / "forest.skops", workers,
    )  # fmt: skip


@commands.command()
def summarise_pooled(ctx: typer.Context, out: Out, predictions: Predictions = PREDICTIONS) -> None:
    """Pools (models.pooled) beside the forests of their elements: a table and a figure."""
    from xascoord.models.pool_tables import summarise_pools

    summarise_pools(settings_of(ctx), predictions, out)


@commands.command()
def convert_published(
    folder: Annotated[
        Path, typer.Argument(help="Folder of the published .sav files, at any depth.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of bundles.")] = PUBLISHED,
    setting: Annotated[
        PublishedSetting,
        typer.Option(
            help="What measured spectra are brought to. table: 5 eV below to 55 eV above the "
            "tabulated edge, minimum 0 and maximum 1, as in the authors' table of measured "
            "spectra (energies must be right: give --e0 where the monochromator is off); example: "
            "15 eV below to 45 eV above the steepest point, over the maximum, as their package's "
            "example does, which gets fewer right (benchmarks/published_forests.py)."
        ),
    ] = "table",
    element: Annotated[
        str | None, typer.Option(help="Only those of this absorber.", callback=check_element)
    ] = None,
) -> None:
    """Make bundles of the random forests that Zheng et al. (Patterns 2020) published.

    Their files are pickles, which may run anything when they are loaded; here they are only read,
    and what is not a forest is refused. Nothing is learnt anew. Each element gets forest.skops and
    a card, forest.md, with source and licence; predict then asks them, without nearest computed
    spectra, since those that they learnt were not published, and validate counts them beside the
    others.

    Example: `xascoord fetch published_forests && xascoord models convert-published
    data/external/published_forests && xascoord predict Fe2O3.xdi --classifier published`
    """
    from xascoord.models.published.convert import WINDOWS, convert_folder

    done = convert_folder(folder, out, WINDOWS[setting], element)
    print(f"{done.forests} forests read, bundles of {len(done.elements)} elements in {out}: "
          f"{' '.join(done.elements)}")  # fmt: skip
    for element, why in done.left.items():
        print(f"left out: {element}, {why}")


@commands.command()
def card(bundle: Annotated[Path, typer.Argument(help="A .skops file of models.")]) -> None:
    """Print the model card of a bundle, without loading its models.

    Of released models it also says how often they were right on measured spectra.
    """
    from xascoord.models.bundles import read_record
    from xascoord.models.card import model_card
    from xascoord.prediction.store import entry_of

    print(model_card(read_record(bundle), entry_of(bundle).known()), end="")


@commands.command()
def release(
    origin: Annotated[str, typer.Argument(help="Name of where they come from, e.g. embedded.")],
    bundles: Bundles = BUNDLES,
    classifier: Annotated[str, typer.Option(help="Which models.")] = "forest",
    out: Annotated[Path, typer.Option(help="Folder of all origins.")] = Path(
        "src/xascoord/released"
    ),
    without: Annotated[
        list[str] | None, typer.Option(help="Elements to leave out; may be given several times.")
    ] = None,
) -> None:
    """Put the models of a run among those that come with the package.

    Then `xascoord validate FOLDER --models src/xascoord/released` says how often each origin is
    right, and its `origins.csv` belongs beside them; after that, `xascoord models card` of each
    file names it in its card.
    """
    from xascoord.models.release import release_models

    released = release_models(bundles, classifier, out / origin, without or ())
    print(f"{origin}: {' '.join(released)}")
