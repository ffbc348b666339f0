#!/usr/bin/env bash
# Makes .venv with exactly the packages of requirements.lock. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")"

stamp=.venv/.installed
wanted=$(cat requirements.lock pyproject.toml setup.sh | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  echo "setup: .venv is up to date"
  exit 0
fi

python=""
for name in python3.11 python3 python; do
  if command -v "$name" >/dev/null &&
    "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    python=$name
    break
  fi
done
if [ -z "$python" ]; then
  echo "setup: Python 3.11 is needed; install it, or use 'conda env create -f environment.yml'" >&2
  exit 1
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
# The lock holds every package, so nothing is resolved here. PyTorch comes from its CPU index
# (the default index would bring several GB of CUDA packages).
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --retries 1 \
  --extra-index-url https://download.pytorch.org/whl/cpu "$(grep '^# torch==' requirements.lock | cut -c3-)"
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip install --quiet --no-deps -r requirements.lock -e .
echo "$wanted" > "$stamp"
echo "setup: done; use .venv/bin/snakemake or 'source .venv/bin/activate'"
