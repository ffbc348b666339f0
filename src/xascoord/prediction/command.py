"""The prediction command: one file or a folder, text, JSON or a table, with pictures."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from xascoord.core.errors import MeasurementError, XascoordError
from xascoord.core.text import printable
from xascoord.jobs.progress import show_progress
from xascoord.measured.columns import Columns
from xascoord.measured.merge import merge_and_normalise
from xascoord.measured.prepare import read_and_normalise
from xascoord.measured.read import SUFFIXES, why_no_spectrum
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal
from xascoord.prediction.answer import Answer
from xascoord.prediction.output import Output
from xascoord.prediction.predictor import Predictor
from xascoord.prediction.request import check_request, is_many, settings_with
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.models import Importance, Prediction
from xascoord.settings.spectra import Window

Draw = Callable[[Sequence[Answer], Path], None]


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
    columns: Columns | None = None,
    as_athena: bool = False,
    window: Window | None = None,
    verbose: bool = False,
    merge: bool = False,
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
        Settings that were given by hand: ``classifier, channel, deglitch,
        normalisation``; None: not given.
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
    columns
        Which columns are what, where that was said.
    as_athena
        Take e0 and normalisation of Athena projects.
    window
        That the regions are of: they are not drawn where models have another; default the default.
    verbose
        Whether the text tells all that is known.
    merge
        Whether the files are repeat scans of one sample, and get one answer.

    Raises
    ------
    XascoordError
        If something that was given cannot be, or a single file cannot be read.
    """
    check_request(paths, e0, plot, out, as_json, merge)
    settings = settings_with(settings, wishes)
    predictor = Predictor(models, settings, origin, limits)
    _ = predictor.entry(element) if element else predictor.elements  # said once, and at once
    draw = partial(_draw, bounds=bounds, regions_of=window or Window())
    options = Options.from_settings(predictor.settings, limits, element, e0, columns, as_athena)
    if is_many(paths) and not merge:
        with closing(Output(out, as_json)) as output:
            files = _files_of(paths, output.path)
            counts = _run_files(files, predictor, options, plot, output, draw)
        print(counts, file=sys.stderr)
        return
    path = paths[0]
    answers = _predict_one(paths, predictor, options)
    if out is not None:
        with closing(Output(out, as_json)) as output:
            output.add(path.name, answers)
    elif as_json:
        print(json.dumps([answer.record() for answer in answers], indent=1))
    else:
        print("\n\n".join(answer.text(verbose) for answer in answers))
    if plot is not None:
        draw(answers, plot)


def _read(paths: Sequence[Path], options: Options) -> list[NormalisedSpectrum | Refusal]:
    """The spectra of one file, or the mean of the scans of several."""
    if len(paths) > 1:
        return [merge_and_normalise(paths, options)]
    return read_and_normalise(paths[0], options)


def _predict_one(paths: Sequence[Path], predictor: Predictor, options: Options) -> list[Answer]:
    """Read in a second process while this one loads what the models need.

    Both take most of their time to import their libraries, so together they take half.
    """
    elements = [options.element] if options.element else predictor.elements
    try:
        with ProcessPoolExecutor(1) as pool:
            future = pool.submit(_read, paths, options)
            predictor.import_libraries()
            if predictor.settings.references:
                _ = predictor.references
            if len(elements) == 1:
                predictor.models(elements[0])
            return predictor.predict(future.result())
    except BrokenProcessPool:
        raise XascoordError(f"{paths[0]}: reading it was ended from outside") from None


def _files_of(paths: Sequence[Path], own: Path | None) -> list[tuple[Path, str, str]]:
    """Files, what they are called, and why one of a folder is not read ("": it is).

    Those that were named are read; those of a folder by their name or by their content.
    """
    found = []
    own = own.resolve() if own else None
    for path in paths:
        if not path.is_dir():
            found.append((path, str(path), ""))
            continue
        every = sorted(p for p in path.rglob("*") if p.is_file() and p.resolve() != own)
        for file in every:
            known = file.suffix.lower() in SUFFIXES
            why = "" if known else why_no_spectrum(file)
            found.append((file, str(file.relative_to(path)), why))
    if all(why for _, _, why in found):
        reasons = "; ".join(f"{name}: {why}" for _, name, why in found[:3])
        raise MeasurementError(
            f"{', '.join(map(str, paths))}: no spectra here"
            + (f" ({len(found)} other files; {reasons})" if found else "")
        )
    return found


def _run_files(
    files: Sequence[tuple[Path, str, str]],
    predictor: Predictor,
    options: Options,
    plot: Path | None,
    output: Output,
    draw: Draw,
) -> str:
    """Answers for several files, each put out before the next is read; their counts in words."""
    spectra = answered = others = 0

    def steps() -> Iterator[tuple[int, int]]:
        nonlocal spectra, answered, others
        yield 0, len(files)
        for number, (file, name, why) in enumerate(files, start=1):
            if why:
                others += 1
                output.add(name, [_no_answer(file, predictor, options, f"skipped: {why}")])
            else:
                answers = _answers(file, predictor, options)
                output.add(name, answers)
                spectra += len(answers)
                answered += sum(answer.best is not None for answer in answers)
                if plot is not None:
                    _draw_if_possible(draw, answers, plot / f"{'_'.join(Path(name).parts)}.png")
            yield number, len(files)

    if output.is_shown_as_it_grows:
        deque(steps(), maxlen=0)
    else:
        show_progress(steps(), "files")
    return (
        f"{len(files) - others} files, {spectra} spectra: {answered} answered, "
        f"{spectra - answered} not" + (f"; {others} other files are no spectra" if others else "")
    )


def _answers(file: Path, predictor: Predictor, options: Options) -> list[Answer]:
    """Answers for a file of a folder; whatever goes wrong with it is the answer's reason."""
    try:
        return predictor.predict(read_and_normalise(file, options))
    except XascoordError as error:
        reason = str(error).removeprefix(f"{file}: ")
    except Exception as error:  # a fault of ours in one file must not cost the others
        reason = f"unexpected {type(error).__name__}: {error}"[:200]
    return [_no_answer(file, predictor, options, reason)]


def _no_answer(file: Path, predictor: Predictor, options: Options, reason: str) -> Answer:
    return Answer(file.name, options.element or "", predictor.settings.classifier, abstains=reason)


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
    bounds: tuple[float, float],
    regions_of: Window,
) -> None:
    """One picture a spectrum; of several in a file each gets its number."""
    from xascoord.prediction.figure import plot_answer

    for number, answer in enumerate(answers, start=1):
        own = path if len(answers) == 1 else path.with_stem(f"{path.stem}_{number}")
        if answer.seen is None:
            print(printable(f"{own}: not drawn, {answer.abstains}"), file=sys.stderr)
            continue
        window = answer.seen.window
        plot_answer(answer, window, own, bounds if window == regions_of else None)
