"""Whether stated probabilities hold on measured spectra, and what answering less would gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.figures import new_figure, save_figure
from xascoord.models.reliability import (
    ALL,
    FIGURES,
    STEPS,
    expected_calibration_error,
    reliability_bins,
    reliability_rows,
)
from xascoord.models.reliability_figure import draw_curve, style_axes

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Row = dict[str, Any]
COLUMNS = ("origin", "step", *FIGURES)
_BINS = 5  # there are some dozens of samples
_COLUMNS_OF = dict(
    zip(STEPS, (("cn_probability", "cn_right"), ("probability", "environment_right")), strict=True)
)
_FIRST_DRAWN = 5  # answers; shares of fewer jump


def stated_and_right(rows: Sequence[Row], step: str = next(iter(STEPS))) -> tuple[Array, Flags]:
    """Stated probability of each answer of one step, and whether it is right.

    Parameters
    ----------
    rows
        Of samples whose structure is known; those without answer are passed over.
    step
        One of ``reliability.STEPS``.
    """
    probability, right = _COLUMNS_OF[step]
    answered = [row for row in rows if row["answered"]]
    return (
        np.array([row[probability] for row in answered], dtype=float),
        np.array([row[right] for row in answered], dtype=bool),
    )


def calibration_error(rows: Sequence[Row]) -> float:
    """Expected calibration error of the first coordination number; nan where nothing is answered.

    Parameters
    ----------
    rows
        As for ``stated_and_right``.
    """
    stated, right = stated_and_right(rows)
    if not len(stated):
        return float("nan")
    return expected_calibration_error(reliability_bins(stated, right, _BINS))


def benchmark_bins(by_origin: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Rows of ``COLUMNS``.

    Parameters
    ----------
    by_origin
        Samples whose structure is known, by the origin of the models.
    """
    return [
        {"origin": origin, "step": step, **row}
        for origin, rows in by_origin.items()
        for step in STEPS
        for row in reliability_rows(*stated_and_right(rows, step), _BINS)
    ]


def coverage_curve(stated: Array, right: Flags, samples: int) -> tuple[Array, Array]:
    """Share answered and share right of these, where the surest answers are given first.

    Parameters
    ----------
    stated, right
        Of the answers, shape (n,).
    samples
        How many samples there are, answered or not.

    Returns
    -------
    coverage, accuracy
        One point for each different stated probability: equally sure answers are given together.
    """
    order = np.argsort(-stated, kind="stable")
    sure, number = stated[order], np.arange(1, len(order) + 1)
    accuracy = np.cumsum(right[order]) / number
    last = np.append(sure[1:] != sure[:-1], True)[: len(order)]
    return number[last] / max(samples, 1), accuracy[last]


def plot_coverage(by_origin: Mapping[str, Sequence[Row]], choice: str, path: Path) -> None:
    """Accuracy against coverage, and the reliability curve, of the first coordination number.

    Parameters
    ----------
    by_origin
        As for ``benchmark_bins``.
    choice
        The name among them of the choice of the best, which is drawn black.
    path
        PNG file.
    """
    figure = new_figure(10, 5.4)
    coverage, reliability = figure.subplots(1, 2)
    style_axes(reliability)
    others, lowest = 0, 0.5
    for number, (origin, rows) in enumerate(by_origin.items()):
        stated, right = stated_and_right(rows)
        if not len(stated):
            continue
        colour = "k" if origin == choice else f"C{others}"
        others += origin != choice
        x, y = coverage_curve(stated, right, len(rows))
        drawn = x * len(rows) >= min(_FIRST_DRAWN, len(stated)) - 0.5
        # Origins that are right throughout lie on each other: thinner lines above thicker ones.
        width = max(1.2, 3.6 - 0.8 * number)
        coverage.plot(x[drawn], y[drawn], color=colour, drawstyle="steps-post", linewidth=width,
                      label=f"{origin}: {len(stated)} of {len(rows)} answered, "
                      f"{right.mean():.0%} right")  # fmt: skip
        lowest = min(lowest, y[drawn].min() - 0.05)
        coverage.plot(x[-1:], y[-1:], "o", color=colour, markersize=5)
        bins = [row for row in reliability_rows(stated, right, _BINS) if row["bin"] != ALL]
        draw_curve(reliability, bins, f"{origin}: {calibration_error(rows):.2f}", colour)
    coverage.set_xlim(0, 1.02)
    coverage.set_ylim(lowest, 1.02)
    coverage.set_xlabel("share of samples answered, the surest first")
    coverage.set_ylabel("share right of the answered")
    reliability.set_xlabel("stated probability (open circles: fewer than 10 samples)")
    reliability.set_ylabel("share right")
    coverage.legend(frameon=False, fontsize=8, loc="lower left")
    reliability.legend(frameon=False, fontsize=8, loc="lower right", title_fontsize=8,
                       title="expected calibration error")  # fmt: skip
    figure.suptitle("First coordination number of measured oxygen compounds", fontsize=10)
    save_figure(figure, path)
