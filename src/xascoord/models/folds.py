"""Folds of the cross-validation: what is tested must not be known from training."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import XascoordError
from xascoord.settings.models import SplitName


def assign_folds(
    labels: Sequence[str],
    materials: Sequence[str],
    split: SplitName,
    folds: int,
    seed: int,
    setting: str = "models.folds",
) -> npt.NDArray[np.int32]:
    """The fold in which each spectrum is tested.

    Parameters
    ----------
    labels
        Label of each spectrum; folds are stratified by it as far as groups allow. Labels of
        fewer spectra than folds count as one.
    materials
        Material of each spectrum. Under the split "grouped" all spectra of a material are in one
        fold; under "random", the paper's, they are not.
    split
        Which of the two.
    folds
        Number of folds.
    seed
        Seed of the shuffling.
    setting
        Name of the number of folds in the settings, for messages.

    Returns
    -------
    Array
        Shape (n,), from 0 to ``folds - 1``.

    Raises
    ------
    XascoordError
        If there are fewer materials (grouped) or spectra (random) than folds, or so few that a
        fold is left empty.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    groups = np.asarray(materials)
    units = len(set(materials)) if split == "grouped" else len(groups)
    if units < folds:
        what = "materials" if split == "grouped" else "spectra"
        raise XascoordError(f"{units} {what} for {folds} folds; add data or lower {setting}")
    counts = Counter(labels)
    strata = np.array([label if counts[label] >= folds else "rare" for label in labels])
    kind = StratifiedGroupKFold if split == "grouped" else StratifiedKFold
    splitter = kind(folds, shuffle=True, random_state=seed)
    found = np.full(len(groups), -1, dtype=np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # strata smaller than the number of folds
        for fold, (_, test) in enumerate(splitter.split(groups, strata, groups)):
            found[test] = fold
    if len(set(found.tolist())) < folds:
        raise XascoordError(
            f"one of {folds} folds is left empty, since few materials hold most spectra; "
            f"lower {setting} or add data"
        )
    return found
