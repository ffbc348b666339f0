#!/bin/sh
# One stage of dvc.yaml: a target of the workflow, then the records of what it was made from.
# The project's own environment if it is there, else the one that is active.
set -e
if [ -x .venv/bin/python ]; then
  PATH="$PWD/.venv/bin:$PATH"
fi
# A Snakemake outlives a DVC that was killed: wait for it instead of failing.
XASCOORD_WAIT=1
export XASCOORD_WAIT
python -m snakemake --cores "${XASCOORD_CORES:-2}" "$@"
python -m xascoord workflow save
