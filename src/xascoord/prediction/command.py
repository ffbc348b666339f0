"""The prediction command: one file or a folder, text, JSON or a table, with pictures."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xascoord.core.errors import MeasurementError, XascoordError
from xascoord.core.text import printable
from xascoord.measured.prepare import read_and_prepare
from xascoord.measured.read import SUFFIXES
from xascoord.prediction.answer import Answer
from xascoord.prediction.output import Output
from xascoord.prediction.predictor import Predictor
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.models import Importance, Prediction
from xascoord.settings.spectra import Window

Draw = Callable[[Sequence[Answer], Path], None]
_PICTURES = (".png", ".pdf", ".svg")


def run(
    paths: Sequence[Path],
    element: str | None,
    e0: float | None,
    models: Path | None,
    origin: str | None,
    wishes: Mapping[str, Any],
    plot: Path | None,
    as_json: bool,
    settings: Prediction,
    out: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    bounds: tuple[float, float] = Importance().bounds,
    window: Window | None = None,
) -> None:
    """Predict and print.

    Parameters
    ----------
    paths
        Files, and folders of files.
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
    out
        File for the table (or JSON) instead of the terminal; it grows with each spectrum.
    limits
        Most that is read of a file.
    bounds
        Of the regions in a picture (``importance.bounds``).
    window
        That the regions are of: they are not drawn where models have another; default the default.

    Raises
    ------
    XascoordError
        If something that was given cannot be, or a single file cannot be read.
    """
    given = {name: value for name, value in wishes.items() if value is not None}
    path, many = paths[0], len(paths) > 1 or paths[0].is_dir()
    if plot is not None and not many and plot.suffix.lower() not in _PICTURES:
        raise XascoordError(f"--plot {plot}: must end in {', '.join(_PICTURES)}")
    if e0 is not None and not math.isfinite(e0):
        raise XascoordError("--e0: must be a number of eV")
    try:
        settings = Prediction.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        problem = error.errors()[0]
        raise XascoordError(f"--{problem['loc'][0]}: {problem['msg']}") from None
    predictor = Predictor(models, settings, origin, limits)
    draw = partial(_draw, predictor=predictor, bounds=bounds, regions_of=window or Window())
    if many:
        with closing(Output(out, as_json)) as output:
            _run_files(_files_of(paths, output.path), predictor, element, e0, plot, output, draw)
        return
    answers = _predict_one(path, predictor, element, e0)
    if out is not None:
        with closing(Output(out, as_json)) as output:
            output.add(path.name, answers)
    elif as_json:
        print(json.dumps([answer.record() for answer in answers], indent=1))
    else:
        print("\n\n".join(answer.text() for answer in answers))
    if plot is not None:
        draw(answers, plot)


def _predict_one(
    path: Path, predictor: Predictor, element: str | None, e0: float | None
) -> list[Answer]:
    """Read the file in a second process while this one loads what the models need.

    Both take most of their time to import their libraries, so together they take half.
    """
    contracts = {e: predictor.input_spec(e) for e in ([element] if element else predictor.elements)}
    wishes = predictor.settings.channel, predictor.settings.deglitch, predictor.limits
    try:
        with ProcessPoolExecutor(1) as pool:
            future = pool.submit(read_and_prepare, path, contracts, element, e0, *wishes)
            predictor.import_libraries()
            if len(contracts) == 1:
                predictor.models(next(iter(contracts)))
            return [predictor.answer(found) for found in future.result()]
    except BrokenProcessPool:
        raise XascoordError(f"{path}: reading it was ended from outside") from None


def _files_of(paths: Sequence[Path], own: Path | None) -> list[tuple[Path, str]]:
    """Files to read and what they are called: those named, and the spectra of named folders."""
    found, others = [], []
    own = own.resolve() if own else None
    for path in paths:
        if not path.is_dir():
            found.append((path, str(path)))
            continue
        every = sorted(p for p in path.rglob("*") if p.is_file() and p.resolve() != own)
        for file in every:
            name = str(file.relative_to(path))
            if file.suffix.lower() in SUFFIXES:
                found.append((file, name))
            else:
                others.append(name)
    if others:
        message = f"not looked at ({len(others)}): {', '.join(others)}"
        print(printable(message), file=sys.stderr)
    if not found:
        raise MeasurementError(
            f"{', '.join(map(str, paths))}: no spectra here ({', '.join(SUFFIXES)})"
        )
    return found


def _run_files(
    files: Sequence[tuple[Path, str]],
    predictor: Predictor,
    element: str | None,
    e0: float | None,
    plot: Path | None,
    output: Output,
    draw: Draw,
) -> None:
    """Answers for several files, each put out before the next is read; counts at the end."""
    _ = predictor.elements  # no models at all: said once, not for each file
    spectra = answered = 0
    for file, name in files:
        answers = _answers(file, predictor, element, e0)
        output.add(name, answers)
        spectra += len(answers)
        answered += sum(answer.best is not None for answer in answers)
        if plot is not None:
            _draw_if_possible(draw, answers, plot / f"{'_'.join(Path(name).parts)}.png")
    print(
        f"{len(files)} files, {spectra} spectra: {answered} answered, {spectra - answered} not",
        file=sys.stderr,
    )


def _answers(
    file: Path, predictor: Predictor, element: str | None, e0: float | None
) -> list[Answer]:
    """Answers for a file of a folder; whatever goes wrong with it is the answer's reason."""
    try:
        return predictor.predict_file(file, element, e0)
    except XascoordError as error:
        reason = str(error).removeprefix(f"{file}: ")
    except Exception as error:  # a fault of ours in one file must not cost the others
        reason = f"unexpected {type(error).__name__}: {error}"[:200]
    return [Answer(file.name, element or "", predictor.settings.classifier, abstains=reason)]


def _draw_if_possible(draw: Draw, answers: Sequence[Answer], path: Path) -> None:
    """Draw the answers of a file of a folder; a picture that fails is a message."""
    try:
        draw(answers, path)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        print(printable(f"{path.name}: not drawn, {reason}"), file=sys.stderr)


def _draw(
    answers: Sequence[Answer],
    path: Path,
    predictor: Predictor,
    bounds: tuple[float, float],
    regions_of: Window,
) -> None:
    """One picture a spectrum; of several in a file each gets its number."""
    from xascoord.prediction.figure import plot_answer

    for number, answer in enumerate(answers, start=1):
        own = path if len(answers) == 1 else path.with_stem(f"{path.stem}_{number}")
        if answer.prepared is None:
            print(printable(f"{own}: not drawn, {answer.abstains}"), file=sys.stderr)
            continue
        window = predictor.models(answer.element).input_spec[0]
        plot_answer(answer, window, own, bounds if window == regions_of else None)
