#!/usr/bin/env bash
# Resolves pyproject.toml into requirements.lock (for maintainers; needs the package index).
set -euo pipefail
cd "$(dirname "$0")"
excludes=$(mktemp)
# torch comes from the CPU index (see setup.sh). larch uses mkl-fft, and silx hdf5plugin, only
# where they are there; together they weigh half a GB.
printf 'torch\nmkl-fft\nhdf5plugin\n' > "$excludes"
{
  echo "# Exact versions, made by lock.sh from pyproject.toml. setup.sh installs them."
  echo "# torch==2.13.0"
  .venv/bin/uv pip compile pyproject.toml --extra dev --python-version 3.11 \
    --excludes "$excludes" --no-header --no-annotate --quiet --generate-hashes
} > requirements.lock.new
mv requirements.lock.new requirements.lock
rm "$excludes"
