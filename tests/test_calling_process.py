"""The package as a library: the process that calls it is as it was before."""

import subprocess
import sys

import pytest

from model_data import copper_edge

SCRIPT = """
import sys
import warnings

import pandas
import sklearn.linear_model
import sklearn.utils
from threadpoolctl import threadpool_info

from xascoord.jobs.workers import run_in_workers
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.store import RELEASED


def state():
    filters = list(warnings.filters)
    threads = {pool["num_threads"] for pool in threadpool_info()}
    return filters, threads, list(sys.meta_path), sklearn.utils.all_estimators


if __name__ == "__main__":
    modules = dict(sys.modules)
    before = state()
    (answer,) = Predictor(RELEASED, origin="embedded").predict_file(sys.argv[1])
    assert answer.element == "Cu", answer
    for workers in (1, 2):
        assert sorted(run_in_workers(int, ["1", "2"], workers)) == [("1", 1), ("2", 2)]
    for name, mine, theirs in zip(("filters", "threads", "finders", "lister"), before, state()):
        assert mine == theirs, (name, mine, theirs)
    for name, module in sys.modules.items():
        assert module is not None or modules.get(name, "") is None, f"{name} was hidden"
        assert modules.get(name, module) is module, f"{name} was replaced"
        if name in ("larch", "larch.io", "larch.xafs", "larch.math", "pandas", "skops"):
            assert module.__spec__ is not None and module.__spec__.has_location, f"{name} is hollow"
    import skops.io

    model = sklearn.linear_model.LogisticRegression().fit([[0.0], [9.0]], [0, 1])
    assert skops.io.loads(skops.io.dumps(model)).predict([[9.0]]) == [1]
"""


@pytest.mark.slow
def test_nothing_is_left_behind(tmp_path):
    """Warnings' filters, modules, threads, scikit-learn's list of estimators."""
    script, spectrum = tmp_path / "script.py", tmp_path / "cu.dat"
    script.write_text(SCRIPT)
    rows = zip(*copper_edge(0, 1), strict=True)
    spectrum.write_text("\n".join(f"{energy} {mu}" for energy, mu in rows))
    result = subprocess.run(
        [sys.executable, str(script), str(spectrum)], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
