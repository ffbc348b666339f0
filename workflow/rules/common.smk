import json
import sys
from pathlib import Path

from xascoord.elements import GROUPS

# Jobs find the commands of the environment that Snakemake itself runs in.
shell.prefix(f'export PATH="{Path(sys.executable).parent}:$PATH"; ')


wildcard_constraints:
    element="[A-Z][a-z]?",


ELEMENTS = config["elements"]
SOURCE_FOLDERS = [f"data/01_spectra/{source}" for source in config["sources"]]

# Elements run beside each other; what cores are left is used inside each job.
WORKERS = max(1, workflow.cores // len(ELEMENTS)) if workflow.cores else 1
JOINT_FIGURES = [
    f"results/03_labels/joint_{group}_{kind}.png"
    for group, members in GROUPS.items()
    if set(members) & set(ELEMENTS)
    for kind in ("numbers", "motifs")
]


def settings(*sections):
    """The named sections of the settings as JSON: what a rule depends on, and all it is told."""
    return json.dumps({name: config[name] for name in sections}, sort_keys=True)


def given(*paths):
    """Paths that are set, where a setting may be null."""
    return [path for path in paths if path]


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
