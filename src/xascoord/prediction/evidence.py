"""What measured references say of a spectrum, and how often that was right.

``references/tested.csv`` holds the answers for the references of the package themselves, each
asked without its compound (``xascoord references test``). Sets of coordination numbers and the
sentence on how often answers were right come from there.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from xascoord.core.errors import XascoordError
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.spectrum import NormalisedSpectrum
from xascoord.prediction.answer import Answer
from xascoord.references.classifier import (
    ELEMENTS,
    PRE_EDGE_ELEMENTS,
    Profile,
    distance_to_nearest,
    profile_of,
)
from xascoord.references.library import EMBEDDED
from xascoord.references.models import NearReference, ReferenceModels, why_no_oxygen_compound

TABLE = EMBEDDED.with_name("tested.csv")
COLUMNS = (
    "name", "element", "compound", "coordination", "kind", "oxygen_compound", "answered",
    "predicted", "probability", "shares", "why",
)  # fmt: skip
SHOWN = 3  # nearest references
ALWAYS_IN_SET = 0.2  # a number of this probability is in the set
_MIN_COMPOUNDS = 10  # for a quantile


@dataclass(frozen=True)
class LeftOut:
    """The answer for one compound, asked without it: the mean over its samples.

    Attributes
    ----------
    element, compound, coordination
        Of the references.
    shares
        Probability of each coordination number; empty where there was no answer.
    """

    element: str
    compound: str
    coordination: int
    shares: Mapping[int, float]

    @property
    def predicted(self) -> int:
        """The likeliest number; 0 where there was no answer."""
        return max(sorted(self.shares), key=lambda n: self.shares[n]) if self.shares else 0


@dataclass(frozen=True)
class Evidence:
    """What measured references say of one spectrum.

    Attributes
    ----------
    profile
        The spectrum as they see it.
    coordination
        Probability of each coordination number; empty for elements whose references are too few.
    distance
        To the nearest oxygen compound of the element (``classifier.distance_to_nearest``).
    kinds
        Probability of each kind of compound.
    near
        The nearest references of the element.
    pre_edge
        The pre-edge in words, with the range of references; "" where there is none.
    refusal
        Why it is taken for no oxygen compound, or "".
    """

    profile: Profile
    coordination: Mapping[int, float]
    distance: float
    kinds: Mapping[str, float]
    near: tuple[NearReference, ...]
    pre_edge: str
    refusal: str

    def told(self, answer: Answer) -> Answer:
        """The answer with this evidence in it.

        Parameters
        ----------
        answer
            Of the models of the element.
        """
        element, certain = self.profile.element, answer.certain
        if self.coordination:
            certain = prediction_set(answer.coordination, answer.error_rate)
        return replace(
            answer, certain=certain, descriptors=self.profile.descriptors, pre_edge=self.pre_edge,
            kinds=self.kinds, references=self.near, evidence=how_often_right(element),
        )  # fmt: skip


def evidence_of(spectrum: NormalisedSpectrum, models: ReferenceModels) -> Evidence | None:
    """What references say of a spectrum; None where it is too short for them.

    Parameters
    ----------
    spectrum
        Normalised.
    models
        Of the references.
    """
    element = spectrum.element
    try:
        profile = profile_of(element, spectrum.energy, spectrum.norm, spectrum.e0)
    except RejectedSpectrum:
        return None
    coordination: dict[int, float] = {}
    if element in ELEMENTS:
        (coordination,) = models.coordination.predict_proba([profile])
    first, last = float(spectrum.energy[0]), float(spectrum.energy[-1])
    kinds = models.kinds(profile, (first - spectrum.e0, last - spectrum.e0))
    near = tuple(models.nearest(profile, SHOWN))
    refusal = why_no_oxygen_compound(kinds, models.has_oxide(element))
    pre_edge = _pre_edge(profile, spectrum.e0, models)
    distance = distance_to_nearest(profile, models.library)
    return Evidence(profile, coordination, distance, kinds, near, pre_edge, refusal)


def _pre_edge(profile: Profile, e0: float, models: ReferenceModels) -> str:
    """The pre-edge in words, beside that of references of four and six neighbours."""
    if profile.element not in PRE_EDGE_ELEMENTS:
        return ""
    shown = profile.descriptors
    text = (
        f"pre-edge {shown.pre_edge_area:.2f} eV, {shown.pre_edge_height:.3f} edge steps high, at "
        f"{e0 + shown.pre_edge_centroid:.1f} eV"
    )
    for number, word in ((6, "six-fold"), (4, "four-fold")):
        found = models.descriptor_range("pre_edge_area", profile.element, number)
        if found is not None:
            low, high, compounds = found
            text += f"; {word} {profile.element} references: {low:.2f} to {high:.2f} ({compounds})"
    return text


@cache
def compounds_left_out(path: Path = TABLE) -> tuple[LeftOut, ...]:
    """Answers for the references of the package, by compound.

    Parameters
    ----------
    path
        Table of ``COLUMNS``.

    Raises
    ------
    XascoordError
        If it cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            return tuple(by_compound(csv.DictReader(handle)))
    except (OSError, KeyError, ValueError) as error:
        raise XascoordError(
            f"{path}: no table of tested references ({error!r}); make it with 'xascoord references "
            "test'"
        ) from None


def by_compound(rows: Iterable[Mapping[str, object]]) -> list[LeftOut]:
    """Answers for compounds of known coordination number, the mean over their samples.

    Parameters
    ----------
    rows
        Of ``COLUMNS``.
    """
    groups: dict[tuple[str, str, int], list[dict[int, float]]] = defaultdict(list)
    for row in rows:
        if row["coordination"]:
            key = str(row["element"]), str(row["compound"]), int(str(row["coordination"]))
            groups[key].append(shares_in(str(row["shares"])))
    return [
        LeftOut(element, compound, number, mean_shares(several))
        for (element, compound, number), several in sorted(groups.items())
    ]


def shares_in(text: str) -> dict[int, float]:
    """Probabilities by coordination number, as the table writes them: ``4:0.1 6:0.9``."""
    pairs = (part.split(":") for part in text.split())
    return {int(number): float(share) for number, share in pairs}


def mean_shares(found: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Mean over the samples that were answered."""
    answered = [shares for shares in found if shares]
    numbers = sorted({number for shares in answered for number in shares})
    return {n: sum(s.get(n, 0.0) for s in answered) / len(answered) for n in numbers}


def prediction_set(
    shares: Mapping[int, float], error_rate: float, tested: Sequence[LeftOut] | None = None
) -> tuple[int, ...] | None:
    """Coordination numbers that hold the true one but for a rate of errors, the likeliest first.

    A number is in it from the probability on that true numbers of tested compounds stay below in
    that share of cases (Sadinle, Lei & Wasserman, J. Am. Stat. Assoc. 114, 223 (2019)), and from a
    fifth on in any case. The likeliest is always in it.

    Parameters
    ----------
    shares
        Probability of each coordination number.
    error_rate
        That is allowed.
    tested
        Compounds; None: those of the package. Too few of them give no set.
    """
    compounds = compounds_left_out() if tested is None else tested
    true = np.sort([
        one.shares.get(one.coordination, 0.0)
        for one in compounds
        if one.shares and one.element in ELEMENTS
    ])  # fmt: skip
    if len(true) < _MIN_COMPOUNDS or not np.isfinite(error_rate):
        return None
    rank = int(np.floor((len(true) + 1) * error_rate))
    threshold = min(float(true[rank - 1]) if rank else 0.0, ALWAYS_IN_SET)
    ranked = sorted(shares, key=lambda n: (-shares[n], n))
    return tuple(n for place, n in enumerate(ranked) if not place or shares[n] >= threshold)


def how_often_right(element: str, tested: Sequence[LeftOut] | None = None) -> str:
    """How often answers for measured compounds of an element were right, by coordination number.

    Parameters
    ----------
    element
        Absorber.
    tested
        Compounds; None: those of the package.
    """
    compounds = compounds_left_out() if tested is None else tested
    mine = [one for one in compounds if one.element == element]
    if not mine:
        return f"No measured {element} compound of known structure was there to test this on."
    parts = []
    for number in sorted({one.coordination for one in mine}):
        right = [one.predicted == number for one in mine if one.coordination == number]
        parts.append(f"{number}-fold {sum(right)} of {len(right)}")
    return f"Measured {element} compounds, each asked without itself: {', '.join(parts)} right."
