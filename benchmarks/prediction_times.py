"""Time of one prediction from the shell, warm from Python, and of many windows in one call.

``benchmarks/prediction_times.py FILE [MODELS]``: a measured file and the folder of the models.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

COUNT = 10_000


def main(file: str, models: str) -> None:
    command = [str(Path(sys.executable).with_name("xascoord")), "predict", file, "--models", models]
    for run in ("first", "second", "third"):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(f"shell, {run} run: {time.perf_counter() - started:.2f} s")
    from xascoord.prediction.predictor import Predictor

    predictor = Predictor(models)
    element = predictor.predict_file(file)[0].element
    started = time.perf_counter()
    predictor.predict_file(file)
    print(f"Python, models loaded: {1000 * (time.perf_counter() - started):.0f} ms")
    reference = predictor.models(element).reference
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(reference), COUNT)
    features = reference[rows] + 0.01 * rng.standard_normal((COUNT, reference.shape[1]))
    started = time.perf_counter()
    answers = predictor.predict_windows(element, features)
    seconds = time.perf_counter() - started
    print(f"{COUNT} windows in one call: {seconds:.1f} s, {1000 * seconds / COUNT:.2f} ms each")
    print(f"answered {sum(a.best is not None for a in answers)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "data/04_models/bundles")
