"""The prediction command: one file or a folder, text, JSON or a table, with pictures."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xascoord.core.errors import BundleError, MeasurementError, XascoordError
from xascoord.measured.prepare import read_and_prepare
from xascoord.measured.read import SUFFIXES
from xascoord.prediction.answer import Answer
from xascoord.prediction.predictor import Predictor
from xascoord.settings.models import Prediction

_PICTURES = (".png", ".pdf", ".svg")
_COLUMNS = (
    "file", "spectrum", "element", "answer", "probability", "cn_probability", "e0", "distance",
    "abstains", "warnings",
)  # fmt: skip


def run(
    path: Path,
    element: str | None,
    e0: float | None,
    models: Path | None,
    origin: str | None,
    wishes: Mapping[str, Any],
    plot: Path | None,
    as_json: bool,
    settings: Prediction,
) -> None:
    """Predict and print.

    Parameters
    ----------
    path
        A file, or a folder of files.
    element, e0
        Absorber, and energy zero in eV, where they are given.
    models
        Folder of bundles; None: those of a run here, and the released.
    origin
        Of the models; None: the best.
    wishes
        Settings that were given by hand: ``classifier, channel, deglitch``; None: not given.
    plot
        Picture, or for a folder of spectra a folder of pictures.
    as_json
        JSON instead of text.
    settings
        Those in force otherwise.

    Raises
    ------
    XascoordError
        If something that was given cannot be, or a single file cannot be read.
    """
    given = {name: value for name, value in wishes.items() if value is not None}
    if plot is not None and not path.is_dir() and plot.suffix.lower() not in _PICTURES:
        raise XascoordError(f"--plot {plot}: must end in {', '.join(_PICTURES)}")
    if e0 is not None and not math.isfinite(e0):
        raise XascoordError("--e0: must be a number of eV")
    try:
        settings = Prediction.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        problem = error.errors()[0]
        raise XascoordError(f"--{problem['loc'][0]}: {problem['msg']}") from None
    predictor = Predictor(models, settings, origin)
    if path.is_dir():
        _run_folder(path, predictor, element, e0, plot, as_json)
        return
    answers = _predict_one(path, predictor, element, e0)
    if as_json:
        print(json.dumps([answer.record() for answer in answers], indent=1))
    else:
        print("\n\n".join(answer.text() for answer in answers))
    if plot is not None:
        _draw(answers, plot, predictor)


def _predict_one(
    path: Path, predictor: Predictor, element: str | None, e0: float | None
) -> list[Answer]:
    """Read the file in a second process while this one loads what the models need.

    Both take most of their time to import their libraries, so together they take half.
    """
    contracts = {e: predictor.input_spec(e) for e in ([element] if element else predictor.elements)}
    wishes = predictor.settings.channel, predictor.settings.deglitch
    try:
        with ProcessPoolExecutor(1) as pool:
            future = pool.submit(read_and_prepare, path, contracts, element, e0, *wishes)
            predictor.import_libraries()
            if len(contracts) == 1:
                predictor.models(next(iter(contracts)))
            return [predictor.answer(found) for found in future.result()]
    except BrokenProcessPool:
        raise XascoordError(f"{path}: reading it was ended from outside") from None


def _run_folder(
    folder: Path,
    predictor: Predictor,
    element: str | None,
    e0: float | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    every = sorted(p for p in folder.rglob("*") if p.is_file())
    files = [p for p in every if p.suffix.lower() in SUFFIXES]
    if len(files) < len(every):
        others = ", ".join(str(p.relative_to(folder)) for p in every if p not in files)
        print(f"not looked at ({len(every) - len(files)}): {others}", file=sys.stderr)
    if not files:
        raise MeasurementError(f"{folder}: no spectra here ({', '.join(SUFFIXES)})")
    results: list[tuple[Path, Answer]] = []
    for file in files:
        try:
            answers = predictor.predict_file(file, element, e0)
        except (MeasurementError, BundleError) as error:
            reason = str(error).removeprefix(f"{file}: ")
            answers = [Answer(file.name, element or "", predictor.settings.classifier,
                              abstains=reason)]  # fmt: skip
        results += [(file, answer) for answer in answers]
        if plot is not None:
            name = "_".join(file.relative_to(folder).parts)
            _draw(answers, plot / f"{name}.png", predictor)
    if as_json:
        records = [{"file": str(f.relative_to(folder)), **a.record()} for f, a in results]
        print(json.dumps(records, indent=1))
        return
    writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_line(folder, file, answer) for file, answer in results)


def _line(folder: Path, file: Path, answer: Answer) -> dict[str, Any]:
    record = answer.record()
    best = answer.best
    return {
        "file": file.relative_to(folder),
        "spectrum": answer.name,
        "element": answer.element,
        "answer": best.label if best else "",
        "probability": f"{best.probability:.4f}" if best else "",
        "cn_probability": f"{best.cn_probability:.4f}" if best else "",
        "e0": record["e0"] or "",
        "distance": "" if record["distance"] is None else record["distance"],
        "abstains": answer.abstains,
        "warnings": "; ".join(answer.warnings),
    }


def _draw(answers: Sequence[Answer], path: Path, predictor: Predictor) -> None:
    """One picture a spectrum; of several in a file each gets its number."""
    from xascoord.prediction.figure import plot_answer

    for number, answer in enumerate(answers, start=1):
        own = path if len(answers) == 1 else path.with_stem(f"{path.stem}_{number}")
        if answer.prepared is None:
            print(f"{own}: not drawn, {answer.abstains}", file=sys.stderr)
            continue
        plot_answer(answer, predictor.models(answer.element).input_spec[0], own)
