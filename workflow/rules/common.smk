import hashlib
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from xascoord.core.elements import GROUPS
from xascoord.workflow.snakemake_records import restore_records, save_records
from xascoord.workflow.run_lock import hold_folder

# Jobs find the commands of the environment that Snakemake itself runs in.
shell.prefix(f'export PATH="{Path(sys.executable).parent}:$PATH"; ')


# Not in the jobs, each of which may be a Snakemake of its own: a run that was killed leaves no lock
# behind, and results that DVC brought are known for what they are made from.
if workflow.is_main_process:
    hold_folder(wait="XASCOORD_WAIT" in os.environ)
    restore_records()


wildcard_constraints:
    element="[A-Z][a-z]?",
    part="[0-9]+",


ELEMENTS = config["elements"]
GEOMETRY_ELEMENTS = [
    element for element in config["geometries"]["elements"] if element in ELEMENTS
]
SOURCE_FOLDERS = [f"data/01_spectra/{source}" for source in config["sources"]]

# On a cluster the profile sets threads: there is no --cores, and in a batch job Snakemake would see
# all cores of the node, not what the job was given.
try:
    CORES = workflow.cores or 1
except WorkflowError:
    CORES = 1
if not workflow.is_main_process:
    CORES = 1

# Elements run beside each other; what cores are left is used inside each job.
WORKERS = max(1, CORES // len(ELEMENTS))
GEOMETRY_WORKERS = max(1, CORES // max(1, len(GEOMETRY_ELEMENTS)))
JOINT_FIGURES = [
    f"results/03_labels/joint_{group}_{kind}.png"
    for group, members in GROUPS.items()
    if set(members) & set(ELEMENTS)
    for kind in ("cn_weights", "motif_order_parameters")
]

# Jobs over which FEFF runs are shared out, counted from 1.
CHUNKS = range(1, config["feff"]["run"]["chunks"] + 1)
MEASURED = config["validation"]["folder"]
SEARCHED = (
    ["results/04_models/search/{element}.csv"] if config["models"]["search"] else []
)
BUNDLES = expand(
    "data/04_models/bundles/{{element}}/{classifier}.{kind}",
    classifier=config["models"]["classifiers"],
    kind=["skops", "md"],
)


def settings(*sections, **parts):
    """The named sections of the settings as JSON: what a rule depends on, and all it is told.

    Of a section that is given by name only the listed values: settings(validation=["folder"]).
    """
    values = {name: config[name] for name in sections}
    for name, keys in parts.items():
        values[name] = {key: config[name][key] for key in keys}
    return json.dumps(values, sort_keys=True)


def memory(megabytes):
    """Memory of a job, doubled each time it is sent again."""
    return lambda wildcards, attempt: megabytes * 2 ** (attempt - 1)


def minutes(number):
    """Time of a job, doubled each time it is sent again, up to a day."""
    return lambda wildcards, attempt: min(
        number * 2 ** (attempt - 1), max(number, 24 * 60)
    )


def given(*paths):
    """Paths that are set, where a setting may be null.

    The time of a folder says nothing of what is in it; ``listing`` does.
    """
    return [ancient(path) if Path(path).is_dir() else path for path in paths if path]


def listing(*paths):
    """Digest of what is in some folders, whose own time does not tell of changes inside.

    A folder under DVC is known by its .dvc file: a checkout changes the times of its files.
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


def tables_of(source):
    """Every table that importing a source writes."""
    folder = f"data/01_spectra/{source}"
    return [
        *expand(
            "{folder}/{kind}/{element}.parquet",
            folder=folder,
            kind=["spectra", "structures"],
            element=ELEMENTS,
        ),
        f"{folder}/rejections.csv",
        f"{folder}/counts.csv",
    ]


def plan_of(source):
    """Every table of a plan of FEFF runs."""
    return expand(
        "data/01_spectra/{source}/plan/{table}",
        source=source,
        table=["structures.parquet", "rejections.csv", "sites.csv"],
    )
