"""Combined CN-motif labels of both steps, and how well one describes another.

A ranking is a tuple of (coordination number, its motifs by falling order parameter), by falling
weight of the coordination number. A coordination number without a motif task, or whose motifs all
stay below the threshold, has an empty tuple of motifs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Ranking = tuple[tuple[int, tuple[str, ...]], ...]


def combine(cn_label: str, motif_labels: Mapping[int, str | None]) -> Ranking:
    """The combined ranking of both steps.

    Parameters
    ----------
    cn_label
        Ranking label of coordination numbers, e.g. ``CN_6-CN_4``; "" is the empty ranking.
    motif_labels
        Ranking label of the motifs of each coordination number.
    """
    ranking = []
    for number in cns_in(cn_label):
        label = motif_labels.get(number)
        ranking.append((number, tuple(label.split(MOTIF_SEPARATOR)) if label else ()))
    return tuple(ranking)


def describe(ranking: Ranking) -> str:
    """A ranking for people: ``CN_6 (octahedral > pentagonal pyramidal) > CN_4``."""
    parts = [
        f"CN_{number}" + (f" ({MOTIF_SEPARATOR.join(motifs)})" if motifs else "")
        for number, motifs in ranking
    ]
    return MOTIF_SEPARATOR.join(parts)


def read_description(description: str) -> Ranking:
    """The ranking that ``describe`` made this text of."""
    return tuple(
        (int(number), tuple(motifs.split(MOTIF_SEPARATOR)) if motifs else ())
        for number, motifs in re.findall(r"CN_(\d+)(?: \(([^)]*)\))?", description)
    )


def brief(description: str) -> str:
    """A described ranking with the first motif of each coordination number only."""
    return re.sub(r"\(([^>)]*?) >[^)]*\)", r"(\1 ...)", description)


def dominant(ranking: Ranking) -> str:
    """The top-ranked environment, e.g. ``CN_6 octahedral``; "" for an empty ranking."""
    if not ranking:
        return ""
    number, motifs = ranking[0]
    return f"CN_{number} {motifs[0]}" if motifs else f"CN_{number}"


def members(ranking: Ranking) -> frozenset[tuple[int, str]]:
    """The set of CN-motif labels of a ranking; a coordination number without motif is one label."""
    return frozenset(
        (number, motif) for number, motifs in ranking for motif in (motifs if motifs else ("",))
    )


def jaccard(true: frozenset[object], predicted: frozenset[object]) -> float:
    """Size of the intersection over that of the union (Patterns, Eq. 7); 1 for two empty sets."""
    union = len(true | predicted)
    return len(true & predicted) / union if union else 1.0


@dataclass(frozen=True)
class Score:
    """How well a predicted ranking describes the true one.

    Attributes
    ----------
    top1
        The top-ranked environments, coordination number and first motif, are the same
        (Patterns, Eq. 6).
    top1_ranking
        The top-ranked coordination numbers are the same and so is the whole ranking of their
        motifs (the stricter reading of Eq. 6: V2O5 counts as a failure in the text for the order
        of its second and third motif).
    exact
        Coordination numbers and motifs are the same, in the same order throughout.
    jaccard
        Of the sets of CN-motif labels (Patterns, Eq. 7).
    cn_top1, cn_exact, cn_jaccard
        The same of the coordination numbers alone.
    """

    top1: float
    top1_ranking: float
    exact: float
    jaccard: float
    cn_top1: float
    cn_exact: float
    cn_jaccard: float


def score(true: Ranking, predicted: Ranking) -> Score:
    """Compare a prediction with the truth; no prediction is a wrong one, even of no label."""
    if not predicted:
        return Score(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    numbers = [number for number, _ in true], [number for number, _ in predicted]
    return Score(
        top1=float(dominant(true) == dominant(predicted)),
        top1_ranking=float(true[:1] == predicted[:1]),
        exact=float(true == predicted),
        jaccard=jaccard(members(true), members(predicted)),
        cn_top1=float(numbers[0][:1] == numbers[1][:1]),
        cn_exact=float(numbers[0] == numbers[1]),
        cn_jaccard=jaccard(frozenset(numbers[0]), frozenset(numbers[1])),
    )


def dominant_cn(cn_label: str) -> int:
    """First coordination number of a CN ranking label; 0 for an empty one."""
    return next(iter(cns_in(cn_label)), 0)


def described_cn(description: str) -> int:
    """First coordination number of a described ranking or environment (``CN_6 octahedral``)."""
    return int(description.split()[0].removeprefix("CN_"))


MOTIF_SEPARATOR = " > "  # names of motifs hold hyphens


def cns_in(label: str) -> list[int]:
    """Coordination numbers of a label, in their order."""
    return [int(part.removeprefix("CN_")) for part in label.split("-") if part]
