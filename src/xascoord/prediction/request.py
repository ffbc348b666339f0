"""What was asked of ``xascoord predict``, looked at before anything slow is imported.

Libraries that read files and ask models take seconds to load; a wrong name shall not wait for them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xascoord.core.errors import MeasurementError, StorageError, XascoordError
from xascoord.settings.models import Prediction

_PICTURES = (".png", ".pdf", ".svg")


def is_many(paths: Sequence[Path]) -> bool:
    """Whether the answers make a table: several files, or a folder of them."""
    return len(paths) > 1 or paths[0].is_dir()


def check_request(
    paths: Sequence[Path],
    e0: float | None,
    plot: Path | None,
    out: Path | None,
    as_json: bool = False,
    merge: bool = False,
) -> None:
    """See that there is something to read, and that what is to be written can be.

    One of several files that is not there is a row of the table; nothing to read is an error.

    Parameters
    ----------
    paths
        Files, and folders of files.
    e0
        Energy zero in eV, where it is given.
    plot
        Picture, or for several files a folder of pictures.
    out
        File for the answers.
    as_json
        Whether they are to be JSON.
    merge
        Whether the files are scans of one sample: then each must be there.

    Raises
    ------
    XascoordError
        Naming the file or option that cannot be.
    """
    missing = [path for path in paths if not path.exists()]
    if merge and (folder := next((path for path in paths if path.is_dir()), None)):
        raise XascoordError(f"--merge {folder}: is a folder; name the files of one sample")
    if merge and len(paths) < 2:
        raise XascoordError(f"--merge {paths[0]}: one file; name all scans of the sample")
    if missing and (merge or len(missing) == len(paths)):
        raise MeasurementError(f"{', '.join(map(str, missing))}: no such file")
    if e0 is not None and not math.isfinite(e0):
        raise XascoordError("--e0: must be a number of eV")
    if out is not None:
        _check_target("--out", out, is_folder=False)
        if as_json and out.suffix.lower() == ".csv":
            raise XascoordError(
                f"--out {out}: a table (CSV) is asked for by its name, JSON by --json; leave out "
                "--json, or name a .json file"
            )
    if plot is None:
        return
    many = is_many(paths) and not merge
    if not many and plot.suffix.lower() not in _PICTURES:
        raise XascoordError(f"--plot {plot}: must end in {', '.join(_PICTURES)}")
    _check_target("--plot", plot, is_folder=many)


def _check_target(option: str, path: Path, is_folder: bool) -> None:
    """See that a file, or a folder of files, can be written there."""
    if not is_folder and path.is_dir():
        raise StorageError(f"{option} {path}: is a folder; name a file")
    above = path if is_folder else path.parent
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise StorageError(f"{option} {path}: {above} is a file, not a folder")
    if not os.access(path if path.exists() else above, os.W_OK):
        raise StorageError(f"{option} {path}: no permission to write there")


def settings_with(settings: Prediction, wishes: Mapping[str, Any]) -> Prediction:
    """The settings, but for what was given by hand.

    Parameters
    ----------
    settings
        Those in force otherwise.
    wishes
        ``classifier, channel, deglitch, normalisation``; None: not given.

    Raises
    ------
    XascoordError
        Naming the option that does not fit.
    """
    given = {name: value for name, value in wishes.items() if value is not None}
    try:
        return Prediction.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        problem = error.errors()[0]
        raise XascoordError(f"--{problem['loc'][0]}: {problem['msg']}") from None
