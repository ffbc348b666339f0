import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from xascoord.core.elements import ELEMENTS as EMBEDDED
from xascoord.core.elements import GROUPS, POOLS
from xascoord.core.errors import XascoordError
from xascoord.core.fingerprint import fingerprint
from xascoord.settings.paths import check_paths
from xascoord.settings.tree import parse_settings
from xascoord.workflow.own_run import enter_folder, looks_at_inputs
from xascoord.workflow.snakemake_records import save_records

# Jobs find the commands of the environment that Snakemake itself runs in, unless they run in the
# container.
if (
    not workflow.deployment_settings
    or not workflow.deployment_settings.deployment_method
):
    shell.prefix(f'export PATH="{Path(sys.executable).parent}:$PATH"; ')


wildcard_constraints:
    element="[A-Z][a-z]?",
    classifier="(?!baseline)[a-z]+",
    part="[0-9]+",
    pool="|".join(POOLS),


try:
    whole_settings = parse_settings(dict(config), "params.yaml")
    if looks_at_inputs(workflow, sys.argv):
        check_paths(whole_settings, "params.yaml")
    # A run that was killed leaves no lock behind, and results that DVC brought are known for what
    # they are made from. Nothing of it in a dry run, a look at the graph, a job, or as a module.
    enter_folder(workflow, wait="XASCOORD_WAIT" in os.environ)
except XascoordError as error:
    raise WorkflowError(str(error))
SETTINGS = whole_settings.model_dump(mode="json")

ELEMENTS = SETTINGS["elements"]
CLASSIFIERS = SETTINGS["models"]["classifiers"]
GEOMETRY_ELEMENTS = [e for e in SETTINGS["geometries"]["elements"] if e in ELEMENTS]
SOURCE_FOLDERS = [f"data/01_spectra/{source}" for source in SETTINGS["sources"]]

# On a cluster the profile sets threads: there is no --cores, and in a batch job Snakemake would see
# all cores of the node, not what the job was given.
try:
    CORES = workflow.cores or 1
except WorkflowError:
    CORES = 1
if not workflow.is_main_process:
    CORES = 1


def workers(jobs):
    """Processes of each of some jobs that run beside each other: what cores they leave."""
    return max(1, CORES // max(1, jobs))


# Jobs over which FEFF runs are shared out, counted from 1.
CHUNKS = range(1, SETTINGS["feff"]["run"]["chunks"] + 1)
RUNS_WANTED = bool(
    SETTINGS["feff"]["run"]["structures"] or SETTINGS["feff"]["run"]["missing"]
)
PACKED = [SETTINGS["crystals"]["packed"]] if SETTINGS["crystals"]["packed"] else []
POOLED = SETTINGS["models"]["pooled"]
PUBLISHED = "data/external/published_forests"
# What the measured references are built of, by its name in data/sources.csv.
REFERENCES = [
    Path("data/external", name)
    for name in (
        "xasdatalibrary",
        "nano_xanes_fe",
        "nano_xanes_fe.nor",
        "mayotte_fe",
        "xasref_foils",
        "xasref_foils_more",
        "ceric_lisa",
    )
]
MEASURED = SETTINGS["validation"]["folder"]
SEARCHED = (
    ["results/04_models/search/{element}.csv"] if SETTINGS["models"]["search"] else []
)
DATASETS = expand(
    "data/02_datasets/{kind}/{{element}}.parquet", kind=["site", "averaged"]
)
LABELS = "data/03_labels/labels/{element}.parquet"
CALIBRATED = "results/03_labels/calibration.json"
THRESHOLDS = "results/03_labels/thresholds.json"


def chosen(*sections, **parts):
    """The named sections of the settings; of one that is given by name only the listed values.

    "run.timeout" is the value of a section within it.
    """
    values = {name: SETTINGS[name] for name in sections}
    for name, keys in parts.items():
        values[name] = {}
        for key in keys:
            outer, _, inner = key.partition(".")
            if inner:
                values[name].setdefault(outer, {})[inner] = SETTINGS[name][outer][inner]
            else:
                values[name][key] = SETTINGS[name][key]
    return values


def settings(*sections, **parts):
    """The chosen settings as JSON: what a rule depends on, and all it is told.

    For example settings("elements", validation=["folder"]).
    """
    return json.dumps(chosen(*sections, **parts), sort_keys=True)


code_of = cache(fingerprint)
# Further training sets, which are compared by one classifier.
OTHER_SETS = {"forest": ["compare", "learning_curve"]}


def fit_settings(*classifiers, more=(), sections=(), elements=(), **parts):
    """Settings of fits by some classifiers; of the others nothing: they are not stale with them.

    more: further settings of ``models``; elements: where a fit is of several; sections, parts: as
    for ``chosen``.
    """
    models = ["averaged", "splits", "folds", *more, *classifiers]
    values = chosen("seed", "window", "augmentation", *sections, models=models, **parts)
    values["models"]["search"] = bool(searched(*classifiers))
    if classifiers:
        values["models"]["classifiers"] = list(classifiers)
    if elements:
        values["elements"] = list(elements)
    return json.dumps(values, sort_keys=True)


def searched(*classifiers):
    """Table of the search that has the hyper-parameters of all of these, if there is one."""
    known = classifiers and set(classifiers) <= set(CLASSIFIERS)
    return SEARCHED if known else []


def reported(stage, category, *names):
    """Outputs of a summary, each with its caption in the report."""
    captions = {
        name: f"../report/{stage}/{name.replace('{element}', 'element')}.rst"
        for name in names
    }
    flagged = report  # at the start of a line the word would be Snakemake's keyword
    return [
        flagged(f"results/{stage}/{name}", caption=caption, category=category)
        for name, caption in captions.items()
    ]


def given(*paths):
    """Paths that are set, where a setting may be null.

    The time of a folder says nothing of what is in it; ``listing`` does.
    """
    return [ancient(path) if Path(path).is_dir() else path for path in paths if path]


@cache
def listing(*paths):
    """Digest of what is in some folders, whose own time does not tell of changes inside.

    For functions among ``params``: where no job that needs it is planned, nothing is read. A folder
    under DVC is known by its .dvc file: a checkout changes the times of its files.
    """
    found = []
    for path in map(Path, given(*paths)):
        record = path.with_name(f"{path.name}.dvc")
        if record.is_file():
            found.append(record.read_text())
        elif path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if file.is_file()]
            found += [
                (f.as_posix(), f.stat().st_size, f.stat().st_mtime_ns) for f in files
            ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


def measured_folder(wildcards):
    """The folder of measured files; asked for only where the benchmark is wanted."""
    if MEASURED is None:
        raise WorkflowError(
            "validation.folder is not set: there are no measured spectra to ask the models about. "
            "Set it in params.yaml, or give --config validation='{folder: FOLDER}' "
            "('xascoord fetch' brings the XAS Data Library)."
        )
    return given(MEASURED)


def tables_of(source, elements=ELEMENTS):
    """Every table that importing a source writes."""
    folder = f"data/01_spectra/{source}"
    return [
        *expand(
            "{folder}/{kind}/{element}.parquet",
            folder=folder,
            kind=["spectra", "structures"],
            element=elements,
        ),
        f"{folder}/rejections.csv",
        f"{folder}/counts.csv",
    ]


def tables_of_one(source):
    """Every table that importing one element of a source writes."""
    kinds = {"spectra": "parquet", "structures": "parquet"}
    kinds |= {"rejections": "csv", "counts": "csv"}
    return [
        f"data/01_spectra/{source}/{kind}/{{element}}.{suffix}"
        for kind, suffix in kinds.items()
    ]


def packed_of(element):
    """Table of finished FEFF runs of an element that came with the project, if there is one."""
    tables = [f"{folder}/{element}.parquet" for folder in PACKED]
    return [table for table in tables if Path(table).is_file()]


def elements_of(*pools):
    """Elements of some pools that are worked on."""
    return [e for pool in pools for e in POOLS[pool] if e in ELEMENTS]


@cache
def converted_of(folder):
    """Bundle and card of each element of which a folder has a published forest.

    For functions among inputs: where none of them is wanted, nothing is read.
    """
    names = {path.name.split("_")[1] for path in Path(folder).rglob("*_c_num.sav")}
    return expand(
        "data/04_models/published/{element}/forest.{kind}",
        element=[element for element in EMBEDDED if element in names],
        kind=["skops", "md"],
    )


def fetched_forests(wildcards):
    """What becomes of the published forests; asked for only where they are wanted."""
    if not converted_of(PUBLISHED):
        raise WorkflowError(
            f"{PUBLISHED}: no published forests (RandomForest_*.sav) here; bring them by "
            "'xascoord fetch published_forests'"
        )
    return converted_of(PUBLISHED)


def fetched_references(wildcards):
    """Files of measured references; asked for only where the table of them is wanted."""
    if missing := [path.name for path in REFERENCES if not path.exists()]:
        raise WorkflowError(
            f"data/external: no {', '.join(missing)}; bring each by 'xascoord fetch NAME'"
        )
    return given(*map(str, REFERENCES))


def runs_of(folder):
    """Tables of embedded FEFF runs and of their plan: each an input, known by its content."""
    tables = {*Path(folder).rglob("*.parquet"), *Path(folder).rglob("plan/*")}
    return sorted(table.as_posix() for table in tables)


def plan_of(source, part=None):
    """Every table of a plan of FEFF runs, or of that of a part of a source, such as an element."""
    folder = Path("data/01_spectra", source, "plan", part or "").as_posix()
    return expand(
        "{folder}/{table}",
        folder=folder,
        table=["structures.parquet", "rejections.csv", "sites.csv"],
    )
